"""Turns a clinic's days into moments: sending days and hours, closed days, daylight saving.

Invariant: this is the only module that turns a day into a moment. A local time that does not exist becomes the first
instant after the gap, one that occurs twice its first occurrence, and nothing depends on the machine's own zone.
"""

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo

MINUTES_OF_A_DAY = 24 * 60
USUAL_SEND_AT = 10 * 60
_SEARCH_DAYS = 800  # more than two years without a sending day is a calendar that never sends


@dataclass(frozen=True, slots=True)
class SendingCalendar:
    """When a clinic sends. Times of day are minutes after local midnight; `closes_at` may be 1440 (24:00).

    `weekdays` counts Monday as 0; `closed` are whole local days on which nothing goes out.
    """

    zone: str
    weekdays: frozenset[int]
    opens_at: int
    closes_at: int
    send_at: int | None = None
    closed: frozenset[dt.date] = frozenset()

    @property
    def usual_minute(self) -> int:
        """Return the minute a step goes out: `send_at`, else 10:00, or the opening hour where 10:00 is outside."""
        if self.send_at is not None:
            return self.send_at
        return USUAL_SEND_AT if self.opens_at <= USUAL_SEND_AT < self.closes_at else self.opens_at

    def sends_on(self, day: dt.date) -> bool:
        """Tell whether the clinic sends on `day`."""
        return day.weekday() in self.weekdays and day not in self.closed


def moment(zone: str, day: dt.date, minute: int = 0) -> dt.datetime:
    """Return the UTC moment of `minute` on the local `day` (1440 is the next midnight)."""
    if minute >= MINUTES_OF_A_DAY:
        day, minute = day + dt.timedelta(days=1), minute - MINUTES_OF_A_DAY
    return _moment(zone, day, minute)


@lru_cache(maxsize=8192)
def _moment(zone: str, day: dt.date, minute: int) -> dt.datetime:
    tz = ZoneInfo(zone)
    wall = dt.datetime.combine(day, dt.time(minute // 60, minute % 60))
    instant = wall.replace(tzinfo=tz).astimezone(dt.UTC)
    if instant.astimezone(tz).replace(tzinfo=None) == wall:
        return instant
    return _end_of_gap(tz, wall, instant)


def _end_of_gap(tz: ZoneInfo, wall: dt.datetime, after: dt.datetime) -> dt.datetime:
    """Return the instant at which the clocks jumped over `wall`, by bisection to the second."""
    before = wall.replace(tzinfo=tz, fold=1).astimezone(dt.UTC)
    new_offset = after.astimezone(tz).utcoffset()
    while after - before > dt.timedelta(seconds=1):
        middle = before + dt.timedelta(seconds=int((after - before).total_seconds()) // 2)
        if middle.astimezone(tz).utcoffset() == new_offset:
            after = middle
        else:
            before = middle
    return after


def local_day(zone: str, now: dt.datetime) -> dt.date:
    """Return the clinic's calendar day at the moment `now`."""
    return now.astimezone(ZoneInfo(zone)).date()


def end_of_day(zone: str, day: dt.date) -> dt.datetime:
    """Return the midnight that ends the local `day`."""
    return moment(zone, day, MINUTES_OF_A_DAY)


def sending_moment(calendar: SendingCalendar, first: dt.date, last: dt.date) -> dt.datetime | None:
    """Return the usual moment on the first sending day in `first`..`last`, or None when there is none."""
    for offset in range(min((last - first).days + 1, _SEARCH_DAYS)):
        day = first + dt.timedelta(days=offset)
        if calendar.sends_on(day):
            return moment(calendar.zone, day, calendar.usual_minute)
    return None


def is_open(calendar: SendingCalendar, now: dt.datetime) -> bool:
    """Tell whether the clinic sends at the moment `now`."""
    day = local_day(calendar.zone, now)
    if not calendar.sends_on(day):
        return False
    return moment(calendar.zone, day, calendar.opens_at) <= now < moment(calendar.zone, day, calendar.closes_at)


def next_open(calendar: SendingCalendar, now: dt.datetime) -> dt.datetime | None:
    """Return `now` when the clinic sends then, else its next opening; None for a calendar without a sending day."""
    if is_open(calendar, now):
        return now
    today = local_day(calendar.zone, now)
    for offset in range(_SEARCH_DAYS):
        day = today + dt.timedelta(days=offset)
        if calendar.sends_on(day):
            opening = moment(calendar.zone, day, calendar.opens_at)
            if now < opening < moment(calendar.zone, day, calendar.closes_at):  # a skipped hour may hold all of them
                return opening
    return None


def previous_sending_day(calendar: SendingCalendar, today: dt.date) -> dt.date:
    """Return the latest sending day before `today`; with none in two years, the day so long ago."""
    for offset in range(1, _SEARCH_DAYS):
        day = today - dt.timedelta(days=offset)
        if calendar.sends_on(day):
            return day
    return today - dt.timedelta(days=_SEARCH_DAYS)
