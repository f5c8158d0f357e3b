"""When a refused message is tried again: a value computed from the moment and the number of refusals.

Invariant: pure and bounded; the reminder's own days end it (RFC 5321 4.5.4.1 asks for 30 minutes in general, the first
two are shorter because greylisting servers accept after five, and no attempt is made sooner than that).
"""

import datetime as dt

_MINUTES = (5, 15, 30, 60, 120, 240)
_SOONEST = dt.timedelta(minutes=5)
_DOUBLINGS = 4
_LONGEST_DOUBLING = 6

RESCUE_LIMIT = 3
"""A reminder whose worker died this often in its message's body, writing or handing it over, waits for a person."""


def next_attempt(now: dt.datetime, refusals: int, jitter: float) -> dt.datetime:
    """Return when to try after the `refusals`-th refusal (1 or more); `jitter` in [0, 1) spreads it over 0.5 to 1.5."""
    minutes = _MINUTES[min(max(refusals, 1), len(_MINUTES)) - 1]
    return now + max(dt.timedelta(minutes=minutes) * (0.5 + jitter), _SOONEST)


FULL_ROUND = 32
"""A round has at most so many messages; a ramp that came so far is over."""


def breaker_pause(faults: int, jitter: float) -> dt.timedelta:
    """Return how long a transport rests after its `faults`-th fault in a row: 1 minute, doubling to 15."""
    minutes = min(2 ** min(max(faults - 1, 0), _DOUBLINGS), 15)
    return dt.timedelta(minutes=minutes) * (0.75 + jitter / 2)


def domain_pause(rests: int, jitter: float) -> dt.timedelta:
    """Return how long a domain is left alone for the `rests`-th time in a row: 1 minute, doubling to an hour."""
    return dt.timedelta(minutes=min(2 ** min(max(rests - 1, 0), _LONGEST_DOUBLING), 60)) * (0.75 + jitter / 4)


def ramp_after(ramp: int | None) -> int | None:
    """Return how many messages a round may have after one more was accepted; None is no limit any more.

    One more for each that is accepted: a round of one lets the next be two, a round of two the next be four.
    """
    return None if ramp is None or ramp >= FULL_ROUND else ramp + 1
