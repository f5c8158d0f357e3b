"""Judges whether a machine's clock can be right, from what was seen before and from how the machine's uptime went on.

Invariant: pure; a clock that is merely behind stops nothing (states decide, not time), one that may be far ahead or
stands before this program was made does, since what it would expire is lost for good.
"""

import datetime as dt
from enum import StrEnum
from typing import NamedTuple

BUILT_ON = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
"""This program is younger: a machine that shows an earlier day has lost its clock."""

TOLERATED = dt.timedelta(minutes=5)
"""What a clock may be moved by its keepers; more is noticed."""

LONGEST_DOWNTIME = dt.timedelta(days=400)
"""A clinic may leave its machine off for a year, and what is due then goes by the rules. A longer gap is more likely a
clock that jumped, and waits for a person's word."""

NEEDS_A_PERSON = dt.timedelta(days=1)
"""How much further than its uptime a machine's clock may move before a person has to look at it."""


class Verdict(StrEnum):
    """What is to be thought of a clock."""

    STEADY = "steady"
    BEHIND = "behind"
    BEFORE_BUILD = "before_build"
    AHEAD = "ahead"


class Reading(NamedTuple):
    """The wall's clock, and the seconds since the machine started (sleep included), read together."""

    wall: dt.datetime
    boot: float


class Seen(NamedTuple):
    """The latest moment at which the clock was found right (None: never), and the machine's uptime ("ID:SECONDS")."""

    at: dt.datetime | None
    boot: str | None = None


def check(now: dt.datetime, seen: Seen, boot: str | None = None, built_on: dt.datetime = BUILT_ON) -> Verdict:
    """Return the verdict on a clock that says `now` on a machine whose uptime is `boot`.

    While the machine runs, its clock may not move a day further than its uptime; after a restart, or on another
    machine, only a year's silence tells. A moment before the program was made proves nothing.
    """
    if now < built_on:
        return Verdict.BEFORE_BUILD
    if seen.at is None or seen.at < built_on:
        return Verdict.STEADY
    gone = now - seen.at
    awake = _elapsed(seen.boot, boot)
    if gone > LONGEST_DOWNTIME or (awake is not None and gone - awake > NEEDS_A_PERSON):
        return Verdict.AHEAD
    return Verdict.BEHIND if -gone > TOLERATED else Verdict.STEADY


def _elapsed(before: str | None, now: str | None) -> dt.timedelta | None:
    """Return how long the machine ran between two uptimes, None where they are of different starts."""
    (started, _, first), (start, _, last) = (before or "").partition(":"), (now or "").partition(":")
    if not started or started != start or not (first.isdecimal() and last.isdecimal()) or int(first) > int(last):
        return None
    return dt.timedelta(seconds=int(last) - int(first))


def jump(before: Reading, now: Reading) -> dt.timedelta | None:
    """Return by how much the wall's clock jumped between two readings (negative: back), None within 5 minutes.

    A clock that counts a laptop's sleep has to be given as `boot`, or every nap would look like a jump.
    """
    elapsed = dt.timedelta(seconds=now.boot - before.boot)
    off = now.wall - before.wall - elapsed
    return off if abs(off) > TOLERATED else None
