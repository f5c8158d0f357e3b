"""The commits of a round before its final dots: the bytes are kept, the messages let go, the rest is given back.

These steps run alongside those of other workers; none waits for a server. When the database is lost in one of them,
nobody knows at first whether it was carried out: the step is then done again by a writer who is alone. That one gets
its turn only when the lost transaction has ended, and so sees for certain what became of it. A look beside it could
see nothing, and a moment later it would stand.
"""

from collections.abc import Callable, Iterator, Sequence

from reminders.domain.lifecycle import State
from reminders.domain.protocol import TreatmentClass
from reminders.mail.address import normalise
from reminders.mail.message import fingerprint
from reminders.services.choose import Letter, still_goes
from reminders.services.envelope import Envelope, Worker
from reminders.services.guarding.sound import need_our_tables
from reminders.services.insist import insist
from reminders.services.keys import token_hash
from reminders.services.letter import MintedLinks
from reminders.services.reconnect import patiently
from reminders.services.settlement import Settler
from reminders.services.subjects import Subject
from reminders.store import messages, outbox, patients, patterns
from reminders.store.apart import ODD_DATA, apart
from reminders.store.database import Transaction
from reminders.store.disturbed import disturbed
from reminders.store.faults import PASSING, CommitUnknown
from reminders.store.messages import Kept, NewLink


def keep(worker: Worker, envelopes: Sequence[Envelope]) -> list[Envelope]:
    """Commit bytes, links and the beginning of the attempt; return those still ours.

    Whoever was erased since the claim is left out: their name must not come back with the bytes. Raises what the
    database says: nothing was given to a server yet, so that all can be given back.
    """
    with worker.database.write(worker.clock.now, "deliver", alongside=True) as tx:
        patterns.make_ready(tx, (envelope.pattern for envelope in envelopes))
        return _each_apart(tx, envelopes, lambda those: _kept(tx, worker, those))


def _each_apart(
    tx: Transaction, envelopes: Sequence[Envelope], do: Callable[[Sequence[Envelope]], list[Envelope]]
) -> list[Envelope]:
    """Do it for all of them together; where rows of one were damaged meanwhile, for each, and leave that one out."""
    try:
        with apart(tx):
            return do(envelopes)
    except ODD_DATA:
        if len(envelopes) == 1:
            return []
    return [passed for envelope in envelopes for passed in _each_apart(tx, [envelope], do)]


def _kept(tx: Transaction, worker: Worker, envelopes: Sequence[Envelope]) -> list[Envelope]:
    there = patients.standing(tx, [envelope.letter.patient_id for envelope in envelopes])
    left = [envelope for envelope in envelopes if envelope.letter.patient_id in there]
    begun = outbox.begin_bodies(tx, [envelope.letter.held for envelope in left])
    ours = [envelope for envelope, done in zip(left, begun, strict=True) if done]
    fresh = [(envelope, envelope.minted) for envelope in ours if envelope.minted is not None]
    messages.keep_bytes(tx, [_bytes_of(worker, envelope) for envelope, _ in fresh])
    messages.add_links(tx, [link for envelope, minted in fresh for link in _links(envelope.letter, minted)])
    return ours


def _bytes_of(worker: Worker, envelope: Envelope) -> Kept:
    letter, versions = envelope.letter, envelope.versions
    key = worker.keys.address_key(normalise(letter.facts.recipient))
    shown = fingerprint(letter.facts, versions)
    return Kept(letter.message.id, envelope.content, envelope.pattern, shown, versions, letter.facts.stage, key)


def _links(letter: Letter, minted: MintedLinks) -> Iterator[NewLink]:
    class_name = TreatmentClass(letter.facts.class_name)
    for purpose, token in (("request", minted.request_token), ("stop", minted.stop_token)):
        if token is not None:
            whose = (letter.clinic_id, letter.patient_id, letter.message.id)
            yield NewLink(token_hash(token), *whose, purpose, class_name)


def let_go(worker: Worker, envelopes: Sequence[Envelope]) -> list[Envelope]:
    """See once more that every fact stands and commit `handed_over` for what still goes; return that.

    Whose fence stands, or may stand where it is not known, is marked `fenced`, also when it raises.
    """

    def attempt(again: bool) -> list[Envelope]:  # noqa: FBT001 - `patiently` says so
        passed: list[Envelope] = []
        try:
            with worker.database.write(worker.clock.now, "deliver", alongside=not again) as tx:
                need_our_tables(tx)
                passed += _each_apart(tx, envelopes, lambda those: _passed(tx, worker, those, again=again))
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


def _passed(tx: Transaction, worker: Worker, envelopes: Sequence[Envelope], *, again: bool) -> list[Envelope]:
    """Let go what may go; after a lost commit, see as well what was let go in the try before and still holds."""
    subjects = _afresh(tx, worker, [envelope.letter for envelope in envelopes], everybody=again)
    going, gone = list[Envelope](), list[Envelope]()
    for envelope in envelopes:
        letter = envelope.letter
        before = again and outbox.holds(tx, letter.held, State.HANDED_OVER)
        state = State.HANDED_OVER if before else State.CLAIMED
        if not worker.stop() and still_goes(subjects.get(letter.patient_id), letter, tx.now, state):
            (gone if before else going).append(envelope)
    done = outbox.hand_over(tx, [envelope.letter.held for envelope in going])
    return [*gone, *(envelope for envelope, ok in zip(going, done, strict=True) if ok)]


def _afresh(tx: Transaction, worker: Worker, letters: Sequence[Letter], *, everybody: bool) -> dict[int, Subject]:
    """Return whom these letters go to as they stand now: as the claim saw them, unless the trail tells of a change.

    No fact changes off the trail, and its entries stand in the order of their commits: what has none since the claim
    needs no looking up, which would take longer than all the rest of the fence.
    """
    ids = {letter.patient_id for letter in letters}
    since = min((letter.entry for letter in letters), default=0)
    named = disturbed(tx, since, {letter.clinic_id for letter in letters}, ids) if since and not everybody else None
    changed = ids if named is None else named
    unchanged = {one.patient_id: one.subject for one in letters if one.patient_id not in changed}
    return unchanged | (worker.lookup.all_of(tx, changed) if changed else {})


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
