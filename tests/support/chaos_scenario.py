"""Runs one scenario of a rude mail server through two deliveries and compares what came of it with its letter.

Invariant: of every scenario these hold, whatever its letter: `sent` if and only if the server said 250 to the dot;
`unknown` if and only if a dot was written and no clear answer came; the ledger has the message at most once, after the
second delivery too; nothing waits longer than its limits; what can go out later does.
"""

import dataclasses
import datetime as dt
import time

from reminders.domain.lifecycle import Reason, State
from reminders.mail.smtp import Security
from reminders.mail.smtp_session import Deadlines
from reminders.services.points import Point
from reminders.services.signing import Sign, unsigned
from tests.support.chaos_office import LONG, Came, ChaosOffice, impatient, way
from tests.support.chaos_server import ChaosServer, Script
from tests.support.clinic import INVITED_AT
from tests.support.smtp_server import Certificates

MINUTES = dt.timedelta(minutes=1)
SLACK = 8.0  # seconds, however busy the machine: what waits would wait for ever
WAITED = 0.25  # seconds: a limit, where a scenario needs one to end

MEANS = {
    "s": (State.SENT, 1, 0, False, 0, 0, False),
    "u": (State.UNKNOWN, 1, 0, False, 1, 0, False),
    "c": (State.PLANNED, 0, 0, False, 1, 0, True),
    "f": (State.PLANNED, 0, 0, False, 3, 0, True),
    "t": (State.PLANNED, 0, 0, True, 1, 0, False),
    "T": (State.PLANNED, 1, 0, True, 1, 0, False),
    "m": (State.PLANNED, 1, 1, True, 0, 0, False),
    "p": (State.PLANNED, 1, 1, True, 0, 1, False),
    "n": (State.FAILED, 1, 0, False, 0, 0, False),
    "N": (State.FAILED, 1, 0, False, 0, 1, False),
    "a": (State.FAILED, 1, 0, False, 0, 0, False),
}
"""For each letter: state, attempts, refusals, whether it has a time of its own, faults and refusals in a row of the
breaker, and whether the transport rests now."""


@dataclasses.dataclass(frozen=True, slots=True)
class Scenario:
    """What the server does at `phase`, and the letter of what must come of it; `waits`: only a limit ends it."""

    phase: str
    script: Script
    letter: str
    waits: bool = False
    security: Security | None = None
    certificates: Certificates | None = None
    sign: Sign = unsigned
    pipelining: bool = False

    def limits(self) -> Deadlines:
        """Return limits that are short only where this scenario must be ended by one."""
        return impatient(self.phase, WAITED) if self.waits else LONG


def run(office: ChaosOffice, server: ChaosServer, trusted: Certificates, scenario: Scenario) -> None:
    """Deliver once to a server that goes by the script, once more to one that behaves; judge both."""
    phase, theirs = scenario.phase, scenario.certificates or trusted
    security = scenario.security or (Security.STARTTLS if phase == "starttls" else Security.NEVER)
    implicit, log_in = security is Security.IMPLICIT, phase == "auth"
    office.begin_again()
    server.behave(scenario.script, tls=theirs.server, implicit=implicit, pipelining=scenario.pipelining)
    transport = way(server, security, deadlines=scenario.limits(), log_in=log_in, tls=theirs.client)

    def until_acted(point: Point) -> None:
        if point is Point.BODY_WRITTEN and phase in ("data", "body"):
            server.acted.wait(SLACK)

    began = time.monotonic()
    outcome = office.deliver(transport, observe=until_acted, sign=scenario.sign)
    took = time.monotonic() - began
    server.calm()
    _judge(scenario.letter, office.came(transport))
    _judge_ledger(scenario.letter, server)
    assert took < SLACK + 3 * WAITED
    server.trust(trusted.server)
    if MEANS[scenario.letter][0] is State.PLANNED:
        assert outcome.next_at is not None
        office.clock.set(outcome.next_at)
        assert outcome.next_at - INVITED_AT <= 7.5 * MINUTES
    office.deliver(way(server, security, log_in=log_in, tls=trusted.client))
    server.calm()
    after = office.came(transport).state
    before = MEANS[scenario.letter][0]
    assert after is (State.SENT if before is State.PLANNED else before)
    assert len(server.ledger) == (before is not State.FAILED)


def _judge(letter: str, came: Came) -> None:
    """Compare what became of a message with its letter."""
    has_time = came.again_in is not None
    seen = (came.state, came.attempts, came.refusals, has_time, came.faults, came.refused_in_a_row, came.rests)
    assert seen == MEANS[letter]
    assert came.reason == (Reason.REJECTED_BY_SERVER if letter in "nNa" else None)
    assert (came.suppressed, came.cancelled) == ((1, 2) if letter == "a" else (0, 0))
    if came.again_in is not None:
        assert 5 * MINUTES <= came.again_in <= 7.5 * MINUTES


def _judge_ledger(letter: str, server: ChaosServer) -> None:
    """The dot of a message was taken if it is sent or unknown, and in no other case; sent ones were confirmed."""
    assert len(server.ledger) == (letter in "su")
    assert letter != "s" or server.ledger[0].confirmed
