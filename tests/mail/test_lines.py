"""Connections that are kept open for the messages to come: handed out while they serve, and never for long."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from reminders.mail.lines import GOODBYES_S, MOST, Lines
from reminders.mail.outcome import Verdict
from reminders.mail.smtp import Credentials, Security, SmtpTransport
from reminders.mail.transport import Session, hand_over
from tests.support.smtp_server import HangUp, InTurn, RealServer, RudeServer, Say, real_server


@dataclass(slots=True)
class Hand:
    at: float = 0.0

    def now(self) -> float:
        return self.at


@pytest.fixture
def server() -> Iterator[RealServer]:
    with real_server() as made:
        yield made


def way(server: RealServer | RudeServer, password: str = "") -> SmtpTransport:
    credentials = Credentials("clinic", password) if password else None
    return SmtpTransport(server.host, server.port, Security.NEVER, credentials)


def used(session: Session) -> Session:
    assert hand_over(session, "a@x.example", "b@y.example", b"Subject: x\r\n\r\n").verdict is Verdict.ACCEPTED
    return session


def test_a_kept_connection_carries_the_next_message_of_the_same_way(server: RealServer) -> None:
    lines = Lines()
    assert lines.take(way(server)) is None
    lines.keep(way(server), used(way(server).connect()))
    again = lines.take(way(server))
    assert again is not None
    assert lines.take(way(server)) is None
    lines.keep(way(server), used(again))
    lines.close()
    assert len({message.peer for message in server.messages}) == 1
    assert lines.take(way(server)) is None


def test_a_connection_is_never_handed_to_another_way(server: RealServer) -> None:
    lines = Lines()
    lines.keep(way(server), way(server).connect())
    with real_server() as other:
        assert lines.take(way(other)) is None
    assert lines.take(way(server, "a password")) is None
    lines.close()


def test_a_connection_is_closed_once_nothing_was_sent_on_it_for_so_long(server: RealServer) -> None:
    hand = Hand()
    lines = Lines(hand.now)
    for hand.at in (0.0, 30.0):
        lines.keep(way(server), way(server).connect())
    hand.at = 70.0
    lines.close(unused_s=60)
    left = lines.take(way(server))
    assert left is not None
    left.close()
    assert lines.take(way(server)) is None


def test_a_connection_that_the_server_left_is_not_handed_out() -> None:
    with RudeServer({"dot": InTurn((Say("250 taken"), Say("421 enough"), HangUp()))}) as server:
        lines = Lines()
        session = used(way(server).connect())
        assert server.gone.wait(10)
        lines.keep(way(server), session)
        assert lines.take(way(server)) is None


def test_a_server_that_is_slow_to_say_goodbye_is_not_waited_for_again_and_again(server: RealServer) -> None:
    hand = Hand()
    lines = Lines(hand.now)
    goodbyes = []

    @dataclass(frozen=True)
    class Slow:
        session: Session

        def close(self) -> None:
            goodbyes.append(hand.at)
            hand.at += GOODBYES_S
            self.session.close()

        def __getattr__(self, name: str) -> object:
            return getattr(self.session, name)

    for _ in range(3):
        lines.keep(way(server), Slow(way(server).connect()))  # type: ignore[arg-type] # a session, by its looks
    lines.close()
    assert len(goodbyes) == 1


def test_of_too_many_connections_the_one_that_was_used_first_is_dropped(server: RealServer) -> None:
    lines, other = Lines(), way(server, "a password")
    with real_server() as first:
        lines.keep(way(first), way(first).connect())
        kept = [way(server).connect() for _ in range(2)]
        for session in kept * (MOST // 2):
            lines.keep(other, session)
        assert lines.take(way(first)) is None
        assert lines.take(other) is kept[1]
    for session in kept:
        session.close()
