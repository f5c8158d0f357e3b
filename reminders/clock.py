"""The only place that asks what time it is; everything else is handed a `Clock` or a value.

Invariant: a moment is an aware datetime in UTC; a length is measured on a `Monotonic`, which nobody can set.
"""

import datetime as dt
import time
from functools import cached_property
from pathlib import Path
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


_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
"""A random word made at every start of the machine (random(4)); Linux alone has it."""


class SystemMonotonic:
    """The machine's own counters."""

    def boot(self) -> str | None:
        """Return which start of the machine this is, and the seconds since: "ID:SECONDS"; None elsewhere than Linux."""
        return f"{self._boot_id}:{int(self.boottime())}" if self._boot_id else None

    @cached_property
    def _boot_id(self) -> str | None:
        try:
            word = _BOOT_ID.read_text(encoding="ascii", errors="replace").strip()
        except OSError:
            return None
        return word[:36] or None

    def monotonic(self) -> float:
        """Return seconds awake: CLOCK_MONOTONIC on Linux, the uptime of the processor's clock on macOS."""
        return time.monotonic()

    def boottime(self) -> float:
        """Return seconds passed: CLOCK_BOOTTIME on Linux, CLOCK_MONOTONIC on macOS, where that one counts sleep."""
        clock = getattr(time, "CLOCK_BOOTTIME", None) or getattr(time, "CLOCK_MONOTONIC", None)
        return time.monotonic() if clock is None else time.clock_gettime(clock)
