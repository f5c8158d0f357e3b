"""Several deliveries at once, as real processes on one database: every message goes out exactly once."""

import os
import signal
import threading

import pytest

from tests.acceptance.grounds import Ground, with_due
from tests.acceptance.ledger import LEASE_S, Books
from tests.support.killable_deliver import Deliveries
from tests.support.killing_server import KillingServer


def at_once(books: Books, *programs: Deliveries) -> list[dict[str, int]]:
    """Run a delivery in each program at the same time; return their counts."""
    for program in programs:
        program.start(books.order())
    for program in programs:
        program.go()
    found = [program.finished() for program in programs]
    return [counts for counts in found if counts is not None]


MANY = 100


def test_two_deliveries_at_once_send_a_hundred_messages_exactly_once(
    ground: Ground, ledger: KillingServer, deliveries: Deliveries, others: Deliveries
) -> None:
    books = Books(with_due(ground, MANY), ledger, deliveries, round_size=4)
    counts = at_once(books, deliveries, others)
    assert sum(one["sent"] for one in counts) == len(ledger.accepted) == MANY
    assert all(one["sent"] for one in counts), "only one of them did anything"
    assert books.unknown() == 0


class Stopper:
    """Stops a delivery with SIGSTOP at a phase, and tells when it has."""

    def __init__(self, server: KillingServer, pid: int, phase: str) -> None:
        self._pid = pid
        self.stopped = threading.Event()
        server.arm(phase, 3, self._stop)

    def _stop(self) -> None:
        os.kill(self._pid, signal.SIGSTOP)
        self.stopped.set()

    def go_on(self) -> None:
        os.kill(self._pid, signal.SIGCONT)


@pytest.mark.parametrize("phase", ["mail", "rcpt", "data", "dot"])  # it waits for an answer: no transaction is open
def test_a_delivery_that_was_stopped_and_wakes_behind_its_lease_does_no_harm(
    ground: Ground,
    ledger: KillingServer,
    deliveries: Deliveries,
    others: Deliveries,
    sleepers: Deliveries,
    phase: str,
) -> None:
    books = Books(with_due(ground, 9), ledger, deliveries)
    stopper = Stopper(ledger, sleepers.start(books.order()), phase)
    sleepers.go()
    assert stopper.stopped.wait(30)
    books.clock.advance(seconds=LEASE_S + 1)
    at_once(books, deliveries, others)
    stopper.go_on()
    assert sleepers.finished() is not None
    assert books.unknown() == 0  # what was called unknown meanwhile was settled by the sleeper's own late answer
    assert len(ledger.accepted) == 9
