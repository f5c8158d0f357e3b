"""Booked consultations and treatments, and what became of them.

Invariants: one appointment per patient, line and day; the empty line stands for every line; an open appointment has
neither an outcome nor the day on which one was noted.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update

from reminders.domain.facts import Outcome
from reminders.store.among import among
from reminders.store.audit_trail import Event, record, record_many
from reminders.store.database import Transaction
from reminders.store.fact_codes import appointment_code
from reminders.store.patients import Patient
from reminders.store.rows import insert_rows, insert_unless_there, pieces
from reminders.store.schema import appointments

Booked = tuple[int, str, dt.date, Outcome | None]
"""A day to book: patient, line (empty for every line), day, and what became of it."""


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


def add_appointments(tx: Transaction, clinic_id: int, booked: Sequence[Booked], noted_on: dt.date) -> None:
    """Book days that are not booked yet with one statement; outcomes are noted on the local day `noted_on`.

    Which days those are was looked up in the same transaction: one that is booked already ends it with an error.
    """
    rows = [
        {
            "clinic_id": clinic_id,
            "patient_id": patient_id,
            "line": line,
            "day": day,
            "outcome": outcome,
            "noted_on": noted_on if outcome else None,
            "created_at": tx.now,
        }
        for patient_id, line, day, outcome in booked
    ]
    for key, (patient_id, line, day, outcome) in zip(
        insert_rows(tx.connection, appointments, rows), booked, strict=True
    ):
        code = appointment_code(tx.audit_key, key, line, day)
        events = [Event("add", "appointment", key, clinic_id, patient_id, {"code": code})]
        if outcome is not None:
            details = _told(outcome, noted_on, code)
            events.append(Event("outcome", "appointment", key, clinic_id, patient_id, details))
        record_many(tx, events)


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
    details = _told(outcome, noted_on, appointment_code(tx.audit_key, appointment_id, line, day))
    record(tx, action, "appointment", appointment_id, clinic_id=clinic_id, patient_id=patient_id, details=details)
    return True


def _told(outcome: Outcome | None, noted_on: dt.date | None, code: str) -> dict[str, str | None]:
    return {"outcome": outcome, "noted_on": noted_on.isoformat() if noted_on else None, "code": code}


def appointment_by_id(tx: Transaction, appointment_id: int) -> AppointmentRow | None:
    """Return the appointment of that id."""
    row = tx.connection.execute(select(appointments).where(appointments.c.id == appointment_id)).first()
    return None if row is None else _row(row)


def appointments_of(tx: Transaction, patient_ids: int | Iterable[int]) -> list[AppointmentRow]:
    """Return the appointments of one or several patients, by patient, day and id."""
    found = []
    for piece in pieces([patient_ids] if isinstance(patient_ids, int) else patient_ids):
        found += [_row(row) for row in tx.connection.execute(_OF_PATIENTS, {"asked": piece})]
    return sorted(found, key=lambda row: (row.patient_id, row.day, row.id))


_OF_PATIENTS = select(appointments).where(among(appointments.c.patient_id))


def _row(row: Iterable[Any]) -> AppointmentRow:
    """Make an appointment of its columns, which stand in the order of the fields."""
    key, clinic_id, patient_id, line, day, outcome, noted_on, created_at = row
    became = Outcome(outcome) if outcome else None
    return AppointmentRow(key, clinic_id, patient_id, line or None, day, became, noted_on, created_at)
