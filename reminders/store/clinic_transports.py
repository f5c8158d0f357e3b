"""The transports that clinics have for themselves; whoever has none sends over the one of the settings.

Invariant: an address with its password is stored sealed alone, and no entry of the trail tells of it.
"""

from dataclasses import dataclass, field

from sqlalchemy import delete, insert, select

from reminders.store.audit_trail import record
from reminders.store.database import Transaction
from reminders.store.schema import clinic_transports, clinics


@dataclass(frozen=True, slots=True)
class Sealed:
    """A clinic's own transport: its address, opened by the installation's pepper alone."""

    clinic_id: int
    slug: str
    sealed: bytes = field(repr=False)


def sealed_ones(tx: Transaction) -> list[Sealed]:
    """Return the transports that clinics have for themselves, by slug."""
    c = clinic_transports.c
    query = select(c.clinic_id, clinics.c.slug, c.sealed).join(clinics, clinics.c.id == c.clinic_id)
    return [Sealed(*row) for row in tx.connection.execute(query.order_by(clinics.c.slug))]


def put(tx: Transaction, clinic_id: int, sealed: bytes) -> None:
    """Give a clinic a transport of its own, in the place of any before."""
    _drop(tx, clinic_id)
    tx.connection.execute(insert(clinic_transports).values(clinic_id=clinic_id, sealed=sealed, set_at=tx.now))
    record(tx, "set", "clinic_transport", clinic_id, clinic_id=clinic_id)


def drop(tx: Transaction, clinic_id: int) -> None:
    """Let a clinic send over the transport of the settings again."""
    if _drop(tx, clinic_id):
        record(tx, "drop", "clinic_transport", clinic_id, clinic_id=clinic_id)


def _drop(tx: Transaction, clinic_id: int) -> bool:
    change = delete(clinic_transports).where(clinic_transports.c.clinic_id == clinic_id)
    return tx.connection.execute(change).rowcount > 0
