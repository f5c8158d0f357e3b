"""Logging in to a mail server: one mechanism, once, a password of any letters; what came before TLS is forgotten."""

import socket
from urllib.parse import quote

import pytest

from reminders.mail.conversation import Conversation
from reminders.mail.outcome import Phase, TransportFault, Trouble
from reminders.mail.transport import Transport, transport_for
from reminders.mail.wire import Wire
from tests.support.smtp_server import Behaviour, RudeServer, Say, certificates, real_server

TRUSTED = certificates()


def fault(transport: Transport) -> TransportFault:
    with pytest.raises(TransportFault) as caught:
        transport.connect()
    return caught.value


def logging_in(server: RudeServer, password: str = "SECRET") -> Transport:
    return transport_for(f"smtp://clinic:{quote(password)}@127.0.0.1:{server.port}?tls=never")


@pytest.mark.parametrize(
    ("offered", "commands"),
    [
        ("AUTH PLAIN LOGIN", ["AUTH PLAIN AGNsaW5pYwBww6Rzcw=="]),
        ("AUTH=PLAIN", ["AUTH PLAIN AGNsaW5pYwBww6Rzcw=="]),
        ("auth login", ["AUTH LOGIN", "Y2xpbmlj", "cMOkc3M="]),
    ],
)
def test_the_server_chooses_how_the_password_is_sent(offered: str, commands: list[str]) -> None:
    script: dict[str, Behaviour | list[Behaviour]] = {"ehlo": Say(f"250-rude.test\r\n250 {offered}")}
    if "login" in offered:
        script["auth"] = Say("334 VXNlcm5hbWU6")
        script["y2xpbmlj"] = Say("334 UGFzc3dvcmQ6")
        script["cmokc3m="] = Say("235 in")
    with RudeServer(script) as server:
        transport_for(f"smtp://clinic:p%C3%A4ss@127.0.0.1:{server.port}?tls=never").connect().close()
    assert server.commands[1:-1] == commands


def test_a_server_that_offers_no_way_we_know_to_log_in_is_a_fault() -> None:
    with RudeServer({"ehlo": Say("250-rude.test\r\n250 AUTH CRAM-MD5 XOAUTH2")}) as server:
        found = fault(transport_for(f"smtp://clinic:SECRET@127.0.0.1:{server.port}?tls=never"))
    assert (found.phase, found.kind, found.certain) == (Phase.AUTH, Trouble.AUTH, True)


def test_a_server_that_offers_no_login_at_all_is_a_fault() -> None:
    with RudeServer({"ehlo": Say("250 rude.test")}) as server:
        found = fault(logging_in(server))
    assert (found.phase, found.kind, found.certain, found.code) == (Phase.AUTH, Trouble.AUTH, True, None)
    assert server.commands == ["EHLO [127.0.0.1]"]


@pytest.mark.parametrize(("reply", "certain"), [("535 5.7.8 no", True), ("454 4.7.0 later", False)])
def test_a_refused_password_is_offered_once_so_that_no_account_is_locked(reply: str, *, certain: bool) -> None:
    with RudeServer({"auth": Say(reply)}) as server:
        found = fault(logging_in(server))
    assert (found.phase, found.kind, found.certain, found.code) == (Phase.AUTH, Trouble.AUTH, certain, int(reply[:3]))
    assert [command[:10] for command in server.commands] == ["EHLO [127.", "AUTH PLAIN"]


def test_a_server_that_says_it_knows_us_already_is_not_believed() -> None:
    with RudeServer({"auth": Say("503 5.5.1 already authenticated")}) as server:
        found = fault(logging_in(server))
    assert (found.kind, found.certain, found.code) == (Trouble.AUTH, True, 503)


def test_a_server_that_asks_for_the_password_without_end_is_a_fault() -> None:
    secret = "AGNsaW5pYwBTRUNSRVQ="
    with RudeServer({"auth": Say("334 "), secret.lower(): Say("334 ")}) as server:
        found = fault(logging_in(server))
    assert (found.phase, found.kind, found.certain) == (Phase.AUTH, Trouble.AUTH, True)
    assert server.commands.count(secret) <= 6


def test_a_challenge_that_is_none_is_a_fault() -> None:
    with RudeServer({"ehlo": Say("250-rude.test\r\n250 AUTH LOGIN"), "auth": Say("334 x")}) as server:
        found = fault(logging_in(server))
    assert (found.phase, found.kind, found.certain) == (Phase.AUTH, Trouble.PROTOCOL, True)


@pytest.mark.parametrize("reply", ["535 SAID", "454 SAID", "421 SAID", "334 SAID\r\n334 SAID", "334 x", "SAID"])
def test_a_fault_keeps_neither_the_servers_words_nor_what_was_caught_with_them(reply: str) -> None:
    with RudeServer({"auth": Say(reply)}) as server:
        found = fault(logging_in(server))
    assert "SAID" not in f"{found} {found!r} {vars(found)}"
    assert (found.__cause__, found.__context__) == (None, None)


def test_what_was_offered_before_tls_is_forgotten_with_it() -> None:
    with real_server(starttls=TRUSTED.server) as server:
        server.script["EHLO"] += ["250-real.test\r\n250-AUTH PLAIN\r\n250 STARTTLS", "250 real.test"]
        found = fault(transport_for(f"smtp://clinic:SECRET@localhost:{server.port}", TRUSTED.client))
    assert (found.phase, found.kind, found.code) == (Phase.AUTH, Trouble.AUTH, None)
    assert len(server.greetings) == 2


def test_tls_makes_a_conversation_begin_anew() -> None:
    with real_server(starttls=TRUSTED.server) as server:
        wire = Wire(socket.create_connection((server.host, server.port)), 10)
        conversation = Conversation(wire, "[127.0.0.1]", 10)
        wire.reply()
        conversation.ehlo()
        conversation.docmd("STARTTLS")
        assert conversation.has_extn("starttls")
        conversation.secure(TRUSTED.client, "localhost", 10)
        assert (conversation.esmtp_features, conversation.does_esmtp, conversation.ehlo_resp) == ({}, False, None)
        conversation.quit()


def test_a_message_never_goes_the_way_that_writes_its_dot_with_it() -> None:
    with RudeServer() as server:
        wire = Wire(socket.create_connection((server.host, server.port)), 10)
        conversation = Conversation(wire, "[127.0.0.1]", 10)
        wire.reply()
        with pytest.raises(TypeError):
            conversation.sendmail("a@x.example", "b@y.example", b"Subject: x\r\n\r\n")
        conversation.close()
    assert server.accepted == []
