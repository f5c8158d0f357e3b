"""The edges of grouping: days that end at the very moment another falls due, and stages of several episodes."""

from dataclasses import replace

import pytest

from reminders.domain.grouping import Grouping, Past, Wait, group, stage
from reminders.domain.lifecycle import Reason
from tests.support.facts import COSMETIC, EVERY_DAY, MEDICAL, calendar, day, reminder, utc

DAY_AND_NIGHT = calendar(weekdays=EVERY_DAY, hours=(0, 24))
DUE = reminder(1)
NOW = utc("2026-01-05 10:00")


@pytest.mark.parametrize(("not_after", "waits"), [("2026-01-08 00:00", False), ("2026-01-09 00:00", True)])
def test_it_does_not_wait_for_one_that_falls_due_at_the_midnight_that_ends_its_own_days(
    not_after: str, *, waits: bool
) -> None:
    due, at_midnight = replace(DUE, not_after=utc(not_after)), reminder(2, "2026-01-08 00:00")
    expected = Grouping(waits=(Wait(due, utc("2026-01-08 00:00"), Reason.WAITING_TO_MERGE),))
    assert group([due, at_midnight], [], DAY_AND_NIGHT, NOW) == (expected if waits else Grouping(send=(due,)))


def test_one_that_falls_due_at_the_midnight_that_ends_its_own_days_is_not_waited_for() -> None:
    never = reminder(2, "2026-01-08 00:00", "2026-01-08 00:00")
    assert group([DUE, never], [], DAY_AND_NIGHT, NOW) == Grouping(send=(DUE,))


def test_what_is_due_at_this_very_moment_goes_and_what_ends_at_it_does_not() -> None:
    ends = replace(DUE, not_after=NOW)
    assert group([DUE], [], DAY_AND_NIGHT, NOW).send == (DUE,)
    assert group([ends], [], DAY_AND_NIGHT, NOW) == Grouping()


def test_two_that_were_due_at_one_moment_go_in_the_order_of_their_numbers() -> None:
    second = reminder(2)
    assert group([second, DUE], [], DAY_AND_NIGHT, NOW).send == (DUE, second)


def test_several_that_cannot_wait_hinder_nothing_that_falls_due_with_them() -> None:
    fresh, coming = DUE, [replace(reminder(number, "2026-01-07 10:00"), waited=True) for number in (2, 3)]
    waits = group([fresh, *coming], [], DAY_AND_NIGHT, NOW).waits
    assert waits == (Wait(fresh, utc("2026-01-07 10:00"), Reason.WAITING_TO_MERGE),)


def test_of_both_classes_too_soon_each_is_told() -> None:
    medical = reminder(2, class_name=MEDICAL, not_after="2026-01-06 00:00")
    cosmetic = reminder(3, not_after="2026-01-06 00:00")
    past = [Past(MEDICAL, day("2026-01-04"))]
    assert group([cosmetic, medical], past, DAY_AND_NIGHT, NOW) == Grouping(too_soon=(medical, cosmetic))


def test_of_both_classes_waiting_each_is_told() -> None:
    medical, cosmetic = reminder(2, class_name=MEDICAL), reminder(3)
    found = group([cosmetic, medical], [Past(MEDICAL, day("2026-01-04"))], DAY_AND_NIGHT, NOW)
    assert [(wait.reminder, wait.until) for wait in found.waits] == [
        (medical, utc("2026-01-11 10:00")),
        (cosmetic, utc("2026-01-18 10:00")),
    ]


def test_what_was_given_as_history_is_left_as_it_was() -> None:
    past = [Past(COSMETIC, day("2025-01-01"))]
    group([reminder(2, class_name=MEDICAL)], past, DAY_AND_NIGHT, NOW)
    assert past == [Past(COSMETIC, day("2025-01-01"))]


def test_the_stages_order_is_the_sequences_and_not_the_alphabets() -> None:
    assert stage([("follow_up", True), ("follow_up", False)]) == "invitation"
    assert stage([("last_call", True), ("invitation", True), ("follow_up", True)]) == "invitation"
