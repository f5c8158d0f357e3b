"""Verifies promises 1 to 7 and 10 on the live database, patient by patient, and says what is broken and where.

Invariants: nothing is changed; memory stays bounded whatever the size of the database; no transaction lasts longer than
a batch or one question, so that a running delivery is not held up.

What can be proved, and what cannot: a message's days and hours are compared with what its own row says and, for hours,
with today's calendar if that was not changed since; a restriction counts if it was recorded before the message was
handed over, and facts overwritten since prove nothing; a cut at the very end of the trail shows in the rows that it no
longer explains, and in any checkpoint taken since; of personal data, e-mail addresses are searched for.
`docs/audit.md` says all of it.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

from reminders.clock import Clock
from reminders.domain.facts import Rules
from reminders.mail.address import normalise
from reminders.mail.kept import is_of, lacks_consultation
from reminders.services.auditing import checkpoint as marks
from reminders.services.auditing import codes
from reminders.services.auditing import tables as audit_tables
from reminders.services.auditing.agreement import disagreements
from reminders.services.auditing.bans import forbidden
from reminders.services.auditing.lives import Judged, problems
from reminders.services.auditing.records import unexplained
from reminders.services.auditing.standing import circumstances
from reminders.services.auditing.suppressed import suppressions
from reminders.services.calendar import rules_for, sending_calendar
from reminders.services.find import clinic_of
from reminders.services.finding import AuditReport, Finding, Findings
from reminders.services.guarding.lock import suspected
from reminders.services.keys import Keys
from reminders.store import clinics, patients, reports
from reminders.store.apart import ODD_DATA
from reminders.store.audit_trail import Verified, entries, follow
from reminders.store.clinics import Clinic
from reminders.store.database import Database, Transaction, database_now
from reminders.store.evidence import Evidence, evidence, kept_messages
from reminders.store.installation import installation

__all__ = ["AuditReport", "Finding", "audit"]

BATCH = 200
Progress = Callable[[int, int | None], None]
_CALENDAR = frozenset({"timezone", "sending_days", "opens_at", "closes_at"})
_REPORT = "keep a copy of the database and report it: this must not happen"
_UNREADABLE = "keep a copy of the database; restore the last backup that passes `reminders audit`"
_ADDRESS = "ask the patient, then enter the address anew with `reminders patient set`; keep a copy of the database"
_Question = Callable[[Transaction], Iterable[Finding]]


@dataclass(slots=True)
class _Audit:
    """One audit on its way: what it reads with, and what it found."""

    database: Database
    clock: Clock
    keys: Keys
    older_keys: Sequence[bytes]
    found: Findings = field(default_factory=Findings)
    checked: Counter[str] = field(default_factory=Counter)

    def ask(self, promise: int, name: str, question: _Question) -> None:
        """Ask one question in a transaction of its own; rows that hold what no column may hold are a finding."""
        try:
            with self.database.read(self.clock.now()) as tx:
                for finding in question(tx):
                    self.found.add(finding)
        except ODD_DATA:
            problem = f"{name}: what is stored cannot be read"
            self.found.add(Finding(promise, None, None, None, problem, _UNREADABLE))


def audit(
    database: Database,
    clock: Clock,
    keys: Keys,
    progress: Progress | None = None,
    *,
    against: Sequence[Path] = (),
    checkpoint: Path | None = None,
    older_keys: Sequence[bytes] = (),
) -> AuditReport:
    """Look at everything and report; `progress` is told how many patients of how many were looked at.

    `against` names checkpoints from which the trail must continue. `checkpoint` is where one of the trail as it is now
    is written, if it is whole; an older one that stands there is compared first. Raises what
    `reminders.services.auditing.checkpoint.read` and `write` raise. `older_keys` signed before a key was changed.
    """
    with database.read(clock.now()) as tx:
        own = tx.audit_key == keys.audit_key
    signed = database if own else database.with_audit_key(keys.audit_key)
    looking = _Audit(signed, clock, keys, older_keys)
    try:
        known = [_read_mark(looking, path, keys) for path in against]
        if checkpoint is not None and checkpoint.exists():
            known.append(_read_mark(looking, checkpoint, keys))
        _look_at_tables(looking)
        trail = _look_at_trail(looking, known)
        _look_at_everybody(looking, progress)
        written = None
        if checkpoint is not None and not any(one.about_trail for one in looking.found.kept):
            with signed.read(clock.now()) as tx:
                marks.write(checkpoint, marks.take(tx, trail), keys.audit_key)
            written = checkpoint
        with signed.read(clock.now()) as tx:
            notes = tuple(circumstances(tx))
    finally:
        if not own:
            signed.close()
    by_promise = sorted(looking.found.kept, key=lambda one: one.promise)
    return AuditReport(tuple(by_promise), dict(looking.checked), looking.found.more, written, notes)


def _read_mark(looking: _Audit, path: Path, keys: Keys) -> marks.Checkpoint:
    with looking.database.read(looking.clock.now()) as tx:
        found = installation(tx)
    return marks.read(path, found.installation_id if found else "", (keys.audit_key, *looking.older_keys))


def _look_at_tables(looking: _Audit) -> None:
    looking.ask(1, "identities", audit_tables.identities)
    looking.ask(2, "clinics", audit_tables.the_unreadable)
    looking.ask(5, "references", lambda tx: audit_tables.clinics_apart(tx, clinics.slugs(tx)))
    looking.ask(7, "backlogs", audit_tables.backlogs)
    looking.ask(2, "patients and clinics", lambda tx: audit_tables.the_gone(tx, clinics.slugs(tx)))
    looking.ask(4, "what keeps clinics back", codes.of_the_clinics)
    looking.ask(1, "the lock on sending", codes.of_the_lock)
    signers = (looking.keys.audit_key, *looking.older_keys)
    looking.ask(4, "suppressed addresses", lambda tx: suppressions(tx, clinics.slugs(tx), signers))
    looking.ask(10, "personal data", lambda tx: audit_tables.personal_data(tx, clinics.slugs(tx)))
    with looking.database.read(looking.clock.now()) as tx:
        looking.checked["clinics"] = len(clinics.clinic_ids(tx)) - len(audit_tables.unreadable(tx))


def _look_at_trail(looking: _Audit, known: Sequence[marks.Checkpoint]) -> Verified:
    """Follow the chain piece by piece, then ask whether it goes on from every checkpoint."""
    before, now = None, Verified()
    while now != before and now.broken is None:
        before = now
        with looking.database.read(looking.clock.now()) as tx:
            now = follow(tx, before, looking.older_keys)
    if now.broken is not None:
        problem = f"entry {now.broken} of the audit trail is missing, moved or changed"
        looking.found.add(Finding(10, None, None, None, problem, audit_tables.COPY, about_trail=True))
    looking.checked["trail_entries"] = now.number
    for one in known:
        with looking.database.read(looking.clock.now()) as tx:
            whole = now.broken is None
            for finding in marks.continues(tx, one, now.number if whole else reports.last_entry(tx), whole=whole):
                looking.found.add(replace(finding, about_trail=True))
    return now


def _look_at_everybody(looking: _Audit, progress: Progress | None) -> None:
    with looking.database.read(looking.clock.now()) as tx:
        total = patients.count(tx)
    after = 0
    while True:
        with looking.database.read(looking.clock.now()) as tx:
            batch = patients.patients_of(tx, after_id=after, limit=BATCH)
            wrong = audit_tables.unreadable(tx)
        if not batch:
            return
        _look_at_batch(looking, [one for one in batch if one[1] not in wrong])
        after = batch[-1][0]
        if progress:
            progress(looking.checked["patients"], total)


def _look_at_batch(looking: _Audit, batch: Sequence[tuple[int, int]]) -> None:
    """Look at some hundred patients at once; where what is stored of one cannot be read, at each alone."""
    found, checked = Findings(), Counter[str]()
    try:
        with looking.database.read(looking.clock.now()) as tx:
            _look_at_patients(tx, looking, batch, found, checked)
    except ODD_DATA:
        if len(batch) > 1:
            for one in batch:
                _look_at_batch(looking, [one])
            return
        [(patient_id, _)] = batch
        problem = f"what is stored of the patient with the id {patient_id} cannot be read"
        found.add(Finding(2, None, None, None, problem, _UNREADABLE))
        checked["patients"] = 1
    for finding in found.kept:
        looking.found.add(finding)
    looking.found.more += found.more
    looking.checked.update(checked)


@dataclass(frozen=True, slots=True)
class _Clinic:
    """A clinic and what its patients are judged by."""

    clinic: Clinic
    rules: Rules
    judged: Judged


def _look_at_patients(
    tx: Transaction, looking: _Audit, batch: Sequence[tuple[int, int]], found: Findings, checked: Counter[str]
) -> None:
    known = evidence(tx, [patient_id for patient_id, _ in batch])
    places: dict[int, _Clinic] = {}
    changed = set[int]()
    for patient_id, clinic_id in batch:
        if clinic_id not in places:
            places[clinic_id] = _place(tx, clinic_id)
        if _look_at_one(tx, looking, known[patient_id], places[clinic_id], found):
            changed.add(patient_id)
        checked["patients"] += 1
        checked["reminders"] += len(known[patient_id].reminders)
    rules = {clinic_id: place.rules for clinic_id, place in places.items()}
    for patient_id, promise, reminder_id, problem, advice in disagreements(tx, known, rules):
        person = known[patient_id].person
        slug = places[person.clinic_id].clinic.slug
        mends = codes.LOOSENED if patient_id in changed else advice  # a plan would go by what was changed
        found.add(Finding(promise, slug, person.ref, reminder_id, problem, mends))
    read = set[str]()
    for message in kept_messages(tx, list(known)):
        read.add(message.message_id)
        owner = known[message.patient_id].person
        slug = places[owner.clinic_id].clinic.slug
        for problem in lacks_consultation(message.content):
            found.add(Finding(6, slug, owner.ref, message.reminder_id, problem, _REPORT))
        if not is_of(message.content, message.message_id):
            problem = "the kept bytes bear another Message-ID than the message"
            found.add(Finding(1, slug, owner.ref, message.reminder_id, problem, _REPORT))
    checked["messages"] += len(read)


def _place(tx: Transaction, clinic_id: int) -> _Clinic:
    clinic = clinic_of(tx, clinic_id)
    own_days = replace(sending_calendar(clinic, tx.now), closed=clinic.closed_days)
    judged = Judged(own_days, _calendar_since(tx, clinic), clock_is_believed=suspected(tx) is None)
    return _Clinic(clinic, rules_for(tx, clinic), judged)


def _calendar_since(tx: Transaction, clinic: Clinic) -> dt.datetime:
    """Return when the clinic's zone, days or hours were last changed."""
    moments = [clinic.created_at]
    for entry in entries(tx, subject="clinic", subject_id=clinic.id):
        fields: object = entry.told.get("fields")
        changed = entry.action == "change" and isinstance(fields, list) and not _CALENDAR.isdisjoint(fields)
        if changed or entry.action == "closed days":
            moments.append(entry.at)
    return max(moments)


def _look_at_one(tx: Transaction, looking: _Audit, known: Evidence, place: _Clinic, found: Findings) -> bool:
    """Add what is wrong with one patient; tell whether their facts are not those whose codes the trail holds."""
    slug, ref, keys = place.clinic.slug, known.person.ref, looking.keys
    for promise, reminder_id, problem, advice in problems(known, place.judged, tx.now, database_now(tx)):
        found.add(Finding(promise, slug, ref, reminder_id, problem, advice))
    recipient = known.person.representative_email or known.person.email
    signers = (keys.audit_key, *looking.older_keys)
    is_another = known.person.address_key != (keys.address_key(normalise(recipient)) if recipient else None)
    if is_another or codes.is_another_address(known, signers):
        problem = "the patient's address is not the one that was entered: it was exchanged in the row itself"
        found.add(Finding(4, slug, ref, None, problem, _ADDRESS))
    for promise, problem in unexplained(known):
        found.add(Finding(promise, slug, ref, None, problem, audit_tables.COPY))
    told_codes = (codes.of_the_person(known, signers), codes.of_the_facts(known, signers), codes.of_the_holds(known))
    changed = list(chain.from_iterable(told_codes))
    for promise, problem in changed:
        found.add(Finding(promise, slug, ref, None, problem, codes.LOOSENED))
    for row, told in forbidden(known, place.clinic.timezone):
        advice = "keep a copy of the database and report it; tell the practitioner"
        found.add(Finding(4, slug, ref, row.id, f"it went out although {told}", advice))
    return bool(changed)
