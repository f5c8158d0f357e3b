"""Calendar intervals as clinics write them ("3m", "6m1d", "12w", "-2w"), added to the original day and clamped.

Invariant: an interval keeps its units. Three months are never ninety days, and 31 August + 6m is the end of February.
"""

import datetime as dt
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from dateutil.relativedelta import relativedelta

from reminders.errors import BadInput

_PATTERN = re.compile(
    r"(?P<sign>[+-]?)(?:(?P<years>\d{1,3})y)?(?:(?P<months>\d{1,4})m)?(?:(?P<weeks>\d{1,4})w)?(?:(?P<days>\d{1,5})d)?",
    re.ASCII,
)


class BadInterval(BadInput):
    """{text!r} is not an interval: write years, months, weeks and days in this order, such as 3m, 6m1d, 12w or -2w."""


@dataclass(frozen=True, slots=True, order=False)
class Interval:
    """A signed sum of years, months, weeks and days; the sign holds for the whole."""

    years: int = 0
    months: int = 0
    weeks: int = 0
    days: int = 0
    negative: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "3m", "6m1d", "12w", "-2w" or "0d"; anything else is a `BadInterval`."""
        compact = text.strip().lower()
        match = _PATTERN.fullmatch(compact)
        if match is None or compact in ("", "+", "-"):
            raise BadInterval(text=text[:40])
        years, months, weeks, days = (int(match[unit] or 0) for unit in ("years", "months", "weeks", "days"))
        return cls(years, months, weeks, days, negative=match["sign"] == "-" and bool(years or months or weeks or days))

    def __str__(self) -> str:
        """Return the shortest text that `parse` reads back."""
        units = ((self.years, "y"), (self.months, "m"), (self.weeks, "w"), (self.days, "d"))
        written = "".join(f"{count}{unit}" for count, unit in units if count) or "0d"
        return f"-{written}" if self.negative else written

    def after(self, day: dt.date) -> dt.date:
        """Return the day this interval after `day` (before it, when negative), clamped to the month's end.

        Raises `BadInterval` when the calendar does not reach so far.
        """
        try:
            return _after(self, day)
        except (OverflowError, ValueError):
            raise BadInterval(text=str(self)) from None


@lru_cache(maxsize=16_384)
def _after(interval: Interval, day: dt.date) -> dt.date:
    """Return a day: a round of messages, or a plan, asks for the same ones again and again."""
    return day + _delta(interval)


@lru_cache(maxsize=1024)
def _delta(interval: Interval) -> relativedelta:
    sign = -1 if interval.negative else 1
    return relativedelta(
        years=sign * interval.years,
        months=sign * interval.months,
        weeks=sign * interval.weeks,
        days=sign * interval.days,
    )
