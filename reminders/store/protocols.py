"""The catalogue: every version of every protocol, as it was when it was saved.

Invariant: a stored version never changes; another definition is another version, numbered upwards.
"""

import datetime as dt
import json
from dataclasses import replace
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, Text, and_, cast, func, insert, select

from reminders.domain.definition import as_plain, from_plain
from reminders.domain.protocol import Protocol
from reminders.store.audit_trail import record
from reminders.store.database import Transaction
from reminders.store.schema import protocols as table

_AS_TEXT = cast(table.c.definition, Text)  # PostgreSQL's driver would read JSON by itself, into what has no hash


def save_protocol(tx: Transaction, protocol: Protocol) -> int:
    """Keep a protocol; return its version: a new one only when it differs from the last in more than its number."""
    last = _latest(tx, protocol.code)
    if last is not None and replace(last, effective_on=None) == replace(
        protocol, version=last.version, effective_on=None
    ):
        return last.version
    version = 1 if last is None else last.version + 1
    carried = last is not None and protocol.effective_on == last.effective_on  # an edited export still says the old day
    given = None if carried else protocol.effective_on
    values = {
        "code": protocol.code,
        "version": version,
        "definition": as_plain(replace(protocol, version=version, effective_on=None)),
        "effective_on": given or tx.now.astimezone(dt.UTC).date(),
        "created_at": tx.now,
    }
    tx.connection.execute(insert(table).values(values))
    record(tx, "save", "protocol", None, details={"code": protocol.code, "version": version})
    return version


def current(tx: Transaction) -> dict[str, Protocol]:
    """Return the last version of every protocol, by code."""
    return dict(_catalogue(tuple((definition, day) for definition, day in tx.connection.execute(_CURRENT))))


@lru_cache(maxsize=8)
def _catalogue(rows: tuple[tuple[str, dt.date], ...]) -> dict[str, Protocol]:
    found = [_read(definition, day) for definition, day in rows]
    return {protocol.code: protocol for protocol in found}


def _current() -> Select[Any]:
    newest = select(table.c.code, func.max(table.c.version).label("version")).group_by(table.c.code).subquery()
    same = and_(table.c.code == newest.c.code, table.c.version == newest.c.version)
    return select(_AS_TEXT, table.c.effective_on).join_from(table, newest, same).order_by(table.c.code)


_CURRENT = _current()


def by_version(tx: Transaction, code: str, version: int) -> Protocol | None:
    """Return one version of a protocol."""
    query = select(_AS_TEXT, table.c.effective_on).where(table.c.code == code, table.c.version == version)
    row = tx.connection.execute(query).first()
    return _read(*row) if row else None


def _latest(tx: Transaction, code: str) -> Protocol | None:
    query = select(_AS_TEXT, table.c.effective_on).where(table.c.code == code)
    row = tx.connection.execute(query.order_by(table.c.version.desc()).limit(1)).first()
    return _read(*row) if row else None


@lru_cache(maxsize=512)
def _read(definition: str, effective_on: dt.date) -> Protocol:
    """Return the protocol of a stored text. The same text is the same value: it is read before every delivery."""
    return replace(from_plain(json.loads(definition)), effective_on=effective_on)
