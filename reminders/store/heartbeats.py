"""The signs of life of every process that keeps the clock, a row for each.

Invariant: a process that stopped in order says so; one that died only grows old, and that is how its death is seen.
"""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import delete, exists, func, or_, select, update

from reminders.store.database import Transaction
from reminders.store.rows import insert_unless_there
from reminders.store.schema import heartbeats


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """When a process began, when it last ticked, and when it stopped in order (None: it never said so)."""

    worker: str
    started_at: dt.datetime
    ticked_at: dt.datetime
    stopped_at: dt.datetime | None


def beat(tx: Transaction, worker: str) -> None:
    """Note that `worker` lives now; its first beat is its beginning."""
    change = update(heartbeats).where(heartbeats.c.worker == worker).values(ticked_at=tx.now, stopped_at=None)
    if tx.connection.execute(change).rowcount == 0:
        row = {"worker": worker, "started_at": tx.now, "ticked_at": tx.now, "stopped_at": None}
        insert_unless_there(tx.connection, heartbeats, row)


def stop(tx: Transaction, worker: str) -> None:
    """Note that `worker` stopped in order."""
    c = heartbeats.c
    tx.connection.execute(update(heartbeats).where(c.worker == worker).values(ticked_at=tx.now, stopped_at=tx.now))


def stop_all(tx: Transaction) -> None:
    """Note that none of them ticks here any more; one that does takes it back with its next beat."""
    tx.connection.execute(update(heartbeats).where(heartbeats.c.stopped_at.is_(None)).values(stopped_at=tx.now))


def last_tick(tx: Transaction) -> dt.datetime | None:
    """Return when any of them last ticked."""
    found: dt.datetime | None = tx.connection.execute(select(func.max(heartbeats.c.ticked_at))).scalar()
    return found


def newest(tx: Transaction) -> Heartbeat | None:
    """Return the newest sign of life of a process that has not stopped in order; where all have, the newest of all.

    One that died counts as stopped once another process began after its last tick: its successor speaks for it.
    """
    c, later = heartbeats.c, heartbeats.alias("later")
    superseded = exists().where(later.c.worker != c.worker, later.c.started_at > c.ticked_at)
    order = (or_(c.stopped_at.is_not(None), superseded), c.ticked_at.desc())
    query = select(c.worker, c.started_at, c.ticked_at, c.stopped_at).order_by(*order).limit(1)
    row = tx.connection.execute(query).first()
    return Heartbeat(*row) if row else None


def forget(tx: Transaction, before: dt.datetime) -> int:
    """Drop what last ticked before that moment, but never the newest of all; return how many."""
    c = heartbeats.c
    last = select(func.max(c.ticked_at)).scalar_subquery()
    return tx.connection.execute(delete(heartbeats).where(c.ticked_at < before, c.ticked_at < last)).rowcount
