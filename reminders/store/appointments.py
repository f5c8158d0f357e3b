"""Booked consultations and treatments, and what became of them.

Invariants: one appointment per patient, line and day; the empty line stands for every line; an open appointment has
neither an outcome nor the day on which one was noted.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select, update

from reminders.domain.facts import Outcome
from reminders.store.audit_trail import record
from reminders.store.database import Transaction
from reminders.store.fact_codes import appointment_code
from reminders.store.patients import Patient
from reminders.store.rows import insert_unless_there, pieces
from reminders.store.schema import appointments


@dataclass(frozen=True, slots=True)
class AppointmentRow:
    """An appointment; without a line it stands for every line. `noted_on` is the local day of noting the outcome."""

    id: int
    clinic_id: int
    patient_id: int
    line: str | None
    day: dt.date
    outcome: Outcome | None
    noted_on: dt.date | None
    created_at: dt.datetime


def add_appointment(tx: Transaction, patient: Patient, line: str | None, day: dt.date) -> int:
    """Book a day; return the appointment's id.

    Where that patient, line and day was booked before it is that appointment's, open again whatever had become of it.
    """
    c = appointments.c
    key = {"clinic_id": patient.clinic_id, "patient_id": patient.id, "line": line or "", "day": day}
    added = insert_unless_there(tx.connection, appointments, key | {"created_at": tx.now})
    same = (c.clinic_id == patient.clinic_id, c.patient_id == patient.id, c.line == (line or ""), c.day == day)
    found = int(tx.connection.execute(select(c.id).where(*same)).scalar_one())
    if added:
        code = {"code": appointment_code(tx.audit_key, found, line or "", day)}
        record(tx, "add", "appointment", found, clinic_id=patient.clinic_id, patient_id=patient.id, details=code)
    else:
        reopen(tx, found)
    return found


def set_outcome(tx: Transaction, appointment_id: int, outcome: Outcome, noted_on: dt.date) -> bool:
    """Note on a local day what became of an appointment; False when there is none of that id or nothing changed."""
    return _become(tx, appointment_id, "outcome", outcome, noted_on)


def reopen(tx: Transaction, appointment_id: int) -> bool:
    """Take back what became of an appointment: it is booked again; False when there is none of that id or it is open.

    The trail has this as `reopen`: from then on the audit counts it as booked.
    """
    return _become(tx, appointment_id, "reopen", None, None)


def _become(
    tx: Transaction, appointment_id: int, action: str, outcome: Outcome | None, noted_on: dt.date | None
) -> bool:
    c = appointments.c
    change = update(appointments).where(c.id == appointment_id, c.outcome.is_distinct_from(outcome))
    values = {"outcome": outcome, "noted_on": noted_on}
    row = tx.connection.execute(change.values(values).returning(c.clinic_id, c.patient_id, c.line, c.day)).first()
    if row is None:
        return False
    clinic_id, patient_id, line, day = row
    details = {"outcome": outcome, "noted_on": noted_on.isoformat() if noted_on else None}
    details["code"] = appointment_code(tx.audit_key, appointment_id, line, day)
    record(tx, action, "appointment", appointment_id, clinic_id=clinic_id, patient_id=patient_id, details=details)
    return True


def appointment_by_id(tx: Transaction, appointment_id: int) -> AppointmentRow | None:
    """Return the appointment of that id."""
    return next(iter(_found(tx, appointments.c.id == appointment_id)), None)


def appointments_of(tx: Transaction, patient_ids: int | Iterable[int]) -> list[AppointmentRow]:
    """Return the appointments of one or several patients, by patient, day and id."""
    found = []
    for piece in pieces([patient_ids] if isinstance(patient_ids, int) else patient_ids):
        found += _found(tx, appointments.c.patient_id.in_(piece))
    return sorted(found, key=lambda row: (row.patient_id, row.day, row.id))


def _found(tx: Transaction, condition: ColumnElement[bool]) -> list[AppointmentRow]:
    rows = tx.connection.execute(select(appointments).where(condition))
    return [
        AppointmentRow(
            row.id,
            row.clinic_id,
            row.patient_id,
            row.line or None,
            row.day,
            Outcome(row.outcome) if row.outcome else None,
            row.noted_on,
            row.created_at,
        )
        for row in rows
    ]
