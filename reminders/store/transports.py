"""The circuit breaker of each transport, kept in the database so that a restart does not reset it.

Invariant: faults count in a row; one accepted message clears them.
"""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import insert, select, update

from reminders.store.database import Transaction
from reminders.store.schema import transports


@dataclass(frozen=True, slots=True)
class Breaker:
    """A transport's state: faults and policy refusals in a row, until when it rests (None: it works).

    `ramp` is how many messages a round may have since it rested; None is as many as usual.
    """

    name: str
    faults: int = 0
    refused_in_a_row: int = 0
    open_until: dt.datetime | None = None
    fault: str | None = None
    ramp: int | None = None


def breaker(tx: Transaction, name: str) -> Breaker:
    """Return the breaker of the transport `name` (scheme, host and port; never credentials)."""
    c = transports.c
    query = select(c.name, c.faults, c.refused_in_a_row, c.open_until, c.fault, c.ramp).where(c.name == name)
    row = tx.connection.execute(query).first()
    return Breaker(*row) if row else Breaker(name)


def keep(tx: Transaction, state: Breaker) -> None:
    """Store the breaker's new state."""
    values = {
        "faults": state.faults,
        "refused_in_a_row": state.refused_in_a_row,
        "open_until": state.open_until,
        "fault": state.fault,
        "ramp": state.ramp,
        "changed_at": tx.now,
    }
    change = update(transports).where(transports.c.name == state.name).values(values)
    if tx.connection.execute(change).rowcount == 0:
        tx.connection.execute(insert(transports).values(name=state.name, **values))
