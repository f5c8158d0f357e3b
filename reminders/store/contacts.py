"""What a patient wished, and what staff asked for: opt-outs, suppressions, intervals, holds.

Invariant: a restriction is only ever added here or lifted by its own verb; adding one twice changes nothing.
"""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, insert, select, update

from reminders.domain.interval import Interval
from reminders.domain.lifecycle import Reason
from reminders.store import schema
from reminders.store.audit_trail import record
from reminders.store.database import Transaction
from reminders.store.fact_codes import suppression_code
from reminders.store.patients import Patient
from reminders.store.rows import insert_row, insert_unless_there


@dataclass(frozen=True, slots=True)
class Suppression:
    """Why an address, known by its keyed hash, must not be written to; `scope` is "all" or a class."""

    scope: str
    reason: Reason
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class StoredHold:
    """Not before `until`, or not until a person says, for a private `code`; on one line or on all."""

    id: int
    line: str | None
    until: dt.date | None
    code: str
    at: dt.datetime
    ended_at: dt.datetime | None


def add_opt_out(tx: Transaction, patient: Patient, scope: str) -> bool:
    """Note that the patient wants no messages of `scope` ("all" or a class); False when that was known."""
    values = _of(patient) | {"scope": scope, "at": tx.now}
    added = insert_unless_there(tx.connection, schema.opt_outs, values)
    if added:
        _record(tx, "opt out", patient, "patient", patient.id, scope=scope)
    return added


def remove_opt_out(tx: Transaction, patient: Patient, scope: str) -> bool:
    """Note that the patient wants messages of `scope` again; False when they had not opted out of it."""
    table = schema.opt_outs
    gone = delete(table).where(table.c.patient_id == patient.id, table.c.scope == scope)
    removed = tx.connection.execute(gone).rowcount == 1
    if removed:
        _record(tx, "opt in", patient, "patient", patient.id, scope=scope)
    return removed


def opt_outs(tx: Transaction, patient_id: int) -> frozenset[str]:
    """Return the scopes the patient opted out of."""
    table = schema.opt_outs
    return frozenset(tx.connection.execute(select(table.c.scope).where(table.c.patient_id == patient_id)).scalars())


def suppress(tx: Transaction, clinic_id: int, address_key: str, scope: str, reason: Reason) -> bool:
    """Let the clinic never write to the address of that key; False when it did not already."""
    table = schema.suppressions
    values = {"clinic_id": clinic_id, "address_key": address_key, "scope": scope, "reason": reason, "at": tx.now}
    added = insert_unless_there(tx.connection, table, values)
    if added:
        _record_address(tx, "suppress", clinic_id, address_key, scope, reason)
    return added


def suppressions_of(tx: Transaction, clinic_id: int, address_key: str) -> list[Suppression]:
    """Return why the clinic must not write to the address of that key, oldest first."""
    c = schema.suppressions.c
    query = select(c.scope, c.reason, c.at).where(c.clinic_id == clinic_id, c.address_key == address_key).order_by(c.id)
    return [Suppression(scope, Reason(reason), at) for scope, reason, at in tx.connection.execute(query)]


def lift_suppression(tx: Transaction, clinic_id: int, address_key: str, scope: str, reason: Reason) -> bool:
    """Let the clinic write to the address again as far as this reason goes; False when there was none."""
    c = schema.suppressions.c
    found = (c.clinic_id == clinic_id, c.address_key == address_key, c.scope == scope, c.reason == reason)
    lifted = tx.connection.execute(delete(schema.suppressions).where(*found)).rowcount == 1
    if lifted:
        _record_address(tx, "lift", clinic_id, address_key, scope, reason)
    return lifted


def set_own_interval(tx: Transaction, patient: Patient, line: str, due: Interval | None) -> None:
    """Set, or with None forget, the patient's own interval on a line (on every line: the empty one)."""
    table = schema.own_intervals
    gone = delete(table).where(table.c.patient_id == patient.id, table.c.line == line)
    tx.connection.execute(gone)
    if due is not None:
        tx.connection.execute(insert(table).values(_of(patient) | {"line": line, "due": str(due)}))
    _record(tx, "own interval", patient, "patient", patient.id, line=line, due=None if due is None else str(due))


def own_intervals(tx: Transaction, patient_id: int) -> dict[str, Interval]:
    """Return the patient's own intervals by line."""
    c = schema.own_intervals.c
    query = select(c.line, c.due).where(c.patient_id == patient_id).order_by(c.line)
    return {line: Interval.parse(due) for line, due in tx.connection.execute(query)}


def add_hold(tx: Transaction, patient: Patient, line: str | None, until: dt.date | None, code: str) -> int:
    """Hold the patient, or one line, until a day or until a person says; return the hold's id."""
    values = _of(patient) | {"line": line, "until": until, "code": code, "at": tx.now}
    key = insert_row(tx.connection, schema.holds, values)
    _record(tx, "add", patient, "hold", key, line=line, until=str(until) if until else None)
    return key


def end_hold(tx: Transaction, hold_id: int) -> bool:
    """End a hold; False when it is none or has ended."""
    return _end_holds(tx, schema.holds.c.id == hold_id) == 1


def end_holds(tx: Transaction, patient_id: int, line: str | None = None) -> int:
    """End the patient's open holds on a line, or those on every line; return how many."""
    c = schema.holds.c
    on_line = c.line.is_(None) if line is None else c.line == line
    return _end_holds(tx, c.patient_id == patient_id, on_line)


def holds(tx: Transaction, patient_id: int) -> list[StoredHold]:
    """Return the patient's holds, ended ones too, oldest first."""
    c = schema.holds.c
    query = select(c.id, c.line, c.until, c.code, c.at, c.ended_at).where(c.patient_id == patient_id).order_by(c.id)
    return [StoredHold(*row) for row in tx.connection.execute(query)]


def _end_holds(tx: Transaction, *conditions: ColumnElement[bool]) -> int:
    c = schema.holds.c
    change = update(schema.holds).where(c.ended_at.is_(None), *conditions).values(ended_at=tx.now)
    ended = tx.connection.execute(change.returning(c.id, c.clinic_id, c.patient_id)).all()
    for key, clinic_id, patient_id in ended:
        record(tx, "end", "hold", key, clinic_id=clinic_id, patient_id=patient_id)
    return len(ended)


def _of(patient: Patient) -> dict[str, object]:
    return {"clinic_id": patient.clinic_id, "patient_id": patient.id}


def _record_address(tx: Transaction, action: str, clinic_id: int, address_key: str, scope: str, reason: Reason) -> None:
    code = suppression_code(tx.audit_key, clinic_id, address_key, scope, reason)
    details = {"scope": scope, "reason": reason, "code": code}
    record(tx, action, "address", None, clinic_id=clinic_id, details=details)


def _record(tx: Transaction, action: str, patient: Patient, subject: str, subject_id: int, **details: object) -> None:
    record(tx, action, subject, subject_id, clinic_id=patient.clinic_id, patient_id=patient.id, details=details)
