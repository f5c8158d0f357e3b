"""A mail server that is away, slow, or refuses everybody: it rests, and no patient suffers for it (F09, F10, F13).

All clinics of an installation share one transport: a slow server delays whoever comes behind in the same delivery by at
most the limits of a transaction, and only until the breaker opens.
"""

import dataclasses
import datetime as dt
import time

import pytest

from reminders.domain.lifecycle import State
from reminders.mail.smtp import Security, SmtpTransport
from reminders.services.points import Observer, Point
from reminders.store import contacts, transports
from reminders.store.transports import Breaker
from tests.support.chaos_acts import SENSELESS, SILENT, STOPS_READING, reply
from tests.support.chaos_office import LONG, way
from tests.support.chaos_server import Act, ChaosServer
from tests.support.clinic import INVITED_AT, Office, to
from tests.support.smtp_server import RealServer
from tests.support.unreachable import black_hole, refusing

ON_BOTH = pytest.mark.parametrize("backend", ["sqlite", "postgresql"], indirect=True)
OTHERS = 6
SLACK = 8.0  # seconds, however busy the machine
LIMIT = 0.2  # seconds
WHOLE = dataclasses.replace(LONG, transaction=LONG.dot_reply + LIMIT)
"""Every single step may take long: only the limit of the whole transaction is short."""


@pytest.fixture
def due(office: Office) -> Office:
    """Seven patients of one clinic whose invitations are due."""
    office.add_due(OTHERS, prefix="Q")
    office.clock.set(INVITED_AT)
    return office


def invitations(office: Office) -> list[tuple[State, int]]:
    return [(row.state, row.attempts) for row in office.rows() if row.step == "invitation"]


def breaker(office: Office, transport: SmtpTransport) -> Breaker:
    with office.read() as tx:
        return transports.breaker(tx, transport.name)


def suppressed(office: Office) -> int:
    with office.read() as tx:
        keys = [office.keys.address_key(f"q{number}@riverside-patients.example") for number in range(1, OTHERS + 1)]
        return sum(len(contacts.suppressions_of(tx, 1, key)) for key in keys)


def rounds(server: ChaosServer, sizes: list[int]) -> Observer:
    """Return an observer that notes how many messages each round had."""
    before = [0]

    def watch(point: Point) -> None:
        if point is Point.SETTLED:
            sizes.append(len(server.ledger) - before[0])
            before[0] = len(server.ledger)

    return watch


@pytest.mark.parametrize("how", ["refused", "black hole", "no such name"])
def test_f09_a_server_that_is_away_opens_the_breaker_and_burns_no_attempt(due: Office, how: str) -> None:
    impatient = dataclasses.replace(LONG, connect=LIMIT)
    with refusing() as closed, black_hole() as silent:
        ways = {
            "refused": way(closed, deadlines=impatient),
            "black hole": way(silent, deadlines=impatient),
            "no such name": SmtpTransport("x" * 64 + ".example", 25, Security.NEVER, deadlines=impatient),
        }
        began = time.monotonic()
        outcome = due.deliver(ways[how], 4)
        assert time.monotonic() - began < SLACK + 5 * LIMIT
    assert breaker(due, ways[how]).faults <= 5
    assert outcome.open_until is not None
    assert outcome.open_until > INVITED_AT
    assert invitations(due) == [(State.PLANNED, 0)] * (OTHERS + 1)


def test_f09_while_the_breaker_is_open_nobody_knocks(due: Office, chaos_server: ChaosServer) -> None:
    chaos_server.behave({"banner": reply("421 too many connections")})
    due.deliver(way(chaos_server))
    knocked = chaos_server.connections
    assert knocked <= 5
    due.deliver(way(chaos_server))
    assert chaos_server.connections == knocked


def test_f09_recovery_begins_with_one_message_and_grows_with_what_is_accepted(
    due: Office, chaos_server: ChaosServer
) -> None:
    chaos_server.behave({"banner": reply("421 too many connections")})
    first = due.deliver(way(chaos_server), 8)
    assert first.open_until is not None
    chaos_server.behave({})
    due.clock.set(first.open_until)
    sizes: list[int] = []
    outcome = due.deliver(way(chaos_server), 8, observe=rounds(chaos_server, sizes))
    chaos_server.settle()
    assert outcome.sent == len(chaos_server.ledger) == OTHERS + 1
    assert sizes == [1, 2, 4]
    assert {attempts for _, attempts in invitations(due)} == {1}


def test_f09_a_trial_that_fails_rests_longer_and_is_the_only_connection(due: Office, chaos_server: ChaosServer) -> None:
    chaos_server.behave({"banner": reply("421 too many connections")})
    rests: list[dt.timedelta] = []
    for _ in range(7):
        knocked = chaos_server.connections
        outcome = due.deliver(way(chaos_server), 8)
        assert outcome.open_until is not None
        assert chaos_server.connections - knocked == (1 if rests else 3)
        rests.append(outcome.open_until - due.clock.now())
        due.clock.set(outcome.open_until)
    assert rests[:4] == sorted(rests[:4])
    assert max(rests) <= dt.timedelta(minutes=19)
    assert {attempts for _, attempts in invitations(due)} == {0}


@pytest.mark.parametrize("phase", ["mail", "rcpt", "data"])
@pytest.mark.parametrize("name", ["drip", "drip of a line", "drip of lines", "silence"])
def test_f10_no_drip_outlasts_the_whole_transaction(
    due: Office, chaos_server: ChaosServer, phase: str, name: str
) -> None:
    chaos_server.behave({phase: SILENT[name]})
    began = time.monotonic()
    outcome = due.deliver(way(chaos_server, deadlines=WHOLE))
    took = time.monotonic() - began
    assert took < SLACK + 3 * LIMIT  # three messages, then the breaker opens: nobody behind them waits
    assert (outcome.sent, outcome.unknown, outcome.failed) == (0, 0, 0)
    assert outcome.open_until is not None


def test_f10_a_server_that_stops_reading_holds_a_message_no_longer_than_the_transaction(
    due: Office, chaos_server: ChaosServer
) -> None:
    chaos_server.behave({"data": STOPS_READING})
    began = time.monotonic()
    large = b"x" * 70 + b"\r\n"
    outcome = due.deliver(way(chaos_server, deadlines=WHOLE), sign=lambda content, _: content + large * 120_000)
    assert time.monotonic() - began < SLACK + 3 * LIMIT
    assert (outcome.sent, outcome.unknown) == (0, 0)
    chaos_server.calm()
    assert chaos_server.ledger == []


def test_f10_a_slow_server_delays_another_clinic_by_the_transactions_limit_at_most(
    due: Office, chaos_server: ChaosServer
) -> None:
    due.add_clinic("harbour")
    due.add_patient("P9", "harbour")
    due.clock.set(INVITED_AT - dt.timedelta(days=70))
    due.treat("P9", slug="harbour")
    due.clock.set(INVITED_AT)
    chaos_server.behave(lambda number: {"rcpt": SILENT["drip"]} if number == 0 else {})
    began = time.monotonic()
    outcome = due.deliver(way(chaos_server, deadlines=WHOLE))
    assert time.monotonic() - began < SLACK + LIMIT
    assert outcome.sent == OTHERS + 1
    assert due.row(ref="P9", slug="harbour").state is State.SENT


POLICIES: dict[str, tuple[str, Act, bool]] = {
    "wrong password": ("auth", reply("535 5.7.8 no"), False),
    "rate limit": ("rcpt", reply("421 4.7.0 slow down"), False),
    "storage": ("rcpt", reply("452 4.3.1 full"), False),
    "quota": ("rcpt", reply("550 5.4.5 daily quota exceeded"), True),
    "policy": ("rcpt", reply("550 5.7.1 blocked"), True),
    "content": ("dot", reply("554 5.6.0 content refused"), True),
    "nonsense": ("mail", SENSELESS["a web server"], False),
}


@ON_BOTH
@pytest.mark.parametrize("name", POLICIES)
def test_f13_a_server_that_refuses_everybody_rests_and_no_address_is_suppressed(
    due: Office, chaos_server: ChaosServer, name: str
) -> None:
    phase, act, definite = POLICIES[name]
    chaos_server.behave({phase: act})
    outcome = due.deliver(way(chaos_server, log_in=phase == "auth"))
    assert outcome.open_until is not None
    states = [state for state, _ in invitations(due)]
    assert states.count(State.FAILED) == (5 if definite else 0)
    assert states.count(State.PLANNED) == OTHERS + 1 - states.count(State.FAILED)
    assert suppressed(due) == 0
    assert not any(state.startswith("cancelled") for state in due.states())


def test_a_round_that_the_server_stopped_is_no_progress(office: Office, server: RealServer) -> None:
    told = list[tuple[int, int | None]]()
    office.clock.set(INVITED_AT)
    with refusing() as place:
        office.deliver(to(place), progress=lambda *counts: told.append(counts))
    assert told == []
    office.clock.advance(hours=1)
    assert office.deliver(to(server), progress=lambda *counts: told.append(counts)).sent == 1
    assert told == [(1, 1)]
