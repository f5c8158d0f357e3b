"""Decides when a transport rests: the circuit breaker, whose state is a row so that a restart does not reset it.

Invariant: a fault of the server as a whole burns no message's attempt; while the breaker is open nothing is claimed;
after it was, rounds grow with what is accepted: 1, 2, 4 and so on.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace

from reminders.domain.retry import breaker_pause, ramp_after
from reminders.mail.outcome import Blame, Outcome, TransportFault, Verdict
from reminders.store import transports
from reminders.store.database import Transaction
from reminders.store.transports import Breaker

FAULTS_TO_OPEN = 3
REFUSALS_TO_OPEN = 5
LONGEST_REST = dt.timedelta(hours=1)
"""No pause is longer; one that seems to be was set under a clock that was wrong."""


@dataclass(frozen=True, slots=True)
class Breakers:
    """The breaker of one transport, by its name."""

    name: str

    def open_until(self, tx: Transaction) -> dt.datetime | None:
        """Return until when the transport rests, or None; when the time has come, one message may try it."""
        return self.standing(tx, 1)[0]

    def standing(self, tx: Transaction, usual: int) -> tuple[dt.datetime | None, int]:
        """Return until when the transport rests, and how many messages a round may have.

        One tries a transport that rested; then it is `usual`, or as many as the ramp allows.
        """
        return standing_of(transports.breaker(tx, self.name), tx.now, usual)

    def fault(self, tx: Transaction, fault: TransportFault, jitter: float) -> Breaker:
        """Count a connection that could not be had; a certain fault (password, TLS) opens the breaker at once."""
        state = transports.breaker(tx, self.name)
        state = replace(state, faults=state.faults + 1, fault=f"{fault.phase}: {fault.kind}")
        opens = fault.certain or state.faults >= FAULTS_TO_OPEN
        return self._kept(tx, _counted(tx, state, opens=opens, jitter=jitter))

    def answered(self, tx: Transaction, answers: Iterable[tuple[Outcome, float]]) -> None:
        """Count what answers, each with its jitter, say of the server; an accepted one closes the breaker."""
        before = state = transports.breaker(tx, self.name)
        for outcome, jitter in answers:
            state = self.after(tx, state, outcome, jitter)
        if state != before:
            transports.keep(tx, state)

    def after(self, tx: Transaction, state: Breaker, outcome: Outcome, jitter: float) -> Breaker:
        """Return the state of the breaker after one more answer."""
        if outcome.verdict is Verdict.ACCEPTED:
            return Breaker(self.name, ramp=ramp_after(state.ramp)) if state != Breaker(self.name) else state
        if outcome.blame is Blame.TRANSPORT:
            state = replace(state, faults=state.faults + 1, fault=outcome.summary)
            return _counted(tx, state, opens=state.faults >= FAULTS_TO_OPEN, jitter=jitter)
        if outcome.blame is Blame.POLICY:
            state = replace(state, refused_in_a_row=state.refused_in_a_row + 1, fault=outcome.summary)
            return _counted(tx, state, opens=state.refused_in_a_row >= REFUSALS_TO_OPEN, jitter=jitter)
        return state

    def rest(self, tx: Transaction, summary: str, jitter: float) -> Breaker:
        """Let it rest at once, each time longer, until something is accepted."""
        state = transports.breaker(tx, self.name)
        state = replace(state, faults=state.faults + 1, fault=summary)
        return self._kept(tx, _resting(tx, state, state.faults, jitter))

    def _kept(self, tx: Transaction, state: Breaker) -> Breaker:
        transports.keep(tx, state)
        return state


def standing_of(state: Breaker, now: dt.datetime, usual: int) -> tuple[dt.datetime | None, int]:
    """Return what `Breakers.standing` does, of a state that was read."""
    until = state.open_until
    if until is not None:
        return until if now < until <= now + LONGEST_REST else None, 1
    return None, usual if state.ramp is None else min(usual, state.ramp)


def _counted(tx: Transaction, state: Breaker, *, opens: bool, jitter: float) -> Breaker:
    if opens:
        count = max(state.faults - FAULTS_TO_OPEN, state.refused_in_a_row - REFUSALS_TO_OPEN, 0) + 1
        return _resting(tx, state, count, jitter)
    return replace(state, ramp=None if state.ramp is None else 1)


def _resting(tx: Transaction, state: Breaker, count: int, jitter: float) -> Breaker:
    return replace(state, open_until=tx.now + breaker_pause(count, jitter), ramp=1)
