"""Upgrades that are killed, or that happen beneath a delivery; and programs that meet another version's tables."""

import contextlib
import random
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from reminders.errors import DatabaseNotReady
from reminders.services.points import Point
from reminders.store.database import check_ready, create_or_upgrade, current_revision, head_revision, quick_check
from reminders.store.engine import WRITES, open_engine
from reminders.store.faults import DatabaseNewer
from reminders.store.soundness import REVISION
from tests.acceptance.grounds import Ground, with_due
from tests.support.clinic import INVITED_AT, FakeClock, Office, Once
from tests.support.killable_deliver import Deliveries, Order
from tests.support.post import Post
from tests.support.postgres import Cluster
from tests.support.revisions import bring_to

OLDER = ("0001", "0002", "0003", "0004")
ROWS = 40


def at_revision(path: Path, revision: str) -> str:
    """Make a database as the version of `revision` left it, with rows in what tables it had; return its URL."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript("CREATE TABLE x (y); DROP TABLE x;")
    bring_to(f"sqlite:///{path}", revision)
    fill(path)
    return f"sqlite:///{path}"


def fill(path: Path) -> None:
    """Give every table rows of made-up values, whatever columns it has by now."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("PRAGMA ignore_check_constraints = ON")
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            if table == "alembic_version" or table.startswith("sqlite_"):
                continue
            columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
            for number in range(1, ROWS + 1):
                values = [_value(column, number) for column in columns]
                marks = ", ".join("?" * len(values))
                with contextlib.suppress(sqlite3.IntegrityError):  # a table that holds one row only
                    connection.execute(f"INSERT INTO {table} VALUES ({marks})", values)  # noqa: S608 - our own names


def _value(column: tuple[int, str, str, int, str, int], number: int) -> object:
    name, kind = column[1], column[2].upper()
    if name == "id" or name.endswith(("_id", "_pk")):
        return number
    if "DATETIME" in kind:
        return "2026-03-01 09:00:00.000000"
    if "DATE" in kind:
        return "2026-03-01"
    if "INT" in kind or "BOOL" in kind:
        return number % 2 if "BOOL" in kind else number
    if "BLOB" in kind:
        return bytes([number])
    return "{}" if "JSON" in kind else f"{name}-{number}"


def contents(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {
            table: connection.execute(f"SELECT * FROM {table} ORDER BY rowid").fetchall()  # noqa: S608 - our own names
            for (table,) in tables
        }


@pytest.fixture(scope="module")
def older_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A database of every earlier version, with rows in it."""
    folder = tmp_path_factory.mktemp("older")
    for revision in OLDER:
        at_revision(folder / f"{revision}.db", revision)
    return {revision: folder / f"{revision}.db" for revision in OLDER}


@pytest.mark.parametrize("revision", OLDER)
def test_f27_an_upgrade_killed_anywhere_leaves_the_old_tables_or_the_new(
    older_files: dict[str, Path], tmp_path: Path, deliveries: Deliveries, revision: str
) -> None:
    whole = Path(shutil.copy(older_files[revision], tmp_path / "whole.db"))
    order = Order(f"sqlite:///{whole}", INVITED_AT.isoformat(), verb="migrate", kill_at="statement", nth=0)
    outcome = deliveries.run(order)
    assert outcome is not None
    chance, before, after = random.Random(revision), contents(older_files[revision]), contents(whole)
    for nth in sorted(chance.sample(range(1, outcome["seen"] + 1), 3)):
        path = Path(shutil.copy(older_files[revision], tmp_path / f"killed-{nth}.db"))
        url = f"sqlite:///{path}"
        killed = Order(url, INVITED_AT.isoformat(), verb="migrate", kill_at="statement", nth=nth)
        assert deliveries.run(killed) is None
        assert contents(path) in (before, after)
        create_or_upgrade(url)
        assert contents(path) == after
        check_ready(url)


CLINICS = (
    "INSERT INTO clinics (id, slug, name, timezone, email, language, sending_days, opens_at, closes_at, created_at)"
    " SELECT n, 'c' || n, 'North', 'UTC', 'desk@north.test', 'en', '0', 0, 1440, '2026-05-01 09:00+00'"
    " FROM generate_series(1, 40) n"
)
PATIENTS = (
    "INSERT INTO patients (id, clinic_id, ref, consent, status, created_at)"
    " SELECT n, n, 'p' || n, 'granted', 'active', '2026-05-01 09:00+00' FROM generate_series(1, 40) n"
)
COLUMNS = "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public'"


def held(url: str) -> dict[str, list[str]]:
    """Return every table of a PostgreSQL database with its columns, indexes and rows, in some order of their own."""
    with psycopg.connect(url) as connection:
        found = {"": sorted(map(repr, connection.execute(COLUMNS).fetchall()))}
        found["indexes"] = sorted(map(repr, connection.execute("SELECT indexdef FROM pg_indexes").fetchall()))
        for (table,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall():
            rows = connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(table))).fetchall()
            found[table] = sorted(map(repr, rows))
        return found


def older_database(url: str, revision: str) -> None:
    """Bring a PostgreSQL database to what the version of `revision` left, with rows in it."""
    bring_to(url, revision)
    with psycopg.connect(url) as connection:
        for statement in (CLINICS,) if revision == "0001" else (CLINICS, PATIENTS):
            connection.execute(statement.encode())


@pytest.mark.parametrize("revision", ["0001", "0004"])
def test_f27_an_upgrade_of_a_server_killed_anywhere_leaves_the_old_tables_or_the_new(
    postgres: Cluster, deliveries: Deliveries, revision: str
) -> None:
    older = postgres.make()
    older_database(postgres.url(older), revision)
    before, made = held(postgres.url(older)), [older]
    try:
        made.append(postgres.make(older))
        order = Order(postgres.url(made[-1]), INVITED_AT.isoformat(), verb="migrate", kill_at="statement", nth=0)
        outcome = deliveries.run(order)
        assert outcome is not None
        after, last = held(order.url), int(outcome["seen"])
        assert before != after
        for nth in (*sorted(random.Random(revision).sample(range(20, last), 2)), last):
            made.append(postgres.make(older))
            url = postgres.url(made[-1])
            assert deliveries.run(replace(order, url=url, nth=nth)) is None
            assert held(url) in (before, after)
            create_or_upgrade(url)
            assert held(url) == after
            check_ready(url)
    finally:
        for name in made:
            postgres.drop(name)


def test_f27_the_tables_that_statements_are_written_for_are_the_newest() -> None:
    assert head_revision() == REVISION


def move_tables(url: str, revision: str) -> None:
    """Do what a newer version's `init` does last: say whose tables these are."""
    engine = open_engine(url)
    with engine.connect() as connection:
        writer = connection.execution_options(**{WRITES: True})
        with writer.begin():
            writer.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{revision}'")  # noqa: S608 - ours
    engine.dispose()


@pytest.fixture
def busy_office(ground: Ground) -> Iterator[Office]:
    with contextlib.closing(Office(with_due(ground, 5), FakeClock(INVITED_AT))) as office:
        yield office


@pytest.mark.parametrize("point", [Point.STARTED, Point.BODY_WRITTEN, Point.SETTLED])
def test_f27_a_delivery_stops_when_a_newer_version_upgrades_beneath_it(busy_office: Office, point: Point) -> None:
    url, post = busy_office.database.address, Post(busy_office.clock.now)
    with pytest.raises(DatabaseNewer, match="newer version"):
        busy_office.deliver(post, observe=Once(point, lambda: move_tables(url, "9999")))
    assert len(post.letters) == (1 if point is Point.SETTLED else 0)
    assert current_revision(url) == "9999"
    with pytest.raises(DatabaseNewer):
        check_ready(url)
    move_tables(url, REVISION)
    busy_office.clock.advance(minutes=2)
    busy_office.deliver(post)
    assert sorted(letter.recipient[:2] for letter in post.letters) == ["p1", "p2", "p3", "p4", "p5"]
    assert quick_check(url) == ()


def test_f27_an_older_program_refuses_newer_tables_and_leaves_them(busy_office: Office) -> None:
    url = busy_office.database.address
    move_tables(url, "9999")
    for look in (check_ready, create_or_upgrade):
        with pytest.raises(DatabaseNotReady, match="newer version"):
            look(url)
    assert current_revision(url) == "9999"
