"""Holds what the plan would let go although it may have gone out before an older copy of the database was put back.

Invariant: what is recorded again writes to nobody by itself for a moment before the unlocking; a person's release lets
it go.
"""

import datetime as dt
from collections.abc import Iterable

from reminders.domain.lifecycle import Reason, State
from reminders.domain.planner import Action, Change


def held_back(changes: Iterable[Change], doubtful_before: dt.datetime | None) -> tuple[Change, ...]:
    """Return the changes, with `held_for_review` for whatever would be planned for `doubtful_before` or earlier.

    A send by hand, and what a person has let go since, is left alone.
    """
    if doubtful_before is None:
        return tuple(changes)
    return tuple(_held(change) if _in_doubt(change, doubtful_before) else change for change in changes)


def _in_doubt(change: Change, doubtful_before: dt.datetime) -> bool:
    if change.state is not State.PLANNED or change.wanted is None or change.wanted.due_at > doubtful_before:
        return False
    return change.reminder is None or not (change.reminder.released or change.reminder.copy)


def _held(change: Change) -> Change:
    action = change.action if change.reminder is None else Action.HOLD
    return change._replace(action=action, state=State.HELD, reason=Reason.HELD_FOR_REVIEW)
