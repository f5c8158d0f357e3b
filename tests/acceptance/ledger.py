"""A clinic whose deliveries are killed, and the account that must balance afterwards.

Invariant: the account compares what the server accepted with what the database says, and trusts neither alone.
"""

import contextlib
import itertools
import random
import shutil
import sqlite3
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from reminders.domain.lifecycle import Reason, State
from reminders.services import decide
from reminders.store import audit_trail
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

    def order(self, kill_at: str | None = None, nth: int = 1) -> Order:
        now, seed = self.clock.now().isoformat(), next(self.seeds)
        place = (self.server.host, self.server.port)
        return Order(self.url, now, *place, seed, self.round_size, LEASE_S, kill_at, nth)

    def killed_at(self, point: str, nth: int = 1) -> bool:
        """Run a delivery that kills itself at a point; true when it did. Then let its leases run out."""
        killed = self.deliveries.run(self.order(point, nth)) is None
        self._after_a_kill()
        return killed

    def killed_by_server(self, phase: str, nth: int = 1) -> bool:
        """Run a delivery that its server kills; true when it was. Then let its leases run out."""
        pid = self.deliveries.start(self.order())
        self.server.arm_kill(phase, nth, pid)
        self.deliveries.go()
        killed = self.deliveries.finished() is None
        self.server.disarm()
        self._after_a_kill()
        return killed

    def killed_at_random(self, chance: random.Random, events: int) -> bool:
        """Run a delivery that is killed at one of its next `events` events, by itself or by its server."""
        nth = chance.randint(1, events)
        return self.killed_at("any", nth) if chance.random() < 0.4 else self.killed_by_server("any", nth)

    def _after_a_kill(self) -> None:
        """Count what is in doubt now, and let the leases of the dead run out."""
        with contextlib.closing(sqlite3.connect(self.url.removeprefix("sqlite:///"))) as connection:
            query = "SELECT count(*) FROM reminders WHERE state = 'handed_over'"
            self.in_doubt += connection.execute(query).fetchone()[0]
        self.clock.advance(seconds=LEASE_S + 1)

    def recover(self) -> None:
        """Deliver in peace until nothing is due; a person tries again what killed its worker three times."""
        self.deliveries.run(self.order())
        self.clock.advance(seconds=LEASE_S + 1)
        office = self.office()
        failed = [row for row in office.rows() if row.state is State.FAILED]
        assert all(row.reason is Reason.TOO_MANY_ATTEMPTS for row in failed)
        with office.write() as tx:
            decide.retry(tx, [row.id for row in failed])
        office.close()
        self.deliveries.run(self.order())

    def unknown(self) -> int:
        """Balance the account, and return how many reminders are listed as in doubt: those that were at a kill."""
        office = self.office()
        rows = [row for row in office.rows() if row.step == "invitation"]
        with office.read() as tx:
            assert audit_trail.verify(tx) is None
        office.close()
        with contextlib.closing(sqlite3.connect(self.url.removeprefix("sqlite:///"))) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
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


def with_due(installed_file: Path, folder: Path, count: int) -> str:
    """Return the URL of a database in which so many patients are due, at any hour of any day."""
    url = f"sqlite:///{shutil.copy(installed_file, folder / 'reminders.db')}"
    office = Office(url, FakeClock())
    office.add_clinic(sending_days="mon,tue,wed,thu,fri,sat,sun", sending_hours="00:00-24:00", send_at="00:00")
    office.add_due(count)
    office.close()
    return url
