"""SQLite's locks live and die with open files: nothing here opens and closes the database beside SQLite."""

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from reminders.store.database import Database
from tests.store.clinic import NOW, a_clinic

OTHER_PROGRAM = """
import sqlite3, sys
other = sqlite3.connect(sys.argv[1])
print(other.execute("SELECT count(*) FROM clinics").fetchone()[0])
other.close()
"""


def test_another_program_that_ends_leaves_the_log_to_a_worker_with_several_connections(
    database: Database, database_path: Path
) -> None:
    log = database_path.with_name(f"{database_path.name}-wal")
    with ExitStack() as stack:
        for _ in range(3):  # three connections of one pool, opened one after the other
            stack.enter_context(database.read(NOW))
    with database.write(NOW, "cli") as tx:
        a_clinic(tx)
    before = log.stat().st_ino
    done = subprocess.run(
        [sys.executable, "-c", OTHER_PROGRAM, str(database_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "1"
    assert log.stat().st_ino == before
    with database.write(NOW, "cli") as tx:
        a_clinic(tx, "second")
    done = subprocess.run(
        [sys.executable, "-c", OTHER_PROGRAM, str(database_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "2"
