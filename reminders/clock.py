"""The only place that asks what time it is; everything else is handed a `Clock` or a value.

Invariant: a moment is an aware datetime in UTC; a length is measured on a `Monotonic`, which nobody can set.
"""

import datetime as dt
import time
from typing import Protocol


class Clock(Protocol):
    """Tells the present moment."""

    def now(self) -> dt.datetime:
        """Return the present as an aware datetime in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> dt.datetime:
        """Return the machine's present moment, aware, in UTC."""
        return dt.datetime.now(dt.UTC)


class Monotonic(Protocol):
    """Measures lengths of time, in seconds from an origin of its own; it never goes back."""

    def monotonic(self) -> float:
        """Return the seconds during which the machine was awake."""
        ...

    def boottime(self) -> float:
        """Return the seconds that passed, those in which the machine slept included."""
        ...


class SystemMonotonic:
    """The machine's own counters."""

    def monotonic(self) -> float:
        """Return seconds awake: CLOCK_MONOTONIC on Linux, the uptime of the processor's clock on macOS."""
        return time.monotonic()

    def boottime(self) -> float:
        """Return seconds passed: CLOCK_BOOTTIME on Linux, CLOCK_MONOTONIC on macOS, where that one counts sleep."""
        clock = getattr(time, "CLOCK_BOOTTIME", None) or getattr(time, "CLOCK_MONOTONIC", None)
        return time.monotonic() if clock is None else time.clock_gettime(clock)
