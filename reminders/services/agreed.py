"""Says whether a plan still wants what is about to go out.

Invariant: a reminder goes only within the days that its own plan gives it at this moment.
"""

import datetime as dt
from collections.abc import Iterable

from reminders.domain.facts import Reminder
from reminders.domain.lifecycle import State
from reminders.domain.planner import Plan, Wanted


def agreed(chosen: Iterable[Reminder], plan: Plan, now: dt.datetime) -> bool:
    """Tell whether a plan wants every one of these reminders to go now, and as it was claimed."""
    steps = {(want.episode_id, want.step): want for want in plan.steps}
    return all(_may_go(reminder, steps.get((reminder.episode_id, reminder.step)), now) for reminder in chosen)


def _may_go(reminder: Reminder, want: Wanted | None, now: dt.datetime) -> bool:
    """Tell whether the facts still want this reminder, now and as it was claimed.

    The plan leaves a claimed row alone, so a moved window shows in `want` only, and the message offers the old days.
    """
    if want is None:
        return False
    by_hand = reminder.released or reminder.copy > 0
    wanted_now = want.state is State.PLANNED or (want.state is State.HELD and by_hand)
    as_claimed = (reminder.window, reminder.protocol, reminder.class_name) == (
        want.window,
        want.protocol,
        want.class_name,
    )
    return wanted_now and as_claimed and max(want.due_at, want.snoozed_until or want.due_at) <= now < want.not_after
