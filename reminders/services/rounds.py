"""Drives one round of messages over SMTP: the page on which "never twice" and "never lost" are kept.

K messages on K connections, driven by one thread, share their commits. No transaction is open while a server is talked
to. The steps, and what a crash right after each leaves behind:

1. Envelope (MAIL, RCPT). Claimed; nothing was given to the server. The rescuer plans it again when the lease runs out.
2. Commit: the bytes and their Message-ID are kept, the attempt is counted. As 1, and the retry sends the same bytes.
3. Body up to, not including, the final dot. A server may not accept it without the dot: planned again, and after three
   such deaths a person is asked, since the message itself may be what kills the worker.
4. Commit, the fence: every fact is looked up once more; what still holds becomes `handed_over`, the rest goes back.
5. Final dot. From the fence to here nobody can tell any more: the rescuer makes it `unknown`, never sends it again.
6. Reply. As 5.
7. Commit: `sent`, planned again, `failed` or `unknown`, as the server answered. Done.
"""

import datetime as dt
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from reminders.clock import Clock
from reminders.domain.lifecycle import Reason, State
from reminders.domain.protocol import TreatmentClass
from reminders.mail.address import normalise, sender_domain
from reminders.mail.advertising.jurisdiction import check_version
from reminders.mail.check import ensure_sendable
from reminders.mail.compose import blank_tokens, compose
from reminders.mail.message import MessageFacts, fingerprint
from reminders.mail.outcome import Outcome, TransportFault
from reminders.mail.render import Renderer
from reminders.mail.transport import Session, Transport
from reminders.services.breaker import Breakers
from reminders.services.choose import Letter, Tally, still_goes
from reminders.services.keys import Keys, token_hash
from reminders.services.leases import LeaseKeeper
from reminders.services.letter import MintedLinks, mint_links
from reminders.services.points import Observer, Point
from reminders.services.settlement import Answer, Settler
from reminders.services.signing import Sign, unsigned
from reminders.store import messages, outbox, patients
from reminders.store.database import Database, Transaction
from reminders.store.messages import Versions


@dataclass(frozen=True, slots=True)
class Worker:
    """What a delivery works with."""

    database: Database
    clock: Clock
    keys: Keys
    renderer: Renderer
    transport: Transport
    breakers: Breakers
    lease: dt.timedelta
    link_base: str | None
    observe: Observer
    chance: random.Random
    sign: Sign = unsigned


@dataclass(slots=True)
class Envelope:
    """A letter with its bytes and, while it is on its way, its connection."""

    letter: Letter
    content: bytes
    blanked: bytes
    minted: MintedLinks | None
    versions: Versions
    session: Session | None = None
    outcome: Outcome | None = None


@dataclass(slots=True)
class Round:
    """One round and the connections that outlive it. `stopped` says that the server as a whole cannot be used now."""

    worker: Worker
    tally: Tally
    idle: list[Session] = field(default_factory=list)
    stopped: TransportFault | None = None

    def run(self, letters: Sequence[Letter]) -> list[Letter]:
        """Send these letters; return those whose facts changed on the way, to be looked at again."""
        worker = self.worker
        envelopes = [envelope for letter in letters if (envelope := self._render(letter)) is not None]
        worker.observe(Point.RENDERED)
        try:
            return self._deliver(envelopes)
        finally:  # whatever went wrong, a server that was given a body must not wait for its dot
            self._abandon(envelopes)

    def _deliver(self, envelopes: Sequence[Envelope]) -> list[Letter]:
        worker = self.worker
        held = [one for envelope in envelopes for one in envelope.letter.held]
        with LeaseKeeper(worker.database, worker.clock, worker.lease, held):
            open_ones = self._connect(envelopes)
            worker.observe(Point.CONNECTED)
            open_ones = self._send_envelopes(open_ones)
            worker.observe(Point.ENVELOPE_ACCEPTED)
            open_ones = self._keep(open_ones)
            worker.observe(Point.BYTES_KEPT)
            open_ones = self._write_bodies(open_ones)
            worker.observe(Point.BODY_WRITTEN)
            fenced, changed = self._fence(open_ones)
            worker.observe(Point.FENCED)
            self._finish(fenced)
            self._settle(envelopes, fenced)
        worker.observe(Point.SETTLED)
        return changed

    @property
    def _settler(self) -> Settler:
        return Settler(self.worker.keys, self.tally)

    def close(self) -> None:
        """Say goodbye on every connection; nothing a server says to that matters any more."""
        while self.idle:
            self.idle.pop().close()

    def _render(self, letter: Letter) -> Envelope | None:
        """Return the letter with the bytes kept for it, or with new ones if a fact they show has changed."""
        worker = self.worker
        try:
            versions = Versions(worker.renderer.version(letter.facts), check_version())
            kept = letter.message.content
            if kept and letter.message.fingerprint == fingerprint(letter.facts, versions):
                return Envelope(letter, kept, blank_tokens(kept), None, versions)
            minted = mint_links(worker.keys, worker.link_base)
            content = write_message(worker, letter.facts, minted, letter.message.message_id)
            return Envelope(letter, content, blank_tokens(content), minted, versions)
        except Exception:  # noqa: BLE001 - one patient's odd data, or one template, must not stop everybody's mail
            with worker.database.write(worker.clock.now, "deliver") as tx:
                held = outbox.hold_claimed(tx, letter.held, Reason.TEMPLATE_BROKEN)
            self.tally.counts["held"] += len(letter.held) if held else 0
            return None

    def _connect(self, envelopes: Sequence[Envelope]) -> list[Envelope]:
        """Give each envelope a connection; when the server cannot be used, everything goes back untouched."""
        for envelope in envelopes:
            try:
                envelope.session = self.idle.pop() if self.idle else self.worker.transport.connect()
            except TransportFault as fault:
                self.stopped = fault
                break
        waiting = [envelope for envelope in envelopes if envelope.session is None]
        if waiting and self.stopped:
            with self.worker.database.write(self.worker.clock.now, "deliver") as tx:
                self.worker.breakers.fault(tx, self.stopped, self.worker.chance.random())
                for envelope in waiting:
                    self._settler.put_back(tx, envelope.letter, fault=self.stopped.kind)
        return [envelope for envelope in envelopes if envelope.session is not None]

    def _send_envelopes(self, envelopes: Sequence[Envelope]) -> list[Envelope]:
        for envelope in envelopes:
            if envelope.session is not None:
                facts = envelope.letter.facts
                envelope.outcome = envelope.session.envelope(facts.sender_address, facts.recipient)
        return _unanswered(envelopes)

    def _keep(self, envelopes: Sequence[Envelope]) -> list[Envelope]:
        """Commit bytes, links and the beginning of the attempt; what was taken from us meanwhile is dropped.

        So is whoever was erased since the claim: their name must not come back with the bytes.
        """
        if not envelopes:
            return []
        kept = []
        with self.worker.database.write(self.worker.clock.now, "deliver") as tx:
            for envelope in envelopes:
                if patients.patient_by_id(tx, envelope.letter.patient_id).erased_at is not None:
                    self._settler.put_back(tx, envelope.letter)
                elif outbox.begin_body(tx, envelope.letter.held):
                    self._keep_bytes(tx, envelope)
                    kept.append(envelope)
        self._abandon(envelope for envelope in envelopes if envelope not in kept)
        return kept

    def _keep_bytes(self, tx: Transaction, envelope: Envelope) -> None:
        letter, minted = envelope.letter, envelope.minted
        if minted is None:
            return
        key = self.worker.keys.address_key(normalise(letter.facts.recipient))
        shown = fingerprint(letter.facts, envelope.versions)
        messages.keep_bytes(tx, letter.message.id, envelope.content, shown, envelope.versions, letter.facts.stage, key)
        for purpose, token in (("request", minted.request_token), ("stop", minted.stop_token)):
            if token is not None:
                owner = (letter.clinic_id, letter.patient_id)
                messages.add_link(
                    tx, token_hash(token), letter.message.id, owner, purpose, TreatmentClass(letter.facts.class_name)
                )

    def _write_bodies(self, envelopes: Sequence[Envelope]) -> list[Envelope]:
        for envelope in envelopes:
            if envelope.session is not None:
                envelope.outcome = envelope.session.body(envelope.content)
        return _unanswered(envelopes)

    def _fence(self, envelopes: Sequence[Envelope]) -> tuple[list[Envelope], list[Letter]]:
        """Look every fact up once more and commit `handed_over` just before the final dots."""
        if not envelopes:
            return [], []
        fenced, changed = [], []
        with self.worker.database.write(self.worker.clock.now, "deliver") as tx:
            for envelope in envelopes:
                if still_goes(tx, envelope.letter) and outbox.hand_over(tx, envelope.letter.held):
                    fenced.append(envelope)
                elif self._settler.put_back(tx, envelope.letter):
                    changed.append(envelope.letter)
        self._abandon(envelope for envelope in envelopes if envelope not in fenced)
        return fenced, changed

    def _finish(self, fenced: Sequence[Envelope]) -> None:
        """Write every final dot, then read every reply."""
        for envelope in fenced:
            if envelope.session is not None:
                envelope.session.dot()
        if fenced:
            self.worker.observe(Point.DOT_WRITTEN)
        for envelope in fenced:
            if envelope.session is not None:
                envelope.outcome = envelope.session.reply()
        self.worker.observe(Point.ANSWERED)

    def _settle(self, envelopes: Sequence[Envelope], fenced: Sequence[Envelope]) -> None:
        """Commit what the server said of each message, then keep or drop its connection."""
        answered = [envelope for envelope in envelopes if envelope.outcome is not None]
        if answered:
            with self.worker.database.write(self.worker.clock.now, "deliver") as tx:
                for envelope in answered:
                    before = State.HANDED_OVER if envelope in fenced else State.CLAIMED
                    if envelope.outcome is not None:
                        answer = Answer(envelope.letter, envelope.outcome, before, envelope.blanked)
                        jitter = self.worker.chance.random()
                        self.worker.breakers.answered(tx, answer.outcome, jitter)
                        self._settler.settle(tx, answer, jitter)
        for envelope in answered:
            session, envelope.session = envelope.session, None
            if session is not None and session.reset():
                self.idle.append(session)
            elif session is not None:
                session.abandon()

    def _abandon(self, envelopes: Iterable[Envelope]) -> None:
        for envelope in envelopes:
            session, envelope.session = envelope.session, None
            if session is not None:
                session.abandon()


def write_message(worker: Worker, facts: MessageFacts, minted: MintedLinks, message_id: str) -> bytes:
    """Return the bytes of a message as it would go now; raises what is wrong with its template or its values."""
    rendered = worker.renderer.render(facts, minted.links)
    ensure_sendable(rendered, facts, minted.links)
    content = compose(rendered, facts, minted.links, message_id, worker.clock.now())
    return worker.sign(content, sender_domain(facts.sender_address))


def _unanswered(envelopes: Sequence[Envelope]) -> list[Envelope]:
    return [envelope for envelope in envelopes if envelope.outcome is None]
