"""What a person decides about single reminders, and what came back: legal from what they saw, all of it or nothing."""

import datetime as dt
import json
from collections.abc import Callable, Sequence

import pytest

from reminders.domain.lifecycle import Reason, State
from reminders.services import decide
from reminders.services.audit import audit
from reminders.services.decide import NoSuchReminder, NotInState, TooSoonToSettle
from reminders.store import audit_trail, contacts, patients
from reminders.store.database import Transaction
from tests.support.clinic import INVITED_AT, Office, to
from tests.support.facts import utc
from tests.support.smtp_server import HangUp, RealServer, RudeServer

FENCED_AT = INVITED_AT
SETTLE_AT = INVITED_AT + dt.timedelta(minutes=15)


@pytest.fixture
def in_doubt(office: Office) -> Office:
    """A patient whose invitation nobody can be sure about."""
    office.clock.set(INVITED_AT)
    with RudeServer({"dot": HangUp()}) as rude:
        assert office.deliver(to(rude)).unknown == 1
    return office


@pytest.fixture
def sent(office: Office, server: RealServer) -> Office:
    """A patient whose invitation was sent."""
    office.clock.set(INVITED_AT)
    assert office.deliver(to(server)).sent == 1
    return office


def settle(office: Office, state: State, ref: str = "P1") -> None:
    with office.write() as tx:
        decide.settle(tx, office.row(ref=ref).id, state, "Ada Lovelace called")


def test_an_unknown_one_is_planned_again_fifteen_minutes_after_the_fence_and_not_before(
    in_doubt: Office, server: RealServer
) -> None:
    name = in_doubt.row().message_id
    in_doubt.clock.set(SETTLE_AT - dt.timedelta(seconds=1))
    with pytest.raises(TooSoonToSettle, match="10:15 UTC"):
        settle(in_doubt, State.PLANNED)
    assert in_doubt.row().state is State.UNKNOWN
    in_doubt.clock.set(SETTLE_AT)
    settle(in_doubt, State.PLANNED)
    assert in_doubt.deliver(to(server)).sent == 1
    assert in_doubt.row().message_id == name
    assert f"Message-ID: {name}".encode() in server.messages[0].content.replace(b"\r\n ", b" ")


def test_an_unknown_one_is_settled_as_sent_at_any_time(in_doubt: Office, server: RealServer) -> None:
    settle(in_doubt, State.SENT)
    row = in_doubt.row()
    assert (row.state, row.sent_at) == (State.SENT, FENCED_AT)
    assert in_doubt.deliver(to(server)).sent == 0


def test_an_unknown_one_whose_days_have_passed_expires_instead_of_going_out(in_doubt: Office) -> None:
    in_doubt.clock.set(utc("2026-05-05 08:00"))
    settle(in_doubt, State.PLANNED)
    assert (in_doubt.row().state, in_doubt.row().reason) == (State.EXPIRED, Reason.TOO_LATE)


def test_an_unknown_one_is_planned_by_the_facts_as_they_are_now(in_doubt: Office) -> None:
    in_doubt.change_patient(opt_out="all")
    in_doubt.clock.set(SETTLE_AT)
    settle(in_doubt, State.PLANNED)
    assert (in_doubt.row().state, in_doubt.row().reason) == (State.CANCELLED, Reason.OPTED_OUT)


@pytest.mark.parametrize("state", [State.SENT, State.PLANNED])
def test_settling_one_reminder_settles_all_that_its_message_carried(empty_office: Office, state: State) -> None:
    empty_office.add_clinic()
    empty_office.add_patient()
    empty_office.clock.set(utc("2026-02-10 12:00"))
    empty_office.treat(protocol="peel-medium")
    empty_office.treat(protocol="filler-lips", on="2025-10-05")
    empty_office.clock.set(utc("2026-05-22 09:00"))
    with RudeServer({"dot": HangUp()}) as rude:
        assert empty_office.deliver(to(rude)).unknown == 2
    empty_office.clock.advance(hours=1)
    first = empty_office.ids(State.UNKNOWN)[0]
    with empty_office.write() as tx:
        decide.settle(tx, first, state, "asked")
    assert [row.state for row in empty_office.rows() if row.step == "invitation"] == [state, state]


def test_what_a_person_writes_about_it_stands_with_the_patient_alone(in_doubt: Office) -> None:
    settle(in_doubt, State.SENT)
    with in_doubt.read() as tx:
        [note] = patients.patient_by_id(tx, 1).notes
        trail = json.dumps([str(entry) for entry in audit_trail.entries(tx)])
    assert note["text"] == "Ada Lovelace called"
    assert "Lovelace" not in trail


def test_what_a_person_writes_about_an_erased_patients_message_is_not_kept(in_doubt: Office) -> None:
    in_doubt.erase()
    with in_doubt.write() as tx:
        [found] = [row.id for row in in_doubt.rows() if row.state is State.UNKNOWN]
        decide.settle(tx, found, State.SENT, "Ada Lovelace called")
    with in_doubt.read() as tx:
        assert patients.patient_by_id(tx, 1).notes == ()
    assert audit(in_doubt.database, in_doubt.clock, in_doubt.keys).findings == ()


def test_a_held_one_goes_out_after_its_release_and_not_before(office: Office, server: RealServer) -> None:
    with office.write() as tx:
        decide.hold(tx, [office.row().id], "ask the practitioner")
    assert (office.row().state, office.row().reason) == (State.HELD, Reason.HELD_FOR_REVIEW)
    office.clock.set(INVITED_AT)
    assert office.deliver(to(server)).sent == 0
    with office.write() as tx:
        decide.release(tx, [office.row().id])
    assert office.deliver(to(server)).sent == 1


def test_a_held_one_still_expires(office: Office, server: RealServer) -> None:
    with office.write() as tx:
        decide.hold(tx, [office.row().id], "ask")
    office.clock.set(utc("2026-05-05 08:00"))
    assert office.deliver(to(server)).expired == 1


def test_a_retried_one_goes_out(office: Office, server: RealServer) -> None:
    office.clock.set(INVITED_AT)
    server.script["DOT"].append("554 5.6.0 bad content")
    assert office.deliver(to(server)).failed == 1
    assert office.deliver(to(server)).sent == 0
    with office.write() as tx:
        decide.retry(tx, [office.row().id])
    assert office.deliver(to(server)).sent == 1


@pytest.mark.parametrize("verb", [decide.release, decide.retry])
def test_a_decision_that_does_not_fit_the_state_changes_nothing(
    office: Office, verb: Callable[[Transaction, Sequence[int]], object]
) -> None:
    before = office.rows()
    for ids in ([office.row().id], [office.row().id, 999]):
        with pytest.raises((NotInState, NoSuchReminder)), office.write() as tx:
            verb(tx, ids)
    assert office.rows() == before


def test_many_are_decided_on_together_or_not_at_all(office: Office) -> None:
    first, second = office.row().id, office.row("follow_up").id
    with office.write() as tx:
        decide.hold(tx, [first], "ask")
    with pytest.raises(NotInState), office.write() as tx:
        decide.release(tx, [first, second])
    assert office.row().state is State.HELD


def test_a_sent_one_is_never_decided_on_again(sent: Office) -> None:
    number = sent.row().id
    decisions: list[Callable[[Transaction], object]] = [
        lambda tx: decide.release(tx, [number]),
        lambda tx: decide.hold(tx, [number], "why"),
        lambda tx: decide.retry(tx, [number]),
        lambda tx: decide.settle(tx, number, State.PLANNED, "why"),
        lambda tx: decide.settle(tx, number, State.SENT, "why"),
    ]
    for decision in decisions:
        with pytest.raises(NotInState), sent.write() as tx:
            decision(tx)
    assert sent.row().state is State.SENT


def suppressions(office: Office) -> list[Reason]:
    key = office.keys.address_key("p1@riverside-patients.example")
    with office.read() as tx:
        return [found.reason for found in contacts.suppressions_of(tx, 1, key)]


def test_a_message_that_came_back_suppresses_its_address(sent: Office) -> None:
    sent.add_patient("P2", email="p1@riverside-patients.example")
    sent.treat("P2")
    number = sent.row().id
    for _ in range(2):  # some servers say it twice
        with sent.write() as tx:
            decide.came_back(tx, number, complaint=False)
    assert (sent.row().state, suppressions(sent)) == (State.BOUNCED, [Reason.BOUNCED_ADDRESS])
    assert sent.row("follow_up").reason is Reason.BOUNCED_ADDRESS
    assert sent.row(ref="P2").reason is Reason.BOUNCED_ADDRESS


def test_a_complaint_stops_what_is_to_come_and_leaves_what_was_sent(sent: Office) -> None:
    with sent.write() as tx:
        decide.came_back(tx, sent.row().id, complaint=True)
    assert (sent.row().state, suppressions(sent)) == (State.SENT, [Reason.COMPLAINED])
    assert sent.row("follow_up").reason is Reason.COMPLAINED


def test_what_never_went_out_cannot_come_back(office: Office) -> None:
    with pytest.raises(NotInState), office.write() as tx:
        decide.came_back(tx, office.row().id, complaint=False)
    assert suppressions(office) == []


def test_an_unknown_one_that_came_back_was_sent(in_doubt: Office) -> None:
    with in_doubt.write() as tx:
        decide.came_back(tx, in_doubt.row().id, complaint=False)
    assert in_doubt.row().state is State.BOUNCED
