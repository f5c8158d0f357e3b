"""What belongs to the whole installation: its id, its suppressions' wrapped pepper, its home, the lock on sending.

Invariant: there is at most one row, and the pepper in it is never in the clear; a lock is set and lifted on the trail.
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


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the database is at home, the latest moment a delivery saw, and since when and why sending is locked."""

    home: str | None
    seen_at: dt.datetime | None
    locked_at: dt.datetime | None
    locked_because: str | None
    seen_boot: str | None
    """What the machine's uptime was at `seen_at` ("ID:SECONDS"), None where it is not known."""
    created_at: dt.datetime


def standing(tx: Transaction) -> Standing | None:
    """Return how things stand, None before `init`."""
    c = table.c
    query = select(c.home, c.seen_at, c.locked_at, c.locked_because, c.seen_boot, c.created_at)
    row = tx.connection.execute(query).first()
    return Standing(*row) if row else None


def see_now(tx: Transaction) -> None:
    """Note that a delivery or a plan saw this moment, under a clock that can be right."""
    tx.connection.execute(update(table).values(seen_at=tx.now, seen_boot=tx.boot))


def settle_at(tx: Transaction, home: str) -> None:
    """Note where the database is at home."""
    tx.connection.execute(update(table).values(home=home))


def lock(tx: Transaction, because: str) -> bool:
    """Lock sending; False when it is locked already, or before `init`."""
    change = update(table).where(table.c.locked_at.is_(None)).values(locked_at=tx.now, locked_because=because)
    if tx.connection.execute(change).rowcount == 0:
        return False
    record(tx, "lock", "installation", 1, details={"because": because})
    return True


def doubtful_before(tx: Transaction) -> dt.datetime | None:
    """Return the moment before which more may have gone out than this database knows; None for none."""
    found: dt.datetime | None = tx.connection.execute(select(table.c.doubtful_before)).scalar()
    return found


def doubt(tx: Transaction) -> None:
    """Note that until now more may have gone out than this database knows."""
    tx.connection.execute(update(table).values(doubtful_before=tx.now))


@dataclass(frozen=True, slots=True)
class PutBack:
    """What is known of an older copy that was put back: the entries of the trail that are gone lie between the two.

    `entry` is the trail's last before the lock: what the copy held, and what was recorded on it since, if anything.
    `seen` is the last that a delivery's machine remembers, 0 where it remembers none.
    """

    entry: int
    seen: int


def unlock(tx: Transaction, answer: str, why: str, put_back: PutBack | None = None) -> None:
    """Lift the lock, by a person's word."""
    tx.connection.execute(update(table).values(locked_at=None, locked_because=None))
    told = {"entry": put_back.entry, "seen": put_back.seen} if put_back else {}
    record(tx, "unlock", "installation", 1, details={"as": answer, "why": why, **told})
