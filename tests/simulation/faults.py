"""A database that fails and a process that dies, at statements and commits that chance picks.

Invariant: a fault before a commit undoes the whole transaction, and a `Crash` says whether its transaction stood.
"""

import datetime as dt
import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine, event

from reminders.store.database import Database, Transaction


class Crash(BaseException):
    """The process dies here. `committed` says whether the transaction it was in stands."""

    def __init__(self, *, committed: bool) -> None:
        super().__init__()
        self.committed = committed


@dataclass(slots=True)
class Misfortune:
    """Whether the next statement or commit goes wrong; nothing does while `calm`."""

    chance: random.Random
    statement: float
    crash: float
    calm: bool = True

    def fails(self) -> int | None:
        """Return SQLite's code for what happens to a statement now, None where nothing does."""
        if self.calm or not self.statement or self.chance.random() >= self.statement:
            return None
        return self.chance.choice([sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR])

    def dies(self) -> bool:
        """Tell whether the process dies at this side of a commit."""
        return not self.calm and bool(self.crash) and self.chance.random() < self.crash


class FragileDatabase(Database):
    """The real database, with misfortune on the way to it."""

    def __init__(self, url: str, audit_key: bytes, misfortune: Misfortune) -> None:
        super().__init__(url, audit_key=audit_key, busy_ms=1)
        self._misfortune = misfortune
        self._watched: Engine | None = None

    @contextmanager
    def read(self, now: dt.datetime) -> Iterator[Transaction]:
        """Give one state of everything."""
        with super().read(now) as tx:
            self._watch(tx)
            yield tx

    @contextmanager
    def write(
        self, now: dt.datetime | Callable[[], dt.datetime], actor: str, *, alongside: bool = False
    ) -> Iterator[Transaction]:
        """Give the database to one writer; the process may die on either side of the commit."""
        with super().write(now, actor, alongside=alongside) as tx:
            self._watch(tx)
            yield tx
            if self._misfortune.dies():
                raise Crash(committed=False)
        if self._misfortune.dies():
            raise Crash(committed=True)

    def _watch(self, tx: Transaction) -> None:
        engine = tx.connection.engine
        if self._watched is None:
            self._watched = engine
            event.listen(engine, "do_execute", self._before_statement)
            event.listen(engine, "do_execute_no_params", self._before_statement)

    def _before_statement(self, *_: object) -> None:
        code = self._misfortune.fails()
        if code is not None:
            error = sqlite3.OperationalError("chance has it so")
            error.sqlite_errorcode = code
            error.sqlite_errorname = "SQLITE"
            raise error
