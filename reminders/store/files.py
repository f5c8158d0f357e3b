"""The database's files: where they are, whether they are sound, and emptying the write-ahead log after an erasure.

Invariant: nothing here changes a row.
"""

from contextlib import closing
from pathlib import Path

from reminders.store.engine import open_engine, sqlite_path
from reminders.store.faults import DatabaseBusy, DatabaseDamaged, in_our_words

_PATIENCE_MS = 1000


def file_paths(url: str) -> list[Path]:
    """Return the files that hold what is stored: the database and its write-ahead log; none for PostgreSQL."""
    path = sqlite_path(url)
    return [] if path is None else [path, path.with_name(f"{path.name}-wal")]


def quick_check(url: str, *, references: bool = True) -> tuple[str, ...]:
    """Return what SQLite finds wrong with the file and its references; nothing on PostgreSQL, which checks itself."""
    if sqlite_path(url) is None:
        return ()
    engine = open_engine(url)
    try:
        with in_our_words(), engine.connect() as connection:
            said = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA quick_check")]
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all() if references else []
    except DatabaseDamaged as error:
        return (str(error),)
    finally:
        engine.dispose()
    lost = [f"row {row[1]} of {row[0]} refers to nothing" for row in broken]
    return tuple(line for line in said + lost if line != "ok")


def rewrite(url: str) -> bool:
    """Write the database file anew from what is stored, and empty the log; False while others use the database.

    `secure_delete` zeroes what is deleted, but not the copies that SQLite left in a page's unused space when it moved
    rows between pages: of 60 erased patients about one could still be read there. A rewritten file has no such copies.
    """
    if sqlite_path(url) is None:
        return True
    engine = open_engine(url, busy_ms=_PATIENCE_MS)
    try:
        with in_our_words(), closing(engine.raw_connection()) as connection:
            cursor = connection.cursor()
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            busy, _, _ = cursor.fetchall()[0]
    except DatabaseBusy:
        return False
    finally:
        engine.dispose()
    return bool(busy == 0)
