"""Reminders as people see them: with their clinic's slug, their patient's number and what became of them.

Invariant: nothing here names a person, and a list of any length is read in pieces.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import RowMapping, Select, func, select

from reminders.domain.lifecycle import Reason, State
from reminders.domain.protocol import TreatmentClass
from reminders.domain.window import Window
from reminders.store.database import Transaction
from reminders.store.narrowing import Asked, narrowed
from reminders.store.rows import pieces
from reminders.store.schema import clinics, messages, patients, reminders, treatments


@dataclass(frozen=True, slots=True)
class ListedReminder:
    """A stored reminder; `clinic` is the slug, `patient` and `treatment` the clinic's own numbers.

    `wake_at` is the latest of the moments that decide on it, also where its row says otherwise.
    """

    id: int
    clinic_id: int
    clinic: str
    patient_id: int
    patient: str
    treatment_id: int | None
    treatment: str | None
    episode_id: int
    protocol: str
    class_name: TreatmentClass
    step: str
    copy: int
    state: State
    reason: Reason | None
    due_at: dt.datetime
    not_after: dt.datetime
    wake_at: dt.datetime
    next_attempt_at: dt.datetime | None
    window: Window
    handed_over_at: dt.datetime | None
    sent_at: dt.datetime | None
    message_id: str | None
    attempts: int
    last_fault: str | None
    updated_at: dt.datetime


def listing(
    tx: Transaction,
    *,
    clinic_id: int | None = None,
    patient_id: int | None = None,
    states: Iterable[State] | None = None,
    due_from: dt.datetime | None = None,
    due_to: dt.datetime | None = None,
    limit: int | None = None,
) -> Iterator[ListedReminder]:
    """Yield the stored reminders that fit, by `due_at` and id; `due_to` is excluded. Reads as it is asked.

    Of those that are due at one moment, a `limit` takes whichever the database comes to first.
    """
    asked = Asked(clinic_id, patient_id, due_from=due_from, due_to=due_to)
    query = _query().where(narrowed(tx, asked, states, limit)).order_by(reminders.c.due_at, reminders.c.id).limit(limit)
    with tx.connection.execute(query.execution_options(yield_per=1000)) as rows:
        for row in rows.mappings():
            yield _listed(row)


def reminder_by_id(tx: Transaction, reminder_id: int) -> ListedReminder | None:
    """Return the reminder of that id."""
    return reminders_by_ids(tx, [reminder_id]).get(reminder_id)


def reminders_by_ids(tx: Transaction, reminder_ids: Iterable[int]) -> dict[int, ListedReminder]:
    """Return those of these reminders that exist, by id."""
    found = {}
    for piece in pieces(reminder_ids):
        for row in tx.connection.execute(_query().where(reminders.c.id.in_(piece))).mappings():
            found[row["id"]] = _listed(row)
    return found


def counts_by_state(tx: Transaction) -> dict[tuple[State, Reason | None], int]:
    """Count the reminders by state and stored reason; reads them all."""
    c = reminders.c
    query: Select[str, str | None, int] = select(c.state, c.reason, func.count()).group_by(c.state, c.reason)
    rows = tx.connection.execute(query.order_by(c.state, c.reason))
    return {(State(state), Reason(reason) if reason else None): count for state, reason, count in rows}


def _query() -> Select[*tuple[object, ...]]:
    c = reminders.c
    mine = [c[name] for name in _COLUMNS]
    return (
        select(
            *mine,
            clinics.c.slug,
            clinics.c.paused_at,
            patients.c.ref.label("patient_ref"),
            treatments.c.ref.label("treatment_ref"),
            messages.c.message_id,
        )
        .join_from(reminders, clinics, c.clinic_id == clinics.c.id)
        .join(patients, c.patient_id == patients.c.id)
        .outerjoin(treatments, c.treatment_id == treatments.c.id)
        .outerjoin(messages, c.message_pk == messages.c.id)
    )


_COLUMNS = (
    *("id", "clinic_id", "patient_id", "treatment_id", "episode_id", "protocol", "class_name", "step", "copy"),
    *("state", "reason", "due_at", "not_after", "next_attempt_at", "snoozed_until", "opens", "due"),
    *("overdue", "closes", "handed_over_at", "sent_at", "attempts", "last_fault", "updated_at"),
)


def _listed(row: RowMapping) -> ListedReminder:
    state = State(row["state"])
    reason = Reason(row["reason"]) if row["reason"] else None
    if reason is None and state is State.PLANNED and row["paused_at"] is not None:
        reason = Reason.CLINIC_PAUSED
    return ListedReminder(
        id=row["id"],
        clinic_id=row["clinic_id"],
        clinic=row["slug"],
        patient_id=row["patient_id"],
        patient=row["patient_ref"],
        treatment_id=row["treatment_id"],
        treatment=row["treatment_ref"],
        episode_id=row["episode_id"],
        protocol=row["protocol"],
        class_name=TreatmentClass(row["class_name"]),
        step=row["step"],
        copy=row["copy"],
        state=state,
        reason=reason,
        due_at=row["due_at"],
        not_after=row["not_after"],
        wake_at=max(at for at in (row["due_at"], row["next_attempt_at"], row["snoozed_until"]) if at),
        next_attempt_at=row["next_attempt_at"],
        window=Window(row["opens"], row["due"], row["overdue"], row["closes"]),
        handed_over_at=row["handed_over_at"],
        sent_at=row["sent_at"],
        message_id=row["message_id"],
        attempts=row["attempts"],
        last_fault=row["last_fault"],
        updated_at=row["updated_at"],
    )
