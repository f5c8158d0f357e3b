"""The clock's sign of life: written by whoever ticks, read by whoever asks whether anybody does.

Invariants: only the process itself says that it stopped, or a person who says that the database was moved or put
back; a clock that has been silent for `SILENCE` counts as dead until another one speaks for it, or days of deliveries
without any.
"""

import datetime as dt
from dataclasses import dataclass, replace

from reminders.clock import Clock
from reminders.store import heartbeats, retention
from reminders.store.database import Database, Transaction
from reminders.store.heartbeats import Heartbeat

SILENCE = dt.timedelta(seconds=90)
"""Product rules, promise 8: no tick for so long turns health red."""

ANOTHER_WAY = 2
"""So many daily clearings since the last tick, by deliveries that no clock began, show that something else begins them:
one may be a person's, who found the clock dead."""
STILL = dt.timedelta(days=2)
"""So long after the last of these clearings that holds: they come once a day."""

_HEART = "heartbeat"


@dataclass(frozen=True, slots=True)
class Pulse:
    """Whether anybody keeps the clock: the newest sign of life, and the moment it was looked at.

    `replaced` says that something else, such as cron, has begun the deliveries for days, in place of a silent clock.
    """

    newest: Heartbeat | None
    now: dt.datetime
    replaced: bool = False

    @property
    def stopped(self) -> bool:
        """Tell whether no clock is to tick: who kept it ended in order, or was replaced, or nobody ever did."""
        return self.newest is None or self.newest.stopped_at is not None or self.replaced

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
    found = Pulse(heartbeats.newest(tx), tx.now)
    return replace(found, replaced=_is_replaced(tx)) if found.dead else found


def _is_replaced(tx: Transaction) -> bool:
    """Tell whether deliveries that no clock began have gone on for days since any clock ticked, and still do."""
    last = heartbeats.last_tick(tx)
    ends = retention.last_ends(tx, last, ANOTHER_WAY) if last else []
    return len(ends) == ANOTHER_WAY and tx.now - ends[0] <= STILL
