"""Copies the live database as a whole: SQLite through its own online backup, PostgreSQL through `pg_dump`.

Invariant: the copy appears under its name finished, flushed and examined, readable by its owner alone, and replaces
nothing; the live file is never opened but by SQLite. A password is handed over in the environment, never in a command.
"""

import contextlib
import os
import re
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL

from reminders.errors import BadInput, CannotDo
from reminders.store.engine import open_engine, parse, sqlite_path
from reminders.store.faults import DatabaseDamaged, in_our_words
from reminders.store.files import quick_check
from reminders.store.leftovers import fresh_name, remove_old

DUMP = "pg_dump"
_TOO_OLD = re.compile(
    rb"server version: (?P<server>(?P<major>\d+)[^\s;]*).*?pg_dump version: (?P<program>[^\s;]+)", re.DOTALL
)
"""Why pg_dump refuses a server that is newer than itself, in the words it has for no country."""
_LIBPQ = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "service": "PGSERVICE",
    "options": "PGOPTIONS",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "passfile": "PGPASSFILE",
    "channel_binding": "PGCHANNELBINDING",
}
"""What a URL may say behind its question mark, and the variable by which PostgreSQL's programs are told the same."""


class CopyExists(BadInput):
    """{place} is there already, and a backup replaces nothing: give the name of a file that is not there."""


class NoSuchFolderForCopy(BadInput):
    """The folder {place} is not there: make it, or give another path."""


class NoDumpProgram(CannotDo):
    """The program pg_dump is not there, and PostgreSQL is copied with it: install PostgreSQL's client programs."""


class DumpFailed(CannotDo):
    """pg_dump could not copy the database ({problem}): nothing was kept. Run it by hand to see what it says."""


class DumpTooOld(CannotDo):
    """pg_dump is of version {program} and the server of version {server}, which only a pg_dump as new can copy.

    Install the client programs of version {major} (Debian: postgresql-client-{major}), or put the folder of such a
    pg_dump first on PATH. Nothing was kept.
    """


class CopyFailed(CannotDo):
    """The copy could not be written to {place} ({problem}): nothing was kept."""


class CopyDamaged(CannotDo):
    """The copy is not sound, and was thrown away: run `reminders doctor`, the database itself may be damaged."""


def copy_database(url: str, target: Path) -> int:
    """Copy the database at `url` to the file `target`, which must not be there; return its size in bytes.

    1. Everything is written under another name beside it. 2. It is flushed and examined. 3. It gets its name. A crash
    leaves at most the other file, which a later copy to the same folder removes.
    """
    if not target.parent.is_dir():
        raise NoSuchFolderForCopy(place=target.parent)
    if os.path.lexists(target):
        raise CopyExists(place=target)
    fresh = fresh_name(target)
    try:
        fresh.unlink(missing_ok=True)
        os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))  # names of patients: the owner's only
        with contextlib.suppress(OSError):
            remove_old(fresh)
        if sqlite_path(url) is None:
            _dump(parse(url), fresh)
        else:
            _copy(url, fresh)
        _flush(fresh)
        _publish(fresh, target)
        return target.stat().st_size
    except OSError as error:
        raise CopyFailed(place=target, problem=error.strerror or "no room") from None
    finally:
        for left in (fresh, *(fresh.with_name(f"{fresh.name}{end}") for end in ("-wal", "-shm", "-journal"))):
            with contextlib.suppress(OSError):
                left.unlink(missing_ok=True)


def _copy(url: str, fresh: Path) -> None:
    """Copy in one step: one state of everything, while others go on writing into the log."""
    engine = open_engine(url)
    try:
        with in_our_words(), closing(engine.raw_connection()) as live, closing(sqlite3.connect(fresh)) as kept:
            source = live.driver_connection
            if not isinstance(source, sqlite3.Connection):
                raise DatabaseDamaged
            source.backup(kept)
    finally:
        engine.dispose()
    if quick_check(f"sqlite:///{fresh}"):
        raise CopyDamaged


def _dump(url: URL, fresh: Path) -> None:
    program = shutil.which(DUMP)
    if program is None:
        raise NoDumpProgram
    command = [program, "--format=custom", "--no-password", f"--file={fresh}"]
    done = subprocess.run(command, env=dump_environment(url), capture_output=True, check=False)  # noqa: S603 - no word of the command is anybody's input but the file's name
    if done.returncode != 0:
        older = _TOO_OLD.search(done.stderr)
        if older:
            raise DumpTooOld(**{name: said.decode(errors="replace") for name, said in older.groupdict().items()})
        raise DumpFailed(problem=f"it ended with {done.returncode}")


def dump_environment(url: URL) -> dict[str, str]:
    """Return the environment in which PostgreSQL's programs find this database; what it says is never shown."""
    said = {"PGHOST": url.host, "PGPORT": str(url.port) if url.port else None, "PGUSER": url.username}
    said |= {"PGDATABASE": url.database, "PGPASSWORD": None if url.password is None else str(url.password)}
    for name, value in url.query.items():
        if name in _LIBPQ:
            said[_LIBPQ[name]] = value if isinstance(value, str) else ",".join(value)
    return os.environ | {name: value for name, value in said.items() if value} | {"LC_ALL": "C"}


def _flush(file: Path) -> None:
    opened = os.open(file, os.O_RDWR)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _publish(fresh: Path, target: Path) -> None:
    """Give the finished copy its name; a link never replaces a file."""
    try:
        os.link(fresh, target)
    except FileExistsError:
        raise CopyExists(place=target) from None
    except OSError:  # a file system without hard links
        if os.path.lexists(target):
            raise CopyExists(place=target) from None
        fresh.rename(target)
    if os.name == "posix":
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
