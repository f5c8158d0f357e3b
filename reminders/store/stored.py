"""Reads a patient's stored reminders as the planner knows them.

Invariant: every look reads all of a patient's, in the order in which they were first planned.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select

from reminders.domain.facts import Reminder
from reminders.domain.lifecycle import Reason, State
from reminders.domain.protocol import TreatmentClass
from reminders.domain.window import Window
from reminders.store.among import among
from reminders.store.database import Transaction
from reminders.store.rows import pieces
from reminders.store.schema import reminders

_READ = (
    *("patient_id", "id", "episode_id", "step", "state", "reason", "protocol", "class_name", "treatment_id"),
    *("opens", "due", "overdue", "closes", "due_at", "not_after", "copy", "next_attempt_at", "snoozed_until"),
    *("wake_at", "released_at", "waited", "held_reason", "sent_at", "handed_over_at", "message_pk"),
)
"""The columns of a stored reminder, the patient's id first."""

_STORED = select(*(reminders.c[name] for name in _READ)).where(among(reminders.c.patient_id)).order_by(reminders.c.id)


def stored(tx: Transaction, patient_ids: Iterable[int]) -> dict[int, list[Reminder]]:
    """Return the stored reminders by patient; every asked patient is a key."""
    found: dict[int, list[Reminder]] = {}
    for piece in pieces(patient_ids):
        found |= {patient_id: [] for patient_id in piece}
        for row in tx.connection.execute(_STORED, {"asked": piece}):
            found[row[0]].append(_reminder(row))
    return found


def _reminder(row: Sequence[Any]) -> Reminder:
    """Make a reminder of the columns `_READ`, in their order: this is done for each patient at every look."""
    _, key, episode, step, state, reason, protocol, class_name, treatment, *rest = row
    opens, due, overdue, closes, due_at, not_after, copy, again, snoozed, wake_at, released, waited, held, *went = rest
    sent_at, handed_over_at, message = went
    standing = State(state)
    return Reminder(
        key,
        episode,
        step,
        standing,
        Reason(reason) if reason else None,
        protocol,
        TreatmentClass(class_name),
        treatment,
        Window(opens, due, overdue, closes),
        due_at,
        not_after,
        copy,
        again,
        snoozed,
        released is not None,
        waited,
        Reason(held) if held else None,
        standing is State.PLANNED and wake_at > max(at for at in (due_at, again, snoozed) if at),
        sent_at or handed_over_at,
        message,
    )
