"""What a mail server does to one message: put off, refused, cut off, in doubt, taken (F11, F12, F14 to F16, F47)."""

import datetime as dt

import pytest

from reminders.domain.lifecycle import Reason, State
from reminders.errors import BadInput
from reminders.services.points import Point
from reminders.store import contacts, transports
from reminders.store.transports import Breaker
from tests.support.chaos_acts import AFTERWARDS, BROKEN, SENSELESS, SILENT, reply
from tests.support.chaos_office import LONG, impatient, way
from tests.support.chaos_server import Act, ChaosServer
from tests.support.clinic import INVITED_AT, Office
from tests.support.facts import utc

ON_BOTH = pytest.mark.parametrize("backend", ["sqlite", "postgresql"], indirect=True)
MINUTES = dt.timedelta(minutes=1)


@pytest.fixture
def due(office: Office) -> Office:
    """A patient whose invitation is due now."""
    office.clock.set(INVITED_AT)
    return office


def suppressions(office: Office) -> int:
    with office.read() as tx:
        return len(contacts.suppressions_of(tx, 1, office.keys.address_key("p1@riverside-patients.example")))


@ON_BOTH
@pytest.mark.parametrize("phase", ["rcpt", "data", "dot"])
def test_f11_each_refusal_waits_longer_until_it_is_taken(due: Office, chaos_server: ChaosServer, phase: str) -> None:
    chaos_server.behave(lambda number: {phase: reply("451 4.7.1 not now")} if number < 7 else {})
    waits = []
    while (outcome := due.deliver(way(chaos_server))).sent == 0:
        assert (outcome.deferred, outcome.failed, outcome.unknown) == (1, 0, 0)
        assert outcome.next_at is not None
        waits.append((due.row().next_attempt_at or due.clock.now()) - due.clock.now())
        due.clock.set(outcome.next_at)
    usual = [5, 15, 30, 60, 120, 240, 240]
    assert all(0.5 * at * MINUTES <= wait <= 1.5 * at * MINUTES for at, wait in zip(usual, waits, strict=True))
    assert min(waits) >= 5 * MINUTES
    chaos_server.settle()
    assert (len(chaos_server.ledger), due.row().state) == (1, State.SENT)


def test_f11_greylisting_lets_the_second_attempt_in(due: Office, chaos_server: ChaosServer) -> None:
    chaos_server.behave(lambda number: {"rcpt": reply("450 4.2.0 greylisted for 300 seconds")} if number == 0 else {})
    due.deliver(way(chaos_server))
    again_at = due.row().next_attempt_at
    assert again_at is not None
    assert again_at - INVITED_AT >= 5 * MINUTES
    due.clock.set(again_at)
    assert due.deliver(way(chaos_server)).sent == 1


@ON_BOTH
@pytest.mark.parametrize("phase", ["banner", "mail", "rcpt", "dot"])
def test_f11_what_is_put_off_to_the_end_of_its_days_expires(due: Office, chaos_server: ChaosServer, phase: str) -> None:
    chaos_server.behave({phase: reply("451 4.7.1 not now")})
    due.clock.set(utc("2026-05-04 15:50"))
    assert due.deliver(way(chaos_server)).sent == 0
    due.clock.set(due.row().not_after)
    outcome = due.deliver(way(chaos_server))
    assert (outcome.expired, due.row().state, due.row().reason) == (1, State.EXPIRED, Reason.TOO_LATE)


@pytest.mark.parametrize("phase", ["rcpt", "dot"])
@pytest.mark.parametrize("said", ["550 5.1.1 user unknown", "553 5.1.3 bad address", "550-5.1.1 no\r\n550 5.1.1 such"])
def test_f12_an_unknown_address_is_suppressed_and_its_other_messages_withdrawn(
    due: Office, chaos_server: ChaosServer, phase: str, said: str
) -> None:
    chaos_server.behave({phase: reply(said)})
    assert due.deliver(way(chaos_server)).failed == 1
    assert (due.row().state, due.row().reason) == (State.FAILED, Reason.REJECTED_BY_SERVER)
    assert (suppressions(due), due.states()["cancelled bounced_address"]) == (1, 2)
    with due.read() as tx:
        name = way(chaos_server).name
        assert transports.breaker(tx, name) == Breaker(name)


@pytest.mark.parametrize("name", BROKEN)
def test_f14_a_connection_that_breaks_before_the_dot_is_tried_again(
    due: Office, chaos_server: ChaosServer, name: str
) -> None:
    chaos_server.behave(lambda number: {"body": BROKEN[name]} if number == 0 else {})

    def until_acted(point: Point) -> None:
        if point is Point.BODY_WRITTEN:
            chaos_server.acted.wait(10)

    outcome = due.deliver(way(chaos_server), observe=until_acted)
    assert (outcome.deferred, outcome.unknown) == (1, 0)
    assert due.row().handed_over_at is None
    assert outcome.next_at is not None
    due.clock.set(outcome.next_at)
    assert due.deliver(way(chaos_server)).sent == 1
    chaos_server.settle()
    assert len(chaos_server.ledger) == 1


IN_DOUBT: dict[str, tuple[Act, bool]] = {
    "close": (BROKEN["close"], False),
    "reset": (BROKEN["reset"], False),
    "half a reply": (BROKEN["half a reply, then close"], False),
    "nonsense": (SENSELESS["codes that disagree"], False),
    "silence": (SILENT["silence"], True),
    "drip": (SILENT["drip of lines"], True),
}


@ON_BOTH
@pytest.mark.parametrize("name", IN_DOUBT)
def test_f15_without_an_answer_to_the_dot_it_is_unknown_and_never_sent_again(
    due: Office, chaos_server: ChaosServer, name: str
) -> None:
    act, waits = IN_DOUBT[name]
    chaos_server.behave({"dot": act})
    outcome = due.deliver(way(chaos_server, deadlines=impatient("dot") if waits else LONG))
    assert (outcome.unknown, outcome.sent, outcome.deferred) == (1, 0, 0)
    chaos_server.calm()
    for days in range(1, 12):
        due.clock.set(INVITED_AT + dt.timedelta(days=days))
        assert due.deliver(way(chaos_server)).sent == 0
    chaos_server.settle()
    assert (due.row().state, len(chaos_server.ledger)) == (State.UNKNOWN, 1)


@pytest.mark.parametrize("phase", ["dot", "rset", "quit"])
@pytest.mark.parametrize("name", ["then close", "then reset", "then garbage", "then a refusal"])
def test_f16_what_comes_after_the_250_cannot_undo_it(
    due: Office, chaos_server: ChaosServer, phase: str, name: str
) -> None:
    if (phase, name) == ("dot", "then reset"):
        return  # a reset may overtake the 250, which is then in doubt: F15
    chaos_server.behave({phase: AFTERWARDS[name]})
    assert due.deliver(way(chaos_server)).sent == 1
    chaos_server.settle()
    assert (due.row().state, [one.confirmed for one in chaos_server.ledger]) == (State.SENT, [True])


@pytest.mark.parametrize("said", ["421 4.3.2 closing", "550 5.7.1 rather not", "what?"])
@pytest.mark.parametrize("phase", ["rset", "quit"])
def test_f16_a_rude_goodbye_changes_nothing(due: Office, chaos_server: ChaosServer, phase: str, said: str) -> None:
    chaos_server.behave({phase: reply(said)})
    assert due.deliver(way(chaos_server)).sent == 1
    assert due.row().state is State.SENT


REFUSED_AT_INPUT = (
    *(
        "no-at.example",
        "two@at@x.example",
        "@x.example",
        "p1@",
        "p 1@x.example",
        "p1@x..example",
        "p1@-x.example",
        "jürgen@x.example",
    ),
    *(
        "p1@x.example\r\nRCPT TO:<eve@x.example>",
        "p1@x.example\nBcc: eve@x.example",
        "p1@x.example\0",
        "p1\t@x.example",
    ),
    *(
        "a@x.example, b@x.example",
        "Ada <p1@x.example>",
        "a" * 65 + "@x.example",
        "a" * 64 + "@" + "b." * 126 + "example",
    ),
)


@pytest.mark.parametrize("address", REFUSED_AT_INPUT, ids=ascii)
def test_f47_an_address_nobody_can_write_to_is_refused_at_input(office: Office, address: str) -> None:
    with pytest.raises(BadInput) as refused:
        office.add_patient("P2", email=address)
    assert address not in str(refused.value)


@pytest.mark.parametrize("domain", ["bücher.example", "xn--bcher-kva.example", "例え.example"])
def test_f47_a_domain_of_any_script_is_written_to_in_ascii(
    office: Office, chaos_server: ChaosServer, domain: str
) -> None:
    office.change_patient(email=f"ada@{domain}")
    office.clock.set(INVITED_AT)
    chaos_server.behave({})
    assert office.deliver(way(chaos_server)).sent == 1
    chaos_server.settle()
    recipient = chaos_server.ledger[0].recipient
    assert recipient.isascii()
    assert recipient.startswith("ada@xn--")
    assert not any("SMTPUTF8" in line for line in chaos_server.said)  # most servers do not offer it
