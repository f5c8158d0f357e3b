"""SMTP with servers that misbehave: each behaviour at each phase, always in time, and unknown only after the dot."""

import threading
import time

import pytest

from reminders.mail.outcome import Blame, Outcome, Phase, TransportFault, Trouble, Verdict
from reminders.mail.smtp import Credentials, Security, SmtpTransport
from reminders.mail.smtp_session import Deadlines, SmtpSession
from reminders.mail.transport import hand_over, wait_for
from tests.support.smtp_server import (
    LAST_LINE,
    Await,
    Behaviour,
    Drip,
    HangUp,
    InTurn,
    RudeServer,
    Say,
    Silence,
    certificates,
)

SHORT = Deadlines(connect=0.4, banner=0.4, command=0.4, dot_reply=0.4, transaction=1.2, quit=0.2)
LONG = Deadlines(connect=10, banner=10, command=10, dot_reply=10, transaction=40, quit=10)
PATIENT = Deadlines(connect=20, banner=20, command=0.4, dot_reply=20, transaction=60, quit=20)
FAR_LONGER = 8.0  # seconds: what no step takes, however busy the machine; the drips and silences would last for ever
LETTER = b"Message-ID: <1@x.example>\r\n\r\nHello\r\n" + LAST_LINE
TRUSTED = certificates()

BEHAVIOURS: dict[str, Behaviour] = {
    "disconnect": HangUp(),
    "reset": HangUp(reset=True),
    "421 and gone": Say("421 4.3.2 closing", hang_up=True),
    "421": Say("421 4.3.2 closing"),
    "4xx": Say("450 4.2.0 later"),
    "5xx": Say("554 5.7.1 no"),
    "malformed": Say("hello there"),
    "no code": Say("25 ok"),
    "codes that disagree": Say("250-ok\r\n550 no"),
    "1xx": Say("150 wait"),
    "3xx": Say("399 go on"),
    "6xx": Say("650 ok"),
    "silence": Silence(),
    "drip": Drip(),
    "drip of a line": Drip(b"250 "),
    "endless line": Say("250 " + "x" * 100_000),
    "endless lines": Say("\r\n".join(["250-x"] * 20_000)),
    "binary": Say("\x16\x03\x01\x00\xff\xfe"),
    "empty line": Say(""),
}
WAITING = {"silence", "drip", "drip of a line"}
CODES = {"421 and gone": 421, "421": 421, "4xx": 450, "5xx": 554}
BEFORE_MAIL = {"banner": Phase.BANNER, "ehlo": Phase.EHLO, "starttls": Phase.STARTTLS, "auth": Phase.AUTH}
BEFORE_DOT = {"mail": Phase.MAIL, "rcpt": Phase.RCPT, "data": Phase.DATA}
CERTAIN = {"5xx", "malformed", "no code", "codes that disagree", "1xx", "6xx", "binary", "empty line", "endless line"}
CERTAIN |= {"endless lines", "3xx"}


def transport(server: RudeServer, step: str = "", deadlines: Deadlines = SHORT) -> SmtpTransport:
    security = Security.STARTTLS if step in {"starttls", "handshake"} else Security.NEVER
    credentials = Credentials("clinic", "SECRET") if step == "auth" else None
    return SmtpTransport(
        server.host, server.port, security, credentials, tls_context=TRUSTED.client, deadlines=deadlines
    )


def deadlines(behaviour: str) -> Deadlines:
    return SHORT if behaviour in WAITING else LONG


def agreed(session: SmtpSession) -> Outcome | None:
    session.begin("a@x.example", "b@y.example")
    return session.agreed()


def to_the_end(session: SmtpSession) -> Outcome:
    return hand_over(session, "a@x.example", "b@y.example", LETTER)


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
@pytest.mark.parametrize("step", BEFORE_MAIL)
def test_a_server_that_misbehaves_before_mail_is_a_fault_of_the_transport(step: str, behaviour: str) -> None:
    began = time.monotonic()
    with RudeServer({step: BEHAVIOURS[behaviour]}) as server, pytest.raises(TransportFault) as caught:
        transport(server, step, deadlines(behaviour)).connect()
    assert time.monotonic() - began < FAR_LONGER
    if caught.value.phase is not Phase.CONNECT or (step, behaviour) != ("banner", "reset"):  # a reset may be that quick
        assert caught.value.phase is BEFORE_MAIL[step]
    assert caught.value.code == CODES.get(behaviour, caught.value.code)
    assert caught.value.certain == (behaviour in CERTAIN)
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize("pipelining", [False, True])
@pytest.mark.parametrize("behaviour", BEHAVIOURS)
@pytest.mark.parametrize("step", BEFORE_DOT)
def test_a_server_that_misbehaves_before_the_dot_accepts_nothing_and_all_may_be_tried_again(
    step: str, behaviour: str, *, pipelining: bool
) -> None:
    began = time.monotonic()
    with RudeServer({step: BEHAVIOURS[behaviour]}, pipelining=pipelining) as server:
        session = transport(server, deadlines=deadlines(behaviour)).connect()
        outcome = to_the_end(session)
        session.close()
    assert time.monotonic() - began < FAR_LONGER
    assert outcome.verdict in {Verdict.LATER, Verdict.NEVER}
    assert (outcome.verdict is Verdict.NEVER) == (behaviour == "5xx" and step != "mail")
    if not (pipelining and behaviour == "reset"):  # a reset may overtake the replies to the commands before it
        assert outcome.phase is BEFORE_DOT[step]
    out_of_step = pipelining and step == "mail" and behaviour in {"4xx", "5xx"}  # it agrees to the RCPT behind it
    assert outcome.code == (None if out_of_step else CODES.get(behaviour))
    assert outcome.blame is not Blame.ADDRESS
    assert (outcome.blame is Blame.TRANSPORT) == (behaviour not in {"4xx", "5xx"} or step == "mail")
    assert server.accepted == []


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_after_the_dot_only_a_clear_answer_is_one(behaviour: str) -> None:
    began = time.monotonic()
    with RudeServer({"dot": BEHAVIOURS[behaviour]}) as server:
        session = transport(server, deadlines=deadlines(behaviour)).connect()
        outcome = to_the_end(session)
        assert session.dot_sent
        still_serves = session.reset()
        session.close()
    assert time.monotonic() - began < FAR_LONGER
    clear = {"421 and gone": Verdict.LATER, "421": Verdict.LATER, "4xx": Verdict.LATER, "5xx": Verdict.NEVER}
    assert outcome.verdict is clear.get(behaviour, Verdict.UNKNOWN)
    assert outcome.code == CODES.get(behaviour)
    assert still_serves == (behaviour in {"4xx", "5xx"})


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_what_happens_after_an_accepted_message_cannot_undo_it(behaviour: str) -> None:
    began = time.monotonic()
    with RudeServer({"quit": BEHAVIOURS[behaviour]}) as server:
        session = transport(server, deadlines=deadlines(behaviour)).connect()
        assert to_the_end(session).verdict is Verdict.ACCEPTED
        session.close()
        assert session.reply().verdict is Verdict.ACCEPTED
    assert time.monotonic() - began < FAR_LONGER
    assert server.accepted == [LETTER]


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_a_server_that_cannot_forget_a_refused_message_is_left(behaviour: str) -> None:
    began = time.monotonic()
    with RudeServer({"rset": BEHAVIOURS[behaviour], "rcpt": [Say("451 later")]}) as server:
        session = transport(server, deadlines=deadlines(behaviour)).connect()
        assert to_the_end(session).phase is Phase.RCPT
        assert not session.reset()
    assert time.monotonic() - began < FAR_LONGER
    assert server.accepted == []


def test_after_an_accepted_message_nothing_is_asked_before_the_next() -> None:
    with RudeServer({"rset": Silence()}) as server:
        session = transport(server, deadlines=LONG).connect()
        for _ in range(3):
            assert session.reset()
            assert to_the_end(session).verdict is Verdict.ACCEPTED
        session.close()
    assert server.accepted == [LETTER] * 3


@pytest.mark.parametrize("goodbye", [Say("421 idle for too long", hang_up=True), Say("421 idle"), HangUp()])
def test_a_server_that_had_enough_of_an_idle_connection_is_noticed_before_the_next_message(goodbye: Behaviour) -> None:
    accepted = threading.Event()
    with RudeServer({"dot": InTurn((Say("250 2.0.0 taken"), Await(accepted), goodbye))}) as server:
        session = transport(server, deadlines=LONG).connect()
        assert to_the_end(session).verdict is Verdict.ACCEPTED
        assert session.reset()
        accepted.set()
        until = time.monotonic() + FAR_LONGER
        while session.reset() and time.monotonic() < until:
            pass
        assert not session.reset()


@pytest.mark.parametrize(
    "behaviour", [HangUp(), HangUp(reset=True), Silence(), Drip(b"\x16\x03\x03\x40\x00"), Drip(b"xx")]
)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # ssl forgets a socket reset meanwhile
def test_a_handshake_ends_in_time_whatever_comes(behaviour: Behaviour) -> None:
    began = time.monotonic()
    with RudeServer({"handshake": behaviour}) as server, pytest.raises(TransportFault) as caught:
        transport(server, "handshake").connect()
    assert time.monotonic() - began < FAR_LONGER
    assert caught.value.phase is Phase.STARTTLS
    assert caught.value.kind in {Trouble.TIMEOUT, Trouble.DISCONNECTED, Trouble.TLS}


@pytest.mark.parametrize("behaviour", [HangUp(), HangUp(reset=True), Say("421 4.3.2 closing", hang_up=True)])
def test_a_server_that_goes_between_body_and_dot_is_certain_not_to_have_accepted(behaviour: Behaviour) -> None:
    body_is_up = threading.Event()
    with RudeServer({"last_line": InTurn((Await(body_is_up), behaviour))}) as server:
        session = transport(server, deadlines=LONG).connect()
        assert agreed(session) is None
        assert session.body(LETTER) is None
        body_is_up.set()
        assert server.gone.wait(10)
        session.dot()
        assert session.waits_on() is None
        outcome = session.reply()
        assert not session.dot_sent
    assert (outcome.verdict, outcome.blame, outcome.phase) == (Verdict.LATER, Blame.TRANSPORT, Phase.DOT)
    assert server.accepted == []


def test_a_refusal_that_comes_before_the_dot_counts_and_no_dot_is_written() -> None:
    body_is_up = threading.Event()
    with RudeServer({"last_line": InTurn((Await(body_is_up), Say("552 5.3.4 too big", hang_up=True)))}) as server:
        session = transport(server, deadlines=LONG).connect()
        agreed(session)
        assert session.body(LETTER) is None
        body_is_up.set()
        assert server.gone.wait(10)
        session.dot()
        outcome = session.reply()
        assert not session.dot_sent
    assert (outcome.verdict, outcome.blame, outcome.code) == (Verdict.NEVER, Blame.POLICY, 552)
    assert server.accepted == []


def test_a_refusal_that_comes_while_the_body_is_written_counts() -> None:
    body_is_on_its_way = threading.Event()
    refusal = InTurn((Await(body_is_on_its_way), Say("552 5.3.4 too big"), Silence()))
    with RudeServer({"body": refusal}) as server:
        session = transport(server).connect()
        agreed(session)
        threading.Timer(SHORT.before_dot / 2, body_is_on_its_way.set).start()
        outcome = session.body(b"Subject: x\r\n\r\n" + b"x" * 16 * 1024 * 1024 + b"\r\n")
    assert outcome is not None
    assert (outcome.verdict, outcome.phase, outcome.code) == (Verdict.NEVER, Phase.BODY, 552)


def test_a_server_that_answers_twice_is_not_believed() -> None:
    with RudeServer({"mail": Say("250 ok\r\n250 ok"), "dot": HangUp()}) as server:
        session = transport(server).connect()
        outcome = to_the_end(session)
        session.close()
    assert (outcome.verdict, outcome.phase) == (Verdict.LATER, Phase.RCPT)
    assert server.accepted == []


@pytest.mark.parametrize(
    ("early", "verdict"),
    [("250 2.0.0 accepted", Verdict.LATER), ("552 5.3.4 too big", Verdict.NEVER), ("no reply", Verdict.LATER)],
)
def test_an_answer_that_comes_before_the_dot_ends_the_body_and_is_no_approval(early: str, verdict: Verdict) -> None:
    with RudeServer({"data": Say(f"354 go on\r\n{early}")}) as server:
        session = transport(server, deadlines=LONG).connect()
        agreed(session)
        outcome = session.body(LETTER)
        assert not session.dot_sent
    assert outcome is not None
    assert (outcome.verdict, outcome.phase) == (verdict, Phase.BODY)
    assert server.accepted == []


def test_a_server_that_stops_reading_cannot_hold_a_message_for_ever() -> None:
    began = time.monotonic()
    with RudeServer({"body": Silence()}) as server:
        session = transport(server).connect()
        agreed(session)
        outcome = session.body(b"Subject: x\r\n\r\n" + b"x" * 16 * 1024 * 1024 + b"\r\n")
    assert time.monotonic() - began < FAR_LONGER
    assert outcome is not None
    assert (outcome.verdict, outcome.phase) == (Verdict.LATER, Phase.BODY)


def test_no_drip_outlasts_the_whole_transaction_on_a_connection_of_any_age() -> None:
    slow = Deadlines(connect=20, banner=20, command=20, dot_reply=20, transaction=20.5, quit=0.1)
    began = time.monotonic()
    with RudeServer({"rcpt": [Say("250 ok"), Drip()]}) as server:
        session = transport(server, deadlines=slow).connect()
        assert to_the_end(session).verdict is Verdict.ACCEPTED
        assert session.reset()
        assert to_the_end(session).phase is Phase.RCPT
        session.close()
    assert time.monotonic() - began < slow.command / 2


@pytest.mark.parametrize("step", ["ehlo", "auth"])
def test_no_drip_outlasts_a_commands_own_time_before_mail(step: str) -> None:
    began = time.monotonic()
    with RudeServer({step: Drip()}) as server, pytest.raises(TransportFault) as caught:
        transport(server, step, PATIENT).connect()
    assert time.monotonic() - began < FAR_LONGER
    assert caught.value.kind is Trouble.TIMEOUT


@pytest.mark.parametrize("step", ["mail", "rset"])
def test_no_drip_outlasts_a_commands_own_time_however_much_the_whole_may_take(step: str) -> None:
    began = time.monotonic()
    with RudeServer({step: Drip(), "data": Say("451 later")}) as server:
        session = transport(server, deadlines=PATIENT).connect()
        assert to_the_end(session).phase is (Phase.MAIL if step == "mail" else Phase.DATA)
        assert not session.reset()
    assert time.monotonic() - began < FAR_LONGER


def test_waiting_for_several_answers_tells_whose_is_there() -> None:
    with (
        RudeServer({"dot": Silence()}) as silent,
        RudeServer() as usual,
        RudeServer({"dot": Drip(b"250 ")}) as dripping,
    ):
        sessions = [transport(server).connect() for server in (silent, usual, dripping)]
        for session in sessions:
            agreed(session)
            session.body(LETTER)
            session.dot()
        assert wait_for(sessions, 5) == [sessions[1]]
        assert wait_for([sessions[0], sessions[2]], 0.01) == []
        left = {id(sessions[0]), id(sessions[2])}
        while left:
            left -= {id(session) for session in wait_for([sessions[0], sessions[2]], 5)}
        verdicts = [session.reply().verdict for session in sessions]
        for session in sessions:
            session.close()
    assert verdicts == [Verdict.UNKNOWN, Verdict.ACCEPTED, Verdict.UNKNOWN]


def test_a_session_that_broke_answers_every_step_without_raising() -> None:
    with RudeServer({"mail": HangUp()}) as server:
        session = transport(server).connect()
        for _ in range(2):
            outcome = agreed(session)
            assert outcome is not None
            assert outcome.verdict is Verdict.LATER
            assert session.body(LETTER) is not None
            session.dot()
            assert session.waits_on() is None
            assert session.reply().verdict is Verdict.LATER
            assert not session.reset()
            session.abandon()
            session.close()
