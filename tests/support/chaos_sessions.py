"""Random sessions with a mail server that is rude at random: one seed, one run, the same account at its end.

Invariant: after every delivery nobody was written to twice and nothing is `sent` or `unknown` without its dot; once the
server behaves, everything goes out in a bounded number of deliveries.
"""

import datetime as dt
import random
from collections import Counter

from reminders.domain.lifecycle import IN_FLIGHT, State
from reminders.store import audit_trail
from tests.support import chaos_acts
from tests.support.chaos_office import ChaosOffice, way
from tests.support.chaos_server import PHASES, Act, ChaosServer, Script

RUDE_DELIVERIES = 2
CALM_DELIVERIES = 4
"""Enough for everything due: the rest of a transport, the trial message, the others, and one that finds nothing."""

PIPELINING = 0.5
"""How many of the servers offer it, and how many of those then do something with it."""

A_DAY = dt.timedelta(hours=20)

_CODES = (
    *("421 4.3.2 closing", "450 4.2.0 greylisted", "451 4.3.0 not now", "452 4.3.1 out of storage", "454 no TLS"),
    *("500 what?", "503 bad sequence", "535 5.7.8 no", "550 5.1.1 no such user", "550 5.7.1 blocked", "552 5.2.2 full"),
    *("554 5.7.1 spam", "571 no", "550-5.1.1 no\r\n550 5.1.1 such user", "250 ok", "354 go on", "299 ok", "599 no"),
)


def behaviours() -> dict[str, Act]:
    """Return what a server may do at random: everything that does not need a limit to end."""
    quick = chaos_acts.HARMLESS | chaos_acts.SENSELESS | chaos_acts.BROKEN | chaos_acts.AFTERWARDS
    del quick["then silence"], quick["late, within the limit"]
    return quick | {code: chaos_acts.reply(code) for code in _CODES}


class RandomServer:
    """What a server does on each connection, by a seed: half of them are rude, at one phase or two."""

    def __init__(self, seed: int) -> None:
        self._seed, self._acts = seed, behaviours()

    def __call__(self, number: int) -> Script:
        chance = random.Random(f"{self._seed}:{number}")
        phases = chance.choices(PHASES, _OFTEN, k=chance.choice((0, 1, 1, 2)))
        script = {phase: self._acts[chance.choice(sorted(self._acts))] for phase in phases}
        if chance.random() < PIPELINING:
            script.setdefault("ehlo", chaos_acts.OFFERS_PIPELINING)
            if chance.random() < PIPELINING:
                script.update(chaos_acts.OUT_OF_STEP[chance.choice(sorted(chaos_acts.OUT_OF_STEP))])
        return script


_OFTEN = (1, 1, 0, 1, 2, 4, 4, 4, 8, 3, 1)
"""How often each phase is the rude one: late ones more, since an early one hides what comes behind."""


def run(office: ChaosOffice, server: ChaosServer, seed: int) -> Counter[str]:
    """Deliver to a rude server, then to one that behaves, until nothing is due; return what came of the messages.

    Beside the states it counts the `sessions`: the connections that were made.
    """
    chance = random.Random(seed)
    office.begin_again(seed)
    server.behave(RandomServer(seed))
    size = chance.choice((1, 2, 3))
    _deliver_some(office, server, size, RUDE_DELIVERIES, log_in=chance.random() < 0.2)
    server.calm()
    _deliver_some(office, server, size, CALM_DELIVERIES)
    states = Counter[str](row.state for row in office.rows() if row.step == "invitation")
    left = {state for state in states if state in IN_FLIGHT or state is State.PLANNED}
    assert left == set(), f"seed {seed}: {states}"
    with office.read() as tx:
        assert audit_trail.verify(tx) is None
    return states + Counter(sessions=server.connections)


def _balance(office: ChaosOffice, server: ChaosServer) -> None:
    """Compare the ledger with what the database says, and trust neither alone."""
    rows = [row for row in office.rows() if row.step == "invitation"]
    assert not any(row.state in IN_FLIGHT for row in rows)
    names = [taken.message_id for taken in server.ledger]
    people = [taken.recipient for taken in server.ledger]
    assert len(names) == len(set(names)) == len(set(people))
    sent = {row.message_id for row in rows if row.state is State.SENT}
    unknown = {row.message_id for row in rows if row.state is State.UNKNOWN}
    assert sent <= set(names) <= sent | unknown


def _deliver_some(office: ChaosOffice, server: ChaosServer, size: int, times: int, *, log_in: bool = False) -> None:
    """Deliver so many times, each when the one before said; the account must balance after each."""
    for _ in range(times):
        outcome = office.deliver(way(server, log_in=log_in), size)
        server.settle()
        _balance(office, server)
        if outcome.next_at is None or outcome.next_at > office.clock.now() + A_DAY:
            return
        office.clock.set(outcome.next_at)
