"""The backlog rule: more than 50, and more than three times the median of the sending days of 28 days."""

import pytest

from reminders.domain.backlog import is_backlog, overdue_before, sending_days_looked_at
from tests.support.facts import EVERY_DAY, calendar, day, utc


@pytest.mark.parametrize(
    ("overdue", "sent", "backlog"),
    [
        (50, [], False),  # none sent is a median of 0, and 50 are always allowed
        (51, [], True),
        (51, [0] * 20, True),
        (51, [17] * 20, False),  # exactly three times as many is not more
        (52, [17] * 20, True),
        (50, [1] * 20, False),
        (300, [100] * 20, False),
        (301, [100] * 20, True),
        (51, [0] * 11 + [100] * 9, True),  # the median, not the mean
        (60, [20, 20, 21, 500], False),  # between two middle days: 20.5
        (61, [20, 20, 21, 500], False),
        (62, [20, 20, 21, 500], True),
    ],
)
def test_it_is_a_backlog_exactly_beyond_both_limits(overdue: int, sent: list[int], *, backlog: bool) -> None:
    assert is_backlog(overdue, sent) is backlog


@pytest.mark.parametrize(
    ("now", "before"),
    [
        ("2026-01-07 12:00", "2026-01-06 00:00"),
        ("2026-01-05 12:00", "2026-01-02 00:00"),  # on a Monday, Friday's are not yet overdue
        ("2026-01-04 12:00", "2026-01-02 00:00"),
        ("2026-01-01 00:00", "2025-12-31 00:00"),
        ("2026-07-08 12:00", "2026-07-06 23:00"),  # midnight in London, in summer
    ],
)
def test_overdue_is_what_was_due_before_the_start_of_the_previous_sending_day(now: str, before: str) -> None:
    assert overdue_before(calendar(), utc(now)) == utc(before)


def test_a_closure_is_no_backlog() -> None:
    closed = calendar(closed=[f"2026-01-{number:02d}" for number in range(1, 5)])
    assert overdue_before(closed, utc("2026-01-05 12:00")) == utc("2025-12-31 00:00")


def test_the_sending_days_of_the_28_days_before_today_are_looked_at() -> None:
    days = sending_days_looked_at(calendar(), utc("2026-03-30 12:00"))
    assert (len(days), days[0], days[-1]) == (20, day("2026-03-02"), day("2026-03-27"))
    assert len(sending_days_looked_at(calendar(weekdays=EVERY_DAY), utc("2026-03-30 12:00"))) == 28
    assert sending_days_looked_at(calendar(weekdays=()), utc("2026-03-30 12:00")) == ()


def test_today_is_the_clinics() -> None:
    days = sending_days_looked_at(calendar("Pacific/Auckland"), utc("2026-03-29 23:30"))
    assert days[-1] == day("2026-03-27")
    assert overdue_before(calendar("Pacific/Auckland"), utc("2026-03-29 23:30")) == utc("2026-03-26 11:00")
