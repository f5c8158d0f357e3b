"""A day becomes a moment rightly in every zone of the tz database, around every change of its clocks from 2015 to 2040.

The oracle is a watcher: it looks at the zone's wall clock minute by minute until it shows, or jumps over, the time.
"""

import datetime as dt
import zoneinfo
from collections.abc import Iterator
from functools import lru_cache

import pytest

from reminders.domain.sending_hours import end_of_day, local_day, moment

DAY, HOUR, MINUTE = dt.timedelta(days=1), dt.timedelta(hours=1), dt.timedelta(minutes=1)
FIRST, LAST = dt.datetime(2015, 1, 1, tzinfo=dt.UTC), dt.datetime(2041, 1, 1, tzinfo=dt.UTC)
MINUTES = (0, 30, 90, 150, 600, 1409, 1439, 1440)
GROUPS = 8
FAMOUS = (
    *("Europe/London", "America/New_York", "Africa/Cairo", "Asia/Beirut", "America/Santiago", "Atlantic/Azores"),
    *("Asia/Gaza", "Australia/Lord_Howe", "America/Nuuk", "America/Havana", "Asia/Tehran", "Africa/Casablanca"),
    *("Antarctica/Troll", "Asia/Pyongyang", "Asia/Almaty"),
)
ZONES = sorted(zoneinfo.available_timezones())


@lru_cache(maxsize=1024)
def _changes(zone: str) -> tuple[dt.datetime, ...]:
    """Return the minutes at which the zone's offset changes, looked for by day, then by hour, then by minute."""
    found: list[dt.datetime] = []
    for start in _where_it_changes(zone, FIRST, LAST, DAY):
        for hour in _where_it_changes(zone, start, start + DAY, HOUR):
            found.extend(minute + MINUTE for minute in _where_it_changes(zone, hour, hour + HOUR, MINUTE))
    return tuple(found)


def _where_it_changes(zone: str, start: dt.datetime, end: dt.datetime, step: dt.timedelta) -> Iterator[dt.datetime]:
    place = zoneinfo.ZoneInfo(zone)
    offset = start.astimezone(place).utcoffset()
    while start < end:
        following = start + step
        offset_then = following.astimezone(place).utcoffset()
        if offset_then != offset:
            yield start
        start, offset = following, offset_then


def _watched(zone: str, day: dt.date, minute: int, near: dt.datetime) -> dt.datetime:
    """Watch from the earliest instant that may show the time, by the offsets before and after the change at `near`."""
    place = zoneinfo.ZoneInfo(zone)
    wall = dt.datetime.combine(day, dt.time()) + minute * MINUTE
    offsets = [(near + side * 2 * DAY).astimezone(place).utcoffset() or dt.timedelta(0) for side in (-1, 0, 1)]
    instant = wall.replace(tzinfo=dt.UTC) - max(offsets)
    assert instant.astimezone(place).replace(tzinfo=None) <= wall
    while instant.astimezone(place).replace(tzinfo=None) < wall:
        instant += MINUTE
    return instant


def _days_around(zone: str, change: dt.datetime) -> list[dt.date]:
    day = local_day(zone, change)
    return [day - 2 * DAY, day - DAY, day, day + DAY]


@pytest.mark.parametrize("group", range(GROUPS))
def test_a_time_of_day_is_its_first_occurrence_or_the_first_instant_after_a_gap_in_every_zone(group: int) -> None:
    for zone in ZONES[group::GROUPS]:
        for change in _changes(zone):
            for day in _days_around(zone, change)[1:]:
                for minute in MINUTES:
                    assert moment(zone, day, minute) == _watched(zone, day, minute, change), (zone, day, minute)


@pytest.mark.parametrize("group", range(GROUPS))
def test_every_local_day_has_one_start_and_ends_where_the_next_begins_in_every_zone(group: int) -> None:
    for zone in ZONES[group::GROUPS]:
        for change in _changes(zone):
            days = _days_around(zone, change)
            for day in days:
                start, end = moment(zone, day), end_of_day(zone, day)
                assert start < end == moment(zone, day + DAY)
                inside = [local_day(zone, at) for at in (start, end - MINUTE)]
                outside = [local_day(zone, at) for at in (start - MINUTE, end)]
                assert (inside, outside) == ([day, day], [day - DAY, day + DAY]), (zone, day)


@pytest.mark.parametrize("zone", FAMOUS)
def test_every_minute_of_the_days_around_recent_changes_is_right(zone: str) -> None:
    changes = _changes(zone)
    for change in (*changes[:2], *changes[-2:]):
        for day in _days_around(zone, change)[1:3]:
            for minute in range(0, 1441, 7):
                assert moment(zone, day, minute) == _watched(zone, day, minute, change), (zone, day, minute)


def test_zones_without_a_change_are_known_too() -> None:
    steady = [zone for zone in ZONES if not _changes(zone)]
    assert {"UTC", "Asia/Kolkata", "Asia/Kathmandu"} <= set(steady)
    for zone in steady:
        assert moment(zone, dt.date(2026, 7, 1), 600) == _watched(zone, dt.date(2026, 7, 1), 600, FIRST)


@pytest.mark.parametrize(
    ("zone", "text", "utc"),
    [
        ("Europe/London", "2026-03-29 01:30", "2026-03-29T01:00Z"),  # skipped: the first valid instant
        ("Europe/London", "2026-10-25 01:30", "2026-10-25T00:30Z"),  # twice: the first
        ("America/New_York", "2026-03-08 02:30", "2026-03-08T07:00Z"),
        ("Africa/Cairo", "2026-04-24 00:00", "2026-04-23T22:00Z"),  # midnight is skipped
        ("America/Havana", "2026-11-01 00:00", "2026-11-01T04:00Z"),  # midnight comes twice
        ("Australia/Lord_Howe", "2026-10-04 02:15", "2026-10-03T15:30Z"),  # by half an hour
    ],
)
def test_an_example_by_hand(zone: str, text: str, utc: str) -> None:
    wall = dt.datetime.fromisoformat(text)
    assert moment(zone, wall.date(), wall.hour * 60 + wall.minute) == dt.datetime.fromisoformat(utc)
