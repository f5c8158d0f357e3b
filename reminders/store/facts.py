"""Loads what the planner knows of patients: many at once, with a fixed number of queries.

Invariant: nothing that names a person leaves this module, and entries marked as entered in error are left out.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, and_, or_, select

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
from reminders.store.among import among
from reminders.store.answers import answer_rows, stored_answer
from reminders.store.database import Transaction
from reminders.store.patients import Patient
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
        rows = {row[0]: row for row in tx.connection.execute(_PEOPLE, {"asked": piece})}
        bundles = _bundles(tx, piece)
        found |= {key: _made(row, bundles[key]) for key, row in rows.items()}
    return found


def facts_of(tx: Transaction, people: Mapping[int, Patient]) -> dict[int, PatientFacts]:
    """Return the facts of these patients, whose rows were read in the same transaction, by id."""
    found: dict[int, PatientFacts] = {}
    for piece in pieces(people):
        bundles = _bundles(tx, piece)
        found |= {key: _made(_row(people[key]), bundles[key]) for key in piece}
    return found


def _bundles(tx: Transaction, ids: Sequence[int]) -> dict[int, _Bundle]:
    bundles: dict[int, _Bundle] = defaultdict(_Bundle)
    _read_contacts(tx, ids, bundles)
    _read_visits(tx, ids, bundles)
    return bundles


def _row(one: Patient) -> tuple[object, ...]:
    has = (one.email is not None, one.representative_email is not None, one.erased_at is not None)
    return (one.id, one.clinic_id, one.status, one.consent, one.birth_date, *has)


def _made(row: Sequence[Any], bundle: _Bundle) -> PatientFacts:
    patient_id, clinic_id, status, consent, birth_date, has_email, has_representative, erased = row
    return PatientFacts(
        id=patient_id,
        clinic_id=clinic_id,
        status=Status(status),
        consent=Consent(consent),
        birth_date=birth_date,
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
    execute, asked = tx.connection.execute, {"asked": ids}
    for patient_id, scope in execute(_OPT_OUTS, asked):
        bundles[patient_id].opt_outs.add(scope)
    for patient_id, line, due in execute(_OWN_INTERVALS, asked):
        bundles[patient_id].own_due[line] = Interval.parse(due)
    for patient_id, *values in execute(_HOLDS, asked):
        bundles[patient_id].holds.append(Hold(*values))
    for row in execute(_ANSWERS, asked).mappings():
        if (fact := stored_answer(row).fact) is not None:
            bundles[row["patient_id"]].answers.append(fact)
    for patient_id, scope, reason in execute(_BLOCKED, asked):
        bundles[patient_id].blocked.add((scope, Reason(reason)))


def _read_visits(tx: Transaction, ids: Sequence[int], bundles: Mapping[int, _Bundle]) -> None:
    execute, asked = tx.connection.execute, {"asked": ids}
    for patient_id, key, protocol, day, kind, *rest in execute(_TREATMENTS, asked):
        bundles[patient_id].treatments.append(Treatment(key, protocol, day, Kind(kind), *rest))
    for patient_id, key, day, line, outcome, noted_on in execute(_APPOINTMENTS, asked):
        became = Outcome(outcome) if outcome else None
        bundles[patient_id].appointments.append(Appointment(key, day, line or None, became, noted_on))
    episodes = execute(_EPISODES, asked).all()
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
    before = continued[key]
    if before is None:
        return frozenset()
    found: set[str] = set()
    seen = {key}
    while before is not None and before not in seen:
        found |= sent.get(before, set())
        seen.add(before)
        before = continued.get(before)
    return frozenset(found)


def _people() -> Select[Any]:
    c = schema.patients.c
    has = (c.email.is_not(None), c.representative_email.is_not(None), c.erased_at.is_not(None))
    return select(c.id, c.clinic_id, c.status, c.consent, c.birth_date, *has).where(among(c.id))


def _holds() -> Select[Any]:
    c = schema.holds.c
    return select(c.patient_id, c.id, c.line, c.until).where(among(c.patient_id), c.ended_at.is_(None)).order_by(c.id)


def _answers() -> Select[Any]:
    c = schema.answers.c
    holds_back = or_(c.closed_at.is_(None), c.kind.in_(sorted(LASTING)))
    return answer_rows(among(c.patient_id), c.withdrawn_at.is_(None), holds_back)


def _blocked() -> Select[Any]:
    one, shut = schema.patients.c, schema.suppressions.c
    same_address = and_(shut.clinic_id == one.clinic_id, shut.address_key == one.address_key)
    rows = select(one.id, shut.scope, shut.reason).join_from(schema.patients, schema.suppressions, same_address)
    return rows.where(among(one.id))


def _treatments() -> Select[Any]:
    c = schema.treatments.c
    columns = (c.patient_id, c.id, c.protocol, c.day, c.kind, c.episode_id, c.practitioner_id, c.ref)
    return select(*columns).where(among(c.patient_id), c.withdrawn_at.is_(None)).order_by(c.day, c.id)


def _appointments() -> Select[Any]:
    c = schema.appointments.c
    columns = (c.patient_id, c.id, c.day, c.line, c.outcome, c.noted_on)
    return select(*columns).where(among(c.patient_id)).order_by(c.day, c.id)


def _episodes() -> Select[Any]:
    c = schema.episodes.c
    columns = (c.patient_id, c.id, c.line, c.first_day, c.continues_id)
    return select(*columns).where(among(c.patient_id)).order_by(c.id)


_OPT_OUTS = select(schema.opt_outs.c.patient_id, schema.opt_outs.c.scope).where(among(schema.opt_outs.c.patient_id))
_OWN_INTERVALS = select(
    schema.own_intervals.c.patient_id, schema.own_intervals.c.line, schema.own_intervals.c.due
).where(among(schema.own_intervals.c.patient_id))
_PEOPLE, _HOLDS, _ANSWERS, _BLOCKED = _people(), _holds(), _answers(), _blocked()
_TREATMENTS, _APPOINTMENTS, _EPISODES = _treatments(), _appointments(), _episodes()
"""Statements are made once: they are asked for every round of messages, and making one takes longer than running it."""
