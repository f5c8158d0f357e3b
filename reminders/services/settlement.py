"""Records what a server said of a message, and what follows from it for the patient and the address.

Invariants: only a definite refusal is a refusal; a bad address is suppressed for its clinic, a policy refusal never is.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from reminders.domain.lifecycle import Reason, State
from reminders.domain.retry import next_attempt
from reminders.mail.address import normalise
from reminders.mail.outcome import Blame, Outcome, Phase, Verdict
from reminders.services.choose import Letter, Tally
from reminders.services.find import clinic_of
from reminders.services.guarding.lock import leave_for_later
from reminders.services.keys import Keys
from reminders.services.plan import plan_patients
from reminders.store import contacts, messages, outbox, patients
from reminders.store.apart import ODD_DATA, apart
from reminders.store.database import Transaction
from reminders.store.messages import Blanked


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said of a letter that was in the state `before`; `blanked` are its bytes without tokens.

    `pattern` is what they are kept against. They are made before the final dot: after it, nothing but the database may
    stand between an answer and its record.
    """

    letter: Letter
    outcome: Outcome
    before: State
    blanked: bytes
    pattern: bytes | None = None


@dataclass(frozen=True, slots=True)
class Settler:
    """Settles answers of one delivery, and counts them."""

    keys: Keys
    tally: Tally

    def settle(self, tx: Transaction, answers: Sequence[tuple[Answer, float]]) -> None:
        """Record answers, each with its jitter, and count those whose rows were still ours to settle."""
        taken = [answer for answer, _ in answers if answer.outcome.verdict is Verdict.ACCEPTED]
        for answer in self._sent(tx, taken):
            self.tally.counts["sent"] += len(answer.letter.held)
        for answer, jitter in answers:
            name = self._settled(tx, answer, jitter)
            if name is not None:
                self.tally.counts[name] += len(answer.letter.held)

    def put_back(self, tx: Transaction, letter: Letter, *, fault: str | None = None) -> bool:
        """Return a claimed letter to the plan as it was; False when it was not ours any more."""
        done = outbox.put_back(tx, letter.held, State.CLAIMED, again_at=None, refused=False, fault=fault)
        return done and self._plan(tx, letter.clinic_id, [letter.patient_id])

    def put_back_unsent(self, tx: Transaction, letter: Letter) -> bool:
        """Return a letter that no server was given whole, on whichever side of its fence it stands."""
        done = any(
            outbox.put_back(tx, letter.held, before, again_at=None, refused=False, fault=None)
            for before in (State.CLAIMED, State.HANDED_OVER)
        )
        return done and self._plan(tx, letter.clinic_id, [letter.patient_id])

    def _settled(self, tx: Transaction, answer: Answer, jitter: float) -> str | None:
        match answer.outcome.verdict:
            case Verdict.ACCEPTED:
                return None  # all of them at once, see above
            case Verdict.UNKNOWN:
                return "unknown" if outbox.settle_unknown(tx, answer.letter.held) else None
            case Verdict.NEVER:
                return self._never(tx, answer)
            case Verdict.LATER:
                return self._later(tx, answer, jitter)

    def _sent(self, tx: Transaction, answers: Sequence[Answer]) -> list[Answer]:
        if not answers:
            return []
        done = outbox.settle_sent(tx, [answer.letter.held for answer in answers])
        settled = [answer for answer, ok in zip(answers, done, strict=True) if ok]
        messages.blank_contents(tx, [Blanked(one.letter.message.id, one.blanked, one.pattern) for one in settled])
        return settled

    def _never(self, tx: Transaction, answer: Answer) -> str | None:
        letter, outcome = answer.letter, answer.outcome
        offered = _offered_only(outcome)
        if not outbox.settle_failed(tx, letter.held, answer.before, outcome.summary, offered=offered):
            return None
        if outcome.blame is Blame.ADDRESS:
            key = self.keys.address_key(normalise(letter.facts.recipient))
            contacts.suppress(tx, letter.clinic_id, key, "all", Reason.BOUNCED_ADDRESS)
            others = {other.id for other in patients.patients_by_address_keys(tx, letter.clinic_id, [key])}
            self._plan(tx, letter.clinic_id, sorted({letter.patient_id, *others}))
        return "failed"

    def _later(self, tx: Transaction, answer: Answer, jitter: float) -> str | None:
        letter, outcome = answer.letter, answer.outcome
        refused = outcome.blame is not Blame.TRANSPORT
        done = outbox.put_back(
            tx,
            letter.held,
            answer.before,
            again_at=_again_at(tx, letter, refused=refused, jitter=jitter),
            refused=refused,
            offered=refused and _offered_only(outcome),
            fault=outcome.summary,
        )
        return "deferred" if done and self._plan(tx, letter.clinic_id, [letter.patient_id]) else None

    def _plan(self, tx: Transaction, clinic_id: int, patient_ids: list[int]) -> bool:
        """Plan them, since facts may have changed while the plan left alone what was on its way.

        Where that fails, the answer is recorded all the same, and they are planned by the next delivery.
        """
        try:
            with apart(tx):
                outcome = plan_patients(tx, clinic_of(tx, clinic_id), patient_ids)
        except ODD_DATA:
            leave_for_later(tx, clinic_id, patient_ids, tx.now)
        else:
            self.tally.planned(outcome)
        return True


def _offered_only(outcome: Outcome) -> bool:
    """Tell whether the server refused the envelope; an attempt counts from the body on, and such a one counts too."""
    return outcome.phase in (Phase.MAIL, Phase.RCPT)


def _again_at(tx: Transaction, letter: Letter, *, refused: bool, jitter: float) -> dt.datetime:
    """Return when to try again: after the refusals so far, or soon when only the connection failed."""
    refusals = outbox.refusals_of(tx, letter.held[0].reminder_id) if refused else 0
    return next_attempt(tx.now, refusals + 1, jitter)
