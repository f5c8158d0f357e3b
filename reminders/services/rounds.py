"""Drives one round of messages over SMTP: the page on which "never twice" and "never lost" are kept.

K messages on K connections, driven by one thread, share their commits. No transaction is open while a server is talked
to. Before the steps the messages are written. Who dies there leaves them claimed; afterwards each goes alone, and a
note says while it is being written: after three deaths a person is asked. The steps, and what a crash right after each
leaves behind:

1. Envelope (MAIL, RCPT). Claimed; nothing was given to the server. The rescuer plans it again when the lease runs out.
2. Commit: the bytes and their Message-ID are kept, the attempt is counted. As 1, and the retry sends the same bytes.
3. Body up to, not including, the final dot. A server may not accept it without the dot: planned again, and after three
   such deaths a person is asked, since the message itself may be what kills the worker.
4. Commit, the fence (`fence`): whom the trail names since the claim is looked up once more; what still holds becomes
   `handed_over`, the rest goes back when the round is over.
5. Final dot. From the fence to here nobody can tell any more: the rescuer makes it `unknown`, never sends it again.
6. Replies, as they come (`hearing`). As 5.
7. Commit: `sent`, planned again, `failed` or `unknown`, as the servers answered; one for all of them, unless some take
   longer than a second. Done.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from reminders.domain.lifecycle import Reason
from reminders.errors import RemindersError
from reminders.mail.address import sender_domain
from reminders.mail.advertising.jurisdiction import check_version
from reminders.mail.compose import blank_tokens, signature_before
from reminders.mail.form_letter import Written
from reminders.mail.message import MessageFacts, fingerprint
from reminders.mail.outcome import CLOSING, Blame, Outcome, Phase, TransportFault
from reminders.services.breaker import Breakers
from reminders.services.choose import Letter, Tally
from reminders.services.envelope import Envelope, Worker
from reminders.services.fence import give_back, keep, let_go
from reminders.services.hearing import Hearing
from reminders.services.leases import LeaseKeeper
from reminders.services.letter import MintedLinks, mint_links
from reminders.services.means import MeansLacking, need_means
from reminders.services.points import Point
from reminders.services.reconnect import patiently
from reminders.services.settlement import Settler
from reminders.store import outbox
from reminders.store.faults import PASSING
from reminders.store.messages import Versions

__all__ = ["Envelope", "Round", "Worker", "write_message"]


STOOD_STILL_S = 5 * 60
"""Who wakes so long after the fence writes no dot: a person may decide about an `unknown` 15 minutes after it."""


@dataclass(slots=True)
class Round:
    """One round after the other. `faults` are the ways that cannot be used now, by the names of their breakers."""

    worker: Worker
    tally: Tally
    faults: dict[str, TransportFault] = field(default_factory=dict)

    def stopped(self, letter: Letter) -> bool:
        """Tell whether the way of a letter could not be used."""
        way = self.worker.way(letter.clinic_id)
        return way is None or way.breakers.name in self.faults

    def run(self, letters: Sequence[Letter], later: Sequence[Letter] = ()) -> list[Letter]:
        """Send these letters; return those whose facts changed on the way, to be looked at again.

        Meanwhile those that are claimed for `later` rounds stay ours.
        """
        worker = self.worker
        held = [one for letter in (*letters, *later) for one in letter.held]
        envelopes: list[Envelope] = []
        try:
            with LeaseKeeper(worker.database, worker.clock, worker.lease, held):
                envelopes += self._all_written(letters)
                worker.observe(Point.RENDERED)
                changed = self._deliver(envelopes)
        except MeansLacking:  # nothing was begun; what the machine lacks is nobody's fault
            self.put_back([*letters, *later])
            raise
        finally:  # whatever went wrong, a server that was given a body must not wait for its dot
            self._abandon(envelopes)
        worker.observe(Point.SETTLED)
        return changed

    def _deliver(self, envelopes: Sequence[Envelope]) -> list[Letter]:
        """Take every step; whatever one of them ends with, who was given no dot has received nothing and goes back."""
        try:
            return self._take_steps(envelopes)
        except Exception as error:
            try:
                changed = self._give_back(envelope for envelope in envelopes if not envelope.dotted)
            except RemindersError:  # their leases run out; what is told is what came first
                raise error from None
            if not isinstance(error, PASSING) or any(envelope.dotted for envelope in envelopes):
                raise
            return changed

    def _take_steps(self, envelopes: Sequence[Envelope]) -> list[Letter]:
        worker = self.worker
        open_ones = self._connect(envelopes)
        worker.observe(Point.CONNECTED)
        open_ones = self._send_envelopes(self._unless_stopped(open_ones))
        worker.observe(Point.ENVELOPE_ACCEPTED)
        open_ones = self._keep(self._unless_stopped(open_ones))
        worker.observe(Point.BYTES_KEPT)
        open_ones = self._write_bodies(self._unless_stopped(open_ones))
        worker.observe(Point.BODY_WRITTEN)
        began = worker.patience.time.boottime()
        fenced = self._fence(open_ones)
        worker.observe(Point.FENCED)
        if worker.patience.time.boottime() - began > STOOD_STILL_S:
            fenced = []
        self._write_dots(fenced)
        self._settle(envelopes)
        return self._give_back(_others(open_ones, fenced))

    @property
    def _settler(self) -> Settler:
        return Settler(self.worker.keys, self.tally)

    def _all_written(self, letters: Sequence[Letter]) -> list[Envelope]:
        return [envelope for letter in letters if (envelope := self._written(letter)) is not None]

    def put_back(self, letters: Sequence[Letter]) -> None:
        """Return to the plan, untouched, whatever of these is still ours and claimed."""
        with self.worker.database.write(self.worker.clock.now, "deliver") as tx:
            for letter in letters:
                self._settler.put_back(tx, letter)

    def _written(self, letter: Letter) -> Envelope | None:
        """Write a letter; where a worker died with it before, note that it is being written: that may be what kills."""
        if not any(one.suspect for one in letter.held):
            return self._render(letter)
        self._note_writing(letter, begins=True)
        try:
            return self._render(letter)
        finally:  # whatever comes by here is no death
            self._note_writing(letter, begins=False)

    def _note_writing(self, letter: Letter, *, begins: bool) -> None:
        def attempt(_: bool) -> None:  # noqa: FBT001 - `patiently` says so
            with self.worker.database.write(self.worker.clock.now, "deliver", alongside=True) as tx:
                outbox.note_writing(tx, letter.held, begins=begins)

        patiently(self.worker, attempt)

    def _render(self, letter: Letter) -> Envelope | None:
        """Return the letter with the bytes kept for it, or with new ones if a fact they show has changed."""
        worker = self.worker
        worker.beat()
        try:
            versions = Versions(worker.renderer.version(letter.facts), check_version())
            kept = letter.message.content
            if kept and letter.message.fingerprint == fingerprint(letter.facts, versions):
                return Envelope(letter, kept, blank_tokens(kept), None, versions, letter.message.pattern)
            minted = mint_links(worker.keys, worker.link_base)
            written = write_message(worker, letter.facts, minted, letter.message.message_id)
            return Envelope(letter, written.content, written.blanked, minted, versions, written.pattern)
        except Exception as error:  # noqa: BLE001 - one patient's odd data, or one template, must not stop all mail
            need_means(error)
            with worker.database.write(worker.clock.now, "deliver") as tx:
                held = outbox.hold_claimed(tx, letter.held, Reason.TEMPLATE_BROKEN)
            self.tally.counts["held"] += len(letter.held) if held else 0
            return None

    def _connect(self, envelopes: Sequence[Envelope]) -> list[Envelope]:
        """Give each envelope a connection of its clinic's way; what a way without one has left goes back untouched."""
        faults = dict[str, TransportFault]()
        for envelope in envelopes:
            way = self.worker.way(envelope.letter.clinic_id)
            if way is None or way.breakers.name in faults:
                continue
            try:
                self.worker.beat()
                kept = self.worker.lines.take(way.transport)
                envelope.session, envelope.kept_line = kept or way.transport.connect(), kept is not None
            except TransportFault as fault:
                faults[way.breakers.name] = fault
        if faults:
            self._go_back(faults, [envelope.letter for envelope in envelopes if envelope.session is None])
        return [envelope for envelope in envelopes if envelope.session is not None]

    def _go_back(self, faults: Mapping[str, TransportFault], letters: Sequence[Letter]) -> None:
        self.faults |= faults
        with self.worker.database.write(self.worker.clock.now, "deliver") as tx:
            for name, fault in faults.items():
                Breakers(name).fault(tx, fault, self.worker.chance.random())
            for letter in letters:
                way = self.worker.way(letter.clinic_id)
                found = faults.get(way.breakers.name) if way else None
                self._settler.put_back(tx, letter, fault=found.kind if found else None)

    def _unless_stopped(self, envelopes: Sequence[Envelope]) -> list[Envelope]:
        """Return the envelopes; when the delivery is to end, give them all back untouched instead."""
        if not envelopes or not self.worker.stop():
            return list(envelopes)
        with self.worker.database.write(self.worker.clock.now, "deliver") as tx:
            for envelope in envelopes:
                self._settler.put_back(tx, envelope.letter)
        self._abandon(envelopes)
        return []

    def _send_envelopes(self, envelopes: Sequence[Envelope]) -> list[Envelope]:
        """Name senders and recipients; on new connections where the servers had enough of those that were kept."""
        self._agree(envelopes)
        closed = [envelope for envelope in envelopes if envelope.kept_line and _had_enough(envelope.outcome)]
        if closed:
            self._abandon(closed)
            self.worker.lines.close()  # those left are as old
            for envelope in closed:
                envelope.outcome = None
            self._agree(self._connect(closed))
        return _unanswered(envelopes)

    def _agree(self, envelopes: Sequence[Envelope]) -> None:
        """Write on every connection before any reply is waited for."""
        for envelope in envelopes:
            if envelope.session is not None:
                envelope.session.begin(envelope.letter.facts.sender_address, envelope.letter.facts.recipient)
        for envelope in envelopes:
            if envelope.session is not None:
                self.worker.beat()
                envelope.outcome = envelope.session.agreed()

    def _keep(self, envelopes: Sequence[Envelope]) -> list[Envelope]:
        """Commit bytes, links and the beginning of the attempt; what may not go on any more is given back."""
        kept = keep(self.worker, envelopes) if envelopes else []
        self._give_back(_others(envelopes, kept))
        return kept

    def _write_bodies(self, envelopes: Sequence[Envelope]) -> list[Envelope]:
        for envelope in envelopes:
            if envelope.session is not None:
                self.worker.beat()
                envelope.outcome = envelope.session.body(envelope.content)
        return _unanswered(envelopes)

    def _fence(self, envelopes: Sequence[Envelope]) -> list[Envelope]:
        """Let go what may go; nothing else stands between this and the final dots."""
        fenced = let_go(self.worker, envelopes) if envelopes else []
        self._abandon(_others(envelopes, fenced))
        return fenced

    def _give_back(self, envelopes: Iterable[Envelope]) -> list[Letter]:
        """Drop their connections and return them to the plan; return the letters that were still ours."""
        left = list(envelopes)
        self._abandon(left)
        return give_back(self.worker, self._settler, left) if left else []

    def _write_dots(self, fenced: Sequence[Envelope]) -> None:
        for envelope in fenced:
            if envelope.session is not None:
                envelope.dotted = True
                envelope.session.dot()
        if fenced:
            self.worker.observe(Point.DOT_WRITTEN)

    def _settle(self, envelopes: Sequence[Envelope]) -> None:
        """Commit what the server said of each message as it comes, then keep the connections."""
        Hearing(self.worker, self._settler, envelopes).record_all()
        for envelope in (one for one in envelopes if one.outcome is not None):
            session, envelope.session = envelope.session, None
            way = self.worker.way(envelope.letter.clinic_id)
            if session is not None and way is not None:
                self.worker.lines.keep(way.transport, session)

    def _abandon(self, envelopes: Iterable[Envelope]) -> None:
        for envelope in envelopes:
            session, envelope.session = envelope.session, None
            if session is not None:
                session.abandon()


def write_message(worker: Worker, facts: MessageFacts, minted: MintedLinks, message_id: str) -> Written:
    """Return a message as it would go now, signed; raises what is wrong with its template or its values."""
    written = worker.letters.write(facts, minted.links, message_id, worker.clock.now())
    content = worker.sign(written.content, sender_domain(facts.sender_address))
    if content is written.content:
        return written
    kept = signature_before(content, written.content, written.blanked)
    return replace(written, content=content, blanked=kept)


def _had_enough(outcome: Outcome | None) -> bool:
    """Tell whether a server ended the connection before it looked at the message: idle too long, enough messages."""
    if outcome is None or (outcome.phase, outcome.blame) != (Phase.MAIL, Blame.TRANSPORT):
        return False
    return outcome.code in (None, CLOSING)


def _others(envelopes: Sequence[Envelope], those: Sequence[Envelope]) -> list[Envelope]:
    """Return the envelopes that are none of those; to compare what is in them would take longer than sending them."""
    left_out = {id(envelope) for envelope in those}
    return [envelope for envelope in envelopes if id(envelope) not in left_out]


def _unanswered(envelopes: Sequence[Envelope]) -> list[Envelope]:
    return [envelope for envelope in envelopes if envelope.session is not None and envelope.outcome is None]
