"""Brings a database to this version's tables, and refuses to touch one that is not ours, damaged, or newer.

Invariant: a database appears whole or not at all, an upgrade happens in one transaction, and the file as it was before
an upgrade stays beside it. Alembic is loaded where something is migrated: every command asks whether something has to.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect

from reminders import paths
from reminders.errors import BadInput
from reminders.store.engine import WRITES, open_engine, shown, sqlite_engine, sqlite_path
from reminders.store.faults import (
    DatabaseBusy,
    DatabaseCorrupt,
    DatabaseDamaged,
    DatabaseMissing,
    DatabaseNewer,
    DatabaseOlder,
    NotOurDatabase,
    in_our_words,
)
from reminders.store.leftovers import fresh_name
from reminders.store.server import keep_clean, take_as_long_as_needed

if TYPE_CHECKING:
    from alembic.config import Config


class NoSuchFolder(BadInput):
    """The folder {place} is not there: make it, or set REMINDERS_DATABASE_URL to another place."""


def head_revision() -> str:
    """Return the revision this version of the program works with."""
    return _known()[-1]


def current_revision(url: str) -> str | None:
    """Return the revision of the database, None where there is none of ours yet."""
    with _opened(url) as engine, engine.connect() as connection:
        return _revision(connection, shown(url))


def check_ready(url: str) -> None:
    """Raise the `DatabaseNotReady` that says why this version cannot use the database; return when it can."""
    found = current_revision(url)
    if found is None:
        raise DatabaseMissing(place=shown(url))
    _refuse_newer(found)
    if found != head_revision():
        raise DatabaseOlder(found=found)


def create_or_upgrade(url: str) -> str | None:
    """Make the database, or bring it to this version; return the revision it came from, None for a new one.

    1. A new SQLite file is made whole under another name, then given its own: a crash leaves at most that other file.
    2. An existing one is looked at first; whatever is not ours, damaged or newer is refused and stays as it is.
    3. An older one is copied beside itself, then changed in one transaction: a crash leaves it as it was.
    """
    path = sqlite_path(url)
    if path is not None and not os.path.lexists(path):
        _create(path)
        return None
    with _opened(url) as engine:
        return _upgrade(engine, shown(url), path)


@contextmanager
def _opened(url: str) -> Iterator[Engine]:
    """Give an engine; a file that turns out to be damaged is a database that is not ready."""
    engine = open_engine(url)
    try:
        with in_our_words():
            yield engine
    except DatabaseDamaged:
        raise DatabaseCorrupt(place=shown(url), problem="it is damaged") from None
    finally:
        engine.dispose()


def _create(path: Path) -> None:
    if not path.parent.is_dir():
        raise NoSuchFolder(place=path.parent)
    fresh = fresh_name(path)
    fresh.unlink(missing_ok=True)
    try:
        os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))  # names of patients: the owner's only
        engine = sqlite_engine(fresh, create=True)
        try:
            with in_our_words(), engine.connect() as connection:
                _migrate(connection)
        finally:
            engine.dispose()
        _publish(fresh, path)
    finally:
        for left in (fresh, fresh.with_name(f"{fresh.name}-wal"), fresh.with_name(f"{fresh.name}-shm")):
            left.unlink(missing_ok=True)


def _publish(fresh: Path, path: Path) -> None:
    """Give the finished file its name, unless another `init` was faster: a link never replaces a file."""
    try:
        os.link(fresh, path)
    except FileExistsError:
        raise DatabaseBusy from None
    except OSError:  # a file system without hard links
        fresh.rename(path)


def _upgrade(engine: Engine, place: str, path: Path | None) -> str | None:
    with engine.connect() as connection:
        found = _revision(connection, place)
        connection.rollback()
        if found is not None:
            _refuse_newer(found)
        if found == head_revision():
            return found
        if path is not None:
            _copy(path, f"before-{head_revision()}")
        _migrate(connection)
    return found


def _migrate(connection: Connection) -> None:
    """Upgrade in one transaction; what another `init` did while this one waited for its turn is seen first."""
    from alembic import command  # noqa: PLC0415 - see the invariant
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415 - as above

    writer = connection.execution_options(**{WRITES: True})
    with writer.begin():
        take_as_long_as_needed(writer)
        for found in MigrationContext.configure(writer).get_current_heads():
            _refuse_newer(found)
        config = alembic_config()
        config.attributes["connection"] = writer
        command.upgrade(config, "head")
        keep_clean(writer)


def _copy(path: Path, suffix: str) -> None:
    """Copy a live database through SQLite itself: copying the file alone would miss what is in its log."""
    copy = path.with_name(f"{path.name}.{suffix}")
    copy.unlink(missing_ok=True)
    os.close(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    source, target = sqlite3.connect(path), sqlite3.connect(copy)
    try:
        source.backup(target)
    finally:
        target.close()
        source.close()


def _revision(connection: Connection, place: str) -> str | None:
    """Return the revision; None for a PostgreSQL database without any table. Foreign tables are `NotOurDatabase`."""
    tables = inspect(connection).get_table_names()
    if "alembic_version" in tables:
        heads = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all()
        if len(heads) == 1 and ("clinics" in tables or heads[0] not in _known()):
            return str(heads[0])
        raise NotOurDatabase(place=place)
    if tables or connection.dialect.name == "sqlite":
        raise NotOurDatabase(place=place)
    return None


def _known() -> list[str]:
    """Return the revisions in their order: their files' names begin with them."""
    files = (paths.migrations() / "versions").glob("[0-9]*.py")
    return sorted(file.stem.partition("_")[0] for file in files)


def _refuse_newer(found: str) -> None:
    if found not in _known():
        raise DatabaseNewer(found=found)


def alembic_config() -> "Config":
    """Return the settings of the migrations, wherever the program is installed."""
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(paths.migrations()).replace("%", "%%"))
    return config
