"""What a server refuses: put off, given up, or a sign that the server as a whole cannot be used."""

import datetime as dt
from dataclasses import replace

import pytest

from reminders.domain.lifecycle import Reason, State
from reminders.mail.smtp import Credentials, Security, SmtpTransport
from reminders.services import decide
from reminders.store import contacts, transports
from tests.support.clinic import INVITED_AT, SHORT, Office, to
from tests.support.facts import utc
from tests.support.killing_server import KillingServer
from tests.support.smtp_server import Behaviour, Drip, HangUp, RealServer, RudeServer, Say, Silence

IMPATIENT = replace(SHORT, banner=0.3, command=0.3, dot_reply=0.3)
MINUTES = dt.timedelta(minutes=1)


@pytest.mark.parametrize(
    ("command", "attempts", "said"),
    [
        ("MAIL", 0, "451 4.7.1 try later"),
        ("RCPT", 1, "450 4.2.0 greylisted"),
        ("RCPT", 1, "452 4.2.2 mailbox full"),
        ("DATA", 1, "451 4.3.0 not now"),
        ("DOT", 1, "451 4.3.0 not now"),
        ("DOT", 1, "421 4.3.2 shutting down"),
    ],
)
def test_a_temporary_refusal_plans_it_again_in_some_minutes(
    office: Office, server: RealServer, command: str, attempts: int, said: str
) -> None:
    office.clock.set(INVITED_AT)
    server.script[command].append(said)
    outcome = office.deliver(to(server))
    row = office.row()
    assert (outcome.deferred, outcome.failed, outcome.unknown, row.state, row.attempts) == (
        1,
        0,
        0,
        State.PLANNED,
        attempts,
    )
    assert row.next_attempt_at is not None
    assert 5 * MINUTES <= row.next_attempt_at - INVITED_AT <= 7.5 * MINUTES
    assert outcome.next_at == row.next_attempt_at
    assert (row.due_at, row.handed_over_at) == (INVITED_AT, None)
    office.clock.set(row.next_attempt_at - dt.timedelta(seconds=1))
    assert office.deliver(to(server)).sent == 0
    office.clock.set(row.next_attempt_at)
    assert office.deliver(to(server)).sent == 1
    assert len(server.messages) == 1


def test_each_refusal_waits_longer_and_none_counts_towards_giving_up(office: Office, server: RealServer) -> None:
    office.clock.set(INVITED_AT)
    waits = []
    for _ in range(12):
        server.script["RCPT"].append("450 4.2.0 come back later")
        outcome = office.deliver(to(server))
        assert outcome.deferred == 1
        assert outcome.next_at is not None
        row = office.row()
        assert row.next_attempt_at is not None
        waits.append(row.next_attempt_at - office.clock.now())
        office.clock.set(outcome.next_at)
    schedule = [5, 15, 30, 60, 120] + [240] * 7
    assert all(
        0.5 * minutes * MINUTES <= wait <= 1.5 * minutes * MINUTES
        for minutes, wait in zip(schedule, waits, strict=True)
    )
    assert office.deliver(to(server)).sent == 1


def test_a_refused_one_expires_when_its_days_are_over(office: Office, server: RealServer) -> None:
    office.clock.set(utc("2026-05-04 15:59"))
    server.script["RCPT"].append("450 4.2.0 come back later")
    assert office.deliver(to(server)).deferred == 1
    office.clock.set(utc("2026-05-04 23:00"))
    assert office.deliver(to(server)).expired == 1
    assert (office.row().state, office.row().reason) == (State.EXPIRED, Reason.TOO_LATE)


def test_an_address_that_does_not_exist_fails_and_is_not_written_to_again(office: Office, server: RealServer) -> None:
    office.add_patient("P2", email="p1@riverside-patients.example")
    office.clock.set(INVITED_AT)
    office.treat("P2", on="2026-03-20")
    server.script["RCPT"].append("550 5.1.1 no such user")
    outcome = office.deliver(to(server))
    row = office.row()
    assert (outcome.failed, outcome.cancelled, row.attempts) == (1, 5, 1)
    assert (row.state, row.reason) == (State.FAILED, Reason.REJECTED_BY_SERVER)
    assert office.states("P1")["cancelled bounced_address"] == 2
    assert office.states("P2") == {"cancelled bounced_address": 3}
    office.clock.set(utc("2026-06-15 09:00"))
    assert office.deliver(to(server)).sent == 0
    assert server.messages == []


def test_a_new_address_brings_back_what_a_bad_one_stopped(office: Office, server: RealServer) -> None:
    office.clock.set(INVITED_AT)
    server.script["RCPT"].append("550 5.1.1 no such user")
    office.deliver(to(server))
    office.change_patient(email="right@riverside-patients.example")
    assert office.row("follow_up").state is State.PLANNED
    with office.write() as tx:
        decide.retry(tx, [office.row().id])
    assert office.deliver(to(server)).sent == 1
    assert server.messages[0].rcpt_tos == ("right@riverside-patients.example",)


def test_a_bad_address_is_suppressed_for_its_clinic_only(office: Office, server: RealServer) -> None:
    office.add_clinic("harbour")
    office.add_patient("P9", "harbour", email="p1@riverside-patients.example")
    office.treat("P9", slug="harbour")
    office.clock.set(INVITED_AT)
    server.script["RCPT"].append("550 5.1.1 no such user")
    outcome = office.deliver(to(server))
    assert (outcome.failed, outcome.sent) == (1, 1)
    assert office.row(ref="P9", slug="harbour").state is State.SENT


@pytest.mark.parametrize("command", ["RCPT", "DATA", "DOT"])
def test_five_policy_refusals_in_a_row_rest_the_transport_and_suppress_nobody(
    office: Office, server: RealServer, command: str
) -> None:
    office.add_due(9, prefix="Q")
    office.clock.set(INVITED_AT)
    server.script[command].extend(["554 5.7.1 blocked by policy"] * 10)
    outcome = office.deliver(to(server))
    assert (outcome.failed, outcome.sent, outcome.cancelled) == (5, 0, 0)
    assert outcome.stopped is not None
    assert outcome.open_until is not None
    assert outcome.next_at == outcome.open_until > INVITED_AT
    assert office.states() == {"failed rejected_by_server": 5, "planned": 25}
    assert office.deliver(to(server)).failed == 0


def test_after_the_rest_one_message_tries_alone_and_its_success_lets_the_others_go(
    office: Office, server: RealServer
) -> None:
    office.add_due(9, prefix="Q")
    office.clock.set(INVITED_AT)
    server.script["RCPT"].extend(["554 5.7.1 blocked by policy"] * 6)
    first = office.deliver(to(server))
    assert first.open_until is not None
    office.clock.set(first.open_until)
    second = office.deliver(to(server), 4)
    assert second.failed == 1
    assert second.open_until is not None
    assert second.open_until - office.clock.now() > first.open_until - INVITED_AT
    office.clock.set(second.open_until)
    third = office.deliver(to(server), 4)
    assert (third.sent, third.stopped) == (4, None)


@pytest.mark.parametrize(
    ("behaviour", "security", "fault"),
    [
        ({"auth": Say("535 5.7.8 wrong password")}, Security.NEVER, "auth: auth"),
        ({"ehlo": Say("250 rude.test")}, Security.STARTTLS, "starttls: tls"),
        ({"starttls": Say("502 no")}, Security.STARTTLS, "starttls: tls"),
        ({"banner": Say("554 go away")}, Security.NEVER, "banner: refused"),
    ],
)
def test_a_wrong_password_or_no_tls_rests_the_transport_at_once_and_burns_no_attempt(
    office: Office, behaviour: dict[str, Behaviour], security: Security, fault: str
) -> None:
    office.clock.set(INVITED_AT)
    with RudeServer(behaviour) as rude:
        credentials = Credentials("clinic", "secret")
        transport = SmtpTransport("127.0.0.1", rude.port, security, credentials, deadlines=SHORT)
        outcome = office.deliver(transport)
        assert (outcome.stopped, outcome.failed, outcome.deferred) == (fault, 0, 0)
        assert len([said for said in rude.commands if said.startswith("EHLO")]) <= 1
        assert not any(said.startswith("MAIL") for said in rude.commands)
    row = office.row()
    assert (row.state, row.attempts, row.next_attempt_at) == (State.PLANNED, 0, None)


def test_a_server_that_is_not_there_rests_after_three_tries_and_burns_no_attempt(office: Office) -> None:
    office.add_due(5, prefix="Q")
    office.clock.set(INVITED_AT)
    with RealServer(starttls=None, implicit=None, auth=False) as gone:
        transport = to(gone)
    outcome = office.deliver(transport)
    assert (outcome.stopped, outcome.sent, outcome.failed) == ("connect: refused", 0, 0)
    with office.read() as tx:
        assert transports.breaker(tx, transport.name).faults == 3
    assert {(row.state, row.attempts) for row in office.rows()} == {(State.PLANNED, 0)}


def test_a_restart_does_not_reset_the_rest(office: Office) -> None:
    office.clock.set(INVITED_AT)
    with RudeServer({"banner": Say("554 go away")}) as rude:
        office.deliver(to(rude))
        office.database.close()
        tries = len(rude.commands)
        assert office.deliver(to(rude)).stopped is not None
        assert len(rude.commands) == tries


def hang_up() -> None:
    raise ConnectionAbortedError


@pytest.mark.parametrize("phase", ["ehlo", "mail", "rcpt", "data", "body", "last_line"])
def test_a_connection_that_breaks_before_the_dot_is_tried_again(office: Office, phase: str) -> None:
    office.clock.set(INVITED_AT)
    with KillingServer() as breaking:
        breaking.arm(phase, 1, hang_up)
        outcome = office.deliver(to(breaking))
        assert (outcome.unknown, outcome.failed) == (0, 0)
        if outcome.sent == 0:
            office.clock.advance(minutes=10)
            assert office.deliver(to(breaking)).sent == 1
        assert len(breaking.accepted) == 1


@pytest.mark.parametrize(
    "behaviour",
    [HangUp(), HangUp(reset=True), Silence(), Drip(), Say("250-half an ans", hang_up=True), Say("what?")],
    ids=["goodbye", "reset", "silence", "drip", "half", "nonsense"],
)
def test_without_a_clear_answer_to_the_dot_it_is_unknown_and_never_sent_again(
    office: Office, server: RealServer, behaviour: Behaviour
) -> None:
    office.clock.set(INVITED_AT)
    with RudeServer({"dot": behaviour}) as rude:
        outcome = office.deliver(to(rude, IMPATIENT))
    assert (outcome.unknown, outcome.sent, outcome.deferred) == (1, 0, 0)
    assert (office.row().state, office.row().handed_over_at) == (State.UNKNOWN, INVITED_AT)
    for days in range(1, 40):
        office.clock.set(INVITED_AT + dt.timedelta(days=days))
        office.deliver(to(server))
    assert office.row().state is State.UNKNOWN
    assert server.messages == []


@pytest.mark.parametrize("behaviour", [Say("421 4.4.2 no"), HangUp(reset=True), Silence()])
@pytest.mark.parametrize("step", ["quit", "rset"])
def test_what_a_server_does_after_its_250_changes_nothing(office: Office, step: str, behaviour: Behaviour) -> None:
    office.clock.set(INVITED_AT)
    with RudeServer({step: behaviour}) as rude:
        outcome = office.deliver(to(rude, replace(IMPATIENT, quit=0.3)))
    assert (outcome.sent, office.row().state) == (1, State.SENT)


def test_a_policy_refusal_never_stands_among_the_suppressions(office: Office, server: RealServer) -> None:
    office.clock.set(INVITED_AT)
    server.script["RCPT"].append("550 5.7.1 relaying denied")
    office.deliver(to(server))
    key = office.keys.address_key("p1@riverside-patients.example")
    with office.read() as tx:
        assert contacts.suppressions_of(tx, 1, key) == []
    assert office.row("follow_up").state is State.PLANNED
