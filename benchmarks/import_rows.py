"""Imports a million invented visits into an empty SQLite database and says how long it took and how much memory.

Usage: python -m benchmarks.import_rows [ROWS] [--json]. The promise is less than 200 MB resident, whatever the number
of rows; the time is compared with reading the same file with `csv` and inserting it with `executemany`, nothing
planned.
"""

import csv
import datetime as dt
import json
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from reminders.clock import SystemClock
from reminders.services import catalogue, clinic
from reminders.services.importing.bring_in import ImportReport, ImportRequest, bring_in
from reminders.services.keys import Keys
from reminders.store.database import Database, create_or_upgrade
from tests.support.memory import peak_kilobytes

LIMIT_MB = 200
VISITS_OF_A_PATIENT = 2.7
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
        bare = _timed_bare(path, Path(folder, "bare.db"))
        began = time.perf_counter()
        report = _import(path, f"sqlite:///{folder}/reminders.db")
        took = time.perf_counter() - began
    resident = peak_kilobytes() / 1024
    if as_json:
        _say(json.dumps({"rows": report.rows, "import_s": took, "bare_s": bare, "mb": resident}))
        return 0
    _say(f"{report.rows} rows: {report.added} added, {report.rejected} rejected, {report.treatments_added} treatments")
    _say(f"{took:.0f} s, {rows / took:.0f} rows a second, {bare / took:.1%} of csv and executemany ({bare:.1f} s)")
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


def _timed_bare(path: Path, target: Path) -> float:
    """Return the seconds that the file takes without any judgement: the floor that nothing can go below."""
    began = time.perf_counter()
    with sqlite3.connect(target) as connection, path.open(encoding="utf-8", newline="") as file:
        connection.execute(f"CREATE TABLE visits ({', '.join(COLUMNS)})")
        marks = ", ".join("?" * len(COLUMNS))
        reader = csv.reader(file)
        next(reader)
        connection.executemany(f"INSERT INTO visits VALUES ({marks})", reader)  # noqa: S608 - question marks
    connection.close()
    return time.perf_counter() - began


def _import(path: Path, url: str) -> ImportReport:
    create_or_upgrade(url)
    keys, clock = Keys(PEPPER), SystemClock()
    database = Database(url, audit_key=keys.audit_key)
    with database.write(clock.now(), "benchmark") as tx:
        catalogue.install_starter(tx)
        given = {"name": "The clinic", "timezone": "Europe/London", "email": "hello@clinic.example"}
        clinic.add_clinic(tx, "clinic", given)
    return bring_in(database, clock, keys, ImportRequest(path, "clinic"), _progress)


def _progress(stage: str, done: int, total: int | None) -> None:
    if done % 50_000 < 1_200:  # noqa: PLR2004 - about once in fifty thousand rows
        sys.stderr.write(f"\r{stage}: {done}" + (f" of {total}" if total else ""))


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    given = [word for word in sys.argv[1:] if word != "--json"]
    sys.exit(main(int(given[0]) if given else 1_000_000, as_json="--json" in sys.argv))
