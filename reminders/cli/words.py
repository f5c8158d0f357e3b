"""Says days, moments, windows and states the way people at a clinic do.

Invariant: a moment is told in the clinic's own time, and a day with its weekday.
"""

import datetime as dt
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from reminders.domain.window import Window
    from reminders.services.overview import ReminderView
    from reminders.services.plan import PlanOutcome
    from reminders.store.listing import ListedReminder

MARKS = {
    "planned": "→",
    "held": "‖",
    "claimed": "…",
    "handed_over": "…",
    "sent": "✓",
    "bounced": "↩",
    "unknown": "?",
    "failed": "!",
    "cancelled": "×",
    "expired": "×",
}
"""The sign beside a step, so that an eye finds what is still to come; the state beside it says the same in words."""

CHANGES = {
    "insert": "inserted",
    "move": "moved",
    "withdraw": "withdrawn",
    "restore": "restored",
    "hold": "held",
    "expire": "expired",
}
"""What planning does, from the planner's word to the one people and scripts read."""


def day(value: dt.date | None) -> str:
    """Return a day such as "Tue 3 Nov 2026"."""
    return "" if value is None else f"{value:%a} {value.day} {value:%b %Y}"


def moment(value: dt.datetime | None, zone: str | None) -> str:
    """Return a moment such as "Tue 3 Nov 2026 at 10:00" in the zone (UTC where none is known)."""
    if value is None:
        return ""
    local = value.astimezone(ZoneInfo(zone or "UTC"))
    return f"{day(local.date())} at {local:%H:%M}"


def window(value: "Window") -> str:
    """Return the four days of a window in words."""
    return (
        f"opens {day(value.opens)} · due {day(value.due)} · overdue {day(value.overdue)} · closes {day(value.closes)}"
    )


def state(view: "ReminderView | ListedReminder") -> str:
    """Return a reminder's state with its reason, such as "held (backlog hold)"."""
    name = str(view.state).replace("_", " ")
    return f"{name} ({str(view.reason).replace('_', ' ')})" if view.reason else name


def mark(view: "ReminderView | ListedReminder") -> str:
    """Return the sign of a reminder's state."""
    return MARKS[str(view.state)]


def count(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun: "1 reminder", "2 reminders", "no reminders"."""
    noun = one if number == 1 else many or f"{one}s"
    return f"{number or 'no'} {noun}"


def minutes(value: int | None) -> str | None:
    """Return minutes after midnight as a time of day."""
    return None if value is None else f"{value // 60:02}:{value % 60:02}"


def plan(value: "PlanOutcome") -> str:
    """Return what planning changed: "3 moved, 1 withdrawn", or "none changed"."""
    changed = [f"{number} {word}" for word, number in plan_counts(value).items() if number]
    return ", ".join(changed) or "none changed"


def plan_counts(value: "PlanOutcome") -> dict[str, int]:
    """Return how many reminders planning inserted, moved, withdrew, restored, held and expired."""
    counted = dict.fromkeys(CHANGES.values(), 0)
    for action, number in value.changes.items():
        counted[CHANGES[str(action)]] += number
    return counted
