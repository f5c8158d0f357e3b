"""The bytes of messages as they are kept, for tests that look into the table past the product.

Invariant: what is read is what went on the wire; what is written is kept as old rows are, unpacked.
"""

from sqlalchemy import select

from reminders.store import patterns
from reminders.store.database import Transaction
from reminders.store.schema import messages


def kept_bytes(tx: Transaction) -> list[bytes]:
    """Return the bytes of every message that has some, by the messages' ids."""
    query = select(*patterns.COLUMNS).where(messages.c.content.is_not(None)).order_by(messages.c.id)
    return [patterns.read(tx, *row).content for row in tx.connection.execute(query).all()]


def keeping(content: bytes) -> str:
    """Return the statement that puts bytes in the place of every message's."""
    return f"UPDATE messages SET content = x'{content.hex()}', packed = false, pattern_id = NULL"  # noqa: S608 - a test's own
