"""A transaction as every function of the store takes it: a connection and the one moment of what happens on it.

Invariant: what is put on the trail waits in the transaction until its end, so that the trail is locked only there.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import Connection

from reminders.store.packing import Shelf

LeaseClock = Callable[[Connection], dt.datetime]
Boot = Callable[[], str | None]
"""Tells which start of the machine this is, and the seconds since ("ID:SECONDS"); None where that is not known."""


class Event(NamedTuple):
    """Something to be put on the trail."""

    action: str
    subject: str
    subject_id: int | None
    clinic_id: int | None = None
    patient_id: int | None = None
    details: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Transaction:
    """What every function of the store takes first: the connection, and the one moment `now` of what happens in it.

    `actor` and `audit_key` go into the audit trail, `pending` is what is not on it yet. `alongside` says that others
    write too, of other patients. `boot` is the machine's uptime at `now`, "ID:SECONDS". `shelf` is what is
    known of the patterns, `new_patterns` the ids of those met in this transaction. Services hand a transaction on and
    never look inside.
    """

    connection: Connection
    now: dt.datetime
    actor: str
    audit_key: bytes
    alongside: bool = False
    lease_clock: LeaseClock | None = None
    boot: str | None = None
    pending: list[Event] = field(default_factory=list, repr=False, compare=False)
    shelf: Shelf = field(default_factory=Shelf, repr=False, compare=False)
    new_patterns: dict[bytes, int] = field(default_factory=dict, repr=False, compare=False)


def database_now(tx: Transaction) -> dt.datetime:
    """Return the moment by which leases are given and judged: one clock for all machines that share the database.

    That is the server's on PostgreSQL, whatever the machines' own say; on SQLite there is one machine, and `tx.now`.
    """
    return tx.now if tx.lease_clock is None else tx.lease_clock(tx.connection)
