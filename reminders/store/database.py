"""The database as services see it: `read` and `write` give transactions, each with its one moment.

Invariant: a write is committed when its block ends and undone when it raises; a read sees one state of everything and
cannot write.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection

from reminders.store.columns import NaiveMoment
from reminders.store.engine import BUSY_MS, WRITES, open_engine, parse, shown
from reminders.store.faults import in_our_words
from reminders.store.files import file_paths, quick_check, rewrite
from reminders.store.migrating import check_ready, create_or_upgrade, current_revision, head_revision

__all__ = [
    "Database",
    "Transaction",
    "check_ready",
    "create_or_upgrade",
    "current_revision",
    "file_paths",
    "head_revision",
    "quick_check",
    "rewrite_files",
]


@dataclass(frozen=True, slots=True)
class Transaction:
    """What every function of the store takes first: the connection, and the one moment `now` of what happens in it.

    `actor` and `audit_key` go into the audit trail. Services hand it on and never look inside.
    """

    connection: Connection
    now: dt.datetime
    actor: str
    audit_key: bytes


class Database:
    """A database by its URL; connects when first used."""

    def __init__(self, url: str, *, audit_key: bytes = b"", busy_ms: int = BUSY_MS) -> None:
        """Take the URL; `audit_key` signs the audit trail, `busy_ms` is how long SQLite waits for another writer."""
        parse(url)
        self._url = url
        self._audit_key = audit_key
        self._busy_ms = busy_ms
        self._engine = open_engine(url, busy_ms=busy_ms)

    @property
    def url(self) -> str:
        """Return where the database is, without a password."""
        return shown(self._url)

    @property
    def address(self) -> str:
        """Return the whole URL, password included, for what opens the database anew. Never to be shown."""
        return self._url

    def with_audit_key(self, key: bytes) -> "Database":
        """Return the same database, signing with `key`."""
        return Database(self._url, audit_key=key, busy_ms=self._busy_ms)

    def close(self) -> None:
        """Close every connection; the next use opens new ones."""
        self._engine.dispose()

    @contextmanager
    def read(self, now: dt.datetime) -> Iterator[Transaction]:
        """Give one state of everything, whatever others write meanwhile; writing in it fails."""
        _need_zone(now)
        with in_our_words(), self._engine.connect() as connection, connection.begin():
            yield Transaction(connection, now, "read", self._audit_key)

    @contextmanager
    def write(self, now: dt.datetime | Callable[[], dt.datetime], actor: str) -> Iterator[Transaction]:
        """Give the database to one writer; commit at the end of the block, undo everything when it raises.

        Where `now` is the question rather than its answer, it is asked once the database is ours: who waited for
        another writer would else record a moment that lies before what the other did, and the trail would read as if
        a message had gone out after it was stopped.
        """
        with in_our_words(), self._engine.connect() as connection:
            writer = connection.execution_options(**{WRITES: True})
            with writer.begin():
                moment = now() if callable(now) else now
                _need_zone(moment)
                yield Transaction(writer, moment, actor, self._audit_key)


def rewrite_files(database: Database) -> bool:
    """Leave in SQLite's files nothing but what is stored now, after an erasure; False while others use the database.

    Takes as long as copying the file, and as much room again. True on PostgreSQL, which this does not concern.
    """
    return rewrite(database.address)


def _need_zone(now: dt.datetime) -> None:
    if now.tzinfo is None:
        raise NaiveMoment
