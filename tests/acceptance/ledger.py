"""A clinic whose deliveries are killed, and the account that must balance afterwards.

Invariant: the account compares what the server accepted with what the database says, and trusts neither alone.
"""

import contextlib
import itertools
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from reminders.domain.lifecycle import Reason, State
from reminders.services import decide
from reminders.store import audit_trail
from reminders.store.reminders import counts_by_state
from tests.support.clinic import INVITED_AT, FakeClock, Office
from tests.support.killable_deliver import Deliveries, Order
from tests.support.killing_server import KillingServer

LEASE_S = 10


@dataclass(slots=True)
class Books:
    """One database with patients who are all due, its server, and the deliveries between the two."""

    url: str
    server: KillingServer
    deliveries: Deliveries
    clock: FakeClock = field(default_factory=lambda: FakeClock(INVITED_AT))
    round_size: int = 1
    seeds: "itertools.count[int]" = field(default_factory=lambda: itertools.count(2))
    in_doubt: int = 0
    """How many messages were behind their fence, and not settled, when their delivery was killed."""

    def office(self) -> Office:
        return Office(self.url, self.clock)

    def order(self, kill_at: str | None = None, nth: int = 1, **given: Any) -> Order:  # noqa: ANN401 - an order's own
        now, seed = self.clock.now().isoformat(), next(self.seeds)
        place = (self.server.host, self.server.port)
        return Order(self.url, now, *place, seed, self.round_size, LEASE_S, kill_at, nth, **given)

    def killed_at(self, point: str, nth: int = 1) -> bool:
        """Run a delivery that kills itself at a point; true when it did. Then let its leases run out."""
        killed = self.deliveries.run(self.order(point, nth)) is None
        self.after_a_kill()
        return killed

    def killed_by_server(self, phase: str, nth: int = 1) -> bool:
        """Run a delivery that its server kills; true when it was. Then let its leases run out."""
        pid = self.deliveries.start(self.order())
        self.server.arm_kill(phase, nth, pid)
        self.deliveries.go()
        killed = self.deliveries.finished() is None
        self.server.disarm()
        self.after_a_kill()
        return killed

    def killed_at_random(self, chance: random.Random, events: int) -> bool:
        """Run a delivery that is killed at one of its next `events` events, by itself or by its server."""
        nth = chance.randint(1, events)
        return self.killed_at("any", nth) if chance.random() < 0.4 else self.killed_by_server("any", nth)

    def after_a_kill(self) -> None:
        """Count what is in doubt now, and let the leases of the dead run out.

        The count is a writer's: so it comes after a COMMIT that the dead had still sent to its database's server.
        """
        with contextlib.closing(self.office()) as office, office.write() as tx:
            found = counts_by_state(tx)
        self.in_doubt += sum(count for (state, _), count in found.items() if state is State.HANDED_OVER)
        self.clock.advance(seconds=LEASE_S + 1)

    def recover(self) -> None:
        """Deliver in peace until nothing is due; a person tries again what killed its worker three times."""
        self.deliveries.run(self.order())
        self.clock.advance(seconds=LEASE_S + 1)
        with contextlib.closing(self.office()) as office:
            failed = [row for row in office.rows() if row.state is State.FAILED]
            assert all(row.reason is Reason.TOO_MANY_ATTEMPTS for row in failed)
            with office.write() as tx:
                decide.retry(tx, [row.id for row in failed])
        self.deliveries.run(self.order())

    def unknown(self) -> int:
        """Balance the account, and return how many reminders are listed as in doubt: those that were at a kill."""
        with contextlib.closing(self.office()) as office:
            rows = [row for row in office.rows() if row.step == "invitation"]
            with office.read() as tx:
                assert audit_trail.verify(tx) is None
                if tx.connection.dialect.name == "sqlite":
                    assert tx.connection.exec_driver_sql("PRAGMA integrity_check").scalars().all() == ["ok"]
        taken = Counter(message.message_id for message in self.server.accepted)
        people = Counter(message.recipient for message in self.server.accepted)
        assert [name for name, count in (taken + people).items() if count > 1] == []
        assert {row.state for row in rows} <= {State.SENT, State.UNKNOWN}
        sent = {row.message_id for row in rows if row.state is State.SENT}
        unknown = {row.message_id for row in rows if row.state is State.UNKNOWN}
        assert sent <= set(taken)
        assert set(taken) <= sent | unknown
        assert len(unknown) == self.in_doubt
        return len(unknown)
