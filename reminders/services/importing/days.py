"""Reads the days of a file, and refuses to guess: a day that could mean two days is nobody's.

Invariant: 03/04/2026 is read only when a date format says which number is the month.
"""

import datetime as dt
import re
from functools import lru_cache
from zoneinfo import ZoneInfo

from reminders.errors import BadInput

FIRST_YEAR = 1900
MONTHS = 12
LONGEST = 60
_TIME = re.compile(
    r"[T ,]+(\d{1,2})(?::(\d{2}))?(?::\d{2}(?:[.,]\d+)?)?\s*([AaPp]\.?[Mm]\.?)?\s*(Z|[+-]\d{2}:?\d{2})?$"
)
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
_WRITTEN = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4})", re.ASCII)
_TIME_DIRECTIVE = re.compile(r"[\sT,]*%-?[HIMSpfzZX].*$")


class BadDateFormat(BadInput):
    """--date-format {given!r} is no date format: write it with %d, %m and %Y, for example %d/%m/%Y."""


class Unreadable(ValueError):
    """A cell that cannot be taken; `str` of it says why, without what stands there unless that is harmless."""

    def __init__(self, *, problem: str) -> None:
        """Say `problem`."""
        super().__init__(problem)


class TypedDay(str):
    """A day that a workbook holds as a day, written in ISO: it needs no date format."""

    __slots__ = ()


class Days:
    """Reads days and moments into the clinic's days; remembers what it has read, since a file repeats its days."""

    def __init__(self, zone: str, date_format: str | None = None) -> None:
        """Read moments that name their own offset in `zone`; raises `BadDateFormat`."""
        self._zone = ZoneInfo(zone)
        self._format = date_format or None
        self._day_format = _day_part(date_format) if date_format else ""
        self._remembered = lru_cache(maxsize=32_768)(self._read)  # the days on which anybody was born

    def read(self, text: str) -> dt.date:
        """Return the day that `text` names; raises `Unreadable`."""
        if len(text) > LONGEST:  # what is remembered must not grow with what a file throws at it
            raise Unreadable(problem="this is no day: it is too long")
        return self._remembered(text)

    def typed(self, cell: TypedDay) -> dt.date:
        """Return the day of a workbook's own day."""
        return _sane(dt.date.fromisoformat(cell[:10]), cell)

    def written(self, cell: TypedDay) -> str:
        """Return a workbook's own day the way this file's other days are written."""
        return self.typed(cell).strftime(self._day_format) if self._format else str(cell)

    def _read(self, text: str) -> dt.date:
        time = _TIME.search(text)
        written = text[: time.start()] if time else text
        day = self._plain_day(written) if self._format is None else self._formatted_day(text, written)
        if time and time[4] and not self._format:
            day = self._local(day, time)
        return _sane(day, text)

    def _formatted_day(self, text: str, written: str) -> dt.date:
        for candidate, form in ((written, self._day_format), (text, self._format or "")):
            try:
                return dt.datetime.strptime(candidate, form).date()  # noqa: DTZ007 - a day, not a moment
            except ValueError:
                continue
        raise Unreadable(problem=f"{_echo(text)} does not follow the date format {self._format}")

    def _plain_day(self, written: str) -> dt.date:
        iso = _ISO.fullmatch(written)
        if iso:
            return _date(int(iso[1]), int(iso[2]), int(iso[3]), written)
        parts = _WRITTEN.fullmatch(written)
        if not parts:
            raise Unreadable(problem=f"{_echo(written)} is no day: write 2026-03-25, or give --date-format")
        first, second, year = int(parts[1]), int(parts[3]), int(parts[4])
        if first <= MONTHS and second <= MONTHS and first != second:
            raise Unreadable(
                problem=f"{_echo(written)} may be two different days: give --date-format %d/%m/%Y or %m/%d/%Y"
            )
        day, month = (second, first) if second > MONTHS else (first, second)
        return _date(year, month, day, written)

    def _local(self, day: dt.date, time: re.Match[str]) -> dt.date:
        """Return the clinic's day of a moment that names its own offset."""
        try:
            hour = int(time[1]) % 12 + 12 if (time[3] or "").lower().startswith("p") else int(time[1])
            moment = dt.datetime.fromisoformat(f"{day}T{hour:02}:{time[2] or '00'}{time[4]}")
            return moment.astimezone(self._zone).date()
        except (ValueError, OverflowError):
            raise Unreadable(problem="the time of this day is no time") from None


def _day_part(given: str) -> str:
    """Return the part of a format that names the day, since birth dates have no time; raises `BadDateFormat`."""
    for form in (_TIME_DIRECTIVE.sub("", given), given):
        if _brings_back(dt.date(2026, 3, 25), form):
            return form
    raise BadDateFormat(given=given)


def _brings_back(known: dt.date, form: str) -> bool:
    try:
        return dt.datetime.strptime(known.strftime(form), form).date() == known  # noqa: DTZ007 - a day, not a moment
    except (ValueError, re.error):  # a directive that stands twice
        return False


def _date(year: int, month: int, day: int, written: str) -> dt.date:
    try:
        return dt.date(year, month, day)
    except ValueError:
        raise Unreadable(problem=f"{_echo(written)} is no day of the calendar") from None


def _sane(day: dt.date, text: str) -> dt.date:
    if day.year < FIRST_YEAR:
        raise Unreadable(problem=f"{_echo(text)} lies before {FIRST_YEAR}")
    return day


def _echo(text: str) -> str:
    """Return what was written if it can be nothing but a day, for a column of names may stand where days should."""
    return repr(str(text)) if re.fullmatch(r"[\d\s/.:,TZ+-]{1,30}(?:[AaPp][Mm])?", text) else "this"
