"""A patient's reminders, delivered to the end: the distances hold, nothing waits twice, and all come to an end."""

import datetime as dt
from dataclasses import dataclass, field, replace
from itertools import permutations

from hypothesis import event, given, settings
from hypothesis import strategies as st

from reminders.domain.facts import Reminder
from reminders.domain.grouping import Grouping, Past, group
from reminders.domain.lifecycle import Reason, State, check_move
from reminders.domain.protocol import TreatmentClass
from reminders.domain.sending_hours import SendingCalendar, local_day, moment, next_open, sending_moment
from tests.support.facts import reminder
from tests.support.histories import CALENDARS, days
from tests.support.oracle import DAY, MINUTE, first_sending_day, keeps_distance

Message = tuple[TreatmentClass, dt.date]
WEEK = 7 * DAY


@dataclass
class Delivery:
    """What delivery did with one patient's reminders."""

    planned: dict[int, Reminder]
    messages: list[Message]
    sent: dict[int, dt.datetime] = field(default_factory=dict)
    waits: dict[int, int] = field(default_factory=dict)
    too_soon: set[int] = field(default_factory=set)
    too_late: set[int] = field(default_factory=set)


@st.composite
def cases(draw: st.DrawFn) -> tuple[SendingCalendar, list[Reminder], list[Message]]:
    """Draw a calendar, some planned reminders within two months, and what was sent before."""
    sending = draw(CALENDARS)
    planned = []
    for number in range(draw(st.integers(1, 6))):
        first = draw(days(20, 60))
        last = first + draw(st.sampled_from([0, 3, 8, 20, 40])) * DAY
        due_at = sending_moment(sending, first, last)
        if due_at is not None:
            one = reminder(number, class_name=draw(st.sampled_from(TreatmentClass)))
            planned.append(replace(one, due_at=due_at, not_after=moment(sending.zone, last, 1440)))
    past = draw(st.lists(st.tuples(st.sampled_from(TreatmentClass), days(0, 19)), max_size=2))
    return sending, planned, past


def _deliver(sending: SendingCalendar, planned: list[Reminder], past: list[Message], late: dt.timedelta) -> Delivery:
    """Look at the reminders `late` after each next one wakes, as soon as the clinic is open, until none is planned."""
    done = Delivery({one.id: one for one in planned}, list(past))
    while done.planned:
        now = next_open(sending, min(one.wake_at for one in done.planned.values()) + late)
        assert now is not None
        passed = [number for number, one in done.planned.items() if one.not_after <= now]
        for number in passed:
            done.too_late.add(number)
            del done.planned[number]
        history = [Past(*message) for message in done.messages]
        _round(done, group(list(done.planned.values()), history, sending, now), sending, now)
        assert not any(one.wake_at <= now for one in done.planned.values())  # each that was due has its answer
    return done


def _round(done: Delivery, found: Grouping, sending: SendingCalendar, now: dt.datetime) -> None:
    today = local_day(sending.zone, now)
    _check_send(done, found, sending, now)
    if found.send:
        done.messages.append((found.send[0].class_name, today))
    for one in found.send:
        done.sent[one.id] = now
        del done.planned[one.id]
    for wait in found.waits:
        _check_wait(done, wait.reminder, wait.until, wait.reason, now)
        merging = wait.reason is Reason.WAITING_TO_MERGE
        done.waits[wait.reminder.id] = done.waits.get(wait.reminder.id, 0) + merging
        done.planned[wait.reminder.id] = replace(
            wait.reminder, next_attempt_at=wait.until, reason=wait.reason, waited=wait.reminder.waited or merging
        )
    for one in found.too_soon:
        last = local_day(sending.zone, one.not_after - MINUTE)
        later = (today + n * DAY for n in range((last - today).days + 1))
        assert not any(
            first_sending_day(sending, day, day) and keeps_distance(one.class_name, day, done.messages) for day in later
        )
        done.too_soon.add(one.id)
        del done.planned[one.id]


def _check_send(done: Delivery, found: Grouping, sending: SendingCalendar, now: dt.datetime) -> None:
    today = local_day(sending.zone, now)
    assert len({one.class_name for one in found.send}) <= 1
    for one in found.send:
        assert one.due_at <= now < one.not_after
        assert keeps_distance(one.class_name, today, done.messages)
    if found.send and not any(one.waited for one in found.send):
        coming = [
            other.wake_at
            for other in done.planned.values()
            if other.class_name is found.send[0].class_name and other.wake_at > now and other.wake_at < other.not_after
        ]
        soonest = min(coming, default=None)
        if soonest is not None and local_day(sending.zone, soonest) <= today + WEEK:
            assert any(one.not_after <= soonest for one in found.send)  # else it would have waited


def _check_wait(done: Delivery, one: Reminder, until: dt.datetime, reason: Reason, now: dt.datetime) -> None:
    check_move(State.PLANNED, State.PLANNED, reason)
    assert now < until < one.not_after
    if reason is Reason.WAITING_TO_MERGE:
        assert not one.waited
        assert until <= now + WEEK + DAY
        assert any(
            other.wake_at == until and other.class_name is one.class_name and other.id != one.id
            for other in done.planned.values()
        )


@settings(max_examples=5 * settings().max_examples // 2)
@given(cases(), st.sampled_from([dt.timedelta(0), 10 * MINUTE, DAY]))
def test_distances_hold_waiting_is_done_once_and_every_reminder_comes_to_an_end(
    case: tuple[SendingCalendar, list[Reminder], list[Message]], late: dt.timedelta
) -> None:
    sending, planned, past = case
    done = _deliver(sending, planned, past, late)
    new = len(done.messages) - len(past)
    event(f"{new} messages for {len(done.sent)}, {len(done.too_soon)} too soon, {len(done.too_late)} too late")
    assert sorted([*done.sent, *done.too_soon, *done.too_late]) == [one.id for one in planned]
    assert late or not done.too_late
    assert max(done.waits.values(), default=0) <= 1
    sent = done.messages[len(past) :]
    for place, (kind, day) in enumerate(sent):
        assert keeps_distance(kind, day, [*past, *sent[:place]])


@given(cases())
def test_two_of_a_class_that_fall_due_within_a_week_are_one_message_if_the_first_can_wait(
    case: tuple[SendingCalendar, list[Reminder], list[Message]],
) -> None:
    sending, planned, _ = case
    for first, second in permutations(planned, 2):
        if first.class_name is not second.class_name or second.due_at < first.due_at:
            continue
        near = local_day(sending.zone, second.due_at) <= local_day(sending.zone, first.due_at) + WEEK
        done = _deliver(sending, [first, second], [], dt.timedelta(0))
        together = (len(done.messages), len(done.sent)) == (1, 2)
        assert together == (near and second.due_at < first.not_after)
