"""Looks up ahead of a claim, in a reading transaction: whoever else writes is not kept waiting for it.

Invariant: what was seen ahead is used only where the trail tells of no change to it since, on the same day of its
clinic; everything else is looked up afresh by the claim itself.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from reminders.domain.planner import Plan, wanted
from reminders.domain.sending_hours import local_day
from reminders.services.subjects import Lookup, Room, Subject
from reminders.store import patients
from reminders.store.audit_trail import newest
from reminders.store.database import Transaction
from reminders.store.disturbed import disturbed


@dataclass(frozen=True, slots=True)
class Foreseen:
    """Clinics, patients and their plans as they were at the moment `at`, behind the trail's entry number `entry`."""

    at: dt.datetime
    entry: int
    rooms: Mapping[int, Room] = field(default_factory=dict)
    subjects: Mapping[int, Subject] = field(default_factory=dict)
    plans: Mapping[int, Plan] = field(default_factory=dict)

    def still(self, tx: Transaction) -> "Foreseen":
        """Return what of it holds in this transaction."""
        same_day = all(same_local_day(self.at, tx.now, room.clinic.timezone) for room in self.rooms.values())
        named = disturbed(tx, self.entry, self.rooms, self.subjects) if same_day and self.subjects else None
        if named is None:
            return Foreseen(tx.now, 0)
        subjects = {key: subject for key, subject in self.subjects.items() if key not in named}
        return Foreseen(self.at, self.entry, self.rooms, subjects, self.plans)

    def plan_of(self, subject: Subject, now: dt.datetime) -> Plan:
        """Return a patient's plan: the one seen ahead, where that is of the same facts."""
        if self.subjects.get(subject.person.id) is subject:
            return self.plans[subject.person.id]
        return wanted(subject.known, subject.room.rules, now)


def foresee(tx: Transaction, lookup: Lookup, visits: Sequence[tuple[int, int]]) -> Foreseen:
    """Look up these clinics and patients, by pairs of their ids."""
    entry = newest(tx)
    rooms = lookup.rooms(tx, {clinic_id for clinic_id, _ in visits})
    people = patients.patients_by_ids(tx, [patient_id for clinic_id, patient_id in visits if clinic_id in rooms])
    subjects = lookup.subjects(tx, rooms, people)
    plans = {key: wanted(subject.known, subject.room.rules, tx.now) for key, subject in subjects.items()}
    return Foreseen(tx.now, entry, rooms, subjects, plans)


def same_local_day(before: dt.datetime, now: dt.datetime, zone: str) -> bool:
    """Tell whether nothing that time decides changed between two moments: of a plan, that does a new day alone."""
    return before <= now and local_day(zone, before) == local_day(zone, now)
