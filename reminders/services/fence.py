"""The commits of a round before its final dots: the bytes are kept, the messages let go, the rest is given back.

These steps run alongside those of other workers; none waits for a server. When the database is lost in one of them,
nobody knows at first whether it was carried out: the step is then done again by a writer who is alone. That one gets
its turn only when the lost transaction has ended, and so sees for certain what became of it. A look beside it could
see nothing, and a moment later it would stand.
"""

from collections.abc import Sequence

from reminders.domain.lifecycle import State
from reminders.domain.protocol import TreatmentClass
from reminders.mail.address import normalise
from reminders.mail.message import fingerprint
from reminders.services.choose import Letter, still_goes
from reminders.services.envelope import Envelope, Worker
from reminders.services.guarding.sound import need_our_tables
from reminders.services.insist import insist
from reminders.services.keys import token_hash
from reminders.services.reconnect import patiently
from reminders.services.settlement import Settler
from reminders.store import messages, outbox, patients
from reminders.store.apart import ODD_DATA, apart
from reminders.store.database import Transaction
from reminders.store.faults import PASSING, CommitUnknown


def keep(worker: Worker, envelopes: Sequence[Envelope]) -> list[Envelope]:
    """Commit bytes, links and the beginning of the attempt; return those still ours.

    Whoever was erased since the claim is left out: their name must not come back with the bytes. Raises what the
    database says: nothing was given to a server yet, so that all can be given back.
    """
    with worker.database.write(worker.clock.now, "deliver", alongside=True) as tx:
        return [envelope for envelope in envelopes if _kept(tx, worker, envelope)]


def _kept(tx: Transaction, worker: Worker, envelope: Envelope) -> bool:
    try:
        with apart(tx):
            if not _begin(tx, envelope):
                return False
            _keep_bytes(tx, worker, envelope)
    except ODD_DATA:  # a row of theirs was damaged meanwhile: they are left out, and the others go on
        return False
    return True


def _begin(tx: Transaction, envelope: Envelope) -> bool:
    letter = envelope.letter
    erased = patients.patient_by_id(tx, letter.patient_id).erased_at is not None
    return not erased and outbox.begin_body(tx, letter.held)


def _keep_bytes(tx: Transaction, worker: Worker, envelope: Envelope) -> None:
    letter, minted = envelope.letter, envelope.minted
    if minted is None:
        return
    key = worker.keys.address_key(normalise(letter.facts.recipient))
    shown = fingerprint(letter.facts, envelope.versions)
    messages.keep_bytes(tx, letter.message.id, envelope.content, shown, envelope.versions, letter.facts.stage, key)
    for purpose, token in (("request", minted.request_token), ("stop", minted.stop_token)):
        if token is not None:
            owner = (letter.clinic_id, letter.patient_id)
            messages.add_link(
                tx, token_hash(token), letter.message.id, owner, purpose, TreatmentClass(letter.facts.class_name)
            )


def let_go(worker: Worker, envelopes: Sequence[Envelope]) -> list[Envelope]:
    """Look every fact up once more and commit `handed_over` for what still holds; return that.

    Whose fence stands, or may stand where it is not known, is marked `fenced`, also when it raises.
    """

    def attempt(again: bool) -> list[Envelope]:  # noqa: FBT001 - `patiently` says so
        passed: list[Envelope] = []
        try:
            with worker.database.write(worker.clock.now, "deliver", alongside=not again) as tx:
                need_our_tables(tx)
                passed += (one for one in envelopes if not worker.stop() and _passes(tx, one.letter, again))
                if passed and worker.place is not None:
                    worker.place.pass_fence(tx)
        except CommitUnknown:
            _mark(passed)
            raise
        _mark(passed)
        return passed

    fenced = patiently(worker, attempt)
    if fenced and worker.place is not None:
        worker.place.passed()
    return fenced


def _mark(passed: Sequence[Envelope]) -> None:
    for envelope in passed:
        envelope.fenced = True


def _passes(tx: Transaction, letter: Letter, again: bool) -> bool:  # noqa: FBT001 - as above
    """Let one letter go, or not; one whose rows cannot be read any more does not go."""
    try:
        with apart(tx):
            return _holds_still(tx, letter, again)
    except ODD_DATA:
        return False


def _holds_still(tx: Transaction, letter: Letter, again: bool) -> bool:  # noqa: FBT001 - as above
    """Let one letter go, or see that it was let go in the try before, and that its facts hold until now."""
    if again and outbox.holds(tx, letter.held, State.HANDED_OVER):
        return still_goes(tx, letter, State.HANDED_OVER)
    return still_goes(tx, letter) and outbox.hand_over(tx, letter.held)


def give_back(worker: Worker, settler: Settler, envelopes: Sequence[Envelope]) -> list[Letter]:
    """Return to the plan what no server was given whole; return what was still ours.

    Without this, a lost database would count as a worker's death, and three of them as the message's own fault. Behind
    a fence that may stand it would leave a message in doubt that nobody can have received: that is insisted on, as on
    an answer.
    """
    counts = settler.tally.counts
    before = counts.copy()
    ours: list[Letter] = []

    def attempt(_: bool = False) -> None:  # noqa: FBT001, FBT002 - as above
        counts.clear()
        counts.update(before)
        with worker.database.write(worker.clock.now, "deliver") as tx:
            ours[:] = [envelope.letter for envelope in envelopes if settler.put_back_unsent(tx, envelope.letter)]

    if any(envelope.fenced for envelope in envelopes):
        insist(attempt, counts, worker.patience, worker.chance, worker.beat)
    else:
        patiently(worker, attempt, trouble=PASSING)
    return ours
