"""A clinic's front desk with a file to import: the starter catalogue, one clinic in London, Friday 20 November 2026.

Invariant: what is looked at afterwards is read from the database, as a fresh program would.
"""

import csv
import datetime as dt
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from reminders.domain.protocol import Protocol, line_of
from reminders.services import clinic as clinic_service
from reminders.services import patient
from reminders.services.catalogue_file import starter_catalogue
from reminders.services.find import the_clinic
from reminders.services.importing.bring_in import ImportReport, ImportRequest, bring_in
from reminders.services.keys import Keys
from reminders.store import appointments, facts, patients, protocols, reminders, treatments
from reminders.store.appointments import AppointmentRow
from reminders.store.database import Database, Transaction
from reminders.store.patients import Patient
from reminders.store.treatments import TreatmentRow

TODAY = dt.date(2026, 11, 20)
NOW = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
PEPPER = b"the pepper of a test, 32 letters"
FACE = "botulinum-cosmetic"


@cache
def starter() -> tuple[Protocol, ...]:
    """Return the starter catalogue, read and checked once."""
    return starter_catalogue()


@dataclass
class Clock:
    """A clock that stands still until it is set."""

    moment: dt.datetime = NOW

    def now(self) -> dt.datetime:
        return self.moment


class Desk:
    """Imports files for one clinic, and looks at what came of them."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.keys = Keys(PEPPER)
        self.database = database.with_audit_key(self.keys.audit_key)
        self.folder = folder
        self.clock = Clock()
        self._files = 0
        with self.writing() as tx:
            for protocol in starter():
                protocols.save_protocol(tx, protocol)
            given = {"name": "The clinic", "timezone": "Europe/London", "email": "hello@clinic.example"}
            clinic_service.add_clinic(tx, "clinic", given)

    def close(self) -> None:
        self.database.close()

    def writing(self) -> Any:  # noqa: ANN401 - the store's own context manager
        return self.database.write(self.clock.now(), "test")

    def reading(self) -> Any:  # noqa: ANN401 - as above
        return self.database.read(self.clock.now())

    def file(self, content: str | bytes, name: str = "") -> Path:
        self._files += 1
        path = self.folder / (name or f"file-{self._files}.csv")
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def bring(self, content: str | bytes | Path, **options: Any) -> ImportReport:  # noqa: ANN401 - ImportRequest's
        path = content if isinstance(content, Path) else self.file(content)
        request = ImportRequest(path, options.pop("clinic", "clinic"), **options)
        return bring_in(self.database, self.clock, self.keys, request)

    def rows(self, *rows: Mapping[str, str], **options: Any) -> ImportReport:  # noqa: ANN401 - as above
        return self.bring(csv_text(rows), **options)

    def clinic_id(self, tx: Transaction) -> int:
        return the_clinic(tx, "clinic").id

    def patient(self, ref: str) -> Patient:
        with self.reading() as tx:
            found = patients.patient_by_ref(tx, self.clinic_id(tx), ref)
        assert found is not None
        return found

    def is_known(self, ref: str) -> bool:
        with self.reading() as tx:
            return patients.patient_by_ref(tx, self.clinic_id(tx), ref) is not None

    def add_patient(self, ref: str, **given: object) -> Patient:
        with self.writing() as tx:
            return patient.add_patient(tx, self.keys, the_clinic(tx, "clinic"), ref, given)

    def treatments(self, ref: str, *, withdrawn: bool = False) -> list[TreatmentRow]:
        own = self.patient(ref).id
        with self.reading() as tx:
            return treatments.treatments_of(tx, own, include_withdrawn=withdrawn)

    def days(self, ref: str) -> list[tuple[str, str, str]]:
        return [(row.protocol, str(row.day), row.kind.value) for row in self.treatments(ref)]

    def appointments(self, ref: str) -> list[AppointmentRow]:
        own = self.patient(ref).id
        with self.reading() as tx:
            return appointments.appointments_of(tx, own)

    def bookings(self, ref: str) -> list[tuple[str | None, str, str | None]]:
        found = self.appointments(ref)
        return [(line_of(a.line) if a.line else None, str(a.day), a.outcome and a.outcome.value) for a in found]

    def reminders(self, ref: str) -> list[tuple[str, str, str | None]]:
        own = self.patient(ref).id
        with self.reading() as tx:
            found = reminders.stored(tx, [own])[own]
        return [(r.step, r.state.value, r.reason.value if r.reason else None) for r in found]

    def everything(self) -> list[tuple[Any, ...]]:
        """Return all that is known of every patient, without ids and moments, sorted."""
        found = []
        with self.reading() as tx:
            ids = [patient_id for patient_id, _ in patients.patients_of(tx, limit=10_000)]
            known = facts.facts(tx, ids)
            kept = reminders.stored(tx, ids)
            people = patients.patients_by_ids(tx, ids)
        for key, one in people.items():
            who = (
                one.ref,
                one.given_name,
                one.family_name,
                one.email,
                one.phone,
                one.consent,
                one.status,
                one.birth_date,
            )
            done = sorted((t.protocol, str(t.day), t.kind.value, t.ref or "") for t in known[key].treatments)
            booked = sorted((a.line or "", str(a.day), str(a.outcome)) for a in known[key].appointments)
            runs = sorted((e.line, str(e.first_day)) for e in known[key].episodes)
            plan = sorted((r.step, r.protocol, str(r.due_at), r.state, str(r.reason)) for r in kept[key])
            found.append((*who, one.address_key, done, booked, runs, plan, len(known[key].holds)))
        return sorted(found, key=lambda person: person[0])


def csv_text(rows: Iterable[Mapping[str, str]], delimiter: str = ",") -> str:
    """Return the rows as CSV, with every column that any of them has."""
    rows = list(rows)
    columns: Sequence[str] = list(dict.fromkeys(column for row in rows for column in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def day_ago(days: int) -> dt.date:
    """Return the day so many days before today; negative ones lie ahead."""
    return TODAY - dt.timedelta(days=days)


def ago(days: int) -> str:
    """Return the day so many days before today as a file writes it."""
    return str(day_ago(days))


def visit(ref: str = "1", days_ago: int = 100, protocol: str = FACE, **more: str) -> dict[str, str]:
    """Return a row of a completed visit of a patient who may be written to."""
    usual = {"patient_ref": ref, "given_name": "Ann", "email": f"p{ref}@post.example", "consent": "yes"}
    return usual | {"treated_on": ago(days_ago), "protocol": protocol} | more


def counts(report: ImportReport) -> tuple[int, int, int, int]:
    """Return (added, changed, unchanged, rejected), having checked that they make up the rows."""
    found = (report.added, report.changed, report.unchanged, report.rejected)
    assert sum(found) == report.rows
    return found


def said(report: ImportReport) -> list[tuple[int, str]]:
    """Return the row and column of every error."""
    return [(problem.row, problem.column) for problem in report.errors]
