"""How long to wait before something that the database or the disk refused is tried again.

Invariant: pure and bounded; each pause is longer than the one before until the longest, and jitter keeps several
workers from coming back in step.
"""

import datetime as dt

FIRST = dt.timedelta(seconds=1)
LONGEST = dt.timedelta(minutes=1)
_DOUBLINGS = 12


def pause(failures: int, jitter: float, first: dt.timedelta = FIRST, longest: dt.timedelta = LONGEST) -> dt.timedelta:
    """Return the pause after the `failures`-th failure in a row (1 or more): `first`, doubling to `longest`.

    `jitter` in [0, 1) spreads it over 0.5 to 1.5 of that.
    """
    doubled = first * float(2 ** min(max(failures, 1) - 1, _DOUBLINGS))
    return min(doubled, longest) * (0.5 + jitter)
