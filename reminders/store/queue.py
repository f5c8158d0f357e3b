"""What is due and in which order, and what a patient and a clinic have had already: the questions asked before a claim.

Invariant: every question is answered from an index over what is due, never by walking what is planned for later.
"""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import and_, func, or_, select, update

from reminders.domain.facts import Reminder
from reminders.domain.lifecycle import COUNTS_AS_SENT, IN_FLIGHT, Reason, State, check_move
from reminders.domain.protocol import TreatmentClass
from reminders.store.audit_trail import record, told_moment
from reminders.store.database import Transaction
from reminders.store.outbox import killed_a_worker
from reminders.store.schema import clinics, patients, reminders


def clinics_with_due(tx: Transaction) -> list[int]:
    """Return the clinics that have planned reminders whose moment has come."""
    query = (
        select(reminders.c.clinic_id)
        .where(reminders.c.state == State.PLANNED, reminders.c.wake_at <= tx.now)
        .distinct()
        .order_by(reminders.c.clinic_id)
    )
    return [clinic_id for (clinic_id,) in tx.connection.execute(query)]


def due_patients(tx: Transaction, clinic_id: int) -> list[int]:
    """Return the patients of a clinic's queue, each once: whose window closes first comes first.

    No day is read out of its row: one that is damaged would keep everybody else waiting.
    """
    c = reminders.c
    due = (c.clinic_id == clinic_id, c.state == State.PLANNED, c.wake_at <= tx.now)
    query = select(c.patient_id).where(*due).group_by(c.patient_id).order_by(func.min(c.closes), func.min(c.id))
    return list(tx.connection.execute(query).scalars())


def take_patient(tx: Transaction, patient_id: int) -> bool:
    """Keep other workers from claiming for this patient until the transaction ends; False when one is at it now."""
    query = select(patients.c.id).where(patients.c.id == patient_id)
    query = query.with_for_update(skip_locked=True, key_share=True)  # rows that refer to the patient may be added
    return tx.connection.execute(query).first() is not None


def take_clinic(tx: Transaction, clinic_id: int) -> None:
    """Wait until nobody else claims for this clinic: its daily limit is counted over all workers."""
    tx.connection.execute(select(clinics.c.id).where(clinics.c.id == clinic_id).with_for_update(key_share=True)).all()


def killed_its_worker(tx: Transaction, patient_id: int) -> bool:
    """Tell whether a worker died with a planned reminder of the patient, maybe of it."""
    c = reminders.c
    query = select(c.id).where(c.patient_id == patient_id, c.state == State.PLANNED, killed_a_worker()).limit(1)
    return tx.connection.execute(query).first() is not None


def count_due(tx: Transaction) -> int:
    """Count the planned reminders whose moment has come, for a progress bar."""
    query = select(func.count()).where(reminders.c.state == State.PLANNED, reminders.c.wake_at <= tx.now)
    return tx.connection.execute(query).scalar_one()


def next_wake(tx: Transaction, clinic_id: int) -> dt.datetime | None:
    """Return when the clinic's next planned reminder is to be looked at."""
    query = select(func.min(reminders.c.wake_at)).where(
        reminders.c.clinic_id == clinic_id, reminders.c.state == State.PLANNED
    )
    found: dt.datetime | None = tx.connection.execute(query).scalar_one()
    return found


def next_lapse(tx: Transaction) -> dt.datetime | None:
    """Return when the first lease now held runs out."""
    query = select(func.min(reminders.c.lease_until)).where(
        reminders.c.lease_until.is_not(None), reminders.c.state.in_(IN_FLIGHT)
    )
    found: dt.datetime | None = tx.connection.execute(query).scalar_one()
    return found


def past_messages(tx: Transaction, patient_id: int) -> list[tuple[TreatmentClass, dt.datetime]]:
    """Return the class and moment of every message the patient may have received."""
    c = reminders.c
    at = func.coalesce(c.sent_at, c.handed_over_at)
    query = select(c.class_name, at).where(c.patient_id == patient_id, c.state.in_(COUNTS_AS_SENT), at.is_not(None))
    found = []
    for class_name, moment in tx.connection.execute(query):
        found.append((TreatmentClass(class_name), moment))
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
