"""Records what a server said of a message, and what follows from it for the patient and the address.

Invariants: only a definite refusal is a refusal; a bad address is suppressed for its clinic, a policy refusal never is.
"""

import datetime as dt

from reminders.domain.lifecycle import Reason, State
from reminders.domain.retry import next_attempt
from reminders.mail.address import normalise
from reminders.mail.compose import blank_tokens
from reminders.mail.outcome import Blame, Outcome, Verdict
from reminders.services.choose import Letter
from reminders.services.find import clinic_of
from reminders.services.keys import Keys
from reminders.services.plan import plan_patients
from reminders.store import contacts, messages, outbox
from reminders.store.database import Transaction


def settle(
    tx: Transaction, keys: Keys, letter: Letter, content: bytes, outcome: Outcome, before: State, jitter: float
) -> str | None:
    """Record one answer; return what to count it as, or None when the row was no longer ours to settle."""
    if outcome.verdict is Verdict.ACCEPTED:
        return _sent(tx, letter, content)
    if outcome.verdict is Verdict.UNKNOWN:
        return "unknown" if outbox.settle_unknown(tx, letter.held) else None
    if outcome.verdict is Verdict.NEVER:
        return _never(tx, keys, letter, outcome, before)
    refused = outcome.blame is not Blame.TRANSPORT
    again_at = _again_at(tx, letter, refused=refused, jitter=jitter)
    done = put_back(tx, letter, before, again_at=again_at, refused=refused, fault=outcome.summary)
    return "deferred" if done else None


def put_back(
    tx: Transaction, letter: Letter, before: State, *, again_at: dt.datetime | None, refused: bool, fault: str | None
) -> bool:
    """Return a letter's reminders to the plan, and plan the patient, since facts may have changed meanwhile."""
    if not outbox.put_back(tx, letter.held, before, again_at=again_at, refused=refused, fault=fault):
        return False
    plan_patients(tx, clinic_of(tx, letter.clinic_id), [letter.patient_id])
    return True


def _sent(tx: Transaction, letter: Letter, content: bytes) -> str | None:
    if not outbox.settle_sent(tx, letter.held):
        return None
    messages.blank_content(tx, letter.message.id, blank_tokens(content))
    return "sent"


def _never(tx: Transaction, keys: Keys, letter: Letter, outcome: Outcome, before: State) -> str | None:
    if not outbox.settle_failed(tx, letter.held, before, outcome.summary):
        return None
    if outcome.blame is Blame.ADDRESS:
        key = keys.address_key(normalise(letter.facts.recipient))
        contacts.suppress(tx, letter.clinic_id, key, "all", Reason.BOUNCED_ADDRESS)
        plan_patients(tx, clinic_of(tx, letter.clinic_id), [letter.patient_id])
    return "failed"


def _again_at(tx: Transaction, letter: Letter, *, refused: bool, jitter: float) -> dt.datetime:
    """Return when to try again: after the refusals so far, or soon when only the connection failed."""
    refusals = outbox.refusals_of(tx, letter.held[0].reminder_id) if refused else 0
    return next_attempt(tx.now, refusals + 1, jitter)
