"""The delivery side of a reminder's row: claim, hand over, settle, rescue.

Invariant: every transition is a conditional UPDATE on (id, state, epoch) that must hit its row; a worker whose lease
ran out hits none, and learns so from the returned truth instead of overwriting what happened meanwhile.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, bindparam, func, or_, select, tuple_, update

from reminders.domain.facts import Reminder
from reminders.domain.lifecycle import IN_FLIGHT, Reason, State, check_move
from reminders.store.audit_trail import Event, record, record_many, told_moment
from reminders.store.database import Transaction
from reminders.store.messages import StoredMessage
from reminders.store.schema import messages, reminders

DIED, WRITING = "worker died", "being written"
"""Faults that no server had a part in. `DIED`: a worker died with it, of this message or of another thing; it is then
tried alone. `WRITING`: it is alone, and just being written: a death now is of its own making."""


@dataclass(frozen=True, slots=True)
class Held:
    """A reminder in a worker's hands: the row and the epoch that fences everybody else off.

    `suspect` says that a worker died with it before.
    """

    reminder_id: int
    epoch: int
    patient_id: int
    clinic_id: int
    suspect: bool = False


def claim(
    tx: Transaction,
    letters: Sequence[tuple[Sequence[Reminder], StoredMessage]],
    worker: str,
    lease_until: dt.datetime,
) -> list[list[Held]]:
    """Take planned reminders, each letter's for its message: all of a letter's, or none where one is not planned.

    The letters are of different patients: a message is found by whose it is.
    """
    check_move(State.PLANNED, State.CLAIMED, None)
    savepoint = tx.connection.begin_nested()
    given: dict[str, object] = {"worker": worker, "until": lease_until, "now": tx.now}
    keys = [reminder.id for chosen, _ in letters for reminder in chosen]
    rows = tx.connection.execute(_CLAIM, given | {"keys": keys, "kept": [message.id for _, message in letters]}).all()
    taken = {row[0]: Held(*row) for row in rows}
    if len(taken) < len(keys):
        savepoint.rollback()
        if len(letters) == 1:
            return [[]]
        return [held for letter in letters for held in claim(tx, [letter], worker, lease_until)]
    savepoint.commit()
    found = [[taken[reminder.id] for reminder in chosen] for chosen, _ in letters]
    record_many(
        tx,
        [
            Event("claim", "reminder", one.reminder_id, one.clinic_id, one.patient_id, {"message": message.id})
            for held, (_, message) in zip(found, letters, strict=True)
            for one in held
        ],
    )
    return found


def killed_a_worker() -> ColumnElement[bool]:
    """Return the condition that a worker died with a reminder, maybe of it."""
    return or_(reminders.c.rescues > 0, func.coalesce(reminders.c.last_fault, "").in_([DIED, WRITING]))


_CLAIM = (
    update(reminders)
    .where(reminders.c.id.in_(bindparam("keys", expanding=True)), reminders.c.state == State.PLANNED)
    .values(
        state=State.CLAIMED,
        reason=None,
        epoch=reminders.c.epoch + 1,
        worker=bindparam("worker"),
        lease_until=bindparam("until"),
        message_pk=select(messages.c.id)
        .where(
            messages.c.patient_id == reminders.c.patient_id,
            messages.c.id.in_(bindparam("kept", expanding=True)),
        )
        .scalar_subquery(),
        body_begun=False,
        handed_over_at=None,
        updated_at=bindparam("now"),
    )
    .returning(reminders.c.id, reminders.c.epoch, reminders.c.patient_id, reminders.c.clinic_id, killed_a_worker())
)


def holds(tx: Transaction, held: Sequence[Held], state: State, worker: str | None = None) -> bool:
    """Tell whether every one of these is in `state` by this attempt, and, where asked, in the hands of `worker`.

    A claim that was undone may have been followed by another worker's, which then has the same epoch.
    """
    c = reminders.c
    query = select(func.count()).where(_mine(held), c.state == state)
    if worker is not None:
        query = query.where(c.worker == worker)
    return bool(tx.connection.execute(query).scalar_one() == len(held))


def renew(tx: Transaction, held: Sequence[Held], lease_until: dt.datetime) -> int:
    """Extend the leases that are still ours; return how many were.

    A row that another step of the same worker is just changing is left: it is renewed the next time, and waiting for it
    would be waiting in another order.
    """
    c = reminders.c
    free = select(c.id).where(_mine(held), c.state.in_(IN_FLIGHT)).with_for_update(skip_locked=True, key_share=True)
    ids = tx.connection.execute(free).scalars().all()
    change = update(reminders).where(c.id.in_(ids)).values(lease_until=lease_until)
    return tx.connection.execute(change).rowcount if ids else 0


def note_writing(tx: Transaction, held: Sequence[Held], *, begins: bool) -> None:
    """Note that a message begins to be written, or that its writing ended and killed nobody; not where it is lost."""
    _all(tx, held, State.CLAIMED, last_fault=WRITING if begins else None)


def begin_bodies(tx: Transaction, letters: Sequence[Sequence[Held]]) -> list[bool]:
    """Note, before the first byte of each body, that an attempt begins; False where one is no longer ours."""
    values = {"body_begun": True, "attempts": reminders.c.attempts + 1}
    if _together(tx, letters, State.CLAIMED, **values):
        return [True] * len(letters)
    return [_all(tx, held, State.CLAIMED, **values) for held in letters]


def hand_over(tx: Transaction, letters: Sequence[Sequence[Held]]) -> list[bool]:
    """Commit, just before the final dots, that the messages may be accepted from now on; False where not ours now."""
    return _move(tx, letters, State.CLAIMED, State.HANDED_OVER, handed_over_at=tx.now)


def settle_sent(tx: Transaction, letters: Sequence[Sequence[Held]]) -> list[bool]:
    """Record the servers' 250s. A late answer of the same epoch also settles an `unknown`."""
    values = {"sent_at": tx.now, "lease_until": None, "worker": None}
    done = _move(tx, letters, State.HANDED_OVER, State.SENT, **values)
    return [
        ok or transition(tx, held, State.UNKNOWN, State.SENT, None, **values)
        for ok, held in zip(done, letters, strict=True)
    ]


def settle_unknown(tx: Transaction, held: Sequence[Held]) -> bool:
    """Record that the answer to the final dot never came."""
    return transition(tx, held, State.HANDED_OVER, State.UNKNOWN, None, lease_until=None, worker=None)


def settle_failed(tx: Transaction, held: Sequence[Held], before: State, fault: str, *, offered: bool = False) -> bool:
    """Record a definite refusal of this message; `offered` counts an attempt that ended before its body."""
    attempts = reminders.c.attempts + int(offered)
    values = {"lease_until": None, "worker": None, "last_fault": fault, "attempts": attempts}
    if before is State.HANDED_OVER:
        return _settle(tx, held, State.FAILED, Reason.REJECTED_BY_SERVER, **values)
    return transition(tx, held, before, State.FAILED, Reason.REJECTED_BY_SERVER, **values)


def put_back(
    tx: Transaction,
    held: Sequence[Held],
    before: State,
    *,
    again_at: dt.datetime | None,
    refused: bool,
    fault: str | None,
    offered: bool = False,
) -> bool:
    """Return reminders that were definitely not accepted to the plan, to be tried at `again_at`."""
    c = reminders.c
    values = {
        "next_attempt_at": again_at,
        "wake_at": c.due_at if again_at is None else again_at,
        "refusals": c.refusals + int(refused),
        "attempts": c.attempts + int(offered),
        "last_fault": fault,
        "lease_until": None,
        "worker": None,
        "handed_over_at": None,
        "body_begun": False,
    }
    if before is State.HANDED_OVER:
        return _settle(tx, held, State.PLANNED, None, **values)
    return transition(tx, held, before, State.PLANNED, None, **values)


def refusals_of(tx: Transaction, reminder_id: int) -> int:
    """Return how often servers have put this reminder off so far."""
    query = select(reminders.c.refusals).where(reminders.c.id == reminder_id)
    return int(tx.connection.execute(query).scalar_one())


def hold_claimed(tx: Transaction, held: Sequence[Held], reason: Reason) -> bool:
    """Hold claimed reminders for a person (their template is broken)."""
    values = {"lease_until": None, "worker": None, "last_fault": None}
    return transition(tx, held, State.CLAIMED, State.HELD, reason, **values)


def _settle(tx: Transaction, held: Sequence[Held], after: State, reason: Reason | None, **values: object) -> bool:
    """Record a definite answer, also where a rescuer has meanwhile called the same attempt unknown."""
    if transition(tx, held, State.HANDED_OVER, after, reason, **values):
        return True
    return transition(tx, held, State.UNKNOWN, after, reason, **values)


def transition(
    tx: Transaction, held: Sequence[Held], before: State, after: State, reason: Reason | None, **values: object
) -> bool:
    """Move the reminders of one message, or none where one is not ours any more; tell whether they were."""
    check_move(before, after, reason)
    changed = _all(tx, held, before, state=after, reason=reason, updated_at=tx.now, **values)
    if changed:
        details: dict[str, object] = {"reason": reason} if reason else {}
        if after is State.PLANNED:
            details["again"] = told_moment(values.get("next_attempt_at"))
        for one in held:
            record(
                tx,
                str(after),
                "reminder",
                one.reminder_id,
                clinic_id=one.clinic_id,
                patient_id=one.patient_id,
                details=details or None,
            )
    return changed


def _move(
    tx: Transaction, letters: Sequence[Sequence[Held]], before: State, after: State, **values: object
) -> list[bool]:
    """Move all letters with one statement, or, where one of them is not ours any more, each by itself."""
    check_move(before, after, None)
    if not _together(tx, letters, before, state=after, reason=None, updated_at=tx.now, **values):
        return [transition(tx, held, before, after, None, **values) for held in letters]
    moved = (one for held in letters for one in held)
    record_many(tx, [Event(after, "reminder", one.reminder_id, one.clinic_id, one.patient_id) for one in moved])
    return [True] * len(letters)


def _together(tx: Transaction, letters: Sequence[Sequence[Held]], before: State, **values: object) -> bool:
    """Change the rows of all letters, or none where one is not in the state `before` by its attempt."""
    epochs = {one.reminder_id: one.epoch for held in letters for one in held}
    c = reminders.c
    change = update(reminders).where(c.id.in_(epochs), c.state == before).values(**values).returning(c.id, c.epoch)
    savepoint = tx.connection.begin_nested()
    if dict(tx.connection.execute(change).all()) != epochs:
        savepoint.rollback()
        return False
    savepoint.commit()
    return True


def _mine(held: Sequence[Held]) -> ColumnElement[bool]:
    return tuple_(reminders.c.id, reminders.c.epoch).in_([(one.reminder_id, one.epoch) for one in held])


def _all(tx: Transaction, held: Sequence[Held], before: State, **values: object) -> bool:
    """Change all rows of one message or none: True when every one was still ours in the state `before`."""
    c = reminders.c
    savepoint = tx.connection.begin_nested()
    for one in held:
        change = (
            update(reminders).where(c.id == one.reminder_id, c.epoch == one.epoch, c.state == before).values(**values)
        )
        if tx.connection.execute(change).rowcount != 1:
            savepoint.rollback()
            return False
    savepoint.commit()
    return True
