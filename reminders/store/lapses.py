"""Reminders whose worker is gone: found by their leases, and taken from it.

Invariant: who takes one hits the very attempt that lapsed, or nothing.
"""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import or_, select

from reminders.domain.lifecycle import IN_FLIGHT, Reason, State
from reminders.store.database import Transaction, database_now
from reminders.store.outbox import DIED, WRITING, Held, transition
from reminders.store.schema import reminders

NO_LEASE_IS_LONGER = dt.timedelta(hours=2)
"""The longest lease is an hour; one that ends later than this was taken under a clock that has gone back since."""


@dataclass(frozen=True, slots=True)
class Lapsed:
    """A reminder whose worker's lease ran out."""

    held: Held
    state: State
    body_begun: bool
    rescues: int
    fault: str | None

    @property
    def deaths(self) -> int:
        """Return how many deaths count against it with this one: in its body, or while it alone was being written.

        The first of the latter shows that the one before, which made it suspect, was its doing too.
        """
        if self.state is State.CLAIMED and self.body_begun:
            return self.rescues + 1
        if self.state is State.CLAIMED and self.fault == WRITING:
            return max(self.rescues + 1, 2)
        return self.rescues


def lapsed(tx: Transaction, now: dt.datetime | None = None) -> list[Lapsed]:
    """Return the reminders in a worker's hands whose lease had run out, or was taken under a clock that was ahead.

    `now` is a moment of the leases' clock, by default the present one.
    """
    c, now = reminders.c, now or database_now(tx)
    over = or_(c.lease_until <= now, c.lease_until > now + NO_LEASE_IS_LONGER)
    columns = (c.id, c.epoch, c.patient_id, c.clinic_id, c.state, c.body_begun, c.rescues, c.last_fault)
    rows = tx.connection.execute(select(*columns).where(c.state.in_(IN_FLIGHT), over))
    return [Lapsed(Held(*row[:4]), State(row.state), *row[5:]) for row in rows]


def rescue(tx: Transaction, one: Lapsed, after: State, reason: Reason | None) -> bool:
    """Take a lapsed reminder from its dead worker: back to the plan, to a person, or to `unknown`."""
    c = reminders.c
    values: dict[str, object] = {"lease_until": None, "worker": None}
    if one.state is State.CLAIMED:
        again_at = tx.now if after is State.PLANNED else None
        values |= {"rescues": one.deaths, "last_fault": DIED, "body_begun": False, "next_attempt_at": again_at}
        values |= {"wake_at": c.due_at if again_at is None else again_at}
    return transition(tx, [one.held], one.state, after, reason, **values)
