"""A database that is moved away or replaced under a running program: nothing is written where nobody reads."""

import shutil
import sqlite3
import subprocess
import sys
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from reminders.store.database import Database
from reminders.store.faults import DatabaseMissing
from tests.store.clinic import NOW, a_clinic

LAST_USER = """
import fcntl, sys
with open(sys.argv[1], "r+b") as index:
    try:
        fcntl.lockf(index, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 128)
        print("nobody uses it")
    except OSError:
        print("in use")
"""
"""Asks for the lock that every user of the log's index holds (sqlite.org/walformat.html, 2.3.1: byte 128)."""


def in_use(database: Database) -> None:
    """Let the pool hold several connections, as it does where many ask at once."""
    with database.write(NOW, "cli") as tx:
        a_clinic(tx)
    with ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(database.read(NOW))


def slugs(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as found:
        return [slug for (slug,) in found.execute("SELECT slug FROM clinics ORDER BY id")]


def replace(path: Path) -> Path:
    """Put a copy of a database in its place, as who restores a backup does; return where the old one is now."""
    copy, old = path.with_suffix(".copy"), path.with_suffix(".old")
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    shutil.copy(path, old)
    copy.replace(path)
    return old


def test_a_file_that_was_moved_away_is_missed_and_found_again(database: Database, database_path: Path) -> None:
    in_use(database)
    away = database_path.with_suffix(".away")
    database_path.rename(away)
    for _ in range(3):
        with pytest.raises(DatabaseMissing, match="reminders init"), database.write(NOW, "cli") as tx:
            a_clinic(tx, "lost")
        with pytest.raises(DatabaseMissing), database.read(NOW):
            pass
    assert not database_path.exists()
    away.rename(database_path)
    with database.write(NOW, "cli") as tx:
        a_clinic(tx, "second")
    database.close()
    assert slugs(database_path) == ["linden", "second"]


def test_what_is_written_after_the_file_was_replaced_stands_in_the_new_one(
    database: Database, database_path: Path
) -> None:
    in_use(database)
    old = replace(database_path)
    for left in ("wal", "shm"):  # as a restore is done: they belong to the old file
        database_path.with_name(f"{database_path.name}-{left}").unlink()
    with database.write(NOW, "cli") as tx:
        a_clinic(tx, "second")
    database.close()
    assert slugs(database_path) == ["linden", "second"]
    assert "second" not in slugs(old)


def test_a_deleted_file_is_missed(database: Database, database_path: Path) -> None:
    in_use(database)
    database_path.unlink()
    with pytest.raises(DatabaseMissing), database.write(NOW, "cli") as tx:
        a_clinic(tx, "lost")
    assert not database_path.exists()


def test_late_closing_of_the_old_file_leaves_the_new_ones_locks(database: Database, database_path: Path) -> None:
    in_use(database)
    replace(database_path)
    with ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(database.read(NOW))
    index = database_path.with_name(f"{database_path.name}-shm")
    done = subprocess.run([sys.executable, "-c", LAST_USER, str(index)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "in use"
