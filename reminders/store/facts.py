"""Loads what the planner knows of patients: many at once, with a fixed number of queries.

Invariant: nothing that names a person leaves this module, and entries marked as entered in error are left out.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import and_, or_, select

from reminders.domain.answers import LASTING, Answer
from reminders.domain.facts import (
    Appointment,
    Consent,
    Episode,
    Hold,
    Kind,
    Outcome,
    PatientFacts,
    Status,
    Treatment,
)
from reminders.domain.interval import Interval
from reminders.domain.lifecycle import COUNTS_AS_SENT, IN_FLIGHT, Reason
from reminders.store import schema
from reminders.store.answers import answer_rows, stored_answer
from reminders.store.database import Transaction
from reminders.store.rows import pieces


@dataclass(slots=True)
class _Bundle:
    """What is collected of one patient before the facts are made."""

    opt_outs: set[str] = field(default_factory=set)
    blocked: set[tuple[str, Reason]] = field(default_factory=set)
    answers: list[Answer] = field(default_factory=list)
    own_due: dict[str, Interval] = field(default_factory=dict)
    treatments: list[Treatment] = field(default_factory=list)
    episodes: list[Episode] = field(default_factory=list)
    appointments: list[Appointment] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)


def facts(tx: Transaction, patient_ids: Iterable[int]) -> dict[int, PatientFacts]:
    """Return the facts of these patients by id; unknown ids are left out."""
    found: dict[int, PatientFacts] = {}
    for piece in pieces(patient_ids):
        found |= _facts(tx, piece)
    return found


def _facts(tx: Transaction, ids: Sequence[int]) -> dict[int, PatientFacts]:
    bundles: dict[int, _Bundle] = defaultdict(_Bundle)
    _read_contacts(tx, ids, bundles)
    _read_visits(tx, ids, bundles)
    c = schema.patients.c
    query = select(
        c.id,
        c.clinic_id,
        c.status,
        c.consent,
        c.birth_date,
        c.email.is_not(None),
        c.representative_email.is_not(None),
        c.erased_at.is_not(None),
    ).where(c.id.in_(ids))
    return {row[0]: _made(row, bundles[row[0]]) for row in tx.connection.execute(query)}


def _made(row: Sequence[object], bundle: _Bundle) -> PatientFacts:
    patient_id, clinic_id, status, consent, birth_date, has_email, has_representative, erased = row
    return PatientFacts(
        id=patient_id,  # type: ignore[arg-type] # the columns were selected in this order
        clinic_id=clinic_id,  # type: ignore[arg-type]
        status=Status(str(status)),
        consent=Consent(str(consent)),
        birth_date=birth_date,  # type: ignore[arg-type]
        has_email=bool(has_email),
        has_representative=bool(has_representative),
        erased=bool(erased),
        opt_outs=frozenset(bundle.opt_outs),
        blocked=frozenset(bundle.blocked),
        answers=tuple(bundle.answers),
        own_due=bundle.own_due,
        treatments=tuple(bundle.treatments),
        episodes=tuple(bundle.episodes),
        appointments=tuple(bundle.appointments),
        holds=tuple(bundle.holds),
    )


def _read_contacts(tx: Transaction, ids: Sequence[int], bundles: Mapping[int, _Bundle]) -> None:
    execute = tx.connection.execute
    out, own, held, said = schema.opt_outs.c, schema.own_intervals.c, schema.holds.c, schema.answers.c
    for patient_id, scope in execute(select(out.patient_id, out.scope).where(out.patient_id.in_(ids))):
        bundles[patient_id].opt_outs.add(scope)
    for patient_id, line, due in execute(select(own.patient_id, own.line, own.due).where(own.patient_id.in_(ids))):
        bundles[patient_id].own_due[line] = Interval.parse(due)
    query = select(held.patient_id, held.id, held.line, held.until).where(
        held.patient_id.in_(ids), held.ended_at.is_(None)
    )
    for patient_id, *values in execute(query.order_by(held.id)):
        bundles[patient_id].holds.append(Hold(*values))
    holds_back = or_(said.closed_at.is_(None), said.kind.in_(sorted(LASTING)))
    answers = answer_rows(said.patient_id.in_(ids), said.withdrawn_at.is_(None), holds_back)
    for row in execute(answers).mappings():
        if (fact := stored_answer(row).fact) is not None:
            bundles[row["patient_id"]].answers.append(fact)
    patient, shut = schema.patients.c, schema.suppressions.c
    same_address = and_(shut.clinic_id == patient.clinic_id, shut.address_key == patient.address_key)
    blocked = (
        select(patient.id, shut.scope, shut.reason)
        .join_from(schema.patients, schema.suppressions, same_address)
        .where(patient.id.in_(ids))
    )
    for patient_id, scope, reason in execute(blocked):
        bundles[patient_id].blocked.add((scope, Reason(reason)))


def _read_visits(tx: Transaction, ids: Sequence[int], bundles: Mapping[int, _Bundle]) -> None:
    execute = tx.connection.execute
    run, given, booked = schema.episodes.c, schema.treatments.c, schema.appointments.c
    columns = (given.id, given.protocol, given.day, given.kind, given.episode_id, given.practitioner_id, given.ref)
    entries = select(given.patient_id, *columns).where(given.patient_id.in_(ids), given.withdrawn_at.is_(None))
    for patient_id, key, protocol, day, kind, *rest in execute(entries.order_by(given.day, given.id)):
        bundles[patient_id].treatments.append(Treatment(key, protocol, day, Kind(kind), *rest))
    visits = select(booked.patient_id, booked.id, booked.day, booked.line, booked.outcome, booked.noted_on)
    visits = visits.where(booked.patient_id.in_(ids)).order_by(booked.day, booked.id)
    for patient_id, key, day, line, outcome, noted_on in execute(visits):
        became = Outcome(outcome) if outcome else None
        bundles[patient_id].appointments.append(Appointment(key, day, line or None, became, noted_on))
    begun = select(run.patient_id, run.id, run.line, run.first_day, run.continues_id).where(run.patient_id.in_(ids))
    episodes = execute(begun.order_by(run.id)).all()
    sent = _sent_before(tx, ids) if any(row.continues_id for row in episodes) else {}
    continued = {row.id: row.continues_id for row in episodes}
    for patient_id, key, line, first_day, _ in episodes:
        bundles[patient_id].episodes.append(Episode(key, line, first_day, _inherited(key, continued, sent)))


def _sent_before(tx: Transaction, ids: Sequence[int]) -> dict[int, set[str]]:
    """Return, by episode that another one continues, the steps that the patient may have received in it."""
    c, later = schema.reminders.c, schema.episodes.c
    query = (
        select(c.episode_id, c.step)
        .join_from(schema.episodes, schema.reminders, c.episode_id == later.continues_id)
        .where(later.patient_id.in_(ids), c.patient_id == later.patient_id, c.state.in_(COUNTS_AS_SENT | IN_FLIGHT))
    )
    sent: dict[int, set[str]] = {}
    for episode_id, step in tx.connection.execute(query):
        sent.setdefault(episode_id, set()).add(step)
    return sent


def _inherited(key: int, continued: Mapping[int, int | None], sent: Mapping[int, set[str]]) -> frozenset[str]:
    """Return the steps sent in every episode that this one continues, however far back."""
    found: set[str] = set()
    seen = {key}
    before = continued[key]
    while before is not None and before not in seen:
        found |= sent.get(before, set())
        seen.add(before)
        before = continued.get(before)
    return frozenset(found)
