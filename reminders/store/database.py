"""The database as services see it: `read` and `write` give transactions, each with its one moment.

Invariant: a write is committed when its block ends and undone when it raises; where nobody can tell which, that is said
(`CommitUnknown`). A read sees one state of everything and cannot write.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, event

from reminders.store.audit_trail import flush
from reminders.store.columns import NaiveMoment
from reminders.store.engine import ALONGSIDE, BUSY_MS, WRITES, open_engine, parse, shown, sqlite_path
from reminders.store.faults import DatabaseCorrupt, EntryRefused, in_our_words, telling_unknown_commits
from reminders.store.files import file_paths, quick_check, rewrite
from reminders.store.migrating import check_ready, create_or_upgrade, current_revision, head_revision
from reminders.store.packing import Shelf
from reminders.store.server import is_broken, server_clock
from reminders.store.transaction import Boot, LeaseClock, Transaction, database_now

__all__ = [
    "Database",
    "Transaction",
    "check_ready",
    "create_or_upgrade",
    "current_revision",
    "database_now",
    "file_paths",
    "head_revision",
    "quick_check",
    "rewrite_files",
]


class Database:
    """A database by its URL; connects when first used."""

    def __init__(
        self,
        url: str,
        *,
        audit_key: bytes = b"",
        busy_ms: int = BUSY_MS,
        lease_clock: LeaseClock | None = None,
        boot: Boot | None = None,
    ) -> None:
        """Take the URL; `audit_key` signs the audit trail, `busy_ms` is how long to wait for another writer.

        Leases are judged by `lease_clock`: without one, by the server's clock on PostgreSQL, and on SQLite by the
        moment of the transaction. `boot` tells the machine's uptime beside every moment.
        """
        parse(url)
        self._url = url
        self._audit_key = audit_key
        self._busy_ms = busy_ms
        self._given_clock = lease_clock
        self._boot = boot
        self._lease_clock = lease_clock or (server_clock if sqlite_path(url) is None else None)
        self._engine = open_engine(url, busy_ms=busy_ms)
        self._shelf = Shelf()

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
        url, given = self._url, self._given_clock
        return Database(url, audit_key=key, busy_ms=self._busy_ms, lease_clock=given, boot=self._boot)

    def close(self) -> None:
        """Close every connection; the next use opens new ones."""
        self._engine.dispose()

    def connect_anew(self) -> None:
        """Close every connection that is not in use, and each that is as soon as it no longer is.

        The pool goes with them: one that is emptied while some are in use forgets to count these, and grows for good.
        """
        old = self._engine.pool
        self._engine.dispose()
        event.listen(old, "checkin", lambda _, record: record.invalidate())
        old.dispose()  # what came back before somebody listened

    @property
    def boot(self) -> str | None:
        """Return the machine's uptime, "ID:SECONDS"; None where nobody tells it."""
        return self._boot() if self._boot else None

    def refuse_damaged(self) -> None:
        """Raise `DatabaseCorrupt` where SQLite finds the file damaged; reads all of it."""
        if found := quick_check(self._url, references=False):
            raise DatabaseCorrupt(place=self.url, problem=f"damaged: {found[0]}")

    @contextmanager
    def read(self, now: dt.datetime) -> Iterator[Transaction]:
        """Give one state of everything, whatever others write meanwhile; writing in it fails."""
        _need_zone(now)
        with in_our_words(), self._engine.connect() as connection, connection.begin():
            lease_clock, boot = self._lease_clock, self.boot
            key, shelf = self._audit_key, self._shelf
            yield Transaction(connection, now, "read", key, lease_clock=lease_clock, boot=boot, shelf=shelf)

    @contextmanager
    def write(
        self, now: dt.datetime | Callable[[], dt.datetime], actor: str, *, alongside: bool = False
    ) -> Iterator[Transaction]:
        """Give the database to a writer; commit at the end of the block, undo everything when it raises.

        Where `now` is the question rather than its answer, it is asked once the database is ours: who waited for
        another writer would else record a moment that lies before what the other did, and the trail would read as if
        a message had gone out after it was stopped.

        A writer is alone. `alongside` lets it run beside others that say so, where the database can do that
        (PostgreSQL): for a delivery's steps, which change no fact, and touch only what their worker has or claims.

        Raises `CommitUnknown` when the database was lost while it committed: then nobody knows, until it is looked up.
        """
        with in_our_words(), self._engine.connect() as connection:
            writer = connection.execution_options(**{WRITES: True, ALONGSIDE: alongside})
            with writer.begin() as transaction:
                moment = now() if callable(now) else now
                _need_zone(moment)
                key, boot = self._audit_key, self.boot
                tx = Transaction(writer, moment, actor, key, alongside, self._lease_clock, boot, shelf=self._shelf)
                yield tx
                _refuse_broken(writer)
                flush(tx)
                with telling_unknown_commits():
                    transaction.commit()
                self._shelf.learn(tx.new_patterns)


def _refuse_broken(writer: Connection) -> None:
    """Raise where a failed statement was passed over: PostgreSQL would undo everything at COMMIT, and not say so."""
    if is_broken(writer):
        raise EntryRefused


def rewrite_files(database: Database) -> bool:
    """Leave in SQLite's files nothing but what is stored now, after an erasure; False while others use the database.

    Takes as long as copying the file, and as much room again. True on PostgreSQL, which this does not concern.
    """
    return rewrite(database.address)


def _need_zone(now: dt.datetime) -> None:
    if now.tzinfo is None:
        raise NaiveMoment
