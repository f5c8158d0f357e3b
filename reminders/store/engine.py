"""Opens the database that a URL names: SQLite with the pragmas our promises rest on, or PostgreSQL.

Invariant: opening never creates a file and never turns an empty or foreign one into a database; every transaction is
begun by us, as a reader or as a writer: what a writer has read stays true until it commits. On SQLite there is one
writer at a time; on PostgreSQL one, or several steps of deliveries (`server`). No transaction begins on a file that no
longer stands under its name.
"""

import os
import sqlite3
import stat
import threading
from functools import partial
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DisconnectionError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection, QueuePool

from reminders.errors import BadInput
from reminders.store import server
from reminders.store.faults import DatabaseCorrupt, DatabaseMissing, DatabaseUnreachable

WRITES = "reminders_writes"
"""The execution option of a connection whose next transaction is a writer's."""

ALONGSIDE = "reminders_alongside"
"""The execution option of a writer that may run beside others of its kind."""

BUSY_MS = 30_000

_FIRST_PAUSE_MS, LONGEST_PAUSE_MS = 0.3, 5.0
"""How long a writer waits before it asks again whether another one has finished."""

_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",  # NORMAL may lose the last commits at a power cut, and a lost "sent" is a second letter
    "foreign_keys = ON",
    "secure_delete = ON",  # erased names are overwritten with zeros
    "trusted_schema = OFF",
)


class _OnFile(sqlite3.Connection):
    """A connection that knows which file it is on."""

    file: tuple[int, int] | None
    """Device and number of the file as it was found just before it was opened."""


class BadDatabaseUrl(BadInput):
    """REMINDERS_DATABASE_URL cannot be used ({problem}): write sqlite:///FILE or postgresql://USER@HOST/NAME."""


class NoPostgresqlDriver(BadInput):
    """PostgreSQL needs a driver that is not installed: install this program with its extra `postgresql`."""


def parse(url: str) -> URL:
    """Return the parsed URL of a database kept in a file or on a PostgreSQL server; else raise `BadDatabaseUrl`."""
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, ValueError):  # the library's own words may hold the password
        raise BadDatabaseUrl(problem="it is not a URL") from None
    if backend not in ("sqlite", "postgresql"):
        raise BadDatabaseUrl(problem="only sqlite and postgresql are supported")
    if backend == "sqlite" and (parsed.database in (None, "", ":memory:") or parsed.host):
        raise BadDatabaseUrl(problem="it names no file")
    return parsed


def sqlite_path(url: str) -> Path | None:
    """Return the file of an SQLite URL (a relative one from the working directory), or None for PostgreSQL."""
    parsed = parse(url)
    return Path(parsed.database or "").absolute() if parsed.get_backend_name() == "sqlite" else None


def shown(url: str) -> str:
    """Return the URL without its password and its options."""
    return parse(url).set(query={}).render_as_string(hide_password=True)


def named(url: str) -> str:
    """Return what a person knows the database by: its file as it was given, or its address as `shown` says it."""
    return str(parse(url).database) if sqlite_path(url) else shown(url)


def open_engine(url: str, *, busy_ms: int = BUSY_MS) -> Engine:
    """Return an engine that connects when first used."""
    path = sqlite_path(url)
    return _postgresql(url, busy_ms) if path is None else sqlite_engine(path, busy_ms=busy_ms)


def sqlite_engine(path: Path, *, busy_ms: int = BUSY_MS, create: bool = False) -> Engine:
    """Return an engine over one SQLite file; only `create` (a new file in the making) accepts an empty one."""

    def connect() -> sqlite3.Connection:
        if not create:
            refuse_unusable(path)
        found = _file_at(path)
        address = f"file:{quote(str(path))}?mode=rw"
        made = sqlite3.connect(
            address,
            uri=True,
            timeout=busy_ms / 1000,
            isolation_level=None,
            check_same_thread=False,
            factory=_OnFile,
        )
        made.file = found
        return made

    engine = create_engine("sqlite://", creator=connect, poolclass=QueuePool, hide_parameters=True)
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", partial(_begin, busy_ms=busy_ms))
    _watch_the_name(engine, path)
    return engine


def _watch_the_name(engine: Engine, path: Path) -> None:
    """Let no transaction begin on a file that was moved away or replaced: what it said would stand where nobody reads.

    The name is looked up and never opened (see `refuse_unusable`). All idle connections to the old file are closed
    before a new one is made: two files under one name share the name of the log's index, and the last connection to the
    old one would take the locks of the new one with it when it goes.
    """

    def still_there(connection: DBAPIConnection, _: ConnectionPoolEntry, __: PoolProxiedConnection) -> None:
        if isinstance(connection, _OnFile) and connection.file != _file_at(path):
            engine.pool.dispose()
            raise DisconnectionError

    event.listen(engine, "checkout", still_there)


def _file_at(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - once for every transaction
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino


def refuse_unusable(path: Path) -> None:
    """Raise unless `path` is a file with something in it; what is in it, SQLite says itself.

    The file is never opened here: closing it would drop every lock this program holds on it (POSIX; see
    sqlite.org/howtocorrupt.html, 2.2), and the next program to end would delete the log that we still write.
    """
    try:
        found = path.stat()
    except FileNotFoundError:
        raise DatabaseMissing(place=path) from None
    except (OSError, ValueError) as error:
        raise DatabaseCorrupt(place=path, problem=getattr(error, "strerror", None) or "its name is no path") from None
    if not stat.S_ISREG(found.st_mode):
        raise DatabaseCorrupt(place=path, problem="it is no file")
    if not found.st_size:
        raise DatabaseCorrupt(place=path, problem="the file is empty")


def _set_pragmas(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection, *, busy_ms: int) -> None:
    writes = bool(connection.get_execution_options().get(WRITES))
    connection.exec_driver_sql(f"PRAGMA query_only = {'OFF' if writes else 'ON'}")
    if writes:
        _begin_writer(connection, busy_ms)
    else:
        connection.exec_driver_sql("BEGIN")


def _begin_writer(connection: Connection, busy_ms: int) -> None:
    """Wait for other writers up to `busy_ms`, in pauses short enough for Ctrl-C to be heard in between.

    SQLite's own pauses grow to a tenth of a second: two deliveries on one file would spend most of their time in them.
    """
    cursor = connection.connection.cursor()  # a setting of the connection's, and none of the transaction's statements
    cursor.execute("PRAGMA busy_timeout = 0")
    waited, pause = 0.0, _FIRST_PAUSE_MS
    try:
        while waited < busy_ms:
            try:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            except OperationalError as error:
                if getattr(error.orig, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_BUSY:
                    raise
            else:
                return
            threading.Event().wait(pause / 1000)
            waited, pause = waited + pause, min(pause * 1.5, LONGEST_PAUSE_MS)
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    finally:
        cursor.execute(f"PRAGMA busy_timeout = {busy_ms}")
        cursor.close()


def _refuse_options(parsed: URL) -> None:
    """Raise `BadDatabaseUrl` for an option that PostgreSQL's own library does not know, or cannot read."""
    from psycopg.pq import Conninfo  # noqa: PLC0415 - the driver is an extra

    known = {option.keyword.decode() for option in Conninfo.get_defaults()}
    if not known.issuperset(parsed.query):
        raise BadDatabaseUrl(problem="one of the options behind its ? is none of PostgreSQL's")
    for name in {"connect_timeout", "port"}.intersection(parsed.query):
        if not str(parsed.query[name]).isdecimal():
            raise BadDatabaseUrl(problem=f"its option {name} is no number")


def connecting(url: str) -> dict[str, object]:
    """Return what PostgreSQL's own library connects by, as its keywords, for who does so without SQLAlchemy."""
    parsed = parse(url).set(drivername="postgresql+psycopg")
    _, found = parsed.get_dialect()().create_connect_args(parsed)
    return {**server.CONNECTING, **found}


def _postgresql(url: str, busy_ms: int) -> Engine:
    parsed = parse(url).set(drivername="postgresql+psycopg")
    ours = {name: value for name, value in server.CONNECTING.items() if name not in parsed.query}
    try:
        engine = create_engine(
            parsed,
            hide_parameters=True,
            pool_pre_ping=True,
            isolation_level="READ COMMITTED",  # a stricter one would show a writer what was before it got its lock
            connect_args=ours,
        )
        _refuse_options(parsed)
    except ModuleNotFoundError:
        raise NoPostgresqlDriver from None
    except ArgumentError:
        raise DatabaseUnreachable from None

    def begin(connection: Connection) -> None:
        chosen = connection.get_execution_options()
        if chosen.get(WRITES):
            server.begin_writer(connection, busy_ms, alongside=bool(chosen.get(ALONGSIDE)))
        else:
            server.begin_reader(connection)

    event.listen(engine, "connect", lambda connection, _: server.watch_the_client(connection))
    event.listen(engine, "begin", begin)
    return engine
