"""Sees the death of the clock, which its scheduler does not: its thread may be gone while it says that it runs.

Invariants: only time in which this thread itself ran counts as silence, so that a process that was stopped, or a
machine that slept, is not taken for a dead one; a tick that shows signs of life is not dead, however long it takes; as
long as a delivery asks the database to take an answer, that answer is not thrown away with the process.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Self

from reminders.clock import Monotonic
from reminders.worker.signs import Signs

DELIVERY = "deliver"
"""The tick that has servers' answers in hand."""

EXIT = 75
"""EX_TEMPFAIL of sysexits.h: the supervisor starts the program anew."""


@dataclass(slots=True)
class Watchdog:
    """Watches over ticks: `lives` tells whether the scheduler's thread is there.

    `silence_s` is how long no tick at all may show a sign of life, and how long one that runs may show none unless
    `limits` gives it longer; `every_s` is how often this looks. All in seconds.
    """

    signs: Signs
    lives: Callable[[], bool]
    time: Monotonic
    silence_s: float
    limits: Mapping[str, float]
    every_s: float
    _looked_at: float | None = None
    _all: tuple[int, float] = (-1, 0.0)
    _each: dict[str, tuple[int, float]] = field(default_factory=dict)

    def look(self) -> str | None:
        """Return what died, or None; called every `every_s` seconds.

        With answers in hand the process is left only when the delivery itself shows no sign of life for its own limit:
        a database that stands still stops every tick, and an answer lost with the process can never be had again.
        """
        now = self.time.monotonic()
        awake = 0.0 if self._looked_at is None else min(now - self._looked_at, 2 * self.every_s)
        self._looked_at = now
        self._all = _silence(self._all, self.signs.shown, awake)
        running = tuple(self.signs.running.items())
        self._each = {name: _silence(self._each.get(name, (-1, 0.0)), sign, awake) for name, sign in running}
        if self.signs.unrecorded and all(silent < self._limit(name) for name, silent in self._recording()):
            return None
        if not self.lives():
            return "scheduler"
        if self._all[1] >= self.silence_s:
            return "ticks"
        mute = (name for name, (_, silent) in self._each.items() if silent >= self._limit(name))
        return next(mute, None)

    def _limit(self, name: str) -> float:
        return self.limits.get(name, self.silence_s)

    def _recording(self) -> list[tuple[str, float]]:
        """Return the tick that has the answers in hand, with how long it is silent."""
        return [(name, silent) for name, (_, silent) in self._each.items() if name == DELIVERY]

    @property
    def healthy(self) -> bool:
        """Tell whether the clock lives, as far as the last look knows."""
        return self.lives() and self._all[1] < self.silence_s


def _silence(before: tuple[int, float], sign: int, awake: float) -> tuple[int, float]:
    """Return the sign with how long it has been the same."""
    known, mute = before
    return (sign, mute + awake) if sign == known else (sign, 0.0)


@dataclass(slots=True)
class Watch:
    """The thread that looks: calls `each` before every look, and `died` with what died; ends when the context does."""

    dog: Watchdog
    died: Callable[[str], None]
    each: Callable[[], None]
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Begin to look."""
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Look no more."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(self.dog.every_s):
            self.each()
            found = self.dog.look()
            if found is not None:
                self.died(found)
                return
