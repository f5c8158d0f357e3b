"""Watches the machine's clock against its uptime: after a jump nothing goes out until the clock has been steady again.

Invariant: sleep is no jump, since the uptime that is compared counts it; a jump ahead by more than a day asks for the
lock, which only a person lifts.
"""

import datetime as dt
import threading
from dataclasses import dataclass, field

from reminders.clock import Clock, Monotonic
from reminders.domain.clock_check import Reading, jump
from reminders.log import Log

STEADY_BEATS = 3
NEEDS_A_PERSON = dt.timedelta(days=1)


@dataclass(slots=True)
class JumpWatch:
    """Compares readings; `paused` while the clock is not to be trusted, `locks` once a person has to look at it."""

    clock: Clock
    time: Monotonic
    log: Log
    locks: bool = False
    _beats_to_come: int = 0
    _last: Reading | None = None
    _one: threading.Lock = field(default_factory=threading.Lock)

    @property
    def paused(self) -> bool:
        """Tell whether nothing may go out now."""
        return self._beats_to_come > 0

    def look(self) -> bool:
        """Read both clocks; return whether the one on the wall jumped since the last reading."""
        with self._one:
            now = Reading(self.clock.now(), self.time.boottime())
            before, self._last = self._last, now
            leap = jump(before, now) if before else None
            if leap is None:
                return False
            self._beats_to_come = STEADY_BEATS
            self.locks = self.locks or leap > NEEDS_A_PERSON
        self.log.warning("the machine's clock jumped: nothing is sent until it is steady", seconds=leap.total_seconds())
        return True

    def beat(self) -> None:
        """Take a heartbeat: when the clock did not jump since the last one, it was a steady one."""
        if not self.look() and self._beats_to_come:
            self._beats_to_come -= 1
            if not self._beats_to_come:
                self.log.info("the machine's clock is steady again")
