"""What is due and in which order, and what a patient and a clinic have had already: the questions asked before a claim.

Invariant: every question is answered from an index over what is due, never by walking what is planned for later.
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    and_,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
    type_coerce,
    update,
)
from sqlalchemy.types import NullType

from reminders.domain.facts import Reminder
from reminders.domain.lifecycle import COUNTS_AS_SENT, IN_FLIGHT, Reason, State, check_move
from reminders.store.audit_trail import record, told_moment
from reminders.store.database import Transaction
from reminders.store.outbox import killed_a_worker
from reminders.store.schema import clinics, reminders

PAGE = 5000
"""How many reminders of a clinic's queue are read at once."""


def clinics_with_due(tx: Transaction) -> list[int]:
    """Return the clinics that have planned reminders whose moment has come; one step down the index for each clinic."""
    waits = exists().where(_due(tx, clinics.c.id)).correlate(clinics)
    return list(tx.connection.execute(select(clinics.c.id).where(waits).order_by(clinics.c.id)).scalars())


@dataclass(frozen=True, slots=True)
class Page:
    """The next patients of a clinic's queue; `last` is where the page behind it begins, None behind the last one."""

    patients: tuple[int, ...]
    last: tuple[object, int] | None


def due_patients(tx: Transaction, clinic_id: int, after: tuple[object, int] | None = None, limit: int = PAGE) -> Page:
    """Return who is due at a clinic, `limit` reminders at a time, in the order in which they fell due.

    Each patient once; of a page, whose window closes first comes first. No day is read out of its row: one that is
    damaged would keep everybody else waiting. A page begins behind the place where the one before it ended, whatever
    has become of the reminders on it since.
    """
    c = reminders.c
    raw = type_coerce(c.wake_at, NullType)
    behind = () if after is None else (tuple_(raw, c.id) > tuple_(*(literal(key, NullType) for key in after)),)
    query = select(raw.label("woke"), c.id, c.patient_id, c.closes).where(_due(tx, literal(clinic_id)), *behind)
    page = query.order_by(c.wake_at, c.id).limit(limit).cte("page")
    ends = select(page.c.woke, page.c.id).order_by(page.c.woke.desc(), page.c.id.desc()).limit(1)
    first = select(page.c.patient_id).group_by(page.c.patient_id)
    first = first.order_by(func.min(page.c.closes), func.min(page.c.id))
    found = tuple(tx.connection.execute(first).scalars())
    end = tx.connection.execute(ends).first() if found else None
    return Page(found, (end[0], end[1]) if end else None)


def _due(tx: Transaction, clinic_id: ColumnElement[int]) -> ColumnElement[bool]:
    c = reminders.c
    return and_(c.clinic_id == clinic_id, c.state == State.PLANNED, c.wake_at <= tx.now)


def take_clinic(tx: Transaction, clinic_id: int) -> None:
    """Wait until nobody else claims for this clinic: its daily limit is counted over all workers."""
    tx.connection.execute(select(clinics.c.id).where(clinics.c.id == clinic_id).with_for_update(key_share=True)).all()


def killed_their_worker(tx: Transaction, patient_ids: Collection[int]) -> frozenset[int]:
    """Return those of these patients with whose planned reminder a worker died, maybe of it."""
    c = reminders.c
    query = select(c.patient_id).where(c.patient_id.in_(patient_ids), c.state == State.PLANNED, killed_a_worker())
    return frozenset(tx.connection.execute(query).scalars())


def count_due(tx: Transaction) -> int:
    """Count the planned reminders whose moment has come, for a progress bar."""
    query = select(func.count()).select_from(clinics.join(reminders, _due(tx, clinics.c.id)))
    return tx.connection.execute(query).scalar_one()


def next_wake(tx: Transaction, clinic_id: int, after: dt.datetime | None = None) -> dt.datetime | None:
    """Return when the clinic's next planned reminder is to be looked at, the next `after` a moment if one is given."""
    query = select(func.min(reminders.c.wake_at)).where(
        reminders.c.clinic_id == clinic_id, reminders.c.state == State.PLANNED
    )
    if after is not None:
        query = query.where(reminders.c.wake_at > after)
    found: dt.datetime | None = tx.connection.execute(query).scalar_one()
    return found


def next_lapse(tx: Transaction) -> dt.datetime | None:
    """Return when the first lease now held runs out."""
    query = select(func.min(reminders.c.lease_until)).where(
        reminders.c.lease_until.is_not(None), reminders.c.state.in_(IN_FLIGHT)
    )
    found: dt.datetime | None = tx.connection.execute(query).scalar_one()
    return found


def messages_since(tx: Transaction, clinic_id: int, since: dt.datetime) -> int:
    """Count the clinic's messages handed over since `since`, or in a worker's hands now (the daily limit's measure)."""
    c = reminders.c
    query = select(func.count(func.distinct(c.message_pk))).where(
        c.clinic_id == clinic_id,
        or_(
            and_(c.state == State.CLAIMED, c.lease_until.is_not(None)),
            and_(c.state.in_([*COUNTS_AS_SENT, State.HANDED_OVER]), c.handed_over_at >= since),
        ),
    )
    return tx.connection.execute(query).scalar_one()


@dataclass(frozen=True, slots=True)
class Broken:
    """A reminder that is held because its message could not be written."""

    clinic_id: int
    patient_id: int
    reminder_id: int


def broken(tx: Transaction) -> list[Broken]:
    """Return what is held for a broken template."""
    c = reminders.c
    held = (c.state == State.HELD, c.reason == Reason.TEMPLATE_BROKEN)
    query = select(c.clinic_id, c.patient_id, c.id).where(*held).order_by(c.id)
    return [Broken(*row) for row in tx.connection.execute(query)]


def leave_by_limit(tx: Transaction, clinic_id: int) -> int:
    """Mark what the daily limit leaves for another day, so that it never counts as backlog; return how many."""
    c = reminders.c
    change = (
        update(reminders)
        .where(c.clinic_id == clinic_id, c.state == State.PLANNED, c.wake_at <= tx.now, c.left_by_limit.is_(False))
        .values(left_by_limit=True)
    )
    return tx.connection.execute(change).rowcount


def postpone(tx: Transaction, reminder: Reminder, until: dt.datetime, reason: Reason) -> None:
    """Let a planned reminder wait for another message (once), or for the distance from an earlier one."""
    c = reminders.c
    check_move(State.PLANNED, State.PLANNED, reason)
    change = (
        update(reminders)
        .where(c.id == reminder.id, c.state == State.PLANNED)
        .values(
            next_attempt_at=until,
            wake_at=max(until, reminder.due_at),
            reason=reason,
            waited=reminder.waited or reason is Reason.WAITING_TO_MERGE,
            updated_at=tx.now,
        )
        .returning(c.clinic_id, c.patient_id)
    )
    for clinic_id, patient_id in tx.connection.execute(change).all():
        details = {"reason": reason, "again": told_moment(until)}
        record(tx, "wait", "reminder", reminder.id, clinic_id=clinic_id, patient_id=patient_id, details=details)
