"""Gathers everything that is kept of one patient, for staff to read and for the patient who asks for it.

Invariant: what `patient export` gives is complete: facts, reminders, messages as kept, answers and the audit extract.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any

from reminders.mail.compose import parts
from reminders.services.find import the_patient
from reminders.services.overview import ReminderView, patient_view, steps_of
from reminders.store import answers, appointments, audit_trail, clinics, contacts, messages, treatments
from reminders.store.answers import StoredAnswer, Words, words_of
from reminders.store.appointments import AppointmentRow
from reminders.store.clinics import Clinic
from reminders.store.contacts import StoredHold, Suppression
from reminders.store.database import Transaction
from reminders.store.patients import Patient
from reminders.store.treatments import TreatmentRow


@dataclass(frozen=True, slots=True)
class Dossier:
    """One patient's record."""

    clinic: str
    patient: Patient
    practitioner: str | None
    location: str | None
    own_intervals: dict[str, str]
    opt_outs: tuple[str, ...]
    suppressions: tuple[Suppression, ...]
    holds: tuple[StoredHold, ...]
    answers: tuple[StoredAnswer, ...]
    treatments: tuple[TreatmentRow, ...]
    appointments: tuple[AppointmentRow, ...]
    reminders: tuple[ReminderView, ...]


def dossier(tx: Transaction, clinic: Clinic, ref: str) -> Dossier:
    """Return what is kept of a patient, without the messages."""
    patient = the_patient(tx, clinic, ref)
    practitioners = {p.id: p.name for p in clinics.practitioners(tx, clinic.id)}
    places = {place.id: place.name for place in clinics.locations(tx, clinic.id)}
    key = patient.address_key
    return Dossier(
        clinic=clinic.slug,
        patient=patient,
        practitioner=practitioners.get(patient.practitioner_id or 0),
        location=places.get(patient.location_id or 0),
        own_intervals={line: str(due) for line, due in contacts.own_intervals(tx, patient.id).items()},
        opt_outs=tuple(sorted(contacts.opt_outs(tx, patient.id))),
        suppressions=tuple(contacts.suppressions_of(tx, clinic.id, key)) if key else (),
        holds=tuple(contacts.holds(tx, patient.id)),
        answers=tuple(answers.open_answers(tx, patient.id)),
        treatments=tuple(treatments.treatments_of(tx, [patient.id], include_withdrawn=True)),
        appointments=tuple(appointments.appointments_of(tx, patient.id)),
        reminders=steps_of(patient_view(tx, clinic, ref).episodes),
    )


def export(tx: Transaction, clinic: Clinic, ref: str) -> dict[str, Any]:
    """Return the whole record as plain values: the dossier, messages, answers, and the audit extract."""
    found = dossier(tx, clinic, ref)
    kept = [_message(row) for row in messages.messages_of(tx, found.patient.id)]
    trail = [dataclasses.asdict(entry) for entry in audit_trail.entries(tx, patient_id=found.patient.id)]
    words = words_of(found.patient.notes)
    said = [
        {name: value for name, value in dataclasses.asdict(answer).items() if name not in ("clinic_id", "patient_id")}
        | dataclasses.asdict(words.get(answer.id, Words()))
        for answer in answers.answers_of(tx, found.patient.id)
    ]
    return {"dossier": found, "messages": kept, "answers": said, "audit": trail}


def _message(kept: messages.KeptMessage) -> dict[str, Any]:
    """Return a message as sent, with the versions of its template and of the wording check that it passed."""
    made = {
        "message_id": kept.message_id,
        "template_version": kept.template_version,
        "check_version": kept.check_version,
    }
    if kept.content is None:
        return made | {"subject": None, "text": None}
    read = parts(kept.content)
    return made | {"subject": read.subject, "text": read.text, "html": read.html, "headers": read.headers}
