"""A clinic's mail leaves by its own transport or by the shared one, and what is wrong with one concerns no other."""

from pathlib import Path

import pytest
from sqlalchemy import update

from reminders.domain.answers import AnswerKind
from reminders.domain.lifecycle import State
from reminders.services.points import Point
from reminders.services.ways import BadClinicTransport, ClinicTransportClosed, give_transport, names_of, share_transport
from reminders.store import audit_trail, transports
from reminders.store.schema import clinic_transports
from reminders.store.transports import Breaker
from tests.services.readers import Reader
from tests.support.clinic import INVITED_AT, Office, to
from tests.support.smtp_server import HangUp, RealServer, RudeServer, Say, real_server

PASSWORD = "hush-hush"


@pytest.fixture
def two(empty_office: Office) -> Office:
    """Two clinics with three patients each, who are due."""
    for slug in ("north", "south"):
        empty_office.add_clinic(slug)
        empty_office.add_due(3, slug)
    empty_office.clock.set(INVITED_AT)
    return empty_office


def senders(server: RealServer) -> list[str]:
    return [message.mail_from for message in server.messages]


def sent(office: Office, slug: str) -> int:
    return sum(row.state is State.SENT for row in office.rows(slug=slug))


def state_of(office: Office, name: str) -> Breaker:
    with office.read() as tx:
        return transports.breaker(tx, name)


@pytest.mark.parametrize("round_size", [1, 8])
def test_each_clinic_sends_by_its_own_way(two: Office, server: RealServer, round_size: int) -> None:
    with real_server() as own:
        two.give_transport(own, "south")
        assert two.deliver(to(server), round_size).sent == 6
        assert senders(own) == ["hello@south.example"] * 3
    assert senders(server) == ["hello@north.example"] * 3


def test_a_clinic_that_shares_again_sends_by_the_shared_way(two: Office, server: RealServer) -> None:
    with RudeServer() as own:
        two.give_transport(own, "south")
        with two.write() as tx:
            share_transport(tx, "south")
        assert two.deliver(to(server), 4).sent == 6
    assert len(server.messages) == 6


@pytest.mark.parametrize("round_size", [1, 8])
def test_a_dead_own_server_keeps_only_its_clinic_waiting(two: Office, server: RealServer, round_size: int) -> None:
    with RudeServer({"banner": HangUp()}) as dead:
        name = two.give_transport(dead, "north")
        outcome = two.deliver(to(server), round_size)
    assert (sent(two, "north"), sent(two, "south")) == (0, 3)
    assert (outcome.stopped, outcome.open_until) == ("banner: disconnected", state_of(two, name).open_until)
    assert outcome.open_until is not None
    assert outcome.next_at == outcome.open_until
    assert {row.attempts for row in two.rows(slug="north")} == {0}
    assert state_of(two, to(server).name) == Breaker(to(server).name)


@pytest.mark.parametrize("round_size", [1, 8])
def test_a_dead_shared_server_keeps_no_own_one_waiting(two: Office, server: RealServer, round_size: int) -> None:
    two.give_transport(server, "south")
    with RudeServer({"banner": HangUp()}) as dead:
        assert two.deliver(to(dead), round_size).stopped == "banner: disconnected"
        assert (sent(two, "north"), sent(two, "south")) == (0, 3)
        two.add_due(2, "south", prefix="Q")
        assert two.deliver(to(dead), round_size).sent == 2


def test_while_a_way_rests_its_clinic_is_asked_nothing_and_afterwards_all_goes_out(
    two: Office, server: RealServer
) -> None:
    with RudeServer({"auth": Say("535 no"), "ehlo": Say("250 rude.test")}) as rude:
        name = two.give_transport(rude, "north")
        with two.write() as tx:
            until = two.clock.now().replace(minute=5)
            transports.keep(tx, Breaker(name, 3, open_until=until, fault="auth: auth", ramp=1))
        outcome = two.deliver(to(server), 4)
        assert (outcome.sent, outcome.stopped, rude.commands) == (3, "auth: auth", [])
        assert outcome.open_until is not None
        two.clock.set(outcome.open_until)
        assert two.deliver(to(server), 4).sent == 3
        assert state_of(two, name) == Breaker(name, ramp=4)


def test_a_way_that_rested_gets_one_message_first_and_the_others_their_whole_round(
    two: Office, server: RealServer
) -> None:
    with real_server() as own:
        name = two.give_transport(own, "north")
        with two.write() as tx:
            transports.keep(tx, Breaker(name, 3, open_until=two.clock.now(), ramp=1))
        claimed: list[tuple[int, int]] = []

        def look(_: object) -> None:
            on_their_way = [sum(row.state is State.CLAIMED for row in two.rows(slug=s)) for s in ("north", "south")]
            if any(on_their_way) and (not claimed or claimed[-1] != tuple(on_their_way)):
                claimed.append((on_their_way[0], on_their_way[1]))

        assert two.deliver(to(server), 8, observe=look).sent == 6
    assert claimed == [(1, 3), (2, 0)]


def test_two_clinics_at_one_server_have_a_breaker_each(two: Office, server: RealServer) -> None:
    name, other = two.give_transport(server, "north"), two.give_transport(server, "south")
    assert name != other
    with two.write() as tx:
        until = two.clock.now().replace(minute=5)
        transports.keep(tx, Breaker(name, 3, open_until=until, fault="auth: auth"))
    outcome = two.deliver(None, 4)
    assert (outcome.sent, outcome.open_until, senders(server)) == (3, until, ["hello@south.example"] * 3)


def test_without_a_shared_one_who_has_an_own_one_sends_and_the_others_wait(two: Office, server: RealServer) -> None:
    two.give_transport(server, "north")
    outcome = two.deliver(None, 4)
    assert (outcome.sent, outcome.stopped, senders(server)) == (3, None, ["hello@north.example"] * 3)
    assert outcome.next_at is not None
    assert outcome.next_at > INVITED_AT
    assert two.deliver(to(server), 4).sent == 3


def test_an_own_one_that_cannot_be_opened_keeps_its_clinic_waiting_and_never_shares(
    two: Office, server: RealServer
) -> None:
    two.give_transport(server, "north")
    with two.write() as tx:
        tx.connection.execute(update(clinic_transports).values(sealed=b"broken"))
    assert two.deliver(to(server), 4).sent == 3
    assert senders(server) == ["hello@south.example"] * 3
    with two.read() as tx:
        assert names_of(tx, two.keys) == {"north": None}
    assert "clinic transport north" in str(ClinicTransportClosed(slug="north"))


def test_a_way_whose_connections_end_in_the_middle_of_a_round_sends_the_rest_by_the_one_it_has(
    two: Office, server: RealServer
) -> None:
    with RudeServer({"banner": [Say("220 rude.test"), HangUp(), HangUp(), HangUp()]}) as own:
        two.give_transport(own, "north")
        sent_when_looked: list[tuple[int, int]] = []

        def look(point: Point) -> None:
            if point is Point.SETTLED:
                sent_when_looked.append((sent(two, "north"), sent(two, "south")))

        assert two.deliver(to(server), 8, observe=look).sent == 6
    assert sent_when_looked[0] == (1, 3)
    assert len(own.accepted) == 3


def test_a_notice_goes_by_its_clinics_way_and_none_while_that_rests(
    two: Office, server: RealServer, tmp_path: Path
) -> None:
    assert two.deliver(to(server), 8).sent == 6
    reader = Reader(two, tmp_path)
    for number in range(1, 7):
        reader.answers(AnswerKind.BOOKED, number)
    with RudeServer({"banner": HangUp()}) as dead:
        two.give_transport(dead, "north")
        assert two.deliver(to(server)).announced == 3
    assert senders(server)[6:] == ["hello@south.example"]


@pytest.mark.parametrize(
    "url",
    [
        f"smtp://me:{PASSWORD}@mail.example?tls=never",
        f"smtp://me:{PASSWORD}@mail.example?rate=0",
        f"smtp://me:{PASSWORD}@mail.example:x",
        f"http://me:{PASSWORD}@mail.example",
        f"smtp://me:{PASSWORD}@mail.example\nsmtp://other.example",
        "",
    ],
)
def test_what_is_no_transport_is_refused_without_its_password_and_changes_nothing(office: Office, url: str) -> None:
    with pytest.raises(BadClinicTransport) as refused, office.write() as tx:
        give_transport(tx, office.keys, "riverside", url)
    assert PASSWORD not in str(refused.value)
    with office.read() as tx:
        assert names_of(tx, office.keys) == {}


def test_no_table_and_no_entry_holds_the_password(office: Office) -> None:
    with office.write() as tx:
        name = give_transport(tx, office.keys, "riverside", f"smtps://me:{PASSWORD}@mail.example\n")
    assert name == "smtps://mail.example:465"
    with office.read() as tx:
        [sealed] = tx.connection.execute(clinic_transports.select()).all()
        entries = list(audit_trail.entries(tx))
    assert PASSWORD.encode() not in sealed.sealed
    assert [(entry.action, entry.details) for entry in entries if entry.subject == "clinic_transport"] == [
        ("set", None)
    ]
    assert PASSWORD not in repr(entries)


def test_a_transport_given_again_is_tried_at_once(two: Office, server: RealServer) -> None:
    name = two.give_transport(server, "north")
    with two.write() as tx:
        transports.keep(tx, Breaker(name, 3, open_until=two.clock.now().replace(minute=5), fault="auth: auth"))
    two.give_transport(server, "north")
    assert two.deliver(to(server), 4).sent == 6
