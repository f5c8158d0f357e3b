"""The clinics' logos: one picture per clinic, as it travels with the clinic's messages.

Invariant: an audit entry says that the logo changed, never what it shows.
"""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, select

from reminders.store.audit_trail import record
from reminders.store.database import Transaction
from reminders.store.rows import insert_row
from reminders.store.schema_letters import logos


@dataclass(frozen=True, slots=True)
class StoredLogo:
    """A picture: its SHA-256 in hex, its media type, its size in pixels, its bytes."""

    digest: str
    media_type: str
    width: int
    height: int
    content: bytes


def logo_of(tx: Transaction, clinic_id: int) -> StoredLogo | None:
    """Return the clinic's logo."""
    c = logos.c
    columns = select(c.digest, c.media_type, c.width, c.height, c.content)
    row = tx.connection.execute(columns.where(c.clinic_id == clinic_id)).one_or_none()
    return StoredLogo(*row) if row else None


def digests(tx: Transaction, clinic_ids: Collection[int]) -> dict[int, str]:
    """Return the digest of each of these clinics' logo, without reading any."""
    return dict(tx.connection.execute(_DIGESTS, {"asked": clinic_ids}).all())


_DIGESTS = select(logos.c.clinic_id, logos.c.digest).where(logos.c.clinic_id.in_(bindparam("asked", expanding=True)))


def clinics_with_logo(tx: Transaction) -> frozenset[int]:
    """Return the ids of the clinics that keep one, without reading any."""
    return frozenset(tx.connection.execute(select(logos.c.clinic_id)).scalars())


def set_logo(tx: Transaction, clinic_id: int, logo: StoredLogo | None) -> bool:
    """Keep the clinic's logo, or take it away; return whether that changed anything."""
    before = logo_of(tx, clinic_id)
    if before == logo:
        return False
    tx.connection.execute(delete(logos).where(logos.c.clinic_id == clinic_id))
    if logo:
        values = {name: getattr(logo, name) for name in StoredLogo.__slots__}
        insert_row(tx.connection, logos, {"clinic_id": clinic_id, "created_at": tx.now, **values})
    record(tx, "change", "clinic", clinic_id, clinic_id=clinic_id, details={"fields": ["logo"]})
    return True
