"""The clock's sign of life: written by whoever ticks, read by whoever asks whether anybody does.

Invariants: only the process itself says that it stopped; a clock that has been silent for `SILENCE` counts as dead.
"""

import datetime as dt
from dataclasses import dataclass

from reminders.clock import Clock
from reminders.store import heartbeats
from reminders.store.database import Database, Transaction
from reminders.store.heartbeats import Heartbeat

SILENCE = dt.timedelta(seconds=90)
"""Product rules, promise 8: no tick for so long turns health red."""

_HEART = "heartbeat"


@dataclass(frozen=True, slots=True)
class Pulse:
    """Whether anybody keeps the clock: the newest sign of life, and the moment it was looked at."""

    newest: Heartbeat | None
    now: dt.datetime

    @property
    def stopped(self) -> bool:
        """Tell whether whoever kept the clock ended in order, or nobody ever did."""
        return self.newest is None or self.newest.stopped_at is not None

    @property
    def dead(self) -> bool:
        """Tell whether somebody should be ticking and is not; a clock set back meanwhile is no death."""
        return self.newest is not None and not self.stopped and self.now - self.newest.ticked_at > SILENCE


def beat(database: Database, clock: Clock, worker: str) -> None:
    """Write a sign of life."""
    with database.write(clock.now, _HEART) as tx:
        heartbeats.beat(tx, worker)


def stop(database: Database, clock: Clock, worker: str) -> None:
    """Write that `worker` stopped in order."""
    with database.write(clock.now, _HEART) as tx:
        heartbeats.stop(tx, worker)


def pulse(tx: Transaction) -> Pulse:
    """Return whether anybody keeps the clock."""
    return Pulse(heartbeats.newest(tx), tx.now)
