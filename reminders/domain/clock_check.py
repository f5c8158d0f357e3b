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


def check(now: dt.datetime, seen_at: dt.datetime | None, built_on: dt.datetime = BUILT_ON) -> Verdict:
    """Return the verdict on a clock that says `now`; `seen_at` is the latest moment a delivery saw (None: none)."""
    if now < built_on:
        return Verdict.BEFORE_BUILD
    if seen_at is None:
        return Verdict.STEADY
    if now - seen_at > LONGEST_DOWNTIME:
        return Verdict.AHEAD
    return Verdict.BEHIND if seen_at - now > TOLERATED else Verdict.STEADY


def jump(before: Reading, now: Reading) -> dt.timedelta | None:
    """Return by how much the wall's clock jumped between two readings (negative: back), None within 5 minutes.

    A clock that counts a laptop's sleep has to be given as `boot`, or every nap would look like a jump.
    """
    elapsed = dt.timedelta(seconds=now.boot - before.boot)
    off = now.wall - before.wall - elapsed
    return off if abs(off) > TOLERATED else None
