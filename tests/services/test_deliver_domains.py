"""A domain that puts our mail off is left alone for a while, each time longer; everybody else's mail goes on."""

import datetime as dt

import pytest
from sqlalchemy import select

from reminders.domain.lifecycle import State
from reminders.domain.retry import domain_pause
from reminders.services.points import Point
from reminders.store import transports
from reminders.store.schema import metadata
from tests.support.clinic import INVITED_AT, Office, to
from tests.support.smtp_server import RealServer, RudeServer, Say, real_server

GREYLISTED = "451 4.7.1 come back later"
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def due(empty_office: Office) -> Office:
    """Five patients of the domain busy.example and two of another are due, those first."""
    empty_office.add_clinic()
    with_address = [(f"B{n}", f"b{n}@busy.example") for n in range(1, 6)]
    for ref, address in [*with_address, ("C1", "c1@calm.example"), ("C2", "c2@calm.example")]:
        empty_office.add_patient(ref, email=address)
        empty_office.treat(ref)
    empty_office.clock.set(INVITED_AT)
    return empty_office


def sent(office: Office) -> list[str]:
    return sorted(row.patient for row in office.rows() if row.state is State.SENT)


def tried(office: Office) -> list[str]:
    return sorted(row.patient for row in office.rows() if row.attempts)


def three_refused(office: Office, server: RealServer) -> None:
    server.script["RCPT"].extend([GREYLISTED] * 3)
    assert office.deliver(to(server), 1).deferred == 3


@pytest.mark.parametrize("command", ["RCPT", "DOT"])
def test_after_three_refusals_in_a_row_a_domain_rests_and_the_others_go_on(
    due: Office, server: RealServer, command: str
) -> None:
    server.script[command].extend([GREYLISTED] * 3)
    outcome = due.deliver(to(server), 1)
    assert (outcome.deferred, outcome.sent, sent(due)) == (3, 2, ["C1", "C2"])
    assert tried(due) == ["B1", "B2", "B3", "C1", "C2"]
    assert {row.state for row in due.rows("B4") if row.step == "invitation"} == {State.PLANNED}
    assert outcome.stopped is None
    assert outcome.next_at is not None
    assert 0.75 * MINUTE <= outcome.next_at - INVITED_AT <= MINUTE


def test_after_its_rest_a_domain_gets_one_message_and_what_it_accepts_lets_all_go(
    due: Office, server: RealServer
) -> None:
    three_refused(due, server)
    due.clock.advance(minutes=1)
    claimed: list[int] = []

    def look(point: Point) -> None:
        if point is Point.CLAIMED:
            claimed.append(sum(row.state is State.CLAIMED for row in due.rows()))

    assert due.deliver(to(server), 8, observe=look).sent == 2
    assert claimed == [1, 1]
    due.clock.advance(minutes=10)
    assert due.deliver(to(server), 8).sent == 3
    assert len(server.messages) == 7


def test_each_rest_is_longer_than_the_one_before_up_to_an_hour(due: Office, server: RealServer) -> None:
    due.add_due(20, prefix="D")
    for number in range(1, 21):
        due.change_patient(f"D{number}", email=f"d{number}@busy.example")
    three_refused(due, server)
    rests = []
    for _ in range(8):
        [until] = rests_until(due)
        rests.append((until - due.clock.now()) / MINUTE)
        due.clock.set(until)
        server.script["RCPT"].append(GREYLISTED)
        assert due.deliver(to(server), 8).deferred == 1
    longest = [1, 2, 4, 8, 16, 32, 60, 60]
    assert all(0.7 * most <= rest <= most for rest, most in zip(rests, longest, strict=True)), rests


def rests_until(office: Office) -> list[dt.datetime]:
    with office.read() as tx:
        return [state.open_until for state, _ in transports.limited(tx) if state.open_until]


def test_a_round_that_was_refused_as_a_whole_is_one_refusal_more_and_not_many(due: Office, server: RealServer) -> None:
    server.script["RCPT"].extend([GREYLISTED] * 5)
    due.add_patient("B6", email="b6@busy.example")
    due.treat("B6")
    outcome = due.deliver(to(server), 5)
    assert outcome.deferred == 5
    assert outcome.next_at is not None
    assert outcome.next_at - INVITED_AT <= MINUTE


def test_an_accepted_message_in_between_clears_the_count(due: Office) -> None:
    later, taken = Say(GREYLISTED), Say("250 ok")
    with RudeServer({"rcpt": [later, later, taken, later, later]}) as server:
        outcome = due.deliver(to(server), 1)
    assert (outcome.deferred, outcome.sent) == (4, 3)
    assert tried(due) == ["B1", "B2", "B3", "B4", "B5", "C1", "C2"]


@pytest.mark.parametrize("said", ["452 4.2.2 full", "450 4.2.1 not for now", "550 5.1.1 nobody"])
def test_what_is_said_of_one_mailbox_is_no_matter_of_its_domain(due: Office, server: RealServer, said: str) -> None:
    server.script["RCPT"].extend([said] * 4)
    due.deliver(to(server), 1)
    assert sent(due) == ["B5", "C1", "C2"]


def test_what_a_domain_refuses_to_one_way_is_no_matter_of_another(due: Office, server: RealServer) -> None:
    due.add_clinic("north")
    due.add_patient("N1", "north", email="n1@busy.example")
    due.treat("N1", slug="north")
    three_refused(due, server)
    with real_server() as own:
        due.give_transport(own, "north")
        assert due.deliver(to(server), 4).sent == 1
        assert len(own.messages) == 1


def test_the_clinics_that_share_a_way_share_what_it_learned(due: Office, server: RealServer) -> None:
    three_refused(due, server)
    due.add_clinic("north")
    due.add_patient("N1", "north", email="n1@BUSY.example")
    due.treat("N1", slug="north")
    assert due.deliver(to(server), 4).sent == 0
    due.clock.advance(minutes=20)
    for _ in range(2):
        due.deliver(to(server), 8)
    assert len(server.messages) == 8


def test_no_domain_stands_in_the_clear_outside_the_patients_and_messages(due: Office, server: RealServer) -> None:
    three_refused(due, server)
    with due.read() as tx:
        for table in metadata.sorted_tables:
            if table.name not in {"patients", "messages"}:
                assert "busy.example" not in repr(tx.connection.execute(select(table)).all()), table.name


def test_a_rest_begins_with_a_minute_and_never_lasts_longer_than_an_hour() -> None:
    assert [domain_pause(rests, 1) / MINUTE for rests in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert domain_pause(10**9, 1) == 60 * MINUTE
    assert domain_pause(1, 0) == 0.75 * MINUTE
