"""Keeps a worker's leases alive while it writes its letters and talks to servers, however long either takes.

Invariant: a lease is renewed only where the row is still ours (same epoch), and renewing stops with the round.
"""

import datetime as dt
import threading
from collections.abc import Sequence
from typing import Self

from reminders.clock import Clock
from reminders.services.means import need_means
from reminders.store import outbox
from reminders.store.database import Database, database_now
from reminders.store.outbox import Held


class LeaseKeeper:
    """A context in which the leases of `held` are renewed every third of their length by a thread of its own."""

    def __init__(self, database: Database, clock: Clock, lease: dt.timedelta, held: Sequence[Held]) -> None:
        """Keep what is needed; nothing runs before the context is entered."""
        self._database, self._clock, self._lease, self._held = database, clock, lease, tuple(held)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease-keeper", daemon=True)

    def __enter__(self) -> Self:
        """Start renewing; raises `MeansLacking` where the machine gives no thread for it."""
        try:
            self._thread.start()
        except RuntimeError as error:
            need_means(error)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Stop renewing; the leases then run out by themselves if nobody settles the round."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(self._lease.total_seconds() / 3):
            try:
                with self._database.write(self._clock.now, "lease", alongside=True) as tx:
                    outbox.renew(tx, self._held, database_now(tx) + self._lease)
            except Exception:  # noqa: BLE001, S112 - whatever it was: without this thread the lease is lost for certain
                continue  # a busy or full database: the next renewal tries again while the lease still lasts
