"""Keeps what the messages of a form have in common, once for all of them, and the messages against it.

Invariant: a pattern is never changed and never removed, holds nothing of any patient's, and is known by the hash of its
bytes; two workers that meet one at the same time keep it once.
"""

import hashlib
from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import select

from reminders.store.faults import DamagedRow
from reminders.store.packing import Unpackable, pack_pattern, unpack
from reminders.store.rows import insert_unless_there
from reminders.store.schema import messages
from reminders.store.schema import patterns as table
from reminders.store.transaction import Transaction

COLUMNS = (messages.c.content, messages.c.packed, messages.c.pattern_id)
"""What `read` takes of a message's row, in its order."""


class Kept(NamedTuple):
    """The bytes of a message, and the pattern they were kept against."""

    content: bytes
    pattern: bytes | None


def make_ready(tx: Transaction, patterns: Iterable[bytes | None]) -> None:
    """Keep the patterns that are new, and have all at hand: once a message went out, no more than packing is left.

    They are kept in an order that is everybody's, so that two who wait for one another never wait in a circle.
    """
    wanted = set(patterns)
    tx.shelf.packer.make_ready(wanted)
    for pattern in sorted(one for one in wanted if one is not None and _known(tx, one) is None):
        pattern_id(tx, pattern)


def pattern_id(tx: Transaction, pattern: bytes) -> int:
    """Return the id of a pattern, which is kept now unless it was before."""
    known = _known(tx, pattern)
    if known is not None:
        return known
    digest = hashlib.sha256(pattern).hexdigest()
    query = select(table.c.id).where(table.c.digest == digest)
    found = tx.connection.execute(query).scalar_one_or_none()
    if found is None:
        insert_unless_there(
            tx.connection, table, {"digest": digest, "content": pack_pattern(pattern), "created_at": tx.now}
        )
        found = tx.connection.execute(query).scalar_one()
    tx.new_patterns[pattern] = found
    return int(found)


def packed(tx: Transaction, content: bytes, pattern: bytes | None) -> dict[str, object]:
    """Return the values of a message's row that keep these bytes."""
    key = None if pattern is None else pattern_id(tx, pattern)
    return {"content": tx.shelf.packer.pack(content, pattern), "packed": True, "pattern_id": key}


def read(tx: Transaction, content: Any, is_packed: bool, key: int | None) -> Kept:  # noqa: ANN401, FBT001 - as the row has them
    """Return the bytes of a row that has some; raises `DamagedRow` where they cannot be read.

    Rows of before messages were packed hold them as they are.
    """
    if not is_packed:
        return Kept(content if isinstance(content, bytes) else str(content).encode(), None)
    pattern = None if key is None else _pattern(tx, key)
    try:
        return Kept(unpack(content, pattern), pattern)
    except (Unpackable, TypeError):
        raise DamagedRow(table="messages") from None


def _known(tx: Transaction, pattern: bytes) -> int | None:
    return tx.shelf.ids.get(pattern) or tx.new_patterns.get(pattern)


def _pattern(tx: Transaction, key: int) -> bytes:
    """Return a pattern; raises `DamagedRow` where it is not there or cannot be read."""
    known = tx.shelf.contents.get(key)
    if known is not None:
        return known
    row = tx.connection.execute(select(table.c.content, table.c.digest).where(table.c.id == key)).first()
    try:
        pattern = unpack(row.content, None) if row else b""
    except (Unpackable, TypeError):
        pattern = b""
    if row is None or hashlib.sha256(pattern).hexdigest() != row.digest:
        raise DamagedRow(table="patterns")
    if key not in tx.new_patterns.values():  # what is undone yet may leave its id to another
        tx.shelf.put(key, pattern)
    return pattern
