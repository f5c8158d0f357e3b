"""Hears what servers answer to the final dots, and records it as it comes.

Invariants: what was answered never waits long for a server that was not heard yet, so that a stop, or a death, costs no
more than the answers of about a second; what cannot be recorded of one message costs no other one its record.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from reminders.domain.lifecycle import State
from reminders.errors import RemindersError
from reminders.mail.outcome import Verdict
from reminders.mail.transport import wait_for
from reminders.services.domains import Said, domain_row, hear
from reminders.services.envelope import Envelope, Worker
from reminders.services.insist import insist
from reminders.services.points import Point
from reminders.services.settlement import Answer, Settler
from reminders.store import transports
from reminders.store.apart import ODD_DATA
from reminders.store.database import Transaction
from reminders.store.faults import EntryRefused

LISTENS_S = 0.2
"""How long it waits for the servers that have not answered, before it looks whether there is something else to do."""

GATHERS_S = 1.0
"""How long answers are gathered for one commit, while others are still to come."""


@dataclass(slots=True)
class Hearing:
    """The answers of one round: to every dot, and those that came before it."""

    worker: Worker
    settler: Settler
    envelopes: Sequence[Envelope]
    _failure: Exception | None = None

    def record_all(self) -> None:
        """Hear every server out and record what it said; raises what could not be recorded once the rest is."""
        time = self.worker.patience.time
        waiting = [envelope for envelope in self.envelopes if envelope.dotted and envelope.outcome is None]
        heard = [envelope for envelope in self.envelopes if envelope.outcome is not None]
        since = time.monotonic()
        while waiting:
            since = since if heard else time.monotonic()
            heard += self._listen(waiting)
            waiting = [envelope for envelope in waiting if envelope.outcome is None]
            if waiting and heard and (self.worker.stop() or time.monotonic() - since >= GATHERS_S):
                self._record(heard)
                heard = []
        self._record(heard)
        if self._failure is not None:
            raise self._failure

    def _listen(self, waiting: Sequence[Envelope]) -> list[Envelope]:
        """Wait for the next answers; return whose have come."""
        sessions = [envelope.session for envelope in waiting if envelope.session is not None]
        answered = {id(session) for session in wait_for(sessions, LISTENS_S)}
        heard = [envelope for envelope in waiting if id(envelope.session) in answered]
        for envelope in heard:
            if envelope.session is not None:
                envelope.outcome = envelope.session.reply()
        self.worker.beat()
        return heard

    def _record(self, heard: Sequence[Envelope]) -> None:
        """Record these answers in one commit, or else each by itself."""
        self.worker.observe(Point.ANSWERED)
        if not heard:
            return
        self.worker.holding(len(heard))
        try:
            try:
                self._insist([envelope for envelope in self.envelopes if any(envelope is one for one in heard)])
            except Exception as error:
                if not _of_one(error):
                    raise
                self._record_each(heard)
        finally:
            self.worker.holding(0)

    def _record_each(self, heard: Sequence[Envelope]) -> None:
        for envelope in heard:
            try:
                self._insist([envelope])
            except Exception as error:
                if not _of_one(error):
                    raise
                self._failure = error

    def _insist(self, heard: Sequence[Envelope]) -> None:
        """The answers stand nowhere but here: the database is asked until it takes them, while the leases go on."""
        worker = self.worker
        counts = self.settler.tally.counts
        insist(lambda: self._settle(heard), counts, worker.patience, worker.chance, worker.beat)

    def _settle(self, heard: Sequence[Envelope]) -> None:
        """Record answers. Where all were taken by a server in good standing no fact changes, and nobody has to wait."""
        worker = self.worker
        answers = [(_answer(envelope), worker.chance.random()) for envelope in heard if envelope.outcome]
        if all(answer.outcome.verdict is Verdict.ACCEPTED for answer, _ in answers):
            with worker.database.write(worker.clock.now, "deliver", alongside=True) as tx:
                if self._calm(tx, answers):
                    self.settler.settle(tx, answers)
                    return
        with worker.database.write(worker.clock.now, "deliver") as tx:
            hear(tx, self._said(answers))
            self.settler.settle(tx, answers)

    def _calm(self, tx: Transaction, answers: Sequence[tuple[Answer, float]]) -> bool:
        """Tell whether nothing is counted against these servers and domains; what they accept changes nothing then."""
        if not transports.any_counted(tx):
            return True
        names = {name for said in self._said(answers) for name in (said.way, said.domain)}
        return not transports.counted_against(tx, names)

    def _said(self, answers: Sequence[tuple[Answer, float]]) -> list[Said]:
        found = []
        for answer, jitter in answers:
            way = self.worker.way(answer.letter.clinic_id)
            name = way.breakers.name if way else ""
            row = domain_row(self.worker.keys, name, answer.letter.facts.recipient)
            found.append(Said(name, row, answer.outcome, jitter))
        return found


def _answer(envelope: Envelope) -> Answer:
    assert envelope.outcome is not None  # noqa: S101 - who calls this has heard it
    before = State.HANDED_OVER if envelope.fenced else State.CLAIMED
    return Answer(envelope.letter, envelope.outcome, before, envelope.blanked, envelope.pattern)


def _of_one(error: Exception) -> bool:
    """Tell whether an error may be one message's own, so that the others can be recorded without it."""
    return isinstance(error, (EntryRefused, *ODD_DATA)) or not isinstance(error, RemindersError)
