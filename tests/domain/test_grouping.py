"""Messages of one patient: what goes out together, what waits for another or for the distance, what comes too soon."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from reminders.domain.facts import Reminder
from reminders.domain.grouping import Grouping, Past, Wait, earliest_day, group, stage
from reminders.domain.lifecycle import Reason
from tests.support.facts import COSMETIC, EVERY_DAY, MEDICAL, calendar, day, reminder, utc

NOW = "2026-01-05 10:00"  # a Monday
DUE = reminder(1)


def _group(*planned: Reminder, past: Sequence[Past] = (), now: str = NOW) -> Grouping:
    return group(planned, past, calendar(), utc(now))


def _medical(number: int, due_at: str = NOW, not_after: str = "2026-02-05 00:00") -> Reminder:
    return reminder(number, due_at, not_after, class_name=MEDICAL)


def _past(kind: str, on: str) -> list[Past]:
    return [Past(MEDICAL if kind == "medical" else COSMETIC, day(on))]


def test_a_reminder_that_is_due_alone_goes_out_alone() -> None:
    assert _group(DUE, reminder(2, "2026-01-13 10:00")) == Grouping(send=(DUE,))


def test_nothing_due_is_nothing_to_do() -> None:
    assert _group(reminder(1, "2026-01-05 10:00:01")) == Grouping()
    assert _group() == Grouping()


def test_what_has_passed_is_not_sent() -> None:
    assert _group(reminder(1, "2026-01-01 10:00", NOW)) == Grouping()


def test_reminders_of_a_class_that_are_due_go_out_as_one_message_oldest_first() -> None:
    older = reminder(3, "2026-01-02 10:00")
    assert _group(DUE, older) == Grouping(send=(older, DUE))


def test_a_retry_is_not_due_before_its_time() -> None:
    assert _group(replace(DUE, next_attempt_at=utc("2026-01-05 10:05"))) == Grouping()


@pytest.mark.parametrize("coming", ["2026-01-05 10:01", "2026-01-07 10:00", "2026-01-12 10:00"])
def test_a_reminder_waits_for_another_of_its_class_that_falls_due_within_7_days(coming: str) -> None:
    assert _group(DUE, reminder(2, coming)) == Grouping(waits=(Wait(DUE, utc(coming), Reason.WAITING_TO_MERGE),))


def test_it_does_not_wait_for_8_days() -> None:
    assert _group(DUE, reminder(2, "2026-01-13 10:00")).send == (DUE,)


def test_it_waits_only_if_its_allowed_days_reach_so_far() -> None:
    other = reminder(2, "2026-01-08 10:00")
    assert _group(replace(DUE, not_after=utc("2026-01-08 00:00")), other).send
    assert _group(replace(DUE, not_after=utc("2026-01-09 00:00")), other).waits


def test_it_waits_once() -> None:
    waited = replace(DUE, waited=True)
    assert _group(waited, reminder(2, "2026-01-08 10:00")).send == (waited,)


def test_what_can_wait_goes_along_with_what_cannot() -> None:
    waited, fresh = replace(DUE, waited=True), reminder(2)
    assert _group(waited, fresh, reminder(3, "2026-01-08 10:00")).send == (waited, fresh)


def test_it_waits_for_the_last_of_several_so_that_all_are_one_message() -> None:
    soon, later = reminder(2, "2026-01-07 10:00"), reminder(3, "2026-01-12 10:00")
    assert _group(DUE, later, soon).waits == (Wait(DUE, later.due_at, Reason.WAITING_TO_MERGE),)


def test_but_for_none_that_another_on_the_way_cannot_wait_for() -> None:
    soon, later = reminder(2, "2026-01-07 10:00", "2026-01-10 00:00"), reminder(3, "2026-01-12 10:00")
    assert [wait.until for wait in _group(DUE, soon, later).waits] == [soon.due_at]
    waits_already = replace(soon, not_after=later.not_after, waited=True)
    assert [wait.until for wait in _group(DUE, waits_already, later).waits] == [soon.due_at]


def test_it_does_not_wait_for_one_that_will_never_go() -> None:
    never = replace(
        reminder(2, "2026-01-06 10:00"), snoozed_until=utc("2026-01-09 00:00"), not_after=utc("2026-01-09 00:00")
    )
    assert _group(DUE, never).send == (DUE,)


def test_it_waits_for_no_message_of_the_other_class() -> None:
    assert _group(DUE, _medical(2, "2026-01-08 10:00")).send == (DUE,)


def test_no_message_mixes_classes_and_the_medical_one_goes_first() -> None:
    medical = _medical(2)
    found = _group(DUE, medical)
    assert found.send == (medical,)
    assert found.waits == (Wait(DUE, utc("2026-01-19 10:00"), Reason.SNOOZED),)


def test_while_a_medical_reminder_waits_the_cosmetic_one_goes() -> None:
    medical = _medical(2)
    found = _group(DUE, medical, _medical(3, "2026-01-08 10:00"))
    assert found == Grouping((DUE,), (Wait(medical, utc("2026-01-08 10:00"), Reason.WAITING_TO_MERGE),))


@pytest.mark.parametrize("kind", ["cosmetic", "medical"])
@pytest.mark.parametrize(("on", "goes"), [("2025-12-22", True), ("2025-12-23", False), ("2026-01-05", False)])
def test_a_cosmetic_message_is_14_local_days_after_any_message(kind: str, on: str, *, goes: bool) -> None:
    assert bool(_group(DUE, past=_past(kind, on)).send) is goes


@pytest.mark.parametrize(("on", "goes"), [("2025-12-29", True), ("2025-12-30", False), ("2026-01-05", False)])
def test_a_medical_message_is_7_local_days_after_a_medical_one(on: str, *, goes: bool) -> None:
    assert bool(_group(_medical(1), past=_past("medical", on)).send) is goes


def test_a_medical_message_keeps_no_distance_from_a_cosmetic_one() -> None:
    assert _group(_medical(1), past=_past("cosmetic", "2026-01-05")).send


def test_the_latest_of_several_messages_counts() -> None:
    past = [*_past("cosmetic", "2025-12-30"), *_past("medical", "2026-01-01"), *_past("cosmetic", "2025-06-01")]
    assert (earliest_day(COSMETIC, past), earliest_day(MEDICAL, past)) == (day("2026-01-15"), day("2026-01-08"))
    assert earliest_day(MEDICAL, _past("cosmetic", "2026-01-01")) is None


def test_the_later_message_waits_for_the_first_sending_day_that_keeps_the_distance() -> None:
    found = _group(DUE, past=_past("cosmetic", "2026-01-03"))
    assert found == Grouping(waits=(Wait(DUE, utc("2026-01-19 10:00"), Reason.SNOOZED),))  # the 17th is a Saturday


@pytest.mark.parametrize(("not_after", "waits"), [("2026-01-19 00:00", False), ("2026-01-20 00:00", True)])
def test_if_its_days_do_not_allow_that_it_comes_too_soon(not_after: str, *, waits: bool) -> None:
    short = replace(DUE, not_after=utc(not_after))
    found = _group(short, past=_past("cosmetic", "2026-01-03"))
    assert (bool(found.waits), found.too_soon) == (waits, () if waits else (short,))


def test_each_of_several_waits_or_comes_too_soon_by_its_own_days() -> None:
    short = reminder(2, NOW, "2026-01-10 00:00")
    found = _group(DUE, short, past=_past("medical", "2026-01-02"))
    assert ([wait.reminder for wait in found.waits], found.too_soon) == ([DUE], (short,))


def test_days_are_the_clinics_local_days() -> None:
    late = utc("2026-01-05 11:30")  # half past midnight on the 6th in Auckland
    auckland = calendar("Pacific/Auckland", EVERY_DAY, (0, 24))
    past = _past("cosmetic", "2025-12-23")
    assert group([DUE], past, auckland, late).send == (DUE,)
    assert group([DUE], past, calendar(), late).send == ()


@pytest.mark.parametrize(
    ("steps", "wording"),
    [
        ([("invitation", False)], "invitation"),
        ([("follow_up", False)], "invitation"),  # the first message sent in an episode
        ([("last_call", False)], "invitation"),
        ([("follow_up", True)], "follow_up"),
        ([("last_call", True)], "last_call"),
        ([("last_call", True), ("follow_up", True)], "follow_up"),  # the earliest stage
        ([("last_call", True), ("follow_up", False)], "invitation"),
        ([("last_call", True), ("last_call", True)], "last_call"),
    ],
)
def test_a_message_is_worded_as_the_earliest_stage_and_the_first_as_the_invitation(
    steps: list[tuple[str, bool]], wording: str
) -> None:
    assert stage(steps) == wording
    assert stage(reversed(steps)) == wording
