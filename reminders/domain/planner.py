"""Derives every reminder from the facts, and says how the stored ones must change to agree with them.

`wanted` turns facts into steps with their day, moment and standing; `reconcile` compares them with what is stored.
Invariant: both are pure, planning twice changes nothing, and what was sent or is in a worker's hands is never touched.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from reminders.domain.answers import AnswerKind
from reminders.domain.eligibility import (
    BOOKING_LASTS,
    MISSES_FOR_STAFF,
    of_age_on,
    quiet_ends,
    remind_on,
    withheld,
)
from reminders.domain.episode import Run, runs
from reminders.domain.facts import Outcome, PatientFacts, Reminder, Rules
from reminders.domain.lifecycle import PENDING, Reason, State
from reminders.domain.protocol import Protocol, Step, TreatmentClass
from reminders.domain.sending_hours import SendingCalendar, end_of_day, local_day, moment, sending_moment
from reminders.domain.window import AllowedDays, Window, allowed_days


class Wanted(NamedTuple):
    """One step as today's facts want it. `state` is planned, held, cancelled or expired.

    `due_at` is the moment it goes out, on the first sending day in `days`; `not_after` the midnight ending the last.
    """

    episode_id: int
    step: str
    protocol: str
    class_name: TreatmentClass
    treatment_id: int | None
    window: Window
    days: AllowedDays
    due_at: dt.datetime
    not_after: dt.datetime
    state: State
    reason: Reason | None = None
    snoozed_until: dt.datetime | None = None


class Action(StrEnum):
    """What a change does to the stored plan."""

    INSERT = "insert"
    MOVE = "move"
    WITHDRAW = "withdraw"
    RESTORE = "restore"
    HOLD = "hold"
    EXPIRE = "expire"


class Change(NamedTuple):
    """One step of making the stored reminders agree with the facts.

    `reminder` is None for an insert; `wanted` is None when no fact asks for the stored reminder any more, and otherwise
    brings the protocol, class, treatment, window, days and `snoozed_until` to be stored with `state` and `reason`.
    """

    action: Action
    state: State
    reason: Reason | None
    reminder: Reminder | None = None
    wanted: Wanted | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """One patient's steps as the facts want them, and why any other stored reminder of an episode is withdrawn.

    `next_change` is the moment at which time alone changes the plan (a hold or a booking ends, an 18th birthday).
    """

    steps: tuple[Wanted, ...]
    otherwise: Mapping[int, Reason]
    next_change: dt.datetime | None = None


def wanted(facts: PatientFacts, rules: Rules, now: dt.datetime) -> Plan:
    """Return what one patient's facts ask for at the moment `now`: every step of every episode, by line and day."""
    today = local_day(rules.calendar.zone, now)
    steps: list[Wanted] = []
    otherwise: dict[int, Reason] = {}
    for run in runs(facts, rules):
        reason = withheld(run, facts, rules, today)
        otherwise[run.episode.id] = reason or Reason.PROTOCOL_CHANGED
        if run.protocol is None or run.window is None:
            continue
        subject = Subject(run, run.protocol, run.window, reason, *_peace(run, facts))
        slots = _slots(run.protocol, run.window, rules.calendar)
        counted = run.episode.counts_as_sent
        steps += [_want(subject, slot, rules, now) for slot in slots if slot.step.name not in counted]
    return Plan(tuple(steps), otherwise, _next_change(facts, rules, today))


def _next_change(facts: PatientFacts, rules: Rules, today: dt.date) -> dt.datetime | None:
    """Return the start of the first day after `today` on which time alone lifts a restriction."""
    days = [hold.until for hold in facts.holds if hold.until]
    days += [a.day + BOOKING_LASTS for a in facts.appointments if a.outcome in (None, Outcome.KEPT)]
    days += [a.day + BOOKING_LASTS for a in facts.answers if a.kind is AnswerKind.BOOKED and a.day]
    if facts.birth_date:
        days.append(of_age_on(facts.birth_date))
    coming = min((day for day in days if day > today), default=None)
    return moment(rules.calendar.zone, coming) if coming else None


class Subject(NamedTuple):
    """A run that has a protocol, and therefore a window and steps.

    `reason` is why none of them may go out today; `peace` the days before which the patient is left in peace, and
    `missed` whether so many appointments were missed that staff decide.
    """

    run: Run
    protocol: Protocol
    window: Window
    reason: Reason | None
    peace: tuple[dt.date, ...]
    missed: bool


def _peace(run: Run, facts: PatientFacts) -> tuple[tuple[dt.date, ...], bool]:
    if not (facts.appointments or facts.answers):  # most have neither
        return (), False
    ends, asked = quiet_ends(run, facts), remind_on(run, facts)
    return (*ends[-1:], *([asked] if asked else [])), len(ends) >= MISSES_FOR_STAFF


class _Slot(NamedTuple):
    """When a step may go out, whoever the patient is; `goes_out` is None where no sending day is among its days."""

    step: Step
    days: AllowedDays
    goes_out: dt.datetime | None
    due_at: dt.datetime
    not_after: dt.datetime


@lru_cache(maxsize=16_384)
def _slots(protocol: Protocol, window: Window, calendar: SendingCalendar) -> tuple[_Slot, ...]:
    """Return the steps of a window with their moments: the same for all who were treated alike on one day."""
    found = []
    for step, days in zip(protocol.steps, allowed_days(protocol, window), strict=True):
        goes_out = sending_moment(calendar, days.first, days.last)
        due_at = goes_out or moment(calendar.zone, days.first, calendar.usual_minute)
        not_after = max(end_of_day(calendar.zone, days.last), moment(calendar.zone, days.first))
        found.append(_Slot(step, days, goes_out, due_at, not_after))
    return tuple(found)


def _want(subject: Subject, slot: _Slot, rules: Rules, now: dt.datetime) -> Wanted:
    run, protocol = subject.run, subject.protocol
    treatment_id = run.treatment.id if run.treatment else None
    origin = (run.episode.id, slot.step.name, protocol.code, protocol.class_name, treatment_id)
    when = (subject.window, slot.days, slot.due_at, slot.not_after)
    return Wanted(*origin, *when, *_standing(subject, slot, rules, now))


def _standing(
    subject: Subject, slot: _Slot, rules: Rules, now: dt.datetime
) -> tuple[State, Reason | None, dt.datetime | None]:
    """Decide the state of one step: days that passed before the episode ended expire, the rest waits or is withheld."""
    run, reason = subject.run, subject.reason
    if run.ended_on is not None and run.ended_on > slot.days.last:
        return State.EXPIRED, Reason.TOO_LATE, None
    if reason is not Reason.TREATED_AGAIN and now >= slot.not_after:
        return State.EXPIRED, Reason.TOO_LATE, None
    if reason is not None:
        return State.CANCELLED, reason, None
    if slot.goes_out is None:
        return State.EXPIRED, Reason.TOO_LATE, None
    if subject.missed:
        return State.HELD, Reason.HELD_FOR_REVIEW, None
    return _snoozed(subject.peace, slot, slot.goes_out, rules)


def _snoozed(
    peace: Sequence[dt.date], slot: _Slot, goes_out: dt.datetime, rules: Rules
) -> tuple[State, Reason | None, dt.datetime | None]:
    """Leave a patient in peace for a week after a missed appointment, and until the day on which they asked for it."""
    if not peace:
        return State.PLANNED, None, None
    first = max(*peace, slot.days.first)
    until = sending_moment(rules.calendar, first, slot.days.last) or slot.not_after
    if until <= goes_out:
        return State.PLANNED, None, None
    return State.PLANNED, Reason.SNOOZED, until


def reconcile(stored: Iterable[Reminder], plan: Plan, now: dt.datetime) -> tuple[Change, ...]:
    """Return the changes that make `stored` (one patient's) agree with `plan` at the moment `now`.

    Steps whose days had passed, or whose episode had ended, before they were first stored are not inserted.
    """
    stored = tuple(stored)
    by_step = {(want.episode_id, want.step): want for want in plan.steps}
    kept = {(reminder.episode_id, reminder.step) for reminder in stored if reminder.copy == 0}
    found = [_change(r, by_step.get((r.episode_id, r.step)), plan.otherwise, now) for r in stored]
    inserts = [
        Change(Action.INSERT, want.state, want.reason, wanted=want)
        for key, want in by_step.items()
        if key not in kept and is_stored(want, now)
    ]
    return (*(change for change in found if change is not None), *inserts)


def is_stored(want: Wanted, now: dt.datetime) -> bool:
    """Tell whether a step that is not stored yet becomes a row: its days last and its episode has not ended."""
    return now < want.not_after and want.reason is not Reason.TREATED_AGAIN


def _change(
    reminder: Reminder, want: Wanted | None, otherwise: Mapping[int, Reason], now: dt.datetime
) -> Change | None:
    """Return what must happen to one stored reminder, or None."""
    if reminder.state not in (*PENDING, State.CANCELLED):
        return None
    passed = now >= (want.not_after if want else reminder.not_after)
    if reminder.state is State.CANCELLED and passed:
        return None
    if want is None and passed:
        return Change(Action.EXPIRE, State.EXPIRED, Reason.TOO_LATE, reminder)
    if want is None:
        return _withdraw(reminder, None, otherwise.get(reminder.episode_id, Reason.ENTERED_IN_ERROR))
    if want.state is State.CANCELLED:
        return _withdraw(reminder, want, want.reason)
    if want.state is State.EXPIRED:
        if reminder.state is State.CANCELLED:
            return None
        return Change(Action.EXPIRE, State.EXPIRED, want.reason, reminder, want)
    return _keep(reminder, want)


def _withdraw(reminder: Reminder, want: Wanted | None, reason: Reason | None) -> Change | None:
    if reminder.state is State.CANCELLED and reminder.reason == reason and not _moved(reminder, want):
        return None
    return Change(Action.WITHDRAW, State.CANCELLED, reason, reminder, want)


def _keep(reminder: Reminder, want: Wanted) -> Change | None:
    """Return the change for a reminder that the facts want planned or held."""
    held = want.state is State.HELD and not (reminder.released or reminder.copy)
    if reminder.state is State.CANCELLED:
        if held or reminder.held_reason:
            return Change(Action.HOLD, State.HELD, want.reason if held else reminder.held_reason, reminder, want)
        return Change(Action.RESTORE, State.PLANNED, _planned_reason(reminder, want), reminder, want)
    if reminder.state is State.HELD:
        return Change(Action.MOVE, State.HELD, reminder.reason, reminder, want) if _differs(reminder, want) else None
    if held:
        return Change(Action.HOLD, State.HELD, want.reason, reminder, want)
    reason = _planned_reason(reminder, want)
    if reason == reminder.reason and not _differs(reminder, want):
        return None
    return Change(Action.MOVE, State.PLANNED, reason, reminder, want)


def _planned_reason(reminder: Reminder, want: Wanted) -> Reason | None:
    """Keep what delivery said of a waiting reminder unless the plan has a reason of its own."""
    if want.snoozed_until is not None:
        return want.reason
    waits = reminder.state is State.PLANNED and reminder.next_attempt_at is not None
    return reminder.reason if waits and reminder.snoozed_until is None else None


def _differs(reminder: Reminder, want: Wanted) -> bool:
    """Tell whether the row is not as the plan writes it; one that oversleeps would starve, and is written anew."""
    return _moved(reminder, want) or reminder.snoozed_until != want.snoozed_until or reminder.oversleeps


def _moved(reminder: Reminder, want: Wanted | None) -> bool:
    """Tell whether the step has other days or another protocol; what is withdrawn has no snooze to compare."""
    if want is None:
        return False
    days = (reminder.due_at, reminder.not_after, reminder.window)
    origin = (reminder.protocol, reminder.class_name, reminder.treatment_id)
    return days != (want.due_at, want.not_after, want.window) or origin != (
        want.protocol,
        want.class_name,
        want.treatment_id,
    )
