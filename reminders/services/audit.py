"""Verifies promises 1 to 7 and 10 on the live database, patient by patient, and says what is broken and where.

Invariants: nothing is changed; memory stays bounded whatever the size of the database; no transaction lasts longer than
a batch or one question, so that a running delivery is not held up.

What can be proved, and what cannot: a message's days and hours are compared with what its own row says and, for hours,
with today's calendar if that was not changed since; a restriction counts if it was recorded before the message was
handed over, and facts overwritten since prove nothing; a cut at the very end of the trail shows only in the rows that
it no longer explains; of personal data, e-mail addresses are searched for.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from reminders.clock import Clock
from reminders.domain.facts import Rules
from reminders.domain.lifecycle import Reason, State
from reminders.domain.planner import Action, reconcile, wanted
from reminders.mail.kept import lacks_consultation
from reminders.services.auditing import tables as audit_tables
from reminders.services.auditing.bans import forbidden
from reminders.services.auditing.lives import Judged, problems
from reminders.services.calendar import rules_for, sending_calendar
from reminders.services.finding import AuditReport, Finding, Findings
from reminders.services.keys import Keys
from reminders.store import clinics, facts, patients, reminders, reports
from reminders.store.audit_trail import entries
from reminders.store.clinics import Clinic
from reminders.store.database import Database, Transaction
from reminders.store.evidence import Evidence, evidence, kept_messages

__all__ = ["AuditReport", "Finding", "audit"]

BATCH = 200
Progress = Callable[[int, int | None], None]
_CALENDAR = frozenset({"timezone", "sending_days", "opens_at", "closes_at"})
_STATES, _REASONS = frozenset(State), frozenset({None, *Reason})


def audit(database: Database, clock: Clock, keys: Keys, progress: Progress | None = None) -> AuditReport:
    """Look at everything and report; `progress` is told how many patients of how many were looked at."""
    found, checked = Findings(), Counter[str]()
    signed = database.with_audit_key(keys.audit_key)
    try:
        _look_at_tables(signed, clock, found, checked)
        with signed.read(clock.now()) as tx:
            total = patients.count(tx)
        after = 0
        while True:
            with signed.read(clock.now()) as tx:
                batch = patients.patients_of(tx, after_id=after, limit=BATCH)
                if not batch:
                    break
                _look_at_patients(tx, batch, found, checked)
            after = batch[-1][0]
            if progress:
                progress(checked["patients"], total)
    finally:
        signed.close()
    return AuditReport(tuple(sorted(found.kept, key=lambda one: one.promise)), dict(checked), found.more)


def _look_at_tables(database: Database, clock: Clock, found: Findings, checked: Counter[str]) -> None:
    questions: tuple[Callable[[Transaction], Iterable[Finding]], ...] = (
        audit_tables.identities,
        lambda tx: audit_tables.clinics_apart(tx, _slugs(tx)),
        audit_tables.backlogs,
        audit_tables.trail,
        lambda tx: audit_tables.personal_data(tx, _slugs(tx)),
    )
    for question in questions:
        with database.read(clock.now()) as tx:
            for finding in question(tx):
                found.add(finding)
    with database.read(clock.now()) as tx:
        checked["trail_entries"] = reports.count_trail(tx)
        checked["clinics"] = len(_slugs(tx))


def _slugs(tx: Transaction) -> dict[int, str]:
    return {clinic.id: clinic.slug for clinic in clinics.all_clinics(tx)}


@dataclass(frozen=True, slots=True)
class _Clinic:
    """A clinic and what its patients are judged by."""

    clinic: Clinic
    rules: Rules
    judged: Judged


def _look_at_patients(
    tx: Transaction, batch: Sequence[tuple[int, int]], found: Findings, checked: Counter[str]
) -> None:
    known = evidence(tx, [patient_id for patient_id, _ in batch])
    places: dict[int, _Clinic] = {}
    for patient_id, clinic_id in batch:
        if clinic_id not in places:
            places[clinic_id] = _place(tx, clinic_id)
        _look_at_one(tx, known[patient_id], places[clinic_id], found)
        checked["patients"] += 1
        checked["reminders"] += len(known[patient_id].reminders)
    _look_for_missing_steps(tx, known, places, found)
    for message in kept_messages(tx, list(known)):
        checked["messages"] += 1
        owner = known[message.patient_id].person
        for problem in lacks_consultation(message.content):
            slug = places[owner.clinic_id].clinic.slug
            advice = "keep a copy of the database and report it: this must not happen"
            found.add(Finding(6, slug, owner.ref, message.reminder_id, problem, advice))


def _place(tx: Transaction, clinic_id: int) -> _Clinic:
    clinic = next(one for one in clinics.all_clinics(tx) if one.id == clinic_id)
    own_days = replace(sending_calendar(clinic, tx.now), closed=clinic.closed_days)
    return _Clinic(clinic, rules_for(tx, clinic), Judged(own_days, _calendar_since(tx, clinic)))


def _calendar_since(tx: Transaction, clinic: Clinic) -> dt.datetime:
    """Return when the clinic's zone, days or hours were last changed."""
    moments = [clinic.created_at]
    for entry in entries(tx, subject="clinic", subject_id=clinic.id):
        fields: object = (entry.details or {}).get("fields")
        changed = entry.action == "change" and isinstance(fields, list) and not _CALENDAR.isdisjoint(fields)
        if changed or entry.action == "closed days":
            moments.append(entry.at)
    return max(moments)


def _look_at_one(tx: Transaction, known: Evidence, place: _Clinic, found: Findings) -> None:
    slug, ref = place.clinic.slug, known.person.ref
    for promise, row, problem, advice in problems(known, place.judged, tx.now):
        found.add(Finding(promise, slug, ref, row.id, problem, advice))
    for row, told in forbidden(known, place.clinic.timezone):
        advice = "keep a copy of the database and report it; tell the practitioner"
        found.add(Finding(4, slug, ref, row.id, f"it went out although {told}", advice))


def _look_for_missing_steps(
    tx: Transaction, known: Mapping[int, Evidence], places: Mapping[int, _Clinic], found: Findings
) -> None:
    """Promise 2: every step that the facts ask for, and whose days last, is stored."""
    sound = [
        key
        for key, one in known.items()
        if all(row.state in _STATES and row.reason in _REASONS for row in one.reminders)
    ]
    recorded, stored = facts.facts(tx, sound), reminders.stored(tx, sound)
    for key in sound:
        person, place = known[key].person, places[known[key].person.clinic_id]
        for change in reconcile(stored[key], wanted(recorded[key], place.rules, tx.now), tx.now):
            if change.action is Action.INSERT and change.wanted is not None:
                want = change.wanted
                problem = f"the step {want.step} of the {want.protocol} due {want.window.due} is not stored"
                found.add(Finding(2, place.clinic.slug, person.ref, None, problem, "run `reminders plan`"))
