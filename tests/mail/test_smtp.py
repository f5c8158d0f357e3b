"""SMTP with a real server: TLS or nothing, passwords, one connection for many messages, bytes arrive as they left."""

import ssl
from urllib.parse import quote

import pytest

from reminders.mail import transport
from reminders.mail.outcome import Blame, Outcome, Phase, TransportFault, Trouble, Verdict
from reminders.mail.smtp import Credentials, Security, SmtpTransport
from reminders.mail.smtp_session import Deadlines
from reminders.mail.transport import Session, Transport, transport_for
from tests.mail.letters import GOLDEN_LETTERS, facts, letter
from tests.support.smtp_server import (
    PASSWORD,
    USER,
    Certificates,
    RealServer,
    RudeServer,
    Say,
    certificates,
    real_server,
)

SENDER, RECIPIENT = "hello@harbour.example", "odile@home.example"
LETTER = letter(facts())
TRUSTED = certificates()
QUICK = Deadlines(connect=5, banner=5, command=5, dot_reply=5, transaction=20, quit=5)


def plain(server: RealServer | RudeServer) -> Transport:
    return transport_for(f"smtp://127.0.0.1:{server.port}?tls=never")


def hand_over(session: Session, content: bytes = LETTER, recipient: str = RECIPIENT, sender: str = SENDER) -> Outcome:
    return transport.hand_over(session, sender, recipient, content)


def tls_server(scheme: str, known: Certificates) -> RealServer:
    return real_server(starttls=known.server) if scheme == "smtp" else real_server(implicit=known.server)


def fault(way: Transport) -> TransportFault:
    with pytest.raises(TransportFault) as caught:
        way.connect()
    return caught.value


def test_a_message_arrives_with_its_very_bytes_and_one_recipient() -> None:
    with real_server() as server:
        session = plain(server).connect()
        outcome = hand_over(session)
        session.close()
    assert outcome == Outcome(Verdict.ACCEPTED, None, Phase.DOT, 250, "2.0.0")
    (received,) = server.messages
    assert (received.mail_from, received.rcpt_tos, received.content) == (SENDER, (RECIPIENT,), LETTER)


def test_one_connection_carries_many_messages() -> None:
    contents = [letter(*example) for example in GOLDEN_LETTERS.values()]
    with real_server() as server:
        session = plain(server).connect()
        for content in contents:
            assert hand_over(session, content).verdict is Verdict.ACCEPTED
            assert session.reset()
        session.close()
    assert [message.content for message in server.messages] == contents
    assert len({message.peer for message in server.messages}) == 1


@pytest.mark.parametrize(
    "body",
    [
        b".",
        b".\r\n.",
        b"..",
        b".a\r\n..b\r\n...c",
        b"\r\n.\r\n\r\n.\r\n",
        b"x" * 998 + b"\r\n." + b"y" * 900,
        b"\r\n" * 500,
        b"no line end",
        b"",
    ],
)
def test_lines_that_begin_with_a_dot_arrive_as_they_are(body: bytes) -> None:
    content = b"Subject: x\r\n\r\n" + body
    with real_server() as server:
        session = plain(server).connect()
        assert hand_over(session, content).verdict is Verdict.ACCEPTED
        session.close()
    assert server.messages[0].content == (content if content.endswith(b"\r\n") else content + b"\r\n")


@pytest.mark.parametrize("line_end", [b"\n", b"\r", b"\n.\n", b"\r.\r", b"\n.\r\n"])
def test_bytes_with_a_lone_line_end_never_leave_the_house(line_end: bytes) -> None:
    with real_server() as server:
        session = plain(server).connect()
        outcome = hand_over(session, b"Subject: x\r\n\r\na" + line_end + b"b\r\n")
        assert (outcome.verdict, outcome.phase) == (Verdict.NEVER, Phase.BODY)
        assert session.reset()
        session.close()
    assert server.messages == []


@pytest.mark.parametrize(
    "address",
    [
        "a@x.example>\r\nRCPT TO:<b@y.example",
        "a b@x.example",
        "ä@x.example",
        "<a@x.example>",
        "",
        "x",
        "a(b)@x.example",
        "a,b@x.example",
    ],
)
def test_an_envelope_that_is_no_address_never_leaves_the_house(address: str) -> None:
    with real_server() as server:
        session = plain(server).connect()
        for outcome in (hand_over(session, recipient=address), hand_over(session, sender=address)):
            assert (outcome.verdict, outcome.blame) == (Verdict.NEVER, Blame.MESSAGE)
        session.close()
    assert server.messages == []


def test_starttls_and_a_password_of_any_characters() -> None:
    with real_server(starttls=TRUSTED.server, auth=True) as server:
        url = f"smtp://{USER}:{quote(PASSWORD, safe='')}@localhost:{server.port}"
        session = transport_for(url, TRUSTED.client).connect()
        assert hand_over(session).verdict is Verdict.ACCEPTED
        session.close()
    assert server.messages[0].tls
    assert server.greetings == ["[127.0.0.1]", "[127.0.0.1]"]


def test_tls_from_the_first_byte() -> None:
    with real_server(implicit=TRUSTED.server) as server:
        session = transport_for(f"smtps://127.0.0.1:{server.port}", TRUSTED.client).connect()
        for _ in range(3):
            assert hand_over(session, LETTER).verdict is Verdict.ACCEPTED
            assert session.reset()
        session.close()
    assert [message.tls for message in server.messages] == [True] * 3


def test_a_wrong_password_is_certain_and_is_not_shown() -> None:
    with real_server(starttls=TRUSTED.server, auth=True) as server:
        found = fault(transport_for(f"smtp://{USER}:WRONG@localhost:{server.port}", TRUSTED.client))
    assert (found.phase, found.kind, found.certain, found.code) == (Phase.AUTH, Trouble.AUTH, True, 535)
    assert "WRONG" not in f"{found} {found!r}"


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_a_certificate_that_nobody_vouches_for_is_refused(scheme: str) -> None:
    with tls_server(scheme, TRUSTED) as server:
        found = fault(transport_for(f"{scheme}://localhost:{server.port}"))
    assert (found.kind, found.certain) == (Trouble.TLS, True)
    assert server.messages == []


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_a_certificate_for_another_host_is_refused(scheme: str) -> None:
    other = certificates("mail.other.example")
    with tls_server(scheme, other) as server:
        found = fault(transport_for(f"{scheme}://localhost:{server.port}", other.client))
    assert (found.kind, found.certain) == (Trouble.TLS, True)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1:DeprecationWarning")
def test_a_server_that_knows_only_old_tls_is_refused() -> None:
    old = certificates()
    old.server.maximum_version = ssl.TLSVersion.TLSv1_1
    with real_server(implicit=old.server) as server:
        found = fault(transport_for(f"smtps://localhost:{server.port}", old.client))
    assert found.kind in {Trouble.TLS, Trouble.DISCONNECTED}


def test_where_starttls_is_not_offered_nothing_is_sent_in_the_clear() -> None:
    with RudeServer({"ehlo": Say("250-rude.test\r\n250 AUTH PLAIN")}) as server:
        found = fault(transport_for(f"smtp://user:SECRET@127.0.0.1:{server.port}", TRUSTED.client))
    assert (found.phase, found.kind, found.certain) == (Phase.STARTTLS, Trouble.TLS, True)
    assert server.commands == ["EHLO [127.0.0.1]"]


def test_words_slipped_in_before_tls_are_not_taken_for_the_servers() -> None:
    with RudeServer({"starttls": Say("220 go on\r\n250-evil.test\r\n250 AUTH PLAIN")}) as server:
        found = fault(transport_for(f"smtp://user:SECRET@127.0.0.1:{server.port}", TRUSTED.client))
    assert (found.phase, found.kind, found.certain) == (Phase.STARTTLS, Trouble.TLS, True)
    assert server.commands == ["EHLO [127.0.0.1]", "STARTTLS"]


@pytest.mark.parametrize(
    ("command", "reply", "verdict", "blame"),
    [
        ("MAIL", "451 4.7.1 later", Verdict.LATER, Blame.TRANSPORT),
        ("RCPT", "450 4.2.0 greylisted", Verdict.LATER, Blame.MESSAGE),
        ("RCPT", "550 5.1.1 no such user", Verdict.NEVER, Blame.ADDRESS),
        ("RCPT", "554 5.7.1 blocked", Verdict.NEVER, Blame.POLICY),
        ("DATA", "451 4.3.0 later", Verdict.LATER, Blame.POLICY),
        ("DOT", "451 4.7.1 later", Verdict.LATER, Blame.MESSAGE),
        ("DOT", "554 5.7.1 content", Verdict.NEVER, Blame.POLICY),
    ],
)
def test_after_a_refusal_the_connection_still_serves(command: str, reply: str, verdict: Verdict, blame: Blame) -> None:
    with real_server() as server:
        server.script[command].append(reply)
        session = plain(server).connect()
        refused = hand_over(session)
        assert (refused.verdict, refused.blame, refused.code) == (verdict, blame, int(reply[:3]))
        assert session.reset()
        assert hand_over(session).verdict is Verdict.ACCEPTED
        session.close()
    assert len(server.messages) == 1
    assert len(server.connections) == 1


@pytest.mark.parametrize("reply", ["500 what?", "421 4.3.2 gone", "250 stay here", "999 nonsense"])
def test_what_the_server_says_to_quit_changes_nothing(reply: str) -> None:
    with real_server() as server:
        server.script["QUIT"].append(reply)
        session = plain(server).connect()
        assert hand_over(session).verdict is Verdict.ACCEPTED
        session.close()
        session.close()
    assert len(server.messages) == 1


def test_a_message_given_up_after_its_body_is_not_accepted() -> None:
    with real_server() as server:
        session = plain(server).connect()
        session.begin(SENDER, RECIPIENT)
        session.agreed()
        session.body(LETTER)
        session.abandon()
        assert session.reply().verdict is Verdict.LATER
        assert not session.reset()
        session.close()
        other = plain(server).connect()
        assert hand_over(other).verdict is Verdict.ACCEPTED
        other.close()
    assert len(server.messages) == 1


def test_nobody_listening_is_a_refused_connection() -> None:
    with RudeServer() as server:
        port = server.port
    found = fault(SmtpTransport("127.0.0.1", port, Security.NEVER, deadlines=QUICK))
    assert (found.phase, found.kind, found.certain) == (Phase.CONNECT, Trouble.REFUSED, False)


@pytest.mark.parametrize("code", [421, 450, 554])
def test_a_server_that_takes_nobody_just_now_is_busy_and_one_that_never_will_refuses(code: int) -> None:
    with RudeServer({"banner": Say(f"{code} not here, not now")}) as server:
        found = fault(SmtpTransport("127.0.0.1", server.port, Security.NEVER, deadlines=QUICK))
    busy = code < 500
    assert (found.phase, found.kind, found.certain) == (
        Phase.BANNER,
        Trouble.BUSY if busy else Trouble.REFUSED,
        not busy,
    )
    assert f"at banner: {found.kind}, it says {code})" in str(found)
    assert ("REMINDERS_SMTP_URL" in str(found)) is not busy


@pytest.mark.parametrize("host", ["a" * 64 + ".example", "..", "no such host"])
def test_a_name_that_cannot_be_looked_up_is_a_fault_of_dns(host: str) -> None:
    found = fault(SmtpTransport(host, 25, Security.NEVER, Credentials("user", "SECRET"), deadlines=QUICK))
    assert (found.phase, found.kind) == (Phase.CONNECT, Trouble.DNS)
    assert "SECRET" not in str(found)
