"""Lets others write between the transactions of one long piece of work.

SQLite keeps no queue of those who wait to write: they look again every few milliseconds, and whoever commits and
begins again at once has been there before them every time. A desk beside a plan that ran in a loop waited its whole
half minute in vain. On PostgreSQL writers stand in a queue, and nothing is waited for.

Invariant: nobody is kept out for longer than `HELD_S`, one transaction and `ROOM_S` together.
"""

import datetime as dt
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from reminders.services.insist import Patience
from reminders.store.database import Database, Transaction
from reminders.store.engine import LONGEST_PAUSE_MS, sqlite_path

HELD_S = 0.4
"""So many seconds the database may be ours, in one transaction or many, before others get room."""
ROOM_S = 3 * LONGEST_PAUSE_MS / 1000
"""Longer than whoever waits to write pauses between two looks, woken late or not: whether anybody waits, SQLite cannot
tell."""


@dataclass(slots=True)
class Turns:
    """The transactions of one piece of work."""

    database: Database
    patience: Patience = field(default_factory=Patience)
    _held_s: float = 0.0

    @contextmanager
    def write(self, now: Callable[[], dt.datetime], actor: str) -> Iterator[Transaction]:
        """Give the database to us as `Database.write` does, once others had room where it was ours for long."""
        if self._held_s >= HELD_S:
            self._held_s = 0.0
            if sqlite_path(self.database.address) is not None:
                self.patience.wait(ROOM_S)
        began = self.patience.time.monotonic()
        try:
            with self.database.write(now, actor) as tx, _uncollected():
                began = self.patience.time.monotonic()
                yield tx
        finally:
            self._held_s += self.patience.time.monotonic() - began


@contextmanager
def _uncollected() -> Iterator[None]:
    """Let Python's collector rest: it would look at a transaction's values again and again, and all are in use."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
