"""Lets a recipients' domain rest whose server puts our mail off: each time longer, until it takes a message.

Invariant: a domain is known by a keyed hash alone, and for each way by itself: what one sender is put off for is no
other sender's doing. What a server says of one mailbox, or of us as a whole, is no matter of its domain.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from reminders.domain.retry import domain_pause
from reminders.mail.address import normalise
from reminders.mail.outcome import Blame, Outcome, Verdict
from reminders.services.breaker import Breakers
from reminders.services.keys import Keys
from reminders.store import transports
from reminders.store.database import Transaction
from reminders.store.transports import Breaker

REFUSALS_TO_REST = 3
_OF_ONE_MAILBOX = {"4.2.1", "4.2.2", "4.2.3"}  # not for now, full, a message too long for it (RFC 3463 3.3)


def domain_row(keys: Keys, way: str, recipient: str) -> str:
    """Return under which name is kept what a recipient's domain answers to a way."""
    return f"{way} for {keys.domain_key(normalise(recipient).rpartition('@')[2])}"


@dataclass(frozen=True, slots=True)
class Said:
    """An answer, by the names under which the way it came by and the recipient's domain are known, and its jitter."""

    way: str
    domain: str
    outcome: Outcome
    jitter: float


def hear(tx: Transaction, answers: Sequence[Said]) -> None:
    """Count what answers say of ways and of domains, in their order."""
    before = transports.breakers(tx, {name for said in answers for name in (said.way, said.domain)})
    after = dict(before)
    for said in answers:
        state = after.get(said.way) or Breaker(said.way)
        after[said.way] = Breakers(said.way).after(tx, state, said.outcome, said.jitter)
        if _tells(said.outcome):
            state = after.get(said.domain) or Breaker(said.domain)
            after[said.domain] = _heard(tx, state, said.outcome, said.jitter)
    changed = [state for name, state in after.items() if state != (before.get(name) or Breaker(name))]
    transports.keep_all(tx, changed, before)


def _tells(outcome: Outcome) -> bool:
    if outcome.verdict is Verdict.LATER:
        return outcome.blame is Blame.MESSAGE and outcome.enhanced not in _OF_ONE_MAILBOX
    return outcome.verdict is Verdict.ACCEPTED


def _heard(tx: Transaction, state: Breaker, outcome: Outcome, jitter: float) -> Breaker:
    if outcome.verdict is Verdict.ACCEPTED:
        return Breaker(state.name)
    if state.open_until is not None and tx.now < state.open_until:
        return state  # was on its way already when the rest began
    refusals = state.refused_in_a_row + 1
    rests = refusals - REFUSALS_TO_REST + 1
    until = tx.now + domain_pause(rests, jitter) if rests > 0 else None
    return replace(state, refused_in_a_row=refusals, open_until=until, fault=outcome.summary)
