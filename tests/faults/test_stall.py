"""Faults: a PostgreSQL server that stands still beneath a clock, for a moment or until the clock gives itself up."""

import contextlib
import json
import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from reminders.domain.lifecycle import State
from reminders.worker.watchdog import EXIT
from tests.faults.test_duty import order
from tests.faults.test_postgres import invitations, with_due
from tests.support.clinic import INVITED_AT, FakeClock, Office, install, to
from tests.support.database import Copies
from tests.support.forking import Program
from tests.support.killing_server import KillingServer
from tests.support.postgres import Cluster
from tests.support.running import ROOT, Running
from tests.support.ticking import eventually

pytestmark = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
PATIENTS = 10


class Stall:
    """Lets the server stand still for who uses a database: their processes, and the one that answers newcomers."""

    def __init__(self, cluster: Cluster, url: str) -> None:
        self._url, self._name = cluster.url("postgres"), url.partition("?")[0].rpartition("/")[2]
        self._main = Path(cluster.server.pgdata) / "postmaster.pid"
        self._still: list[int] = []
        self.begun = threading.Event()

    def begin(self) -> None:
        with psycopg.connect(self._url) as connection:
            query = "SELECT pid FROM pg_stat_activity WHERE datname = %s"
            found = [int(row[0]) for row in connection.execute(query, [self._name]).fetchall()]
        for pid in (int(self._main.read_text(encoding="ascii").splitlines()[0]), *found):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
                self._still.append(pid)
        self.begun.set()

    def end(self) -> None:
        while self._still:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._still.pop(), signal.SIGCONT)


@pytest.fixture
def office(copies: Copies) -> Iterator[Office]:
    with contextlib.closing(Office(with_due(copies.copy(install), PATIENTS), FakeClock(INVITED_AT))) as made:
        yield made


@pytest.fixture
def stall(postgres: Cluster, office: Office) -> Iterator[Stall]:
    office.database.close()  # whoever looks on stands still as well
    made = Stall(postgres, office.database.address)
    yield made
    made.end()


def once_each(ledger: KillingServer) -> bool:
    return sorted(Counter(taken.recipient for taken in ledger.accepted).values()) == [1] * PATIENTS


def test_f05_a_clock_whose_server_stands_still_for_a_moment_lives_on_and_nothing_is_in_doubt(
    office: Office, ledger: KillingServer, stall: Stall
) -> None:
    with Program("tests.support.ticking") as clocks:
        pid = clocks.begin(order(office.database.address, ledger))
        ledger.arm("dot", 3, stall.begin)
        clocks.go()
        assert stall.begun.wait(30)
        threading.Event().wait(1)  # the clock goes on until it needs the server
        stall.end()
        assert eventually(lambda: len(ledger.accepted) == PATIENTS, 60)
        os.kill(pid, signal.SIGTERM)
        assert clocks.finished() == {}
    assert invitations(office) == {State.SENT: PATIENTS}
    assert once_each(ledger)


def test_f05_a_clock_whose_server_does_not_move_ends_with_75_and_the_next_one_sends_the_rest(
    office: Office, ledger: KillingServer, stall: Stall
) -> None:
    told = order(office.database.address, ledger, "watched")
    ledger.arm("dot", 3, stall.begin)
    with Running(ROOT, ["tests.support.ticking", json.dumps(told)]) as clock:
        assert clock.ended() == EXIT
        assert "the clock died" in clock.text
        assert "Traceback" not in clock.text
    stall.end()
    office.clock.advance(minutes=5)
    office.deliver(to(ledger), 2)
    assert once_each(ledger), "those that are unknown arrived, and nobody but the mail server knows"
    assert invitations(office)[State.UNKNOWN] == 2, "the round whose answers were in hand"
