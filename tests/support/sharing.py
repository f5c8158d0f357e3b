"""Several machines on one PostgreSQL, each an app with the engine, in this process.

Invariant: the engine is the real one, on a real server; its tables were made by `create_schema`.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from reminders.app import App
from reminders.mail.transport import Transport
from reminders.services.breaker import Breakers
from reminders.services.points import nobody
from reminders.services.rounds import Worker
from reminders.settings import Settings
from reminders.store.database import Database, Transaction
from reminders.worker.distributed import Procrastinate
from tests.support.clinic import LEASE, LINKS, FakeClock, Office, install
from tests.support.database import Templates
from tests.support.post import Post
from tests.support.postgres import Cluster

KEY = "a key that only the tests of several machines know"


def shared(url: str) -> None:
    """Make an installation with the engine's tables, to be copied."""
    install(url)
    office = Office(url, FakeClock())
    assert Procrastinate().create_schema(office.database, office.clock)
    office.close()


class Machines:
    """Apps on one database, each with a clock of its own; leases and slots go by the office's."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.office = Office(url, FakeClock())
        self._opened: list[App] = []

    def add(self, transport: Transport | None = None, *, ahead_s: float = 0, **settings: object) -> App:
        """Return the app of another machine, whose own clock is ahead of the database's by some seconds."""
        office = self.office
        database = Database(self.url, audit_key=office.keys.audit_key, lease_clock=lambda _: office.clock.now())
        clock = FakeClock(office.clock.now() + dt.timedelta(seconds=ahead_s))
        given: dict[str, Any] = {"base_url": LINKS, "secret_key": KEY, "database_url": self.url, **settings}
        app = App(Settings(**given), database, office.keys, clock, transport, engine=Procrastinate())
        self._opened.append(app)
        return app

    def close(self) -> None:
        for app in self._opened:
            app.lines.close()
            app.database.close()
        self.office.close()


def worker_of(office: Office, transport: Transport | None = None) -> Worker:
    """Return what a delivery of the office works with."""
    transport = transport or Post(office.clock.now)
    return Worker(
        database=office.database,
        clock=office.clock,
        keys=office.keys,
        renderer=office.renderer,
        transport=transport,
        breakers=Breakers(transport.name),
        lease=LEASE,
        link_base=LINKS,
        observe=nobody,
        chance=office.chance,
    )


def kept(tx: Transaction, what: str = "*") -> list[Any]:
    """Return the jobs as the engine keeps them, in their order."""
    query = f"SELECT {what} FROM reminders_jobs.procrastinate_jobs ORDER BY id"  # noqa: S608 - a test's own words
    return list(tx.connection.exec_driver_sql(query))


@pytest.fixture
def shared_url(postgres: Cluster, templates: Templates) -> Iterator[str]:
    """Return the address of a PostgreSQL database that several machines may share."""
    name = postgres.make(templates.database(shared))
    yield postgres.url(name)
    postgres.forget(name)


@pytest.fixture
def machines(shared_url: str) -> Iterator[Machines]:
    """Return machines that share a PostgreSQL database without a clinic."""
    made = Machines(shared_url)
    yield made
    made.close()
