"""Intervals keep their units, are counted from the original day, and clamp to the month's end."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminders.domain.interval import BadInterval, Interval
from tests.support.facts import day
from tests.support.oracle import counted

INTERVALS = st.builds(
    Interval, st.integers(0, 3), st.integers(0, 30), st.integers(0, 60), st.integers(0, 400), st.booleans()
)
DAYS = st.dates(dt.date(2000, 1, 1), dt.date(2100, 12, 31))


@pytest.mark.parametrize(
    ("start", "interval", "end"),
    [
        ("2025-08-31", "6m", "2026-02-28"),
        ("2027-08-31", "6m", "2028-02-29"),
        ("2026-01-31", "1m", "2026-02-28"),
        ("2026-01-31", "2m", "2026-03-31"),
        ("2026-05-31", "1m", "2026-06-30"),
        ("2024-02-29", "1y", "2025-02-28"),
        ("2024-02-29", "4y", "2028-02-29"),
        ("2096-02-29", "4y", "2100-02-28"),
        ("2026-03-31", "-1m", "2026-02-28"),
        ("2026-01-15", "6m1d", "2026-07-16"),
        ("2026-01-30", "1m1d", "2026-03-01"),  # first the month, clamped, then the day
        ("2026-01-05", "12w", "2026-03-30"),
        ("2026-01-05", "0d", "2026-01-05"),
        ("2026-01-05", "-2w", "2025-12-22"),
        ("2026-01-05", "+1y2m3w4d", "2027-03-30"),
    ],
)
def test_months_clamp_to_the_end_of_the_month_and_weeks_are_seven_days(start: str, interval: str, end: str) -> None:
    assert Interval.parse(interval).after(day(start)) == day(end)


def test_three_months_can_be_89_days() -> None:
    lengths = {(Interval.parse("3m").after(start) - start).days for start in map(_day_of_2026, range(365))}
    assert lengths == {89, 90, 91, 92}


def _day_of_2026(number: int) -> dt.date:
    return dt.date(2026, 1, 1) + dt.timedelta(days=number)


def test_an_interval_is_counted_from_the_original_day_and_never_from_an_earlier_result() -> None:
    month = Interval.parse("1m")
    assert Interval.parse("2m").after(day("2026-01-31")) == day("2026-03-31")
    assert month.after(month.after(day("2026-01-31"))) == day("2026-03-28")


@pytest.mark.parametrize(
    "text",
    ["", " ", "-", "+", "3", "m", "3x", "3d2w", "1w2m", "--2w", "-2w-1d", "3.5m", "3m 2d", "1e3d", "٣m", "3m\n4d", "٣"],
)
def test_anything_else_is_no_interval(text: str) -> None:
    with pytest.raises(BadInterval, match="is not an interval"):
        Interval.parse(text)


@pytest.mark.parametrize("text", ["999y", "-999y", "9999m", "-9999w"])
def test_an_interval_beyond_the_calendar_is_refused_where_it_is_used(text: str) -> None:
    far = day("9990-01-01") if not text.startswith("-") else day("0009-01-01")
    with pytest.raises(BadInterval):
        Interval.parse(text).after(far)


@given(INTERVALS)
def test_what_is_written_reads_back_as_the_same_interval(interval: Interval) -> None:
    read = Interval.parse(str(interval))
    assert str(read) == str(interval).replace("-0d", "0d")
    start = day("2026-01-31")
    assert read.after(start) == interval.after(start)


@given(DAYS, INTERVALS)
def test_an_interval_ends_where_counting_month_by_month_and_day_by_day_ends(start: dt.date, interval: Interval) -> None:
    assert interval.after(start) == counted(interval, start)


@given(DAYS, st.integers(1, 30))
def test_clamping_never_leaves_the_month(start: dt.date, months: int) -> None:
    end = Interval(months=months).after(start)
    assert (end.year * 12 + end.month) - (start.year * 12 + start.month) == months
    assert end.day <= start.day
