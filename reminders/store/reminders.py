"""The plan's side of a reminder's row: what planning inserts, moves, withdraws and restores, and what staff decide.

Invariant: a stored reminder changes state only by a legal move, with a conditional UPDATE that must hit its row, and
every change is on the audit trail in the same transaction.
"""

import datetime as dt
from collections.abc import Iterable, Sequence

from sqlalchemy import BindParameter, Row, and_, bindparam, func, select, update

from reminders.domain.facts import Reminder
from reminders.domain.lifecycle import PENDING, Reason, State, check_move
from reminders.domain.planner import Action, Change, Wanted
from reminders.errors import CannotDo
from reminders.store.among import among
from reminders.store.audit_trail import Event, record, record_many, told_moment
from reminders.store.database import Transaction
from reminders.store.listing import ListedReminder, counts_by_state, listing, reminder_by_id, reminders_by_ids
from reminders.store.overdue import LATE, Standing, overdue_count, sent_between, standing
from reminders.store.plan_trail import BY_THE_PLAN, held_before, told
from reminders.store.rows import insert_rows, pieces
from reminders.store.schema import patients, reminders
from reminders.store.stored import stored

__all__ = [
    "ListedReminder",
    "ReminderChangedMeanwhile",
    "Standing",
    "apply",
    "apply_many",
    "change_state",
    "counts_by_state",
    "due_for_replanning",
    "expire_passed",
    "held_as_backlog",
    "hold_backlog",
    "listing",
    "overdue_count",
    "reminder_by_id",
    "reminders_by_ids",
    "sent_between",
    "set_replan_at",
    "standing",
    "stored",
]

Planned = tuple[int, int, Sequence[Change]]
"""A clinic's id, a patient's id, and the changes to that patient's reminders."""

_WHEN = ("due_at", "next_attempt_at", "snoozed_until")

_OF_THE_PLAN = (
    *("protocol", "class_name", "treatment_id", "opens", "due", "overdue", "closes"),
    *("due_at", "not_after", "next_attempt_at", "snoozed_until", "wake_at"),
)
_BOUND = {"state": "state_is", "reason": "reason_is", "held_reason": "held_is", "updated_at": "updated"} | {
    name: f"{name}_is" for name in _OF_THE_PLAN
}
"""The columns that a changed plan sets, and the names of their parameters (SQLAlchemy keeps a column's own name)."""


class ReminderChangedMeanwhile(CannotDo):
    """A reminder changed while it was being planned: nothing was changed, try again."""


def apply(tx: Transaction, clinic_id: int, patient_id: int, changes: Sequence[Change]) -> list[int]:
    """Make one patient's stored reminders as the plan wants them; return the ids of the new ones."""
    return apply_many(tx, [(clinic_id, patient_id, changes)])[patient_id]


def apply_many(tx: Transaction, plans: Iterable[Planned]) -> dict[int, list[int]]:
    """Make the stored reminders of many patients as their plans want them; return the new ids by patient.

    Raises `ReminderChangedMeanwhile` when a row is not in the state the plan saw: the transaction must then end.
    """
    plans = list(plans)
    inserts: list[dict[str, object]] = []
    moves: list[dict[str, object]] = []
    restated: list[dict[str, object]] = []
    for clinic_id, patient_id, changes in plans:
        for change in changes:
            check_move(change.reminder.state if change.reminder else change.state, change.state, change.reason)
            if change.reminder is None:
                inserts.append(_new(tx, clinic_id, patient_id, change))
            elif change.wanted is not None:
                moves.append(_moved(tx, change, change.reminder, change.wanted))
            else:
                restated.append(_restated(tx, change, change.reminder))
    _update(tx, moves)
    _update(tx, restated)
    ids = iter(insert_rows(tx.connection, reminders, inserts))
    added: dict[int, list[int]] = {}
    events = []
    for clinic_id, patient_id, changes in plans:
        keys = [change.reminder.id if change.reminder else next(ids) for change in changes]
        pairs = list(zip(keys, changes, strict=True))
        added.setdefault(patient_id, []).extend(key for key, change in pairs if change.reminder is None)
        if pairs:
            details = {"changes": [told(key, change) for key, change in pairs]}
            events.append(Event("plan", "patient", patient_id, clinic_id, patient_id, details))
    record_many(tx, events)
    return added


def set_replan_at(tx: Transaction, moments: Sequence[tuple[int, dt.datetime | None]]) -> None:
    """Note when time alone will change a patient's plan, for many patients."""
    never = [patient_id for patient_id, moment in moments if moment is None]  # most of them, and it was never otherwise
    for piece in pieces(never):
        tx.connection.execute(_NEVER, {"asked": piece})
    if dated := [{"patient": patient_id, "moment": moment} for patient_id, moment in moments if moment is not None]:
        tx.connection.execute(_AGAIN_AT, dated)


_AGAIN_AT = update(patients).where(patients.c.id == bindparam("patient")).values(replan_at=bindparam("moment"))
_NEVER = update(patients).where(among(patients.c.id), patients.c.replan_at.is_not(None)).values(replan_at=None)


def due_for_replanning(tx: Transaction, now: dt.datetime, limit: int) -> list[tuple[int, int]]:
    """Return the (patient id, clinic id) pairs whose plan time has changed by now, longest ago first."""
    c = patients.c
    query = select(c.id, c.clinic_id).where(c.replan_at <= now).order_by(c.replan_at, c.id).limit(limit)
    return [(patient_id, clinic_id) for patient_id, clinic_id in tx.connection.execute(query)]


def expire_passed(tx: Transaction, limit: int) -> list[int]:
    """Expire what is planned or held and whose days have passed, oldest first; return the ids."""
    c = reminders.c
    passed = and_(c.state.in_(PENDING), c.not_after <= tx.now)
    query = select(c.id, c.state, c.clinic_id, c.patient_id).where(passed).order_by(c.not_after, c.id).limit(limit)
    return _restate(tx, tx.connection.execute(query).all(), State.EXPIRED, Reason.TOO_LATE)


def held_as_backlog(tx: Transaction) -> dict[int, int]:
    """Count what the backlog rule holds, by clinic."""
    c = reminders.c
    query = select(c.clinic_id, func.count()).where(c.state == State.HELD, c.reason == Reason.BACKLOG_HOLD)
    return dict(tx.connection.execute(query.group_by(c.clinic_id)).all())


def hold_backlog(tx: Transaction, clinic_id: int, before: dt.datetime) -> int:
    """Hold what the backlog rule counts, for a person to release; return how many."""
    asked = {"clinic": clinic_id, "before": before, "now": tx.now}
    return len(_restate(tx, tx.connection.execute(LATE, asked).all(), State.HELD, Reason.BACKLOG_HOLD))


def change_state(
    tx: Transaction, reminder_id: int, before: State, after: State, reason: Reason | None, **columns: object
) -> bool:
    """Move one reminder by a person's word, setting `columns` too; False when it is not `before` any more."""
    check_move(before, after, reason)
    c = reminders.c
    change = update(reminders).where(c.id == reminder_id, c.state == before)
    change = change.values(state=after, reason=reason, updated_at=tx.now, **columns)
    row = tx.connection.execute(change.returning(c.clinic_id, c.patient_id, *(c[name] for name in _WHEN))).first()
    if row is None:
        return False
    clinic_id, patient_id, *moments = row
    wake_at = max(moment for moment in moments if moment)
    tx.connection.execute(update(reminders).where(c.id == reminder_id).values(wake_at=wake_at))
    details: dict[str, object] = {"before": before, "reason": reason, "fields": sorted(columns)}
    if after is State.PLANNED:
        details["again"] = told_moment(row.next_attempt_at)
    record(tx, str(after), "reminder", reminder_id, clinic_id=clinic_id, patient_id=patient_id, details=details)
    return True


def _restate(tx: Transaction, rows: Sequence[Row[int, str, int, int]], after: State, reason: Reason) -> list[int]:
    for _, before, _, _ in rows:
        check_move(State(before), after, reason)
    values = {"state_is": after, "reason_is": reason, "updated": tx.now}
    _update(tx, [values | {"key": key, "before": before} for key, before, _, _ in rows])
    details = {"reason": reason}
    record_many(tx, [Event(after, "reminder", key, clinic, patient, details) for key, _, clinic, patient in rows])
    return [key for key, _, _, _ in rows]


def _update(tx: Transaction, rows: list[dict[str, object]]) -> None:
    """Change rows that must each be in the state their plan saw; all have the same keys."""
    if not rows:
        return
    c = reminders.c
    given: dict[str, BindParameter[object]] = {
        name: bindparam(bound) for name, bound in _BOUND.items() if bound in rows[0]
    }
    change = update(reminders).where(c.id == bindparam("key"), c.state == bindparam("before")).values(given)
    if tx.connection.execute(change, rows).rowcount != len(rows):
        raise ReminderChangedMeanwhile


def _restated(tx: Transaction, change: Change, reminder: Reminder) -> dict[str, object]:
    return {
        "key": reminder.id,
        "before": reminder.state,
        "state_is": change.state,
        "reason_is": change.reason,
        "held_is": held_before(reminder) if change.state is State.CANCELLED else None,
        "updated": tx.now,
    }


def _moved(tx: Transaction, change: Change, reminder: Reminder, want: Wanted) -> dict[str, object]:
    again = None if change.action is Action.RESTORE else reminder.next_attempt_at
    planned = {f"{name}_is": value for name, value in _planned(want, again).items()}
    return _restated(tx, change, reminder) | planned


def _planned(want: Wanted, next_attempt_at: dt.datetime | None) -> dict[str, object]:
    """Return the columns that belong to the plan, and with them the moment at which delivery looks at the row."""
    moments = (want.due_at, next_attempt_at, want.snoozed_until)
    return {
        "protocol": want.protocol,
        "class_name": want.class_name,
        "treatment_id": want.treatment_id,
        "opens": want.window.opens,
        "due": want.window.due,
        "overdue": want.window.overdue,
        "closes": want.window.closes,
        "due_at": want.due_at,
        "not_after": want.not_after,
        "next_attempt_at": next_attempt_at,
        "snoozed_until": want.snoozed_until,
        "wake_at": max(filter(None, moments)),
    }


def _new(tx: Transaction, clinic_id: int, patient_id: int, change: Change) -> dict[str, object]:
    want = change.wanted
    if want is None:
        raise ReminderChangedMeanwhile
    return {
        "clinic_id": clinic_id,
        "patient_id": patient_id,
        "episode_id": want.episode_id,
        "step": want.step,
        "copy": BY_THE_PLAN,
        **_planned(want, None),
        "state": change.state,
        "reason": change.reason,
        "created_at": tx.now,
        "updated_at": tx.now,
    }
