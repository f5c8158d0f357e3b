"""The audit trail: who did what to which row and when, chained so that a change to any entry is found.

Invariant: entries hold ids, codes and names of fields, never a person's data; ids follow one another without a gap, and
each entry's code is HMAC-SHA256 over the code before it and the entry itself.
"""

import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, insert, select

from reminders.store.database import Transaction
from reminders.store.schema import audit


@dataclass(frozen=True, slots=True)
class Event:
    """Something to be put on the trail."""

    action: str
    subject: str
    subject_id: int | None
    clinic_id: int | None = None
    patient_id: int | None = None
    details: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """An event as the trail holds it."""

    id: int
    at: dt.datetime
    clinic_id: int | None
    patient_id: int | None
    actor: str
    action: str
    subject: str
    subject_id: int | None
    details: Mapping[str, object] | None


def record(
    tx: Transaction,
    action: str,
    subject: str,
    subject_id: int | None,
    *,
    clinic_id: int | None = None,
    patient_id: int | None = None,
    details: Mapping[str, object] | None = None,
) -> None:
    """Put one event on the trail, in the transaction in which it happens."""
    record_many(tx, [Event(action, subject, subject_id, clinic_id, patient_id, details)])


def record_many(tx: Transaction, events: Sequence[Event]) -> None:
    """Put events on the trail, in their order, with one statement."""
    if not events:
        return
    last = tx.connection.execute(select(audit.c.id, audit.c.mac).order_by(audit.c.id.desc()).limit(1)).first()
    number, mac = last or (0, "")
    rows = []
    for event in events:
        number += 1
        row = {
            "id": number,
            "at": tx.now.astimezone(dt.UTC),
            "clinic_id": event.clinic_id,
            "patient_id": event.patient_id,
            "actor": tx.actor,
            "action": str(event.action),
            "subject": event.subject,
            "subject_id": event.subject_id,
            "details": event.details,
        }
        mac = _mac(tx.audit_key, mac, row)
        rows.append(row | {"mac": mac})
    tx.connection.execute(insert(audit), rows)


def verify(tx: Transaction, older_keys: Sequence[bytes] = ()) -> int | None:
    """Return the id of the first entry that is missing, moved or changed, or None when the trail is whole.

    Entries signed before the key was changed are checked with `older_keys`. A cut at the very end leaves no trace in a
    chain; everything else does.
    """
    expected, before = 1, ""
    keys = (tx.audit_key, *older_keys)
    query = select(audit).order_by(audit.c.id).execution_options(yield_per=1000)
    with tx.connection.execute(query) as rows:
        for row in rows.mappings():
            content = dict(row)
            mac = content.pop("mac")
            if content["id"] != expected or not any(
                hmac.compare_digest(mac, _mac(key, before, content)) for key in keys
            ):
                return expected
            expected, before = expected + 1, mac
    return None


def entries(
    tx: Transaction, *, patient_id: int | None = None, subject: str | None = None, subject_id: int | None = None
) -> list[Entry]:
    """Return what happened to one patient, or to one subject such as `reminder` 7, oldest first."""
    conditions: list[ColumnElement[bool]] = []
    if patient_id is not None:
        conditions.append(audit.c.patient_id == patient_id)
    if subject is not None:
        conditions.append(audit.c.subject == subject)
    if subject_id is not None:
        conditions.append(audit.c.subject_id == subject_id)
    columns = [column for column in audit.c if column.name != "mac"]
    return [Entry(*row) for row in tx.connection.execute(select(*columns).where(*conditions).order_by(audit.c.id))]


def _mac(key: bytes, before: str, row: Mapping[str, object]) -> str:
    text = json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=_plain)
    return hmac.new(key, before.encode() + text.encode(), hashlib.sha256).hexdigest()


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, dt.datetime | dt.date) else str(value)
