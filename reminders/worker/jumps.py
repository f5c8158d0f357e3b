"""Watches the machine's clock against its uptime: after a jump nothing goes out until the clock has been steady again.

Invariant: sleep is no jump, since the uptime that is compared counts it; a jump ahead by more than a day asks for the
lock, which only a person lifts.
"""

import datetime as dt
import threading
from dataclasses import dataclass, field

from reminders.clock import Clock, Monotonic
from reminders.domain.clock_check import NEEDS_A_PERSON, Reading, jump
from reminders.log import Log

STEADY_BEATS = 3


@dataclass(slots=True)
class JumpWatch:
    """Compares readings; `paused` while the clock is not to be trusted, `locks` once a person has to look at it.

    `seen_at` is the latest moment found right before: where the first reading is a day away from it, the machine may
    have begun with a clock that is only being set, and the first beats have to be steady.
    """

    clock: Clock
    time: Monotonic
    log: Log
    locks: bool = False
    seen_at: dt.datetime | None = None
    _beats_to_come: int = 0
    _last: Reading | None = None
    _one: threading.Lock = field(default_factory=threading.Lock)

    @property
    def paused(self) -> bool:
        """Tell whether nothing may go out now."""
        return self._beats_to_come > 0

    def look(self) -> bool:
        """Read both clocks; return whether the one on the wall jumped since the last reading, or since it was seen."""
        with self._one:
            now = Reading(self.clock.now(), self.time.boottime())
            before, self._last = self._last, now
            leap = jump(before, now) if before else self._since_seen(now)
            if leap is None:
                return False
            self._beats_to_come = STEADY_BEATS
            self.locks = self.locks or (before is not None and leap > NEEDS_A_PERSON)
        if before is None:
            self.log.info("the clock is far from where it was last seen: nothing is sent until it is found steady")
            return True
        self.log.warning("the machine's clock jumped: nothing is sent until it is steady", seconds=leap.total_seconds())
        return True

    def _since_seen(self, now: Reading) -> dt.timedelta | None:
        off = now.wall - self.seen_at if self.seen_at is not None else dt.timedelta(0)
        return off if abs(off) > NEEDS_A_PERSON else None

    def beat(self) -> None:
        """Take a heartbeat: when the clock did not jump since the last one, it was a steady one."""
        if not self.look() and self._beats_to_come:
            self._beats_to_come -= 1
            if not self._beats_to_come:
                self.log.info("the machine's clock is steady again")
