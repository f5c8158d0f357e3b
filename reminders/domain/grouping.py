"""Decides, when a patient's reminders fall due, which go out together, which wait, and which come too soon.

Invariants (product rules, Messages of one patient): no message mixes classes; a cosmetic one keeps 14 local days from
any message, a medical one 7 from a medical one; a reminder waits for others at most once, and for a week at most.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reminders.domain.facts import Reminder
from reminders.domain.lifecycle import COUNTS_AS_SENT, Reason
from reminders.domain.protocol import STEP_NAMES, TreatmentClass
from reminders.domain.sending_hours import SendingCalendar, local_day, sending_moment

COSMETIC_DISTANCE = dt.timedelta(days=14)
MEDICAL_DISTANCE = dt.timedelta(days=7)
MERGE_DAYS = 7


@dataclass(frozen=True, slots=True)
class Past:
    """A message the patient may have received: its class and its local day."""

    class_name: TreatmentClass
    day: dt.date


@dataclass(frozen=True, slots=True)
class Wait:
    """A reminder is looked at again at `until`; `reason` is waiting_to_merge, or snoozed for the distance."""

    reminder: Reminder
    until: dt.datetime
    reason: Reason


@dataclass(frozen=True, slots=True)
class Grouping:
    """What becomes of one patient's due reminders: at most one message, of one class."""

    send: tuple[Reminder, ...] = ()
    waits: tuple[Wait, ...] = ()
    too_soon: tuple[Reminder, ...] = ()


def group(planned: Sequence[Reminder], past: Iterable[Past], calendar: SendingCalendar, now: dt.datetime) -> Grouping:
    """Decide over all of one patient's `planned` reminders, due or to come, at the moment `now`.

    A medical message goes before a cosmetic one, which then keeps its distance from it.
    """
    past = list(past)
    send: tuple[Reminder, ...] = ()
    waits: list[Wait] = []
    too_soon: list[Reminder] = []
    for class_name in (TreatmentClass.MEDICAL, TreatmentClass.COSMETIC):
        same = [reminder for reminder in planned if reminder.class_name is class_name]
        due = [reminder for reminder in same if reminder.wake_at <= now < reminder.not_after]
        if not due:
            continue
        part = _group_class(due, same, earliest_day(class_name, past), calendar, now)
        waits.extend(part.waits)
        too_soon.extend(part.too_soon)
        if part.send:
            send = part.send
            past.append(Past(class_name, local_day(calendar.zone, now)))
    return Grouping(send, tuple(waits), tuple(too_soon))


def history(stored: Iterable[Reminder], zone: str) -> list[Past]:
    """Return the class and the local day of every message that one patient may have received."""
    gone = ((reminder, reminder.went_at) for reminder in stored if reminder.state in COUNTS_AS_SENT)
    return [Past(reminder.class_name, local_day(zone, at)) for reminder, at in gone if at is not None]


def earliest_day(class_name: TreatmentClass, past: Iterable[Past]) -> dt.date | None:
    """Return the first local day on which a message of this class keeps its distance; None without earlier messages."""
    if class_name is TreatmentClass.MEDICAL:
        return max((p.day + MEDICAL_DISTANCE for p in past if p.class_name is TreatmentClass.MEDICAL), default=None)
    return max((p.day + COSMETIC_DISTANCE for p in past), default=None)


def _group_class(
    due: Sequence[Reminder],
    same: Sequence[Reminder],
    earliest: dt.date | None,
    calendar: SendingCalendar,
    now: dt.datetime,
) -> Grouping:
    if earliest is not None and local_day(calendar.zone, now) < earliest:
        return _keep_distance(due, earliest, calendar)
    partner = _partner(due, same, calendar, now)
    if partner is not None:
        return Grouping(waits=tuple(Wait(reminder, partner, Reason.WAITING_TO_MERGE) for reminder in due))
    return Grouping(send=tuple(sorted(due, key=lambda reminder: (reminder.due_at, reminder.id))))


def _keep_distance(due: Sequence[Reminder], earliest: dt.date, calendar: SendingCalendar) -> Grouping:
    """Let each wait for the first day that keeps the distance, if its own days reach so far."""
    waits: list[Wait] = []
    too_soon: list[Reminder] = []
    for reminder in due:
        last = local_day(calendar.zone, reminder.not_after - dt.timedelta(seconds=1))
        until = sending_moment(calendar, earliest, last)
        if until is None:
            too_soon.append(reminder)
        else:
            waits.append(Wait(reminder, until, Reason.SNOOZED))
    return Grouping(waits=tuple(waits), too_soon=tuple(too_soon))


def _partner(
    due: Sequence[Reminder], same: Sequence[Reminder], calendar: SendingCalendar, now: dt.datetime
) -> dt.datetime | None:
    """Return when the last of the class that all can wait for falls due within 7 days, or None; each waits once.

    What falls due on the way waits as well, so a moment that one of them cannot wait for is out: two messages would
    be made where one was meant, and the second would come too soon.
    """
    last_day = local_day(calendar.zone, now) + dt.timedelta(days=MERGE_DAYS)
    coming = [r for r in same if now < r.wake_at < r.not_after and local_day(calendar.zone, r.wake_at) <= last_day]
    found = None
    waiting = list(due)
    for reminder in sorted(coming, key=lambda r: r.wake_at):
        if any(r.wake_at < reminder.wake_at and (r.waited or r.not_after <= reminder.wake_at) for r in waiting):
            break
        found = reminder.wake_at
        waiting.append(reminder)
    return found


def stage(steps: Iterable[tuple[str, bool]]) -> str:
    """Return the wording of a message: the earliest stage among its reminders.

    `steps` gives each reminder's step and whether one was sent in its episode before; a first one is an invitation.
    """
    order = {name: place for place, name in enumerate(STEP_NAMES)}
    stages = (step if sent_before else STEP_NAMES[0] for step, sent_before in steps)
    return min(stages, key=lambda name: order[name])
