"""The Nth call on the database's files kills the program, or fails: after each the account balances.

Each loop goes on with N = 1, 2, 3 … until a run comes to its end without meeting its fault: then every such call there
is has failed once. A short form takes a slice of them; `make syscalls` takes all.
"""

import contextlib
import itertools
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reminders.store.database import file_paths
from tests.acceptance.grounds import OnSqlite, with_due
from tests.acceptance.ledger import Books
from tests.support import syscalls
from tests.support.killable_deliver import Deliveries, Order
from tests.support.killing_server import KillingServer
from tests.support.syscalls import CALLS, FAULTS, Fault

pytestmark = pytest.mark.skipif(syscalls.why_not() is not None, reason=str(syscalls.why_not()))

TROUBLES = {
    "DiskTrouble",
    "DiskFull",
    "DatabaseUnwritable",
    "DatabaseDamaged",
    "BytesRemain",
    "DatabaseBusy",
    "CommitUnknown",
    "DatabaseCorrupt",
}
KINDS = [(call, what, lasts) for call in CALLS for what in FAULTS for lasts in (False, True)]
KINDS = [kind for kind in KINDS if kind[1:] != ("signal=KILL", True)]


def met(deliveries: Deliveries, order: Order, fault: Fault, folder: Path) -> bool:
    """Carry an order out under a fault; return whether it met it. What it says then must be one of the sentences."""
    log = folder / "calls.log"
    log.unlink(missing_ok=True)
    pid = deliveries.start(order)
    path = file_paths(order.url)[0]
    with syscalls.traced(pid, syscalls.files_of(path), log, *fault.options()):
        deliveries.go()
        outcome = deliveries.finished()
    if outcome is not None and "trouble" in outcome:
        assert outcome["trouble"] in TROUBLES, outcome
    return outcome is None or syscalls.hits(log) > 0


def delivery_meets(fault: Fault, ground: OnSqlite, deliveries: Deliveries) -> bool:
    """Deliver two messages under a fault, then in peace; the account must balance whatever happened."""
    with KillingServer() as server:
        books = Books(with_due(ground, 2), server, deliveries)
        hit = met(deliveries, books.order(may_fail=True), fault, ground.folder)
        books.after_a_kill()
        books.recover()
        books.unknown()
        assert len(server.accepted) + books.in_doubt >= 2
    return hit


def erasure_meets(fault: Fault, ground: OnSqlite, deliveries: Deliveries) -> bool:
    """Erase a patient under a fault, then again in peace: not a byte of their name is left, and the other is there."""
    url = with_due(ground, 2)
    with KillingServer() as server:
        books = Books(url, server, deliveries)
        erase = books.order(verb="erase", given="P1", may_fail=True)
        hit = met(deliveries, erase, fault, ground.folder)
        with contextlib.closing(books.office()) as office:
            gone = [row.patient for row in office.rows() if row.patient.startswith("erased-")]
        again = books.order(verb="erase", given=gone[0] if gone else "P1")
        assert deliveries.run(again) == {}
        left = b"".join(path.read_bytes() for path in file_paths(url) if path.exists())
        assert b"AdaP1" not in left
        assert b"p1@riverside" not in left
        assert b"AdaP2" in left
        deliveries.run(books.order())
        assert [message.recipient for message in server.accepted] == ["p2@riverside-patients.example"]
        books.recover()
    return hit


VERBS = {"delivery": delivery_meets, "erasure": erasure_meets}


def slice_of(kinds: list[tuple[str, str, bool]], count: int, seed: int) -> Iterator[Fault]:
    """Yield some of the faults that the whole loops try."""
    chance = random.Random(seed)
    for call, what, lasts in itertools.islice(itertools.cycle(kinds), count):
        yield Fault(call, what, chance.randint(1, 40 if call == "pwrite64" else 8), lasts)


@pytest.mark.parametrize(("verb", "count", "seed"), [("delivery", 14, 1), ("erasure", 8, 2)])
def test_a_call_that_fails_or_kills_sends_nothing_twice_and_loses_nothing(
    file_ground: OnSqlite, deliveries: Deliveries, verb: str, count: int, seed: int
) -> None:
    kinds = random.Random(seed).sample(KINDS, len(KINDS))
    hits = [VERBS[verb](fault, file_ground, deliveries) for fault in slice_of(kinds, count, seed)]
    assert sum(hits) > count // 3


@pytest.mark.storm
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_every_call_that_fails_or_kills_sends_nothing_twice_and_loses_nothing(
    file_ground: OnSqlite,
    deliveries: Deliveries,
    verb: str,
    kind: tuple[str, str, bool],
    record_property: Callable[[str, object], None],
) -> None:
    call, what, lasts = kind
    for nth in itertools.count(1):
        if not VERBS[verb](Fault(call, what, nth, lasts=lasts), file_ground, deliveries):
            record_property("calls", nth - 1)
            break
