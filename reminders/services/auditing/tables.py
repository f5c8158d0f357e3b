"""Asks of whole tables what no single patient shows: identities, clinics, backlog, the trail, personal data.

Invariant: each question belongs to one promise, and its answer is short.
"""

import datetime as dt
from collections.abc import Iterator, Mapping

from reminders.domain.backlog import is_backlog, overdue_before, sending_days_looked_at
from reminders.domain.sending_hours import end_of_day, moment
from reminders.services.calendar import rules_for
from reminders.services.find import readable_clinics
from reminders.services.finding import Finding
from reminders.store import clinics, reminders, reports
from reminders.store.clinics import Clinic
from reminders.store.database import Transaction
from reminders.store.patients import refs_of

COPY = "keep a copy of the database; restore the last backup that passes `reminders audit`"
_MEND = "keep a copy of the database and report it: the product writes no such row"


def identities(tx: Transaction) -> Iterator[Finding]:
    """Promise 1: no two reminders share an identity, no two messages a Message-ID."""
    for reminder_id in reports.repeated_identities(tx):
        yield Finding(1, None, None, reminder_id, "another reminder has the same identity", _MEND)
    if count := reports.repeated_message_ids(tx):
        yield Finding(1, None, None, None, f"{count} Message-IDs stand on more than one message", _MEND)


def clinics_apart(tx: Transaction, slugs: Mapping[int, str]) -> Iterator[Finding]:
    """Promise 5: whatever refers to something refers to the same clinic's and the same patient's."""
    for found in reports.crossings(tx):
        reminder_id = found.row_id if found.table == "reminders" and isinstance(found.row_id, int) else None
        problem = f"row {found.row_id} of {found.table} refers to {found.refers_to} of another clinic, patient, or none"
        yield Finding(5, slugs.get(found.clinic_id), None, reminder_id, problem, _MEND)


def unreadable(tx: Transaction) -> frozenset[int]:
    """Return the ids of the clinics whose own rows cannot be read: nothing of theirs can be judged."""
    return frozenset(clinics.clinic_ids(tx)) - {clinic.id for clinic in readable_clinics(tx)}


def the_unreadable(tx: Transaction) -> Iterator[Finding]:
    """Promise 2: every clinic can be read, so that what its patients are due can be known."""
    known = clinics.slugs(tx)
    for clinic_id in sorted(unreadable(tx)):
        problem = "what is stored of the clinic itself cannot be read: nothing of it was looked at"
        yield Finding(2, known[clinic_id], None, None, problem, COPY)


def backlogs(tx: Transaction) -> Iterator[Finding]:
    """Promise 7: what was a backlog when the rule was last checked is not planned any more, unless released.

    What became overdue since, while nothing ran, is no breach: the next plan or delivery holds it before it sends.
    """
    planned = reports.last_planned(tx)
    for clinic in readable_clinics(tx):
        if clinic.id in planned and (count := _backlog(tx, clinic, planned[clinic.id])):
            problem = f"{count} overdue reminders are planned, which the backlog rule should have held"
            yield Finding(7, clinic.slug, None, None, problem, "run `reminders plan`, which holds them for release")


def _backlog(tx: Transaction, clinic: Clinic, at: dt.datetime) -> int:
    calendar = rules_for(tx, clinic).calendar
    overdue = reports.left_overdue(tx, clinic.id, overdue_before(calendar, at), at)
    if not is_backlog(overdue, ()):
        return 0
    days = sending_days_looked_at(calendar, at)
    spans = [(moment(calendar.zone, day), end_of_day(calendar.zone, day)) for day in days]
    return overdue if is_backlog(overdue, reminders.sent_between(tx, clinic.id, spans)) else 0


def the_gone(tx: Transaction, slugs: Mapping[int, str]) -> Iterator[Finding]:
    """Promise 2: whoever was ever added is still there, patient or clinic; erasing somebody keeps the bare row."""
    for patient_id, clinic_id in reports.patients_gone(tx):
        problem = f"the audit trail tells of the patient with the id {patient_id}, and the row is gone"
        yield Finding(2, slugs.get(clinic_id or 0), None, None, problem, COPY)
    for clinic_id in reports.clinics_gone(tx):
        problem = f"the audit trail tells of the clinic with the id {clinic_id}, and the row is gone"
        yield Finding(2, None, None, None, problem, COPY)


def personal_data(tx: Transaction, slugs: Mapping[int, str]) -> Iterator[Finding]:
    """Promise 10: patients' addresses stand in two tables only, and nothing is left of who was erased."""
    for table, column, count in reports.addresses_astray(tx):
        problem = f"addresses of {count} patients stand in {table}.{column}"
        yield Finding(10, None, None, None, problem, "report it; overwrite that column where it holds an address")
    for patient_id, what in reports.badly_erased(tx):
        ref = refs_of(tx, [patient_id]).get(patient_id)
        clinic_id = reports.clinic_of_patient(tx, patient_id)
        problem = f"the patient was erased, but {what} is left"
        yield Finding(10, slugs.get(clinic_id), ref, None, problem, "run `reminders patient erase` for them again")
