"""Migrations on a PostgreSQL server: they build the tables the code names, step by step and over rows, once.

Invariant of every test: what is not ours, or newer, stays as it is.
"""

import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from reminders.store.database import check_ready, create_or_upgrade, current_revision, head_revision
from reminders.store.engine import WRITES, open_engine
from reminders.store.faults import DatabaseMissing, DatabaseNewer, DatabaseOlder, NotOurDatabase
from reminders.store.schema import metadata
from tests.support.postgres import Cluster
from tests.support.revisions import bring_to

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007")
CLINIC = (
    "INSERT INTO clinics (id, slug, name, timezone, email, language, sending_days, opens_at, closes_at, created_at)"
    " VALUES (1, 'north', 'North', 'UTC', 'desk@north.test', 'en', '0', 0, 1440, '2026-05-01 09:00+00')"
)
PATIENT = (
    "INSERT INTO patients (id, clinic_id, ref, consent, status, created_at)"
    " VALUES (1, 1, '1', 'granted', 'active', '2026-05-01 09:00+00')"
)
ANSWER = "INSERT INTO answers (clinic_id, patient_id, kind, at) VALUES (1, 1, 'replied', '2026-05-01 09:00+00')"
ROWS = {"0001": [CLINIC], "0002": [CLINIC, PATIENT], "0003": [CLINIC, PATIENT, ANSWER], "0004": [CLINIC, PATIENT]}
INDEXES = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexname"


@pytest.fixture
def empty_url(postgres: Cluster) -> Iterator[str]:
    """Return the address of a database without any table."""
    name = postgres.make()
    yield postgres.url(name)
    postgres.drop(name)


def run(url: str, *statements: str) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = []
    with psycopg.connect(url) as connection:
        for statement in statements:
            cursor = connection.execute(statement.encode())
            found = cursor.fetchall() if cursor.description else []
    return found


def differences(url: str) -> list[object]:
    engine = open_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        found: list[object] = compare_metadata(context, metadata)
    engine.dispose()
    return found


def test_the_migrations_build_what_the_code_names(postgres_url: str, empty_url: str) -> None:
    assert differences(postgres_url) == []
    engine = open_engine(empty_url)
    with engine.connect() as connection:
        writer = connection.execution_options(**{WRITES: True})
        with writer.begin():
            metadata.create_all(writer)
    engine.dispose()
    ours = [found for found in run(postgres_url, INDEXES) if "alembic" not in str(found[0])]
    assert ours == run(empty_url, INDEXES)


def test_an_empty_database_is_missing_until_init_and_a_second_init_changes_nothing(empty_url: str) -> None:
    with pytest.raises(DatabaseMissing):
        check_ready(empty_url)
    assert create_or_upgrade(empty_url) is None
    check_ready(empty_url)
    assert create_or_upgrade(empty_url) == current_revision(empty_url) == head_revision()


def test_step_by_step_comes_to_the_same_as_at_once(empty_url: str, postgres_url: str) -> None:
    for revision in REVISIONS:
        bring_to(empty_url, revision)
        assert current_revision(empty_url) == revision
    assert differences(empty_url) == []
    assert run(empty_url, INDEXES) == run(postgres_url, INDEXES)


@pytest.mark.parametrize("revision", ROWS)
def test_an_older_database_with_rows_is_refused_until_it_is_upgraded_and_keeps_them(
    empty_url: str, revision: str
) -> None:
    bring_to(empty_url, revision)
    run(empty_url, *ROWS[revision])
    with pytest.raises(DatabaseOlder):
        check_ready(empty_url)
    assert create_or_upgrade(empty_url) == revision
    check_ready(empty_url)
    assert run(empty_url, "SELECT slug FROM clinics") == [("north",)]
    if revision != "0001":
        assert run(empty_url, "SELECT ref FROM patients") == [("1",)]
    if ANSWER in ROWS[revision]:
        assert run(empty_url, "SELECT announced_at = at, withdrawn_at FROM answers") == [(True, None)]


def test_a_newer_database_is_refused_and_stays_as_it_is(postgres_url: str) -> None:
    run(postgres_url, "UPDATE alembic_version SET version_num = '9999'")
    for look in (check_ready, create_or_upgrade):
        with pytest.raises(DatabaseNewer):
            look(postgres_url)
    assert run(postgres_url, "SELECT version_num FROM alembic_version") == [("9999",)]


@pytest.mark.parametrize("table", ["patients", "alembic_version"])
def test_a_database_of_something_else_is_refused_and_stays_as_it_is(empty_url: str, table: str) -> None:
    run(empty_url, f"CREATE TABLE {table} AS SELECT '0001' AS version_num")
    for look in (check_ready, create_or_upgrade):
        with pytest.raises(NotOurDatabase):
            look(empty_url)
    assert run(empty_url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == [(table,)]


def test_two_that_make_the_same_database_end_with_one(empty_url: str) -> None:
    program = "import sys; from reminders.store.database import create_or_upgrade; create_or_upgrade(sys.argv[1])"
    both = [subprocess.Popen([sys.executable, "-c", program, empty_url], stderr=subprocess.PIPE) for _ in range(2)]
    said = [one.communicate(timeout=60)[1] for one in both]
    assert 0 in [one.returncode for one in both], said
    check_ready(empty_url)
    assert differences(empty_url) == []
