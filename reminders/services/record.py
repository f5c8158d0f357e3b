"""Records what the clinic did: treatments and appointments, their corrections, and the plan that follows from them.

Invariant: a fact and the plan that follows from it are one transaction; a wrong entry is never deleted but marked.
"""

import datetime as dt
from dataclasses import dataclass

from reminders.domain.facts import Kind
from reminders.domain.lifecycle import COUNTS_AS_SENT
from reminders.domain.protocol import Protocol, TreatmentClass
from reminders.domain.sending_hours import local_day
from reminders.errors import BadInput
from reminders.services.find import the_patient, the_practitioner, the_protocol
from reminders.services.plan import plan_patients
from reminders.store import patients, protocols, reminders, treatments
from reminders.store.clinics import Clinic
from reminders.store.database import Transaction
from reminders.store.treatments import TreatmentRow

SPACING_DAYS = 84
TOUCH_UP_DAYS = 28
EARLIEST_YEAR = 1990


class TreatmentInTheFuture(BadInput):
    """The treatment day {day} lies in the future ({today} there): log it when done, or use `appointment add`."""


class TreatmentTooLongAgo(BadInput):
    """The treatment day {day} lies before {year}: check the year."""


class RefTaken(BadInput):
    """The treatment ref {ref} is already recorded with other data.

    Use another ref; to correct what was recorded, add --replaces {ref} to it.
    """


class RefWithdrawn(BadInput):
    """The treatment ref {ref} was entered in error or replaced, and keeps its ref: log this one under another ref."""


class NoSuchTreatment(BadInput):
    """There is no recorded treatment {what} at clinic {clinic}: check with `reminders patient show`."""


class SeveralTreatments(BadInput):
    """More than one treatment fits {what}: name the one you mean with --ref."""


class AlreadyWithdrawn(BadInput):
    """The treatment {what} was already withdrawn or replaced: log a new entry without --replaces."""


@dataclass(frozen=True, slots=True)
class NewTreatment:
    """A treatment as typed in."""

    patient: str
    protocol: str
    day: dt.date
    practitioner: str | None = None
    ref: str | None = None
    kind: Kind = Kind.TREATMENT
    replaces: str | None = None


def add_treatment(tx: Transaction, clinic: Clinic, entry: NewTreatment) -> TreatmentRow:
    """Record a treatment and plan its patient; entered twice alike, it is recorded once."""
    patient = the_patient(tx, clinic, entry.patient)
    protocol = the_protocol(tx, entry.protocol)
    _check_day(clinic, entry.day, tx.now)
    practitioner = the_practitioner(tx, clinic, entry.practitioner) if entry.practitioner else None
    known = _already(tx, clinic, patient.id, entry, practitioner.id if practitioner else None)
    if known is not None:
        return known
    replaced = treatment_by(tx, clinic, ref=entry.replaces) if entry.replaces else None
    if replaced is not None and replaced.patient_id != patient.id:
        raise NoSuchTreatment(what=f"{entry.replaces} of patient {entry.patient}", clinic=clinic.slug)
    row = enter(
        tx,
        Entry(
            clinic.id, patient.id, protocol, entry.day, entry.kind, practitioner.id if practitioner else None, entry.ref
        ),
        replaced,
    )
    plan_patients(tx, clinic, [patient.id])
    return row


@dataclass(frozen=True, slots=True)
class Entry:
    """A treatment whose patient, protocol and practitioner are known."""

    clinic_id: int
    patient_id: int
    protocol: Protocol
    day: dt.date
    kind: Kind
    practitioner_id: int | None
    ref: str | None


def enter(tx: Transaction, entry: Entry, replaced: TreatmentRow | None = None) -> TreatmentRow:
    """Record an entry in its episode, withdrawing what it replaces; the caller plans the patient."""
    if replaced is not None and replaced.withdrawn_at is not None:
        raise AlreadyWithdrawn(what=replaced.ref or f"of {replaced.day}")
    episode_id = episode_for(tx, entry, replaced) if entry.kind is Kind.TREATMENT else None
    row = treatments.add_treatment(
        tx,
        entry.clinic_id,
        entry.patient_id,
        episode_id,
        entry.protocol.code,
        entry.day,
        entry.kind,
        entry.practitioner_id,
        entry.ref,
    )
    if replaced is not None:
        treatments.withdraw(tx, replaced.id, row.id)
    return row


def episode_for(tx: Transaction, entry: Entry, replaced: TreatmentRow | None) -> int:
    """Return the episode of a treatment: found by (patient, line, day), kept by a correction within its line.

    Any other correction opens a new episode that continues the old one: a step sent before counts as sent. So does one
    whose old episode has another entry left, and one back into a line that was left before.
    """
    line = entry.protocol.clock
    episodes = treatments.episodes_of(tx, entry.patient_id)
    days = _days_of_episodes(tx, entry.patient_id, without=replaced)
    same_day = [e.id for e in episodes if e.line == line and days.get(e.id) == entry.day]
    old = next((e for e in episodes if replaced is not None and e.id == replaced.episode_id), None)
    if old is not None and old.line == line and old.id not in days:
        return _stays(tx, entry.patient_id, [old.id, *same_day])
    vacant = [e.id for e in episodes if e.line == line and e.first_day == entry.day and e.id not in days]
    found = same_day if old is not None else [*same_day, *vacant]
    if found:
        return found[0]
    return treatments.add_episode(tx, entry.clinic_id, entry.patient_id, line, entry.day, old.id if old else None)


def _days_of_episodes(tx: Transaction, patient_id: int, without: TreatmentRow | None) -> dict[int, dt.date]:
    """Return the day of every episode that has an entry left, not counting the one being corrected."""
    return {
        row.episode_id: row.day
        for row in treatments.treatments_of(tx, [patient_id])
        if row.episode_id is not None and (without is None or row.id != without.id)
    }


def _stays(tx: Transaction, patient_id: int, episode_ids: list[int]) -> int:
    """Merge episodes that meet on one day: the one with something sent stays, else the older."""
    sent = {r.episode_id for r in reminders.stored(tx, [patient_id]).get(patient_id, ()) if r.state in COUNTS_AS_SENT}
    staying = min(episode_ids, key=lambda episode_id: (episode_id not in sent, episode_id))
    for leaving in set(episode_ids) - {staying}:
        treatments.move_entries(tx, leaving, staying)
    return staying


def _check_day(clinic: Clinic, day: dt.date, now: dt.datetime) -> None:
    today = local_day(clinic.timezone, now)
    if day > today:
        raise TreatmentInTheFuture(day=day, today=today)
    if day.year < EARLIEST_YEAR:
        raise TreatmentTooLongAgo(day=day, year=EARLIEST_YEAR)


def _already(
    tx: Transaction, clinic: Clinic, patient_id: int, entry: NewTreatment, practitioner_id: int | None
) -> TreatmentRow | None:
    """Return the same entry if it was recorded before; raises `RefTaken` when its ref stands for something else."""
    if entry.ref is not None:
        row = treatments.treatment_by_ref(tx, clinic.id, entry.ref)
        if row is None:
            return None
        if row.withdrawn_at is not None:
            raise RefWithdrawn(ref=entry.ref)
        same = (row.patient_id, row.protocol, row.day, row.kind) == (patient_id, entry.protocol, entry.day, entry.kind)
        if not same or (practitioner_id and row.practitioner_id != practitioner_id):
            raise RefTaken(ref=entry.ref)
        return row
    if entry.replaces is not None:
        return None
    rows = treatments.treatments_of(tx, [patient_id])
    same_visit = (entry.protocol, entry.day, entry.kind)
    return next((row for row in rows if (row.protocol, row.day, row.kind) == same_visit), None)


def treatment_by(
    tx: Transaction,
    clinic: Clinic,
    *,
    ref: str | None = None,
    patient: str | None = None,
    protocol: str | None = None,
    day: dt.date | None = None,
) -> TreatmentRow:
    """Return one live treatment, by its ref or by patient, protocol and day."""
    if ref is not None:
        row = treatments.treatment_by_ref(tx, clinic.id, ref)
        if row is None:
            raise NoSuchTreatment(what=ref, clinic=clinic.slug)
        if row.withdrawn_at is not None:
            raise AlreadyWithdrawn(what=ref)
        return row
    person = the_patient(tx, clinic, patient or "")
    what = f"{protocol} of {day} of patient {patient}"
    rows = [r for r in treatments.treatments_of(tx, [person.id]) if (r.protocol, r.day) == (protocol, day)]
    if not rows:
        raise NoSuchTreatment(what=what, clinic=clinic.slug)
    if len(rows) > 1:
        raise SeveralTreatments(what=what)
    return rows[0]


def void_treatment(tx: Transaction, clinic: Clinic, row: TreatmentRow, why: str) -> None:
    """Mark a treatment as entered in error and plan its patient; the reason is kept in the patient's own record."""
    treatments.withdraw(tx, row.id, None)
    patients.add_note(tx, row.patient_id, f"treatment {row.id} entered in error", why)
    plan_patients(tx, clinic, [row.patient_id])


def spacing_warnings(tx: Transaction, row: TreatmentRow) -> tuple[str, ...]:
    """Return what a person logging this treatment should look at twice."""
    catalogue = protocols.current(tx)
    given = catalogue.get(row.protocol)
    if given is None or row.kind is not Kind.TREATMENT:
        return ()
    found = []
    for other in treatments.treatments_of(tx, [row.patient_id]):
        protocol = catalogue.get(other.protocol)
        if protocol is None or other.id == row.id or other.kind is not Kind.TREATMENT:
            continue
        days = (row.day - other.day).days
        if protocol.clock == given.clock and 0 < days < TOUCH_UP_DAYS:
            found.append(f"The same line was treated {days} days before: was this a touch-up (--kind touch_up)?")
        if protocol.group == given.group and _mixes(protocol, given) and abs(days) < SPACING_DAYS:
            found.append(
                f"A {protocol.class_name} treatment of the same group lies {abs(days)} days away: check the spacing."
            )
    return tuple(found)


def _mixes(one: Protocol, other: Protocol) -> bool:
    return {one.class_name, other.class_name} == {TreatmentClass.COSMETIC, TreatmentClass.MEDICAL}
