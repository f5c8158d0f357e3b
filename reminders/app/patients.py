"""Enrolling patients and recording what the clinic did for them.

Invariant: every verb is one service; nothing is decided here.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from reminders.app.opened import Opened
from reminders.domain.facts import Outcome
from reminders.domain.lifecycle import Reason
from reminders.services import advertising, book, dossier, erase, patient, record
from reminders.services.find import the_clinic, the_patient
from reminders.services.importing import bring_in
from reminders.services.log_treatment import NamedTreatment, TreatmentLogged, log_treatment, take_back
from reminders.store.treatments import TreatmentRow


class PatientVerbs(Opened):
    """Enrolling patients and recording what the clinic did for them."""

    def add_patient(self, slug: str, ref: str, given: Mapping[str, Any]) -> dossier.Dossier:
        """Enrol a patient."""
        with self._writing() as tx:
            patient.add_patient(tx, self.keys, the_clinic(tx, slug), ref, given)
            return dossier.dossier(tx, the_clinic(tx, slug), ref.strip())

    def patient_notes(self, slug: str, ref: str) -> tuple[str, ...]:
        """Return what the advertising rules frown upon in the name a patient is greeted by, as sentences."""
        with self._reading() as tx:
            clinic = the_clinic(tx, slug)
            found = the_patient(tx, clinic, ref.strip())
            return advertising.notes_on_patient(clinic, found.known_as or found.given_name or "")

    def change_patient(self, slug: str, ref: str, change: patient.PatientChange) -> dossier.Dossier:
        """Change a patient and replan them."""
        with self._writing() as tx:
            patient.change_patient(tx, self.keys, the_clinic(tx, slug), ref, change)
            return dossier.dossier(tx, the_clinic(tx, slug), ref)

    def hold_patient(self, slug: str, ref: str, line: str | None, until: dt.date | None, code: str) -> dossier.Dossier:
        """Put a patient on hold; `until` None is until a person ends it."""
        with self._writing() as tx:
            patient.hold_patient(tx, the_clinic(tx, slug), ref, line, until, code)
            return dossier.dossier(tx, the_clinic(tx, slug), ref)

    def end_holds(self, slug: str, ref: str, line: str | None) -> dossier.Dossier:
        """End a patient's holds."""
        with self._writing() as tx:
            patient.end_holds(tx, the_clinic(tx, slug), ref, line)
            return dossier.dossier(tx, the_clinic(tx, slug), ref)

    def log_answer(self, slug: str, ref: str, kind: Reason | None) -> dossier.Dossier:
        """Record a reply or a request, or with None close them all."""
        with self._writing() as tx:
            patient.answer(tx, the_clinic(tx, slug), ref, kind)
            return dossier.dossier(tx, the_clinic(tx, slug), ref)

    def show_patient(self, slug: str, ref: str) -> dossier.Dossier:
        """Return what is kept of a patient."""
        with self._reading() as tx:
            return dossier.dossier(tx, the_clinic(tx, slug), ref)

    def export_patient(self, slug: str, ref: str) -> dict[str, Any]:
        """Return everything kept of a patient, messages and audit extract included."""
        with self._reading() as tx:
            return dossier.export(tx, the_clinic(tx, slug), ref)

    def erase_patient(self, slug: str, ref: str) -> erase.Erased:
        """Erase a patient, from the rows and from the files."""
        return erase.erase(self.database, self.clock, slug, ref)

    def add_treatment(self, slug: str, entry: record.NewTreatment) -> TreatmentLogged:
        """Log a treatment; returns its window and reminders, also of an ended episode."""
        with self._writing() as tx:
            return log_treatment(tx, the_clinic(tx, slug), entry)

    def void_treatment(self, slug: str, named: NamedTreatment, why: str) -> tuple[TreatmentRow, str]:
        """Mark a treatment as entered in error; returns the entry and its patient's ref."""
        with self._writing() as tx:
            return take_back(tx, the_clinic(tx, slug), named, why)

    def add_appointment(self, slug: str, patient_ref: str, day: dt.date, line: str | None) -> int:
        """Book a day; returns the appointment's id."""
        with self._writing() as tx:
            return book.add_appointment(tx, the_clinic(tx, slug), patient_ref, day, line)

    def set_outcome(self, appointment_id: int, outcome: Outcome) -> dt.date | None:
        """Record what became of an appointment; returns the day on which the peace after a missed one ends."""
        with self._writing() as tx:
            return book.set_outcome(tx, appointment_id, outcome)

    def bring_in(
        self, request: bring_in.ImportRequest, progress: bring_in.Progress | None = None
    ) -> bring_in.ImportReport:
        """Import a clinic's export."""
        return bring_in.bring_in(self.database, self.clock, self.keys, request, progress)
