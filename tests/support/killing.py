"""Fixtures of tests that kill whole processes: a place for databases, a server with a ledger, killable deliveries."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.grounds import Ground, OnPostgresql, OnSqlite
from tests.support.clinic import FakeClock, Office
from tests.support.killable_deliver import Deliveries
from tests.support.killing_server import KillingServer
from tests.support.postgres import Cluster


@pytest.fixture
def ledger() -> Iterator[KillingServer]:
    with KillingServer() as made:
        yield made


@pytest.fixture
def deliveries() -> Iterator[Deliveries]:
    with Deliveries() as made:
        yield made


@pytest.fixture(scope="session")
def ready_database(postgres: Cluster, migrated_database: str) -> str:
    """Return the name of a PostgreSQL database with the starter catalogue, to be copied."""
    name = postgres.make(migrated_database)
    with contextlib.closing(Office(postgres.url(name), FakeClock())) as office:
        office.install()
    return name


@pytest.fixture(params=["sqlite", "postgresql"])
def ground(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ground]:
    """Where the database of a test is: a file, or a server's."""
    if request.param == "sqlite":
        yield OnSqlite(request.getfixturevalue("installed_file"), tmp_path)
        return
    made = OnPostgresql(request.getfixturevalue("postgres"), request.getfixturevalue("ready_database"))
    yield made
    made.drop_all()


@pytest.fixture
def file_ground(installed_file: Path, tmp_path: Path) -> OnSqlite:
    """A place for files: what is tried is how SQLite's survive."""
    return OnSqlite(installed_file, tmp_path)
