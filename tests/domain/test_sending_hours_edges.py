"""The edges of days and hours: local times that are skipped, hours that a gap swallows, calendars that never send."""

import datetime as dt

import pytest

from reminders.domain.sending_hours import (
    is_open,
    local_day,
    moment,
    next_open,
    previous_sending_day,
    sending_moment,
)
from tests.support.facts import EVERY_DAY, calendar, day, utc

GAPS = [
    ("Europe/London", "2026-03-29", range(60, 120), "2026-03-29 01:00"),
    ("Australia/Lord_Howe", "2026-10-04", range(120, 150), "2026-10-03 15:30"),  # half an hour is skipped
    ("Africa/Monrovia", "1972-01-07", range(44), "1972-01-07 00:44:30"),  # 44 minutes and a half
    ("America/Sao_Paulo", "2018-11-04", range(60), "2018-11-04 03:00"),  # midnight itself is skipped
    ("Pacific/Apia", "2011-12-30", range(0, 1440, 37), "2011-12-30 10:00"),  # a whole day is
]


@pytest.mark.parametrize(("zone", "on", "minutes", "instant"), GAPS)
def test_every_minute_that_a_gap_skips_becomes_the_one_instant_at_which_the_clocks_jumped(
    zone: str, on: str, minutes: range, instant: str
) -> None:
    assert {moment(zone, day(on), minute) for minute in minutes} == {utc(instant)}


def test_the_minutes_around_a_gap_are_what_they_are() -> None:
    spring = day("2026-03-29")
    assert moment("Europe/London", spring, 59) == utc("2026-03-29 00:59")
    assert moment("Europe/London", spring, 120) == utc("2026-03-29 01:00")
    assert moment("Europe/London", spring, 121) == utc("2026-03-29 01:01")


def test_an_hour_that_occurs_twice_is_its_first_occurrence() -> None:
    assert moment("Europe/London", day("2026-10-25"), 90) == utc("2026-10-25 00:30")
    assert moment("Europe/London", day("2026-10-25"), 120) == utc("2026-10-25 02:00")


@pytest.mark.parametrize("minute", [0, 75, 90, 600, 1440])
def test_a_moment_is_always_told_in_utc(minute: int) -> None:
    assert moment("Europe/London", day("2026-03-29"), minute).tzinfo is dt.UTC


def test_minutes_beyond_midnight_belong_to_the_next_day() -> None:
    assert moment("Europe/London", day("2026-01-05"), 1439) == utc("2026-01-05 23:59")
    assert moment("Europe/London", day("2026-01-05"), 1440) == utc("2026-01-06 00:00")
    assert moment("Europe/London", day("2026-01-05"), 1441) == utc("2026-01-06 00:01")
    assert moment("Europe/London", day("2026-01-05")) == utc("2026-01-05 00:00")


def test_the_day_is_the_clinics_and_not_the_machines() -> None:
    late = utc("2026-01-05 23:30")
    assert local_day("Europe/London", late) == day("2026-01-05")
    assert local_day("Asia/Tokyo", late) == day("2026-01-06")


def test_hours_that_the_clocks_jump_over_whole_are_no_hours_and_the_next_days_are_named() -> None:
    at_night = calendar("Europe/London", EVERY_DAY, hours=(1, 2))
    assert next_open(at_night, utc("2026-03-28 12:00")) == utc("2026-03-30 00:00")
    assert not is_open(at_night, utc("2026-03-29 01:00"))


def test_two_years_without_a_sending_day_is_a_calendar_that_never_sends() -> None:
    start = day("2026-01-05")

    def but_for(number: int) -> list[str]:
        return [str(start + dt.timedelta(days=ahead)) for ahead in range(number)]

    last = day("2036-01-01")
    at_last = calendar(weekdays=EVERY_DAY, closed=but_for(799))
    assert sending_moment(at_last, start, last) == moment("Europe/London", start + dt.timedelta(days=799), 600)
    assert next_open(at_last, utc("2026-01-05 12:00")) == moment("Europe/London", start + dt.timedelta(days=799), 540)
    never = calendar(weekdays=EVERY_DAY, closed=but_for(800))
    assert sending_moment(never, start, last) is None
    assert next_open(never, utc("2026-01-05 12:00")) is None


def test_the_sending_day_before_is_never_today_and_with_none_in_two_years_it_is_long_ago() -> None:
    today = day("2026-01-07")
    assert previous_sending_day(calendar(weekdays=EVERY_DAY), today) == day("2026-01-06")
    assert previous_sending_day(calendar(weekdays=[today.weekday()]), today) == day("2025-12-31")
    assert previous_sending_day(calendar(weekdays=()), today) == today - dt.timedelta(days=800)


def test_a_step_with_one_allowed_day_goes_out_on_it() -> None:
    monday = day("2026-01-05")
    assert sending_moment(calendar(), monday, monday) == utc("2026-01-05 10:00")


def test_hours_that_end_at_ten_open_before_it_and_hours_that_begin_at_ten_with_it() -> None:
    assert [calendar(hours=hours).usual_minute for hours in ((9, 10), (10, 11), (9, 11))] == [540, 600, 600]
    assert calendar(send_at=0, hours=(0, 24)).usual_minute == 0
