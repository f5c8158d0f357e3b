"""Fixtures of tests that kill whole processes: a place for databases, a server with a ledger, killable deliveries."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.grounds import Ground, OnPostgresql, OnSqlite, with_due
from tests.acceptance.ledger import Books
from tests.support.clinic import FakeClock, Office
from tests.support.killable_deliver import Deliveries
from tests.support.killing_server import KillingServer
from tests.support.postgres import Cluster


@pytest.fixture
def ledger() -> Iterator[KillingServer]:
    with KillingServer() as made:
        yield made


class Crew:
    """The programs that carry out orders, started when first asked for: loading one takes longer than an order.

    Each has delivered once, on both kinds of database, so that what it forks has everything loaded and compiled.
    """

    def __init__(self, rehearse: Callable[[Deliveries], None]) -> None:
        self._rehearse = rehearse
        self._programs: dict[int, Deliveries] = {}

    def member(self, number: int) -> Deliveries:
        """Return one that has nothing to do; where a test has failed in the middle of an order, another."""
        if number in self._programs and self._programs[number].is_busy:
            self._programs.pop(number).abandon()
        if number not in self._programs:
            self._programs[number] = Deliveries().__enter__()
            self._rehearse(self._programs[number])
        return self._programs[number]

    def go_home(self) -> None:
        for program in self._programs.values():
            program.__exit__()


@pytest.fixture(scope="session")
def crew(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    def rehearse(program: Deliveries) -> None:
        file = OnSqlite(request.getfixturevalue("installed_file"), tmp_path_factory.mktemp("rehearsal"))
        server = OnPostgresql(request.getfixturevalue("postgres"), request.getfixturevalue("ready_database"))
        for ground in (file, server):
            with KillingServer() as ledger:
                program.rehearse(Books(with_due(ground, 1), ledger, program).order())
        server.drop_all()

    made = Crew(rehearse)
    yield made
    made.go_home()


@pytest.fixture
def deliveries(crew: Crew) -> Deliveries:
    return crew.member(1)


@pytest.fixture
def others(crew: Crew) -> Deliveries:
    return crew.member(2)


@pytest.fixture
def sleepers(crew: Crew) -> Deliveries:
    return crew.member(3)


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
