"""Staff decisions on single reminders: release, hold, settle, retry, and a message that came back.

Invariant: a decision is a legal move from the state the person saw; what they let go is never backlog-held again.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from reminders.domain.lifecycle import Reason, State
from reminders.errors import BadInput, CannotDo
from reminders.services.blanking import blank_spent
from reminders.services.calendar import rules_for
from reminders.services.find import clinic_of
from reminders.services.plan import hold_backlog, plan_patients
from reminders.store import contacts, messages, patients, reminders
from reminders.store.clinics import Clinic
from reminders.store.database import Transaction
from reminders.store.listing import ListedReminder

SETTLE_AFTER = dt.timedelta(minutes=15)
"""How long an unknown message must rest before it may go out again: a server's late answer may still settle it."""

WAS_SENT = (State.SENT, State.UNKNOWN)


class NoSuchReminder(BadInput):
    """There is no reminder {id}: `reminders list` shows the ids."""


class NotInState(CannotDo):
    """Reminder {id} is {state}, not {wanted}: {advice}."""


class TooSoonToSettle(CannotDo):
    """Reminder {id} was handed over at {at}: it may be planned again 15 minutes after that, from {until} on."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of the reminders decided on: their ids, and their rows afterwards."""

    reminders: tuple[ListedReminder, ...]


def release(tx: Transaction, ids: Sequence[int]) -> Decision:
    """Let held reminders go: planned again, marked as released by a person; what put them off before is forgotten."""
    advice = "only held reminders can be released"
    return _decide(tx, ids, (State.HELD,), State.PLANNED, None, advice, released_at=tx.now, next_attempt_at=None)


def release_all(tx: Transaction, clinic: Clinic) -> Decision:
    """Apply the backlog rule first, then let everything held at the clinic go."""
    hold_backlog(tx, clinic, rules_for(tx, clinic))
    held = [row.id for row in reminders.listing(tx, clinic_id=clinic.id, states=(State.HELD,))]
    return release(tx, held)


def hold(tx: Transaction, ids: Sequence[int], why: str) -> Decision:
    """Keep planned reminders back until a person releases them."""
    advice = "only planned reminders can be held"
    decided = _decide(tx, ids, (State.PLANNED,), State.HELD, Reason.HELD_FOR_REVIEW, advice, released_at=None)
    for row in decided.reminders:
        patients.add_note(tx, row.patient_id, f"reminder {row.id} held", why)
    return decided


def retry(tx: Transaction, ids: Sequence[int]) -> Decision:
    """Plan failed reminders again, with a clean count of refusals and rescues."""
    advice = "only failed reminders can be tried again"
    fresh = {"refusals": 0, "rescues": 0, "next_attempt_at": None, "handed_over_at": None, "released_at": tx.now}
    return _decide(tx, ids, (State.FAILED,), State.PLANNED, None, advice, **fresh)


def settle(tx: Transaction, reminder_id: int, state: State, why: str) -> Decision:
    """Say what became of an unknown message: `sent`, or `planned` to send it again; all reminders it carried."""
    row = _found(tx, [reminder_id])[0]
    ids = [reminder_id]
    if row.message_id is not None:
        ids = [r.id for r in reminders.listing(tx, patient_id=row.patient_id) if r.message_id == row.message_id]
        ids = [i for i in ids if i == reminder_id or _state_of(tx, i) is State.UNKNOWN]
    advice = "only unknown reminders can be settled"
    if state is State.SENT:
        decided = _decide(tx, ids, (State.UNKNOWN,), State.SENT, None, advice, sent_at=row.handed_over_at or tx.now)
    else:
        until = (row.handed_over_at or row.updated_at) + SETTLE_AFTER
        if row.state is State.UNKNOWN and tx.now < until:
            raise TooSoonToSettle(id=reminder_id, at=f"{row.handed_over_at:%H:%M} UTC", until=f"{until:%H:%M} UTC")
        again = {"handed_over_at": None, "next_attempt_at": None, "released_at": tx.now}
        decided = _decide(tx, ids, (State.UNKNOWN,), State.PLANNED, None, advice, **again)
    blank_spent(tx, ids)
    patients.add_note(tx, row.patient_id, f"reminder {reminder_id} settled as {state}", why)
    return decided


def came_back(tx: Transaction, reminder_id: int, *, complaint: bool) -> Decision:
    """Record that a sent message bounced, or that its reader complained: the address is suppressed for the clinic.

    Told twice, it is recorded once: servers send some reports twice.
    """
    row = _found(tx, [reminder_id])[0]
    key = messages.address_key_of(tx, reminder_id)
    advice = "only a sent or unknown message can come back"
    _need(row, (*WAS_SENT, State.BOUNCED), advice)
    if not complaint:
        mine = reminders.listing(tx, patient_id=row.patient_id, states=WAS_SENT)
        ids = [other.id for other in mine if other.message_id == row.message_id]
        _decide(tx, ids, WAS_SENT, State.BOUNCED, None, advice)
        blank_spent(tx, ids)
    touched = {row.patient_id}
    if key is not None:
        contacts.suppress(tx, row.clinic_id, key, "all", Reason.COMPLAINED if complaint else Reason.BOUNCED_ADDRESS)
        touched |= {other.id for other in patients.patients_by_address_keys(tx, row.clinic_id, [key])}
    plan_patients(tx, clinic_of(tx, row.clinic_id), sorted(touched))
    return Decision(tuple(_found(tx, [reminder_id])))


def _state_of(tx: Transaction, reminder_id: int) -> State:
    return _found(tx, [reminder_id])[0].state


def _found(tx: Transaction, ids: Sequence[int]) -> list[ListedReminder]:
    rows = reminders.reminders_by_ids(tx, ids)
    for reminder_id in ids:
        if reminder_id not in rows:
            raise NoSuchReminder(id=reminder_id)
    return [rows[reminder_id] for reminder_id in ids]


def _need(row: ListedReminder, before: Sequence[State], advice: str) -> None:
    if row.state not in before:
        wanted = " or ".join(before)
        raise NotInState(id=row.id, state=row.state, wanted=wanted, advice=advice)


def _decide(
    tx: Transaction,
    ids: Sequence[int],
    before: Sequence[State],
    after: State,
    reason: Reason | None,
    advice: str,
    **columns: object,
) -> Decision:
    """Move all of these reminders or none, then plan their patients."""
    rows = _found(tx, list(dict.fromkeys(ids)))
    for row in rows:
        _need(row, before, advice)
    for row in rows:
        if not reminders.change_state(tx, row.id, row.state, after, reason, **columns):
            raise NotInState(id=row.id, state="changing", wanted=" or ".join(before), advice="try again")
    touched: dict[int, set[int]] = {}
    for row in rows:
        touched.setdefault(row.clinic_id, set()).add(row.patient_id)
    for clinic_id, patient_ids in touched.items():
        plan_patients(tx, clinic_of(tx, clinic_id), sorted(patient_ids))
    return Decision(tuple(_found(tx, [row.id for row in rows])))
