"""When a clinic sends: sending days and hours, closed days, and the moment a step goes out."""

import datetime as dt
import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reminders.domain.sending_hours import (
    SendingCalendar,
    end_of_day,
    is_open,
    local_day,
    moment,
    next_open,
    previous_sending_day,
    sending_moment,
)
from tests.support.facts import EVERY_DAY, calendar, day, utc
from tests.support.histories import CALENDARS, days
from tests.support.oracle import DAY, MINUTE, first_reached, first_sending_day, send_minute, sends

MOMENTS = st.builds(
    lambda on, minute: dt.datetime.combine(on, dt.time(), dt.UTC) + minute * MINUTE, days(0, 1100), st.integers(0, 1439)
)


@pytest.mark.parametrize(
    ("hours", "send_at", "minute"),
    [
        ((9, 17), None, 600),  # unset it is 10:00
        ((11, 17), None, 660),  # or the opening hour where that is later
        ((10, 17), None, 600),
        ((6, 9), None, 360),  # 10:00 would lie outside the sending hours
        ((6, 10), None, 360),
        ((0, 24), None, 600),
        ((9, 17), 555, 555),
    ],
)
def test_a_step_goes_out_at_send_at_or_at_ten_or_when_the_clinic_opens(
    hours: tuple[int, int], send_at: int | None, minute: int
) -> None:
    assert calendar(hours=hours, send_at=send_at).usual_minute == minute


def test_a_step_goes_out_on_its_day_if_the_clinic_sends_then() -> None:
    assert sending_moment(calendar(), day("2026-01-05"), day("2026-01-20")) == utc("2026-01-05 10:00")


def test_in_summer_ten_in_london_is_nine_in_utc() -> None:
    assert sending_moment(calendar(), day("2026-07-06"), day("2026-07-20")) == utc("2026-07-06 09:00")


def test_on_a_weekend_or_closed_day_it_goes_out_on_the_next_sending_day() -> None:
    closed = calendar(closed=["2026-01-05"])
    assert sending_moment(closed, day("2026-01-03"), day("2026-01-20")) == utc("2026-01-06 10:00")


def test_there_is_no_moment_without_a_sending_day_in_the_allowed_days() -> None:
    assert sending_moment(calendar(), day("2026-01-03"), day("2026-01-04")) is None
    assert sending_moment(calendar(weekdays=()), day("2026-01-03"), day("2036-01-04")) is None
    assert sending_moment(calendar(), day("2026-01-06"), day("2026-01-05")) is None


def test_not_after_is_the_midnight_that_ends_the_day() -> None:
    assert end_of_day("Europe/London", day("2026-03-28")) == utc("2026-03-29 00:00")
    assert end_of_day("Europe/London", day("2026-03-29")) == utc("2026-03-29 23:00")
    assert end_of_day("Africa/Cairo", day("2026-04-23")) == utc("2026-04-23 22:00")


def test_the_clinic_is_open_from_its_first_minute_to_before_its_last() -> None:
    sends_now = [
        is_open(calendar(), utc(f"2026-01-05 {time}"))
        for time in ("08:59:59.999999", "09:00", "16:59:59.999999", "17:00")
    ]
    assert sends_now == [False, True, True, False]


def test_hours_to_midnight_last_until_the_next_day_begins() -> None:
    whole = calendar(weekdays=[0], hours=(0, 24))
    opened = [is_open(whole, utc(text)) for text in ("2026-01-05 00:00", "2026-01-05 23:59:59", "2026-01-06 00:00")]
    assert opened == [True, True, False]


def test_outside_its_hours_the_clinic_says_when_it_opens_next() -> None:
    friday_evening = utc("2026-01-02 18:00")
    assert next_open(calendar(), friday_evening) == utc("2026-01-05 09:00")
    assert next_open(calendar(), utc("2026-01-02 07:00")) == utc("2026-01-02 09:00")
    assert next_open(calendar(), utc("2026-01-02 12:00")) == utc("2026-01-02 12:00")
    assert next_open(calendar(weekdays=()), friday_evening) is None


def test_hours_that_daylight_saving_skips_are_no_opening() -> None:
    nightly = calendar("America/New_York", EVERY_DAY, (2, 3))
    assert next_open(nightly, utc("2026-03-08 06:00")) == utc("2026-03-09 06:00")


def test_the_previous_sending_day_leaves_out_weekends_and_closures() -> None:
    assert previous_sending_day(calendar(), day("2026-01-05")) == day("2026-01-02")
    assert previous_sending_day(calendar(closed=["2026-01-02"]), day("2026-01-05")) == day("2026-01-01")
    assert previous_sending_day(calendar(weekdays=()), day("2026-01-05")) < day("2024-01-05")


@given(CALENDARS, days(0, 900), st.integers(-3, 120))
def test_the_moment_is_the_one_found_day_by_day_and_minute_by_minute(
    sending: SendingCalendar, first: dt.date, length: int
) -> None:
    goes = first_sending_day(sending, first, first + length * DAY)
    expected = None if goes is None else first_reached(sending.zone, goes, send_minute(sending))
    assert sending_moment(sending, first, first + length * DAY) == expected


@given(CALENDARS, MOMENTS)
def test_the_clinic_sends_exactly_within_its_days_and_hours(sending: SendingCalendar, now: dt.datetime) -> None:
    today = local_day(sending.zone, now)
    opens, closes = (
        first_reached(sending.zone, today + (minute // 1440) * DAY, minute % 1440)
        for minute in (sending.opens_at, sending.closes_at)
    )
    assert is_open(sending, now) == (sends(sending, today) and opens <= now < closes)


@given(CALENDARS, MOMENTS)
def test_the_next_opening_is_open_and_nothing_before_it_is(sending: SendingCalendar, now: dt.datetime) -> None:
    found = next_open(sending, now)
    assume(found is not None)
    assert found is not None
    assert found >= now
    assert is_open(sending, found)
    hours = int((found - now).total_seconds() // 3600)
    assert not any(is_open(sending, now + dt.timedelta(hours=h)) for h in range(hours) if now != found)
    assert found == now or not is_open(sending, found - MINUTE)


def test_the_machines_own_zone_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert moment("Europe/London", day("2026-07-06"), 601) == utc("2026-07-06 09:01")
        assert local_day("Europe/London", utc("2026-07-06 22:59")) == day("2026-07-06")
    finally:
        monkeypatch.undo()
        time.tzset()
