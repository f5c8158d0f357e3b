"""How fast plans are stored: the product's inserts, and its whole planning, beside the bare driver's bulk insert.

The bare driver inserts the same rows into the same table with the same indexes and references, in one transaction; the
product's inserts are those of its planning batches, each committed, with the audit trail.
"""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import psycopg

from benchmarks.bench import Bench, Part
from benchmarks.databases import Databases, ask
from benchmarks.fill import fill
from benchmarks.rounds import Contestant, Sample, Turn, interleaved
from benchmarks.seed import KEY, seeded, state_of
from reminders.app import App, open_app
from reminders.domain.planner import Change, reconcile, wanted
from reminders.services.calendar import rules_for
from reminders.services.find import clinic_of
from reminders.services.plan import BATCH
from reminders.settings import Settings
from reminders.store import clinics, facts, patients, reminders

CLINICS = 2
Plans = list[tuple[int, int, Sequence[Change]]]


def measure(bench: Bench) -> Part:
    """Store the same plans in three ways on each database, by turns."""
    part, contestants, templates = Part("planning"), [], []
    for databases in bench.databases:
        template = seeded(databases.fresh(), bench.folder, 0, CLINICS)
        fill(template, bench.sizes.planned, CLINICS, planned=False)
        databases.settle(template)
        rows = _rows(bench, databases, template)
        raw = "executemany" if databases.kind == "SQLite" else "COPY"
        ways = (
            ("inserts", f"our inserts of plans, {databases.kind}", _inserting(bench, databases, template)),
            ("raw", f"the bare driver's {raw}, {databases.kind}", _bare(databases, template, rows)),
            (
                "plan",
                f"`plan` as a whole, {databases.kind}",
                _planning(bench, databases, template),
            ),
        )
        contestants += [Contestant(f"{key}-{databases.kind}", label, turn) for key, label, turn in ways]
        templates.append((databases, template))
    rounds = interleaved(contestants, bench.sizes.rounds, bench.folder)
    part.heard(rounds)
    for one in contestants:
        part.add(one.key, one.label, "reminders/s", rounds.rates(one.key))
    for databases, template in templates:
        kind = databases.kind
        part.ratio("planning", kind, rounds.ratios(f"inserts-{kind}", f"raw-{kind}"))
        databases.drop(template)
    return part


def _opened(bench: Bench, url: str) -> App:
    return open_app(Settings(database_url=url, secret_key=KEY, state=state_of(url, bench.folder)))


def _planning(bench: Bench, databases: Databases, template: str) -> Turn:
    def turn(_: int) -> Sample:
        url = databases.copy(template)
        with _opened(bench, url) as app:
            began = time.perf_counter()
            app.plan()
            took = time.perf_counter() - began
        stored = int(ask(url, "SELECT count(*) FROM reminders")[0][0])
        databases.drop(url)
        return Sample(stored, took)

    return turn


def _inserting(bench: Bench, databases: Databases, template: str) -> Turn:
    def turn(_: int) -> Sample:
        url = databases.copy(template)
        with _opened(bench, url) as app:
            batches = list(_worked_out(app))
            began = time.perf_counter()
            for plans in batches:
                with app.database.write(app.clock.now, "benchmark") as tx:
                    reminders.apply_many(tx, plans)
            took = time.perf_counter() - began
        databases.drop(url)
        return Sample(sum(len(changes) for plans in batches for _, _, changes in plans), took)

    return turn


def _worked_out(app: App) -> Iterator[Plans]:
    """Yield what planning would store, a batch of patients at a time, storing nothing."""
    with app.database.read(app.clock.now()) as tx:
        for clinic_id in clinics.clinic_ids(tx):
            rules, after = rules_for(tx, clinic_of(tx, clinic_id)), 0
            while ids := [one for one, _ in patients.patients_of(tx, clinic_id, after, BATCH)]:
                known = facts.facts(tx, ids)
                yield [(clinic_id, one, reconcile((), wanted(known[one], rules, tx.now), tx.now)) for one in ids]
                after = ids[-1]


def _rows(bench: Bench, databases: Databases, template: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Return the columns and rows that planning stores, as the driver gives them."""
    url = databases.copy(template)
    with _opened(bench, url) as app:
        app.plan()
    columns = [name for name in reminders_columns() if name != "id"]
    rows = ask(url, f"SELECT {', '.join(columns)} FROM reminders ORDER BY id")  # noqa: S608 - names of columns
    databases.drop(url)
    return columns, rows


def reminders_columns() -> list[str]:
    """Return the names of the columns of the reminders."""
    from reminders.store.schema import reminders as table  # noqa: PLC0415 - the module of the same name is above

    return [f'"{column.name}"' if column.name == "copy" else column.name for column in table.columns]


def _bare(databases: Databases, template: str, found: tuple[list[str], list[tuple[Any, ...]]]) -> Turn:
    columns, rows = found
    insert = _executemany if databases.kind == "SQLite" else _copied

    def turn(_: int) -> Sample:
        url = databases.copy(template)
        began = time.perf_counter()
        insert(url, columns, rows)
        took = time.perf_counter() - began
        databases.drop(url)
        return Sample(len(rows), took)

    return turn


def _executemany(url: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        connection.executescript("PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;")
        marks = ", ".join("?" * len(columns))
        connection.executemany(f"INSERT INTO reminders ({', '.join(columns)}) VALUES ({marks})", rows)  # noqa: S608 - names of columns
        connection.commit()


def _copied(url: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    command = f"COPY reminders ({', '.join(columns)}) FROM STDIN".encode()
    with psycopg.connect(url) as connection, connection.cursor() as cursor, cursor.copy(command) as copy:
        for row in rows:
            copy.write_row(row)
