"""The keys that sign mail, by the sender's domain: made, put to use, retired.

Invariants: of a domain at most one key is in use; a retired key's private half is destroyed, and its selector is never
used again, so that no receiver meets another key under a name it remembers.
"""

import datetime as dt
from dataclasses import dataclass, field

from sqlalchemy import insert, select, update

from reminders.store.audit_trail import record
from reminders.store.database import Transaction
from reminders.store.schema_letters import dkim_keys


@dataclass(frozen=True, slots=True)
class DkimKey:
    """One key; `sealed_key` is opened by the installation's pepper alone, and empty once the key is retired."""

    id: int
    domain: str
    selector: str
    sealed_key: bytes = field(repr=False)
    public_key: str
    created_at: dt.datetime
    active_at: dt.datetime | None
    retired_at: dt.datetime | None

    @property
    def active(self) -> bool:
        """Tell whether mail is signed with it."""
        return self.active_at is not None and self.retired_at is None

    @property
    def waiting(self) -> bool:
        """Tell whether it was made and not put to use yet."""
        return self.active_at is None and self.retired_at is None


def add_key(tx: Transaction, domain: str, selector: str, sealed_key: bytes, public_key: str) -> None:
    """Keep a new key; the domain must not have had the selector before."""
    values = {"domain": domain, "selector": selector, "sealed_key": sealed_key, "public_key": public_key}
    row = tx.connection.execute(insert(dkim_keys).values(values | {"created_at": tx.now}).returning(dkim_keys.c.id))
    record(tx, "add", "dkim_key", row.scalar_one())


def keys_of(tx: Transaction, domain: str | None = None) -> list[DkimKey]:
    """Return the keys of a domain, or of all, oldest first."""
    query = select(*dkim_keys.c).order_by(dkim_keys.c.domain, dkim_keys.c.id)
    if domain is not None:
        query = query.where(dkim_keys.c.domain == domain)
    return [DkimKey(*row) for row in tx.connection.execute(query)]


def activate(tx: Transaction, key: DkimKey) -> None:
    """Put a waiting key to use, and retire the one in use before."""
    for other in keys_of(tx, key.domain):
        if other.active and other.id != key.id:
            retire(tx, other)
    change = update(dkim_keys).where(dkim_keys.c.id == key.id, dkim_keys.c.retired_at.is_(None))
    tx.connection.execute(change.values(active_at=tx.now))
    record(tx, "activate", "dkim_key", key.id)


def retire(tx: Transaction, key: DkimKey) -> None:
    """End a key's use for good, and destroy its private half."""
    change = update(dkim_keys).where(dkim_keys.c.id == key.id)
    tx.connection.execute(change.values(retired_at=tx.now, sealed_key=b""))
    record(tx, "retire", "dkim_key", key.id)
