"""Faults: a message that kills whoever writes it, by a real SIGKILL, on both databases."""

import contextlib
from typing import Any

from reminders.domain.lifecycle import Reason, State
from tests.acceptance.grounds import Ground, with_due
from tests.acceptance.ledger import LEASE_S, Books
from tests.support.killable_deliver import Deliveries
from tests.support.killing_server import KillingServer


def test_f38_a_message_that_kills_whoever_writes_it_waits_for_a_person_and_the_others_go(
    ground: Ground, ledger: KillingServer, deliveries: Deliveries
) -> None:
    books = Books(with_due(ground, 6), ledger, deliveries, round_size=4)
    outcomes: list[dict[str, Any] | None] = []
    while not outcomes or (outcomes[-1] is None and len(outcomes) < 9):
        outcomes.append(deliveries.run(books.order(given="AdaP2")))
        books.clock.advance(seconds=LEASE_S + 1)
    assert len(outcomes) == 4, "three deaths, and a delivery that lives"
    with contextlib.closing(books.office()) as office:
        rows = {row.patient: row for row in office.rows() if row.step == "invitation"}
        with office.read() as tx:
            innocent = tx.connection.exec_driver_sql("SELECT max(rescues) FROM reminders WHERE state = 'sent'")
            assert innocent.scalar_one() == 0
    assert (rows["P2"].state, rows["P2"].reason) == (State.FAILED, Reason.TOO_MANY_ATTEMPTS)
    assert {row.state for ref, row in rows.items() if ref != "P2"} == {State.SENT}
    assert len(ledger.accepted) == len({one.message_id for one in ledger.accepted}) == 5
