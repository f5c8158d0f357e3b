"""What belongs to the whole installation: its id, and the wrapped pepper that keeps suppressions across key changes.

Invariant: there is at most one row, and the pepper in it is never in the clear.
"""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import insert, select, update

from reminders.store.audit_trail import record
from reminders.store.database import Transaction
from reminders.store.schema import installation as table


@dataclass(frozen=True, slots=True)
class Installation:
    """This installation; `wrapped_pepper` is opened by the key ring alone."""

    installation_id: str
    wrapped_pepper: bytes
    created_at: dt.datetime


def installation(tx: Transaction) -> Installation | None:
    """Return the installation, None before `init`."""
    query = select(table.c.installation_id, table.c.wrapped_pepper, table.c.created_at)
    row = tx.connection.execute(query).first()
    return Installation(*row) if row else None


def save_installation(tx: Transaction, installation_id: str, wrapped_pepper: bytes) -> None:
    """Keep the id and the pepper that `init` made."""
    values = {"id": 1, "installation_id": installation_id, "wrapped_pepper": wrapped_pepper, "created_at": tx.now}
    tx.connection.execute(insert(table).values(values))
    record(tx, "init", "installation", 1)


def rewrap(tx: Transaction, wrapped_pepper: bytes) -> None:
    """Keep the same pepper wrapped by another key."""
    tx.connection.execute(update(table).values(wrapped_pepper=wrapped_pepper))
    record(tx, "rewrap", "installation", 1)
