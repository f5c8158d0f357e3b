"""A round from which one row was taken meanwhile: the others go on, and what was taken is neither sent nor settled."""

import datetime as dt

import pytest

from reminders.domain.lifecycle import State
from reminders.services import decide
from reminders.services.insist import Patience
from reminders.services.points import Point
from reminders.store import audit_trail, lapses
from tests.support.clinic import INVITED_AT, LEASE, Office, Once, to
from tests.support.facts import utc
from tests.support.smtp_server import RealServer
from tests.support.ticking import FakeTime


@pytest.fixture
def three_due(office: Office) -> Office:
    office.add_due(2, prefix="Q")
    office.clock.set(INVITED_AT)
    return office


def take(office: Office, reminder_id: int, after: State) -> None:
    """Take one reminder out of its worker's hands, as a rescuer does."""
    with office.write() as tx:
        lapsed = lapses.lapsed(tx, tx.now + dt.timedelta(minutes=5))
        [one] = [one for one in lapsed if one.held.reminder_id == reminder_id]
        assert lapses.rescue(tx, one, after, None)


def people(server: RealServer) -> list[str]:
    return sorted(message.rcpt_tos[0].partition("@")[0] for message in server.messages)


def test_a_fence_that_hits_fewer_rows_than_it_asked_for_lets_only_those_go(
    three_due: Office, server: RealServer
) -> None:
    others: list[int] = []

    def another_worker() -> None:
        take(three_due, three_due.row(ref="Q1").id, State.PLANNED)
        others.append(three_due.deliver(to(server)).sent)

    outcome = three_due.deliver(to(server), 3, observe=Once(Point.BODY_WRITTEN, another_worker))
    assert (outcome.sent, others) == (2, [1])
    assert people(server) == ["p1", "q1", "q2"]
    assert [three_due.row(ref=ref).state for ref in ("P1", "Q1", "Q2")] == [State.SENT] * 3
    with three_due.read() as tx:
        assert audit_trail.verify(tx) is None


def test_a_settlement_that_hits_fewer_rows_than_it_asked_for_counts_only_those(
    three_due: Office, server: RealServer
) -> None:
    def a_rescuer_and_a_person() -> None:
        decided = three_due.row(ref="Q1").id
        take(three_due, decided, State.UNKNOWN)
        with three_due.write() as tx:
            decide.settle(tx, decided, State.SENT, "looked")

    outcome = three_due.deliver(to(server), 3, observe=Once(Point.DOT_WRITTEN, a_rescuer_and_a_person))
    assert outcome.sent == 2
    assert people(server) == ["p1", "q1", "q2"]
    assert three_due.row(ref="Q1").state is State.SENT


def test_a_message_one_of_whose_reminders_was_taken_does_not_go_and_goes_whole_when_the_lease_has_run_out(
    empty_office: Office, server: RealServer
) -> None:
    empty_office.add_clinic()
    empty_office.add_patient()
    empty_office.clock.set(utc("2026-02-10 12:00"))
    empty_office.treat(protocol="peel-medium", on="2026-01-05")
    empty_office.treat(protocol="filler-lips", on="2025-10-08")
    empty_office.clock.set(utc("2026-05-25 09:00"))

    def a_rescuer() -> None:
        take(empty_office, empty_office.ids(State.CLAIMED)[0], State.PLANNED)

    outcome = empty_office.deliver(to(server), observe=Once(Point.BODY_WRITTEN, a_rescuer))
    assert (outcome.sent, server.messages) == (0, [])
    empty_office.clock.advance(seconds=LEASE.total_seconds())
    assert empty_office.deliver(to(server)).sent == 2
    assert len(server.messages) == 1


def test_who_stood_still_behind_the_fence_until_a_person_decided_writes_no_dot(
    office: Office, server: RealServer
) -> None:
    time, others = FakeTime(), list[int]()
    office.clock.set(INVITED_AT)

    def stand_still() -> None:
        time.sleep(16 * 60)
        office.clock.advance(minutes=16)
        take(office, office.row().id, State.UNKNOWN)
        with office.write() as tx:
            decide.settle(tx, office.row().id, State.PLANNED, "the server knows nothing of it")
        others.append(office.deliver(to(server)).sent)

    office.patience = Patience(time)
    outcome = office.deliver(to(server), observe=Once(Point.FENCED, stand_still))
    assert (outcome.sent, others) == (0, [1])
    assert people(server) == ["p1"]
    assert office.row().state is State.SENT
