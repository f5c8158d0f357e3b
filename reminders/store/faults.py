"""What the database driver complains of, said in the house's words.

Invariant: neither a statement nor a value it carried is ever part of what a person or a log sees.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoFreeConnection

from reminders.errors import CannotDo, DatabaseNotReady, RemindersError
from reminders.store.unreadable import unreadable_table


class DatabaseBusy(CannotDo):
    """Another program is writing to the database and did not finish in time: try again in a moment."""


class DiskTrouble(CannotDo):
    """The database's disk could not be read or written: check its free room and its health, then try again."""


class DiskFull(CannotDo):
    """There is no room left where the database is: nothing was changed. Make room and try again."""


class DatabaseUnwritable(CannotDo):
    """The database cannot be written: check that you may write to its file and to the folder it is in."""


class DatabaseUnreachable(CannotDo):
    """The database cannot be reached: check that it runs, and REMINDERS_DATABASE_URL."""


class CommitUnknown(CannotDo):
    """The database was lost at the very moment it saved: nobody can say whether what was asked is done.

    Look it up (`reminders list` or `reminders why` show what is there), and ask again only if it is not.
    """


class DatabaseDamaged(CannotDo):
    """The database cannot be read or written reliably (an input/output error, or a damaged file).

    Nothing was changed. Check the disk; if this stays, restore the last backup.
    """


class UnreadableText(DatabaseDamaged):
    """A text in the database cannot be read: it is no UTF-8, so it was damaged, or changed by hand.

    Nothing was changed. `reminders doctor` looks for more of it; if this stays, restore the last backup.
    """


class UnreadableDay(DatabaseDamaged):
    """A day or a moment in the database cannot be read: no calendar has it, so it was damaged, or changed by hand.

    Nothing was changed. `reminders doctor` says where; if this stays, restore the last backup.
    """


class DamagedRow(CannotDo):
    """A row of the table {table} holds something that this program never wrote: it was damaged, or changed by hand.

    Nothing was done with it. `reminders doctor` says how many there are; restore the last backup.
    """


class EntryRefused(CannotDo):
    """The database refused an entry that contradicts what is stored: nothing was changed."""


class DatabaseMissing(DatabaseNotReady):
    """There is no database at {place}: run `reminders init`."""


class DatabaseCorrupt(DatabaseNotReady):
    """{place} is no readable database ({problem}): restore a backup, or move it away and run `reminders init`."""


class NotOurDatabase(DatabaseNotReady):
    """{place} holds something else than this program's tables: set REMINDERS_DATABASE_URL to another place."""


class DatabaseOlder(DatabaseNotReady):
    """The database was made by an earlier version ({found}): stop what uses it and run `reminders init`."""


class DatabaseNewer(DatabaseNotReady):
    """The database was made by a newer version ({found}): use that version of the program, this one cannot read it."""


class TablesChanged(DatabaseNotReady):
    """The database's tables are not those this version works with: damaged, or upgraded by another version meanwhile.

    Stop what uses it, and run `reminders doctor`.
    """


_SQLITE: dict[int, type[RemindersError]] = {
    sqlite3.SQLITE_BUSY: DatabaseBusy,
    sqlite3.SQLITE_LOCKED: DatabaseBusy,
    sqlite3.SQLITE_FULL: DiskFull,
    sqlite3.SQLITE_READONLY: DatabaseUnwritable,
    sqlite3.SQLITE_CANTOPEN: DatabaseUnwritable,
    sqlite3.SQLITE_PERM: DatabaseUnwritable,
    sqlite3.SQLITE_IOERR: DiskTrouble,
    sqlite3.SQLITE_CORRUPT: DatabaseDamaged,
    sqlite3.SQLITE_NOTADB: DatabaseDamaged,
}

_POSTGRESQL = {
    "53100": DiskFull,
    "53300": DatabaseBusy,
    "57014": DatabaseBusy,
    "25P03": DatabaseUnreachable,
    "25P04": DatabaseUnreachable,
    "55P03": DatabaseBusy,
    "40001": DatabaseBusy,
    "40P01": DatabaseBusy,
    "XX001": DatabaseDamaged,
    "XX002": DatabaseDamaged,
    "58030": DiskTrouble,
    "25006": DatabaseUnwritable,
    "42P01": TablesChanged,
    "42703": TablesChanged,
}
"""SQLSTATE codes (postgresql.org/docs, appendix A): no room (on the disk, for a connection), locks and conflicts, a
statement or a silence that took too long, damage, a read-only transaction, a table or column that
is not there."""

PASSING = (DatabaseBusy, DatabaseUnreachable, DatabaseUnwritable, DiskFull, DiskTrouble, CommitUnknown)
"""What may be over in a moment, so that trying again makes sense."""


def noun_for(sqlstate: str | None) -> type[RemindersError]:
    """Return the house's noun for what PostgreSQL said past SQLAlchemy; None is what it says when it is gone."""
    return _POSTGRESQL.get(sqlstate or "", DatabaseUnreachable)


@contextmanager
def in_our_words() -> Iterator[None]:
    """Raise the house's noun instead of the driver's error; what is a mistake of ours passes unchanged."""
    try:
        yield
    except DBAPIError as error:
        noun = _noun(error)
        if noun is None:
            raise
        raise noun() from None
    except NoFreeConnection:
        raise DatabaseBusy from None
    except (ValueError, LookupError, TypeError) as error:
        table = unreadable_table(error)
        if table is None:
            raise
        raise DamagedRow(table=table) from None
    except sqlite3.Error as error:  # on the way to a connection, before SQLAlchemy wraps errors
        raise _SQLITE.get(_code(error), DatabaseDamaged) from None


@contextmanager
def telling_unknown_commits() -> Iterator[None]:
    """Raise `CommitUnknown` for a COMMIT that may have been carried out although it failed."""
    try:
        yield
    except DBAPIError as error:
        if _may_have_happened(error):
            raise CommitUnknown from None
        raise


def _may_have_happened(error: DBAPIError) -> bool:
    """Tell whether a failed COMMIT may stand nevertheless.

    On PostgreSQL it may when no answer came, or when the connection was ended (classes 08 and 57): with any other
    error the server says that it has undone the transaction. On SQLite a failed fsync leaves a log that the next start
    may read to its end.
    """
    original = error.orig
    if isinstance(original, sqlite3.Error):
        return _code(original) == sqlite3.SQLITE_IOERR
    sqlstate = getattr(original, "sqlstate", None)
    return error.connection_invalidated or not sqlstate or sqlstate[:2] in ("08", "57")


def _noun(error: DBAPIError) -> type[RemindersError] | None:
    if isinstance(error, IntegrityError):
        return EntryRefused
    original = error.orig
    if isinstance(original, sqlite3.Error):
        if getattr(original, "sqlite_errorcode", None) is None and "decode" in str(original):
            return UnreadableText  # Python's own complaint, without a code
        if _code(original) == sqlite3.SQLITE_ERROR and "no such " in str(original):
            return TablesChanged
        return _SQLITE.get(_code(original))
    if isinstance(error, DataError) and "year" in str(original):
        return UnreadableDay  # the driver's own complaint: PostgreSQL's days go on behind Python's
    known = _POSTGRESQL.get(getattr(original, "sqlstate", None) or "")
    gone = error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
    return known or (DatabaseUnreachable if gone else None)


def _code(error: sqlite3.Error) -> int:
    """Return the primary code; the extended ones keep it in their low byte (sqlite.org/rescode.html)."""
    return (getattr(error, "sqlite_errorcode", None) or sqlite3.SQLITE_ERROR) & 0xFF
