"""What the trail holds of each change that planning makes to a reminder.

Invariant: ids and codes only. Of a new row it is also its episode, step and copy, of a withdrawn one the hold that it
keeps: by them an audit knows a row that was made another step's, or let out of its hold, past the product.
"""

from reminders.domain.facts import Reminder
from reminders.domain.lifecycle import Reason, State
from reminders.domain.planner import Change

BY_THE_PLAN = 0
"""The `copy` of the plan's own rows."""


def told(key: int, change: Change) -> list[object]:
    """Return a change as an entry holds it: the row's id, the action, the state, the reason, and what the row is."""
    common: list[object] = [key, change.action, change.state, change.reason]
    if change.reminder is None and change.wanted is not None:
        return [*common, [change.wanted.episode_id, change.wanted.step, BY_THE_PLAN]]
    if change.reminder is not None and change.state is State.CANCELLED:
        return [*common, held_before(change.reminder)]
    return common


def held_before(reminder: Reminder) -> Reason | None:
    """Return the hold that a withdrawal keeps, so that a fact that comes and goes lets nothing out."""
    return reminder.reason if reminder.state is State.HELD else reminder.held_reason
