"""What the audit goes by, patient by patient: the rows of reminders, their trail, and when each fact was recorded.

Invariant: nothing is interpreted on the way, so that a row which no rule would have written can still be read.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, Table, and_, select

from reminders.domain.lifecycle import COUNTS_AS_SENT, State
from reminders.store import patterns, schema
from reminders.store.answers import StoredAnswer, answer_rows, stored_answer
from reminders.store.audit_trail import Entry
from reminders.store.database import Transaction
from reminders.store.faults import DamagedRow


@dataclass(frozen=True, slots=True)
class ReminderRow:
    """A reminder as it stands in its table; `state` and `reason` are whatever text stands there."""

    id: int
    clinic_id: int
    patient_id: int
    episode_id: int
    step: str
    copy: int
    class_name: str
    treatment_id: int | None
    state: str
    reason: str | None
    opens: dt.date
    due: dt.date
    overdue: dt.date
    closes: dt.date
    due_at: dt.datetime
    not_after: dt.datetime
    next_attempt_at: dt.datetime | None
    lease_until: dt.datetime | None
    message_pk: int | None
    handed_over_at: dt.datetime | None
    sent_at: dt.datetime | None
    released_at: dt.datetime | None
    held_reason: str | None


@dataclass(frozen=True, slots=True)
class Person:
    """What the patient's own row says that forbids a message, and when time alone changes the plan."""

    id: int
    clinic_id: int
    ref: str
    status: str
    consent: str
    birth_date: dt.date | None
    erased_at: dt.datetime | None
    replan_at: dt.datetime | None
    created_at: dt.datetime
    email: str | None
    representative_email: str | None
    address_key: str | None


@dataclass(frozen=True, slots=True)
class EntryRow:
    """A treatment with the line of its episode, and the episode that this one continues."""

    id: int
    episode_id: int | None
    line: str | None
    continues_id: int | None
    protocol: str
    kind: str
    day: dt.date
    entered_at: dt.datetime
    withdrawn_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Booking:
    """An appointment; `line` is "" for every line."""

    id: int
    line: str
    day: dt.date
    outcome: str | None
    noted_on: dt.date | None
    created_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Pause:
    """A hold."""

    id: int
    line: str | None
    until: dt.date | None
    at: dt.datetime
    ended_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Ban:
    """A scope ("all" or a class) that is forbidden from a moment on, for the patient or for one address."""

    scope: str
    at: dt.datetime
    address_key: str | None = None


@dataclass(slots=True)
class Evidence:
    """Everything recorded of one patient that the audit compares."""

    person: Person
    reminders: list[ReminderRow] = field(default_factory=list)
    trail: list[Entry] = field(default_factory=list)
    entries: list[EntryRow] = field(default_factory=list)
    bookings: list[Booking] = field(default_factory=list)
    pauses: list[Pause] = field(default_factory=list)
    bans: list[Ban] = field(default_factory=list)
    own_intervals: dict[str, str] = field(default_factory=dict)
    """The patient's own interval of each line."""
    answers: list[StoredAnswer] = field(default_factory=list)
    lines: dict[int, str] = field(default_factory=dict)
    """The line of each episode."""
    address_keys: dict[int, str | None] = field(default_factory=dict)
    """The key of the address that each kept message went to."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The bytes of a message that its patient may have received, and the Message-ID it is kept under."""

    patient_id: int
    reminder_id: int
    message_id: str
    content: bytes


def evidence(tx: Transaction, patient_ids: Sequence[int]) -> dict[int, Evidence]:
    """Return the evidence of some hundred patients, by id, with a fixed number of queries."""
    c = schema.patients.c
    query = select(*(c[name] for name in Person.__slots__)).where(c.id.in_(patient_ids))
    found = {row.id: Evidence(Person(*row)) for row in tx.connection.execute(query)}
    _read_deliveries(tx, patient_ids, found)
    _read_restrictions(tx, patient_ids, found)
    return found


def kept_messages(tx: Transaction, patient_ids: Sequence[int]) -> Iterator[Kept]:
    """Yield the kept bytes of every message of these patients that was handed over; as they are, if unreadable."""
    c, m = schema.reminders.c, schema.messages.c
    gone = c.state.in_([*COUNTS_AS_SENT, State.HANDED_OVER])
    query = (
        select(c.patient_id, c.id, m.message_id, *patterns.COLUMNS)
        .join_from(schema.reminders, schema.messages, c.message_pk == m.id)
        .where(c.patient_id.in_(patient_ids), gone, m.content.is_not(None))
        .execution_options(yield_per=50)
    )
    for row in tx.connection.execute(query):
        try:
            content = patterns.read(tx, *row[3:]).content
        except DamagedRow:
            content = row.content if isinstance(row.content, bytes) else b""
        yield Kept(row.patient_id, row.id, row.message_id, content)


def _read_deliveries(tx: Transaction, ids: Sequence[int], found: Mapping[int, Evidence]) -> None:
    r, t, m = schema.reminders.c, schema.audit.c, schema.messages.c
    columns = [r[name] for name in ReminderRow.__slots__]
    for row in tx.connection.execute(select(*columns).where(r.patient_id.in_(ids)).order_by(r.id)):
        found[row.patient_id].reminders.append(ReminderRow(*row))
    entry = [column for column in t if column.name != "mac"]
    for row in tx.connection.execute(select(*entry).where(t.patient_id.in_(ids)).order_by(t.id)):
        if row.patient_id in found:
            found[row.patient_id].trail.append(Entry(*row))
    for patient_id, key, address_key in _rows(tx, schema.messages, ids, m.id, m.address_key):
        found[patient_id].address_keys[key] = address_key


def _read_restrictions(tx: Transaction, ids: Sequence[int], found: Mapping[int, Evidence]) -> None:
    out, held, said, booked = schema.opt_outs.c, schema.holds.c, schema.answers.c, schema.appointments.c
    for patient_id, *values in _rows(tx, schema.opt_outs, ids, out.scope, out.at):
        found[patient_id].bans.append(Ban(*values))
    for patient_id, *values in _rows(tx, schema.holds, ids, held.id, held.line, held.until, held.at, held.ended_at):
        found[patient_id].pauses.append(Pause(*values))
    own = schema.own_intervals.c
    for patient_id, line, due in _rows(tx, schema.own_intervals, ids, own.line, own.due):
        found[patient_id].own_intervals[line] = due
    for row in tx.connection.execute(answer_rows(said.patient_id.in_(ids))).mappings():
        found[row["patient_id"]].answers.append(stored_answer(row))
    columns = (booked.id, booked.line, booked.day, booked.outcome, booked.noted_on, booked.created_at)
    for patient_id, *values in _rows(tx, schema.appointments, ids, *columns):
        found[patient_id].bookings.append(Booking(*values))
    _read_entries(tx, ids, found)
    kept, shut = schema.messages.c, schema.suppressions.c
    same = and_(shut.clinic_id == kept.clinic_id, shut.address_key == kept.address_key)
    query = select(kept.patient_id, shut.scope, shut.at, shut.address_key).join_from(
        schema.messages, schema.suppressions, same
    )
    for patient_id, *values in map(tuple, tx.connection.execute(query.where(kept.patient_id.in_(ids)).distinct())):
        found[patient_id].bans.append(Ban(*values))


def _read_entries(tx: Transaction, ids: Sequence[int], found: Mapping[int, Evidence]) -> None:
    given, run = schema.treatments.c, schema.episodes.c
    columns = (given.id, given.episode_id, run.line, run.continues_id, given.protocol, given.kind)
    query = (
        select(given.patient_id, *columns, given.day, given.entered_at, given.withdrawn_at)
        .select_from(schema.treatments.outerjoin(schema.episodes, run.id == given.episode_id))
        .where(given.patient_id.in_(ids))
    )
    for patient_id, *values in map(tuple, tx.connection.execute(query.order_by(given.id))):
        found[patient_id].entries.append(EntryRow(*values))
    for patient_id, episode_id, line in _rows(tx, schema.episodes, ids, run.id, run.line):
        found[patient_id].lines[episode_id] = line


def _rows(tx: Transaction, table: Table, ids: Sequence[int], *columns: Column[Any]) -> list[tuple[Any, ...]]:
    query = select(table.c.patient_id, *columns).where(table.c.patient_id.in_(ids))
    return [tuple(row) for row in tx.connection.execute(query)]
