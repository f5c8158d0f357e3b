"""The audit trail: who did what to which row and when, chained so that a change to any entry is found.

Invariant: entries hold ids, codes and names of fields, never a person's data; ids follow one another without a gap, and
each entry's code is HMAC-SHA256 over the code before it and the entry itself. What is recorded is written at the end of
its transaction, or before the trail is read in it: only there does a delivery wait for others to finish their entries.
"""

import datetime as dt
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, func, select

from reminders.store.rows import add_rows
from reminders.store.schema import audit
from reminders.store.server import wait_for_the_trail
from reminders.store.transaction import Event, Transaction

__all__ = [
    "Entry",
    "Event",
    "Verified",
    "code_of",
    "entries",
    "flush",
    "follow",
    "newest",
    "record",
    "record_many",
    "sign",
    "told_moment",
    "verify",
]


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

    @property
    def told(self) -> Mapping[str, object]:
        """Return the details, none where there are none, or where somebody put something else in their place."""
        return self.details if isinstance(self.details, Mapping) else {}


PIECE = 1000
"""How many entries are read at a time."""


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
    """Put one event on the trail, in the transaction in which it happens.

    Within a savepoint nothing is recorded before it is decided: an undone one would leave its events.
    """
    record_many(tx, [Event(action, subject, subject_id, clinic_id, patient_id, details)])


def record_many(tx: Transaction, events: Sequence[Event]) -> None:
    """Put events on the trail, in their order."""
    tx.pending.extend(events)
    if len(tx.pending) >= PIECE and not tx.alongside:  # a long import's would else fill the memory
        flush(tx)


def flush(tx: Transaction) -> None:
    """Write what was recorded so far, with one statement. Called at the end, and by whatever reads the trail."""
    events = tuple(tx.pending)
    if not events:
        return
    tx.pending.clear()
    if tx.alongside and tx.connection.dialect.name == "postgresql":
        wait_for_the_trail(tx.connection)
    last = tx.connection.execute(_LAST).first()
    number, mac = last or (0, "")
    rows, at = [], tx.now.astimezone(dt.UTC)
    moment, actor = at.isoformat(), _text(tx.actor)
    for event in events:
        number += 1
        action, subject, subject_id, clinic_id, patient_id, details = event
        told = (_text(str(action)), actor, moment, clinic_id, details, number, patient_id, _text(subject), subject_id)
        mac = _signed(tx.audit_key, mac, _written(*told))
        rows.append(
            {
                "id": number,
                "at": at,
                "clinic_id": clinic_id,
                "patient_id": patient_id,
                "actor": tx.actor,
                "action": str(action),
                "subject": subject,
                "subject_id": subject_id,
                "details": details,
                "mac": mac,
            }
        )
    add_rows(tx.connection, audit, rows)


def newest(tx: Transaction) -> int:
    """Return the number of the newest entry, those of this transaction included; 0 where there is none."""
    flush(tx)
    return tx.connection.execute(_LAST).scalar() or 0


_LAST = select(audit.c.id, audit.c.mac).order_by(audit.c.id.desc()).limit(1)


@dataclass(frozen=True, slots=True)
class Verified:
    """How far the chain was followed: the last entry that fits (0: none yet), its code and moment.

    `broken` is the number of the first entry that is missing, moved or changed; None as long as everything fits.
    """

    number: int = 0
    mac: str = ""
    at: dt.datetime | None = None
    broken: int | None = None


def verify(tx: Transaction, older_keys: Sequence[bytes] = ()) -> int | None:
    """Return the id of the first entry that is missing, moved or changed, or None when the trail is whole.

    Entries signed before the key was changed are checked with `older_keys`. A cut at the very end leaves no trace in a
    chain (a checkpoint kept elsewhere shows it); everything else does.
    """
    before, now = None, Verified()
    while now != before and now.broken is None:
        before, now = now, follow(tx, now, older_keys)
    return now.broken


def follow(tx: Transaction, so_far: Verified, older_keys: Sequence[bytes] = ()) -> Verified:
    """Follow the chain over the next `PIECE` entries; what is returned equals `so_far` where it has ended.

    The pieces may be read in different transactions: a chain only grows.
    """
    flush(tx)
    keys = (tx.audit_key, *older_keys)
    query = select(audit).order_by(audit.c.id).limit(PIECE)
    if so_far.number:  # not before: an entry slipped in at the front has the number 0 or less
        query = query.where(audit.c.id > so_far.number)
    try:
        rows = [dict(row) for row in tx.connection.execute(query).mappings()]
    except ValueError:  # a moment that is none, details that are no JSON: which entry, only looking one by one tells
        return _one_by_one(tx, so_far, keys)
    return _followed(so_far, rows, keys)


def _one_by_one(tx: Transaction, so_far: Verified, keys: Sequence[bytes]) -> Verified:
    ids = select(audit.c.id).order_by(audit.c.id).limit(PIECE)
    if so_far.number:
        ids = ids.where(audit.c.id > so_far.number)
    for number in tx.connection.execute(ids).scalars().all():
        try:
            rows = [dict(row) for row in tx.connection.execute(select(audit).where(audit.c.id == number)).mappings()]
        except ValueError:
            return replace(so_far, broken=so_far.number + 1)
        so_far = _followed(so_far, rows, keys)
        if so_far.broken is not None:
            break
    return so_far


def _followed(so_far: Verified, rows: Iterable[dict[str, Any]], keys: Sequence[bytes]) -> Verified:
    for content in rows:
        code = str(content.pop("mac"))
        expected = so_far.number + 1
        # as bytes: compared as texts, a code that is not ASCII would be an error of the program
        signed = (hmac.compare_digest(code.encode(), _mac(key, so_far.mac, content).encode()) for key in keys)
        if content["id"] != expected or not any(signed):
            return replace(so_far, broken=expected)
        so_far = Verified(expected, code, content["at"])
    return so_far


def last_number(tx: Transaction) -> int:
    """Return the number of the last entry that is committed, 0 before the first."""
    return int(tx.connection.execute(select(func.coalesce(func.max(audit.c.id), 0))).scalar_one())


def code_of(tx: Transaction, number: int) -> str | None:
    """Return the code of the entry of that number, None where there is none."""
    flush(tx)
    found = tx.connection.execute(select(audit.c.mac).where(audit.c.id == number)).scalar()
    return None if found is None else str(found)


def told_moment(moment: object) -> str | None:
    """Return a moment as the details of an entry hold it, whatever zone a database gives it back in."""
    return moment.astimezone(dt.UTC).isoformat() if isinstance(moment, dt.datetime) else None


def sign(key: bytes, purpose: str, text: str) -> str:
    """Return the code under which something other than an entry is signed with the audit key."""
    return hmac.digest(key, f"{purpose}\0{text}".encode(), "sha256").hex()


def entries(
    tx: Transaction,
    *,
    patient_id: int | None = None,
    subject: str | None = None,
    subject_id: int | None = None,
    action: str | None = None,
) -> list[Entry]:
    """Return what happened to one patient, or to one subject such as `reminder` 7, oldest first."""
    flush(tx)
    conditions: list[ColumnElement[bool]] = []
    if patient_id is not None:
        conditions.append(audit.c.patient_id == patient_id)
    if subject is not None:
        conditions.append(audit.c.subject == subject)
    if subject_id is not None:
        conditions.append(audit.c.subject_id == subject_id)
    if action is not None:
        conditions.append(audit.c.action == action)
    columns = [column for column in audit.c if column.name != "mac"]
    return [Entry(*row) for row in tx.connection.execute(select(*columns).where(*conditions).order_by(audit.c.id))]


def _mac(key: bytes, before: str, row: Mapping[str, object]) -> str:
    return _signed(key, before, _ENCODER.encode(row))


def _signed(key: bytes, before: str, entry: str) -> str:
    return hmac.digest(key, (before + entry).encode(), "sha256").hex()


def _written(  # noqa: PLR0913, PLR0917 - an entry's parts
    action: str,
    actor: str,
    at: str,
    clinic_id: int | None,
    details: Mapping[str, object] | None,
    number: int,
    patient_id: int | None,
    subject: str,
    subject_id: int | None,
) -> str:
    """Return what `_ENCODER` makes of an entry, several times as fast; texts are quoted, a test compares the two."""
    clinic, patient, which = (_NULL if one is None else one for one in (clinic_id, patient_id, subject_id))
    told = _NULL if details is None else _ENCODER.encode(details)
    return (
        f'{{"action":{action},"actor":{actor},"at":"{at}","clinic_id":{clinic},"details":{told},"id":{number},'
        f'"patient_id":{patient},"subject":{subject},"subject_id":{which}}}'
    )


_NULL = "null"


@lru_cache(maxsize=256)
def _text(words: str) -> str:
    return _ENCODER.encode(words)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, dt.datetime | dt.date) else str(value)


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=_plain)
