"""Stores the rows of some patients, with their plan, in one transaction; the whole of a patient or nothing of them.

Invariants: everything is judged against what is stored in the same transaction, so that the same rows stored again
change nothing, whoever wrote meanwhile; only patients whose facts changed are planned anew.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from reminders.domain.backlog import overdue_before
from reminders.domain.facts import Rules
from reminders.domain.sending_hours import local_day
from reminders.services.calendar import rules_for
from reminders.services.importing import reach as import_reach
from reminders.services.importing.entries import enter_many
from reminders.services.importing.patients import PatientRows, Value, merged
from reminders.services.importing.people import DUPLICATE, PersonChange, change_of, folded, person_of
from reminders.services.importing.report import RowProblem
from reminders.services.importing.rows import VisitRow
from reminders.services.importing.visits import Bookings, Known, Ledger, bookings_of
from reminders.services.keys import Keys
from reminders.services.plan import plan_patients
from reminders.services.record import Entry
from reminders.store import appointments, clinics, contacts, facts, patients, reminders, treatments
from reminders.store.appointments import AppointmentRow
from reminders.store.clinics import Clinic
from reminders.store.database import Transaction
from reminders.store.patients import Patient
from reminders.store.treatments import TreatmentRow

T = TypeVar("T", AppointmentRow, TreatmentRow)
ERASED = "is the number of a patient who was erased: give them a number of their own"
TAKEN = "is recorded for another patient"
LIKE = "may be the same person as patient"


@dataclass(slots=True)
class Stored:
    """What storing some rows came to; `fates` counts rows, the other counts what their names say."""

    fates: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    unreachable: Counter[str] = field(default_factory=Counter)
    rejected: list[RowProblem] = field(default_factory=list)
    warnings: list[RowProblem] = field(default_factory=list)
    touch_ups: list[int] = field(default_factory=list)
    duplicates: list[tuple[str, str]] = field(default_factory=list)
    practitioners: set[str] = field(default_factory=set)
    locations: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Person:
    """A patient of the file on the way into the database."""

    ref: str
    rows: Sequence[VisitRow]
    like: str
    stored: Patient | None
    values: Mapping[str, Value]
    entries: Sequence[Known] = ()
    bookings: Bookings = field(default_factory=Bookings)
    change: PersonChange = field(default_factory=lambda: PersonChange({}))
    id: int = 0
    is_touched: bool = False


def store_patients(tx: Transaction, clinic: Clinic, keys: Keys, chunk: Sequence[tuple[PatientRows, str]]) -> Stored:
    """Store the rows of these patients (each with the number of an earlier twin in the file) and plan them.

    1. What is stored of them is read. 2. Visits and bookings are compared with it. 3. New staff and places are added.
    4. Patients are added or changed, 5. then their treatments and appointments. 6. The touched ones are planned. The
    caller's transaction makes it one: a crash anywhere leaves nothing of these patients, and the file is run again.
    """
    done = Stored()
    rules = rules_for(tx, clinic)
    people = _people(tx, clinic, chunk, done)
    _decide_visits(tx, people, rules, done)
    practitioners, locations = _staff(tx, clinic, people, done), _places(tx, clinic, people, done)
    for person in people:
        person.change = change_of(person.stored, person.values, practitioners, locations, keys)
    twins = _twins(tx, clinic, people)
    _store_people(tx, clinic, people, done)
    _store_visits(tx, clinic, people, rules, practitioners, done)
    _store_bookings(tx, clinic, people, done)
    _hold_twins(tx, people, twins, done)
    _plan(tx, clinic, people, rules, done)
    for person in people:
        _count(person, done)
    return done


def _people(tx: Transaction, clinic: Clinic, chunk: Sequence[tuple[PatientRows, str]], done: Stored) -> list[_Person]:
    """Return the patients with their rows, without the rows that others' data in the database speak against."""
    known = patients.patients_by_refs(tx, clinic.id, [person.ref for person, _ in chunk])
    numbers = [row.treatment_ref for person, _ in chunk for row in person.rows if row.treatment_ref]
    owners = {ref: row.patient_id for ref, row in treatments.treatments_by_refs(tx, clinic.id, numbers).items()}
    people = []
    for person, like in chunk:
        done.rejected += person.rejected
        stored = known.get(person.ref)
        if stored is not None and stored.erased_at is not None:
            done.rejected += [RowProblem(row.number, "patient_ref", ERASED) for row in person.rows]
            continue
        own = stored.id if stored else None
        foreign = {row.number for row in person.rows if owners.get(row.treatment_ref, own) != own}
        done.rejected += [RowProblem(number, "treatment_ref", TAKEN) for number in sorted(foreign)]
        done.warnings += [warning for warning in person.warnings if warning.row not in foreign]
        rows = [row for row in person.rows if row.number not in foreign]
        if rows:
            people.append(_Person(person.ref, rows, like, stored, merged(rows)))
    return people


def _decide_visits(tx: Transaction, people: Sequence[_Person], rules: Rules, done: Stored) -> None:
    ids = [person.stored.id for person in people if person.stored]
    entries = _by_patient(treatments.treatments_of(tx, ids, include_withdrawn=True))
    booked = _by_patient(appointments.appointments_of(tx, ids))
    lines = {code: protocol.clock for code, protocol in rules.protocols.items()}
    for person in people:
        own = person.stored.id if person.stored else 0
        ledger = Ledger(entries.get(own, ()), lines)
        person.entries = ledger.take(person.rows)
        person.bookings = bookings_of(person.rows, booked.get(own, ()))
        done.touch_ups += ledger.touch_ups
        done.warnings += ledger.warnings


def _by_patient(rows: Iterable[T]) -> dict[int, list[T]]:
    found: dict[int, list[T]] = defaultdict(list)
    for row in rows:
        found[row.patient_id].append(row)
    return found


def _staff(tx: Transaction, clinic: Clinic, people: Iterable[_Person], done: Stored) -> dict[str, int]:
    """Return the practitioners' ids by folded name, once those that the rows need were added."""
    known = {folded(one.name): one.id for one in clinics.practitioners(tx, clinic.id)}
    for person in people:
        preferred = person.values.get("practitioner")
        for name in [preferred.text if preferred else "", *(entry.practitioner for entry in person.entries)]:
            if name and folded(name) not in known:
                known[folded(name)] = clinics.add_practitioner(tx, clinic.id, name).id
                done.practitioners.add(name)
    return known


def _places(tx: Transaction, clinic: Clinic, people: Iterable[_Person], done: Stored) -> dict[str, int]:
    """Return the locations' ids by folded name, once those that the rows need were added."""
    known = {folded(one.name): one.id for one in clinics.locations(tx, clinic.id)}
    for person in people:
        place = person.values.get("location")
        if place and folded(place.text) not in known:
            known[folded(place.text)] = clinics.add_location(tx, clinic.id, place.text).id
            done.locations.add(place.text)
    return known


def _twins(tx: Transaction, clinic: Clinic, people: Sequence[_Person]) -> dict[str, str]:
    """Return, by number, the other number of the same person: an earlier one of the file, or one that is stored.

    Asked only where it is new who somebody is, so that a hold which staff ended does not come back.
    """
    asked = {person.ref: person for person in people if person.change.is_someone_else}
    who = {ref: person_of(person.stored, person.change.values) for ref, person in asked.items()}
    addresses = {str(asked[ref].change.values.get("address_key") or _stored_key(asked[ref])) for ref in who if who[ref]}
    stored: dict[str, list[str]] = defaultdict(list)
    for patient in patients.patients_by_address_keys(tx, clinic.id, sorted(addresses)):
        stored[person_of(patient, {})].append(patient.ref)
    found = {}
    for ref, key in who.items():
        others = [other for other in stored.get(key, ()) if other != ref] if key else []
        if key and (asked[ref].like or others):
            found[ref] = asked[ref].like or others[0]
    return found


def _stored_key(person: _Person) -> str:
    return (person.stored.address_key if person.stored else None) or ""


def _store_people(tx: Transaction, clinic: Clinic, people: Sequence[_Person], done: Stored) -> None:
    new = [(person.ref, person.change.values) for person in people if person.stored is None]
    ids = patients.add_patients(tx, clinic.id, new)
    done.counts["patients"] += len(new)
    for person in people:
        person.id = person.stored.id if person.stored else ids[person.ref]
        if person.stored and person.change.values:
            patients.change_patient(tx, person.id, person.change.values)
        person.is_touched = person.stored is None or bool(person.change.values)


def _store_visits(
    tx: Transaction,
    clinic: Clinic,
    people: Sequence[_Person],
    rules: Rules,
    practitioners: Mapping[str, int],
    done: Stored,
) -> None:
    entries = [
        Entry(
            clinic.id,
            person.id,
            rules.protocols[entry.protocol],
            entry.day,
            entry.kind,
            practitioners.get(folded(entry.practitioner)),
            entry.ref,
        )
        for person in people
        for entry in person.entries
    ]
    enter_many(tx, clinic.id, entries)
    done.counts["treatments"] += len(entries)
    for person in people:
        person.is_touched |= bool(person.entries)


def _store_bookings(tx: Transaction, clinic: Clinic, people: Sequence[_Person], done: Stored) -> None:
    """Store the appointments and what became of them, noted today; those booked again are open again."""
    today = local_day(clinic.timezone, tx.now)
    waiting: list[appointments.Booked] = []
    for person in people:
        bookings = person.bookings
        waiting += [(person.id, *booked) for booked in bookings.add]
        if bookings.outcomes or bookings.reopen:  # on the trail patient by patient, new ones first
            appointments.add_appointments(tx, clinic.id, waiting, today)
            waiting = []
        for appointment_id, outcome in bookings.outcomes:
            appointments.set_outcome(tx, appointment_id, outcome, today)
        for appointment_id in bookings.reopen:
            appointments.reopen(tx, appointment_id)
        done.counts["appointments"] += len(bookings.add)
        person.is_touched |= bool(bookings.add or bookings.outcomes or bookings.reopen)
    appointments.add_appointments(tx, clinic.id, waiting, today)


def _hold_twins(tx: Transaction, people: Iterable[_Person], twins: Mapping[str, str], done: Stored) -> None:
    for person in people:
        if person.ref in twins and not _is_held(tx, person):
            contacts.add_hold(tx, patients.patient_by_id(tx, person.id), None, None, DUPLICATE)
            done.duplicates.append((person.ref, twins[person.ref]))
            done.warnings.append(
                RowProblem(person.rows[0].number, "patient_ref", f"{LIKE} {twins[person.ref]}: on hold")
            )


def _is_held(tx: Transaction, person: _Person) -> bool:
    return any(hold.code == DUPLICATE and hold.ended_at is None for hold in contacts.holds(tx, person.id))


def _plan(tx: Transaction, clinic: Clinic, people: Sequence[_Person], rules: Rules, done: Stored) -> None:
    touched = [person.id for person in people if person.is_touched]
    known = facts.facts(tx, [person.id for person in people])
    if touched:
        held = plan_patients(tx, clinic, touched, rules, known).backlog_held
        standing = reminders.standing(tx, touched, overdue_before(rules.calendar, tx.now))
        done.counts["planned"] += standing.planned - max(0, held - standing.held)
        done.counts["standing"] += standing.planned + standing.held
        done.counts["overdue"] += standing.overdue
        done.counts["backlog"] += held
    reasons = import_reach.unreachable(known.values(), rules, tx.now)
    done.counts["consent_unknown"] += reasons.pop(import_reach.UNASKED, 0)
    done.unreachable.update(reasons)


def _count(person: _Person, done: Stored) -> None:
    """Say of every row whether it added or changed something."""
    added = {entry.row for entry in person.entries} | person.bookings.added_by
    changed = set(person.bookings.changed_by)
    if person.stored is None:
        added.add(person.rows[0].number)
    else:
        changed |= person.change.rows
    for row in person.rows:
        fate = "added" if row.number in added else "changed" if row.number in changed else "unchanged"
        done.fates[fate] += 1
    done.counts["placeholders"] += any(row.placeholder for row in person.rows)
    names = (person.values.get(column) for column in ("given_name", "family_name", "known_as"))
    done.counts["lost_letters"] += any(name is not None and "?" in name.text for name in names)
