"""Keeps a copy of the whole database while the program runs, for the day something has to be put back.

Invariant: the copy is one state of everything; the secret key is not in it, and without the key it opens nothing.
"""

from dataclasses import dataclass
from pathlib import Path

from reminders.store.copying import copy_database
from reminders.store.database import Database
from reminders.store.engine import sqlite_path


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy that was made: where, how many bytes, and whether it is a database file (else an archive of pg_dump)."""

    place: Path
    size: int
    is_file: bool


def back_up(database: Database, target: Path) -> Backup:
    """Copy the database to the file `target`; raises `CopyExists` rather than replace anything."""
    size = copy_database(database.address, target.absolute())
    return Backup(target.absolute(), size, sqlite_path(database.address) is not None)
