"""The delivery side of a reminder's row: claim, hand over, settle, rescue.

Invariant: every transition is a conditional UPDATE on (id, state, epoch) that must hit its row; a worker whose lease
ran out hits none, and learns so from the returned truth instead of overwriting what happened meanwhile.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select, update

from reminders.domain.facts import Reminder
from reminders.domain.lifecycle import IN_FLIGHT, Reason, State, check_move
from reminders.store.audit_trail import record
from reminders.store.database import Transaction
from reminders.store.messages import StoredMessage
from reminders.store.schema import reminders


@dataclass(frozen=True, slots=True)
class Held:
    """A reminder in a worker's hands: the row and the epoch that fences everybody else off."""

    reminder_id: int
    epoch: int
    patient_id: int
    clinic_id: int


@dataclass(frozen=True, slots=True)
class Lapsed:
    """A reminder whose worker's lease ran out."""

    held: Held
    state: State
    body_begun: bool
    rescues: int


def claim(
    tx: Transaction, chosen: Iterable[Reminder], message: StoredMessage, worker: str, lease_until: dt.datetime
) -> list[Held]:
    """Take planned reminders for one message; the caller holds the write transaction, so each must still be planned."""
    c = reminders.c
    held = []
    for reminder in chosen:
        check_move(State.PLANNED, State.CLAIMED, None)
        change = (
            update(reminders)
            .where(c.id == reminder.id, c.state == State.PLANNED)
            .values(
                state=State.CLAIMED,
                reason=None,
                epoch=c.epoch + 1,
                worker=worker,
                lease_until=lease_until,
                message_pk=message.id,
                body_begun=False,
                handed_over_at=None,
                updated_at=tx.now,
            )
            .returning(c.epoch, c.patient_id, c.clinic_id)
        )
        row = tx.connection.execute(change).one()
        held.append(Held(reminder.id, row.epoch, row.patient_id, row.clinic_id))
        record(tx, "claim", "reminder", reminder.id, clinic_id=row.clinic_id, patient_id=row.patient_id)
    return held


def renew(tx: Transaction, held: Iterable[Held], lease_until: dt.datetime) -> int:
    """Extend the leases that are still ours; return how many were."""
    c = reminders.c
    renewed = 0
    for one in held:
        change = (
            update(reminders)
            .where(c.id == one.reminder_id, c.epoch == one.epoch, c.state.in_(IN_FLIGHT))
            .values(lease_until=lease_until)
        )
        renewed += tx.connection.execute(change).rowcount
    return renewed


def begin_body(tx: Transaction, held: Sequence[Held]) -> bool:
    """Note, before the first byte of the body, that an attempt begins; False when one is no longer ours."""
    return _all(tx, held, State.CLAIMED, body_begun=True, attempts=reminders.c.attempts + 1)


def hand_over(tx: Transaction, held: Sequence[Held]) -> bool:
    """Commit, just before the final dot, that the message may be accepted from now on; False when not ours any more."""
    return _transition(tx, held, State.CLAIMED, State.HANDED_OVER, None, handed_over_at=tx.now)


def settle_sent(tx: Transaction, held: Sequence[Held]) -> bool:
    """Record the server's 250. A late answer of the same epoch also settles an `unknown`."""
    return _settle(tx, held, State.SENT, None, sent_at=tx.now, lease_until=None, worker=None)


def settle_unknown(tx: Transaction, held: Sequence[Held]) -> bool:
    """Record that the answer to the final dot never came."""
    return _transition(tx, held, State.HANDED_OVER, State.UNKNOWN, None, lease_until=None, worker=None)


def settle_failed(tx: Transaction, held: Sequence[Held], before: State, fault: str, *, offered: bool = False) -> bool:
    """Record a definite refusal of this message; `offered` counts an attempt that ended before its body."""
    attempts = reminders.c.attempts + int(offered)
    values = {"lease_until": None, "worker": None, "last_fault": fault, "attempts": attempts}
    if before is State.HANDED_OVER:
        return _settle(tx, held, State.FAILED, Reason.REJECTED_BY_SERVER, **values)
    return _transition(tx, held, before, State.FAILED, Reason.REJECTED_BY_SERVER, **values)


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
    return _transition(tx, held, before, State.PLANNED, None, **values)


def refusals_of(tx: Transaction, reminder_id: int) -> int:
    """Return how often servers have put this reminder off so far."""
    query = select(reminders.c.refusals).where(reminders.c.id == reminder_id)
    return int(tx.connection.execute(query).scalar_one())


def hold_claimed(tx: Transaction, held: Sequence[Held], reason: Reason) -> bool:
    """Hold claimed reminders for a person (their template is broken)."""
    return _transition(tx, held, State.CLAIMED, State.HELD, reason, lease_until=None, worker=None)


def lapsed(tx: Transaction) -> list[Lapsed]:
    """Return the reminders in a worker's hands whose lease has run out."""
    c = reminders.c
    query = select(c.id, c.epoch, c.patient_id, c.clinic_id, c.state, c.body_begun, c.rescues).where(
        c.state.in_(IN_FLIGHT), c.lease_until <= tx.now
    )
    return [
        Lapsed(Held(*row[:4]), State(row.state), row.body_begun, row.rescues) for row in tx.connection.execute(query)
    ]


def rescue(tx: Transaction, one: Lapsed, after: State, reason: Reason | None) -> bool:
    """Take a lapsed reminder from its dead worker: back to the plan, to a person, or to `unknown`."""
    c = reminders.c
    values: dict[str, object] = {"lease_until": None, "worker": None}
    if one.state is State.CLAIMED:
        again_at = tx.now if after is State.PLANNED else None
        values |= {"rescues": c.rescues + int(one.body_begun), "body_begun": False, "next_attempt_at": again_at}
        values |= {"wake_at": c.due_at if again_at is None else again_at}
    return _transition(tx, [one.held], one.state, after, reason, **values)


def _settle(tx: Transaction, held: Sequence[Held], after: State, reason: Reason | None, **values: object) -> bool:
    """Record a definite answer, also where a rescuer has meanwhile called the same attempt unknown."""
    if _transition(tx, held, State.HANDED_OVER, after, reason, **values):
        return True
    return _transition(tx, held, State.UNKNOWN, after, reason, **values)


def _transition(
    tx: Transaction, held: Sequence[Held], before: State, after: State, reason: Reason | None, **values: object
) -> bool:
    check_move(before, after, reason)
    changed = _all(tx, held, before, state=after, reason=reason, updated_at=tx.now, **values)
    if changed:
        for one in held:
            details = {"reason": reason} if reason else None
            record(
                tx,
                str(after),
                "reminder",
                one.reminder_id,
                clinic_id=one.clinic_id,
                patient_id=one.patient_id,
                details=details,
            )
    return changed


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
