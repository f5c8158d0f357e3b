"""Imports a million invented visits into an empty SQLite database and says how long it took and how much memory.

Usage: python -m benchmarks.import_rows [ROWS] [--json]. The promise is less than 200 MB resident, whatever the number
of rows. The time is compared with two others, the file read with `csv` in both: the raw driver's, which writes the very
rows that the import leaves behind into the same tables (by this one the target is judged); and the one table's, which
takes the cells as they are and has none of an import's work.
"""

import csv
import datetime as dt
import json
import random
import sqlite3
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from reminders.clock import SystemClock
from reminders.services import catalogue, clinic
from reminders.services.importing.bring_in import ImportReport, ImportRequest, bring_in
from reminders.services.keys import Keys
from reminders.store.database import Database, create_or_upgrade
from reminders.store.schema import metadata
from tests.support.memory import peak_kilobytes

LIMIT_MB = 200
VISITS_OF_A_PATIENT = 2.7
ROWS_READ_BACK = 20_000
PEPPER = b"the pepper of a benchmark, 32 by"
COLUMNS = (
    *("patient_ref", "given_name", "family_name", "email", "phone", "birth_date"),
    *("treated_on", "protocol", "practitioner", "visit_status", "consent"),
)
PROTOCOLS = (
    *("botulinum-cosmetic", "botulinum-migraine", "filler-lips", "filler-face"),
    *("skin-booster", "peel-medium", "microneedling", "laser-hair"),
)


def main(rows: int, *, as_json: bool) -> int:
    """Run the benchmark in a temporary folder; 1 when the memory limit is broken."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "visits.csv")
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            writer.writerows(_visits(rows))
        one_table = _timed_one_table(path, Path(folder, "one-table.db"))
        report, took = _import(path, f"sqlite:///{folder}/reminders.db")
        resident = peak_kilobytes() / 1024
        raw, stored = _timed_raw(path, Path(folder, "reminders.db"), Path(folder, "raw.db"))
    if as_json:
        times = {"import_s": took, "raw_s": raw, "one_table_s": one_table}
        _say(json.dumps({"rows": report.rows, "stored": stored, **times, "mb": resident}))
        return 0
    _say(f"{report.rows} rows: {report.added} added, {report.rejected} rejected, {report.treatments_added} treatments")
    _say(f"{took:.0f} s, {rows / took:.0f} rows a second")
    _say(f"{raw / took:.1%} of csv and executemany of the {stored} rows it leaves behind ({raw:.1f} s): the target's")
    _say(f"{one_table / took:.1%} of csv and executemany of its cells into one table ({one_table:.1f} s)")
    _say(f"{resident:.0f} MB resident at most; the limit is {LIMIT_MB}")
    return int(resident >= LIMIT_MB)


def _visits(rows: int) -> Iterator[tuple[str, ...]]:
    chance = random.Random(1)
    today = SystemClock().now().date()
    patients = max(1, int(rows / VISITS_OF_A_PATIENT))
    for _ in range(rows):
        who = chance.randrange(patients)
        day = today - dt.timedelta(days=chance.randrange(-180, 720))
        status = "booked" if day > today else chance.choices(("completed", "cancelled", "no show"), (90, 6, 4))[0]
        yield (
            str(who),
            f"Given {who}",
            f"Family {who % 5000}",
            f"patient{who}@patients.example",
            f"07{who:09}",
            str(dt.date(1950, 1, 1) + dt.timedelta(days=who % 15_000)),
            str(day),
            chance.choice(PROTOCOLS),
            chance.choice(("Dr A", "Dr B", "Nurse C")),
            status,
            chance.choice("YYYN"),
        )


def _timed_one_table(path: Path, target: Path) -> float:
    """Return the seconds that the file's cells take into one table without an index: none of an import's work."""
    began = time.perf_counter()
    with sqlite3.connect(target) as connection, path.open(encoding="utf-8", newline="") as file:
        connection.execute(f"CREATE TABLE visits ({', '.join(COLUMNS)})")
        marks = ", ".join("?" * len(COLUMNS))
        reader = csv.reader(file)
        next(reader)
        connection.executemany(f"INSERT INTO visits VALUES ({marks})", reader)  # noqa: S608 - question marks
    connection.close()
    return time.perf_counter() - began


def _timed_raw(path: Path, finished: Path, target: Path) -> tuple[float, int]:
    """Return the seconds that the raw driver takes for what the import left behind, and how many rows that is.

    It reads the file with `csv` and writes each table's rows with `executemany`, ready as the driver takes them, into
    the same tables with their indexes and constraints, in one transaction under the product's pragmas. Reading them
    back from the finished database is not counted.
    """
    create_or_upgrade(f"sqlite:///{target}")
    stored = 0
    with closing(sqlite3.connect(finished)) as source, closing(sqlite3.connect(target)) as connection:
        connection.executescript("PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;")
        began = time.perf_counter()
        with path.open(encoding="utf-8", newline="") as file:
            deque(csv.reader(file), maxlen=0)
        took = time.perf_counter() - began
        for table in metadata.sorted_tables:
            found = source.execute(f'SELECT * FROM "{table.name}" ORDER BY 1')  # noqa: S608 - names of tables
            insert = f'INSERT INTO "{table.name}" VALUES ({", ".join("?" * len(found.description))})'  # noqa: S608
            while rows := found.fetchmany(ROWS_READ_BACK):
                began = time.perf_counter()
                connection.executemany(insert, rows)
                took += time.perf_counter() - began
                stored += len(rows)
        began = time.perf_counter()
        connection.commit()
        took += time.perf_counter() - began
    return took, stored


def _import(path: Path, url: str) -> tuple[ImportReport, float]:
    """Import the file into a new database; return what came of it, and the seconds that the import itself took."""
    create_or_upgrade(url)
    keys, clock = Keys(PEPPER), SystemClock()
    database = Database(url, audit_key=keys.audit_key)
    with database.write(clock.now(), "benchmark") as tx:
        catalogue.install_starter(tx)
        given = {"name": "The clinic", "timezone": "Europe/London", "email": "hello@clinic.example"}
        clinic.add_clinic(tx, "clinic", given)
    began = time.perf_counter()
    report = bring_in(database, clock, keys, ImportRequest(path, "clinic"), _progress)
    return report, time.perf_counter() - began


def _progress(stage: str, done: int, total: int | None) -> None:
    if done % 50_000 < 1_200:  # noqa: PLR2004 - about once in fifty thousand rows
        sys.stderr.write(f"\r{stage}: {done}" + (f" of {total}" if total else ""))


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    given = [word for word in sys.argv[1:] if word != "--json"]
    sys.exit(main(int(given[0]) if given else 1_000_000, as_json="--json" in sys.argv))
