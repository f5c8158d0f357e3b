"""Decides when a transport rests: the circuit breaker, whose state is a row so that a restart does not reset it.

Invariant: a fault of the server as a whole burns no message's attempt; while the breaker is open nothing is claimed;
after it was, rounds grow with what is accepted: 1, 2, 4 and so on.
"""

import datetime as dt
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
        state = transports.breaker(tx, self.name)
        until = state.open_until
        return until if until and tx.now < until <= tx.now + LONGEST_REST else None

    def at_once(self, tx: Transaction, usual: int) -> int:
        """Return how many messages a round may have: one tries a transport that rested, then up to `usual`."""
        state = transports.breaker(tx, self.name)
        if state.open_until is not None:
            return 1
        return usual if state.ramp is None else min(usual, state.ramp)

    def fault(self, tx: Transaction, fault: TransportFault, jitter: float) -> Breaker:
        """Count a connection that could not be had; a certain fault (password, TLS) opens the breaker at once."""
        state = transports.breaker(tx, self.name)
        state = replace(state, faults=state.faults + 1, fault=f"{fault.phase}: {fault.kind}")
        return self._keep(tx, state, opens=fault.certain or state.faults >= FAULTS_TO_OPEN, jitter=jitter)

    def answered(self, tx: Transaction, outcome: Outcome, jitter: float) -> Breaker | None:
        """Count what an answer says of the server as a whole; an accepted message closes the breaker."""
        state = transports.breaker(tx, self.name)
        if outcome.verdict is Verdict.ACCEPTED:
            if state != Breaker(self.name):
                transports.keep(tx, Breaker(self.name, ramp=ramp_after(state.ramp)))
            return None
        if outcome.blame is Blame.TRANSPORT:
            state = replace(state, faults=state.faults + 1, fault=outcome.summary)
            return self._keep(tx, state, opens=state.faults >= FAULTS_TO_OPEN, jitter=jitter)
        if outcome.blame is Blame.POLICY:
            state = replace(state, refused_in_a_row=state.refused_in_a_row + 1, fault=outcome.summary)
            return self._keep(tx, state, opens=state.refused_in_a_row >= REFUSALS_TO_OPEN, jitter=jitter)
        return None

    def rest(self, tx: Transaction, summary: str, jitter: float) -> Breaker:
        """Let it rest at once, each time longer, until something is accepted."""
        state = transports.breaker(tx, self.name)
        state = replace(state, faults=state.faults + 1, fault=summary)
        return self._store(tx, state, state.faults, jitter)

    def _keep(self, tx: Transaction, state: Breaker, *, opens: bool, jitter: float) -> Breaker:
        if opens:
            count = max(state.faults - FAULTS_TO_OPEN, state.refused_in_a_row - REFUSALS_TO_OPEN, 0) + 1
            return self._store(tx, state, count, jitter)
        state = replace(state, ramp=None if state.ramp is None else 1)
        transports.keep(tx, state)
        return state

    def _store(self, tx: Transaction, state: Breaker, count: int, jitter: float) -> Breaker:
        state = replace(state, open_until=tx.now + breaker_pause(count, jitter), ramp=1)
        transports.keep(tx, state)
        return state
