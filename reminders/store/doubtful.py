"""What a database cannot know after an older copy of it was put back, or after its machine's clock was wrong.

Invariant: what may have been sent since the copy was made does not go out again before a person has looked at it.
"""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, or_, select, update

from reminders.domain.lifecycle import Reason, State, check_move
from reminders.store.audit_trail import Event, record_many
from reminders.store.database import Transaction
from reminders.store.rows import pieces
from reminders.store.schema import reminders

LONGEST_WAIT = dt.timedelta(hours=8)
"""No refused message is put off for longer; a later attempt was set under another clock."""

_REVIEW = Reason.HELD_FOR_REVIEW


def hold_doubtful(tx: Transaction) -> int:
    """Hold whatever was due by now and is not known to be sent; return how many reminders.

    Everything due counts, however long ago: a message that was put off, held or paused when the copy was made may have
    gone out a minute later. What is withdrawn comes back held, should its facts come back. A release from before speaks
    for nothing: what is recorded again may move a later one to a day on which it went out.
    """
    c = reminders.c
    due = and_(c.due_at <= tx.now, c.not_after > tx.now)
    broken = and_(c.state == State.HELD, c.reason == Reason.TEMPLATE_BROKEN)
    held = _restate(tx, or_(c.state == State.CLAIMED, and_(c.state == State.PLANNED, due), broken))
    withdrawn = update(reminders).where(c.state == State.CANCELLED, due)
    withdrawn = withdrawn.values(held_reason=_REVIEW).returning(c.id, c.reason, c.clinic_id, c.patient_id)
    record_many(tx, [_kept(*row) for row in sorted(tx.connection.execute(withdrawn).all())])
    waiting = and_(c.state.in_((State.PLANNED, State.CANCELLED)), c.released_at.is_not(None))
    tx.connection.execute(update(reminders).where(waiting).values(released_at=None))
    return held


def _restate(tx: Transaction, doubtful: ColumnElement[bool]) -> int:
    c = reminders.c
    query = select(c.id, c.state, c.clinic_id, c.patient_id).where(doubtful).order_by(c.id)
    rows = tx.connection.execute(query).all()
    for row in rows:
        check_move(State(row.state), State.HELD, _REVIEW)
    values: dict[str, object] = {"state": State.HELD, "reason": _REVIEW, "released_at": None, "updated_at": tx.now}
    values |= {"lease_until": None, "worker": None, "body_begun": False, "epoch": c.epoch + 1}
    for piece in pieces([row.id for row in rows]):
        tx.connection.execute(update(reminders).where(c.id.in_(piece)).values(values))
    record_many(tx, [_event(*row) for row in rows])
    return len(rows)


def _event(reminder_id: int, before: str, clinic_id: int, patient_id: int) -> Event:
    details = {"before": before, "reason": _REVIEW}
    return Event(State.HELD, "reminder", reminder_id, clinic_id, patient_id, details)


def _kept(reminder_id: int, reason: str | None, clinic_id: int, patient_id: int) -> Event:
    """Tell that a withdrawn reminder comes back held: without it an audit would take that for somebody else's doing."""
    return Event(State.CANCELLED, "reminder", reminder_id, clinic_id, patient_id, {"reason": reason, "held": _REVIEW})


def attempts_due_again(tx: Transaction) -> Sequence[int]:
    """Let a refused message try again that was put off under a clock which was ahead; return the reminders' ids.

    It shows by a moment no refusal can lead to, or by a row that was changed later than now. What waits for another
    message, for a distance or for a snooze has a reason, and days of its own.
    """
    c = reminders.c
    ahead = or_(c.next_attempt_at > tx.now + LONGEST_WAIT, and_(c.updated_at > tx.now, c.next_attempt_at > tx.now))
    waits = and_(c.state == State.PLANNED, c.reason.is_(None), c.next_attempt_at.is_not(None), ahead)
    change = update(reminders).where(waits, c.snoozed_until.is_(None))
    change = change.values(next_attempt_at=None, wake_at=c.due_at, updated_at=tx.now)
    return list(tx.connection.execute(change.returning(c.id)).scalars())
