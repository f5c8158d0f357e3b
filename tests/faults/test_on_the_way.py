"""Patients who change something while a message is on its way to them, and people who share an address."""

import pytest

from reminders.domain.lifecycle import Reason, State
from reminders.services.audit import audit
from reminders.services.points import Point
from tests.support.clinic import INVITED_AT, Office, Once, to
from tests.support.smtp_server import RealServer

BEFORE_THE_FENCE = (Point.CLAIMED, Point.ENVELOPE_ACCEPTED, Point.BODY_WRITTEN)
AFTER_THE_FENCE = (Point.FENCED, Point.DOT_WRITTEN)
FAMILY = "family@riverside-patients.example"


@pytest.fixture
def due(office: Office) -> Office:
    """A patient whose invitation is due now."""
    office.clock.set(INVITED_AT)
    return office


def breaches(office: Office) -> list[str]:
    return [finding.problem for finding in audit(office.database, office.clock, office.keys).findings]


@pytest.mark.parametrize("point", BEFORE_THE_FENCE)
def test_f30_a_patient_erased_before_the_fence_is_not_written_to(due: Office, server: RealServer, point: Point) -> None:
    due.deliver(to(server), observe=Once(point, due.erase))
    assert (server.messages, due.states()) == ([], {"cancelled patient_erased": 3})
    assert breaches(due) == []


@pytest.mark.parametrize("point", AFTER_THE_FENCE)
def test_f30_a_patient_erased_behind_the_fence_leaves_codes_only(due: Office, server: RealServer, point: Point) -> None:
    outcome = due.deliver(to(server), observe=Once(point, due.erase))
    assert (outcome.sent, len(server.messages)) == (1, 1)
    assert breaches(due) == []
    with due.read() as tx:
        kept = tx.connection.exec_driver_sql("SELECT content FROM messages").scalars().all()
    assert kept == [None]


@pytest.mark.parametrize("point", BEFORE_THE_FENCE)
def test_f31_who_stops_the_messages_on_the_way_gets_none(due: Office, server: RealServer, point: Point) -> None:
    due.deliver(to(server), observe=Once(point, lambda: due.change_patient(opt_out="all")))
    assert (server.messages, due.row().reason) == ([], Reason.OPTED_OUT)


@pytest.mark.parametrize("point", BEFORE_THE_FENCE)
@pytest.mark.parametrize(
    ("reason", "change"),
    [
        (Reason.BOOKED, lambda office: office.book("2026-03-30")),
        (Reason.TREATED_AGAIN, lambda office: office.treat(on="2026-03-23")),
        (Reason.DECEASED, lambda office: office.change_patient(status="deceased")),
        (Reason.INACTIVE, lambda office: office.change_patient(status="inactive")),
    ],
)
def test_f32_what_is_booked_done_or_over_on_the_way_does_not_go(
    due: Office, server: RealServer, point: Point, reason: Reason, change: object
) -> None:
    assert callable(change)
    due.deliver(to(server), observe=Once(point, lambda: change(due)))
    assert server.messages == []
    assert min(due.rows(), key=lambda row: row.id).reason is reason


def test_f33_a_family_on_one_address_gets_each_message_once(empty_office: Office, server: RealServer) -> None:
    empty_office.add_clinic()
    for ref in ("P1", "P2", "P3"):
        empty_office.add_patient(ref, email=FAMILY)
        empty_office.treat(ref)
    empty_office.clock.set(INVITED_AT)
    assert [empty_office.deliver(to(server), 4).sent for _ in range(2)] == [3, 0]
    assert {message.rcpt_tos for message in server.messages} == {(FAMILY,)}
    texts = [message.content.decode("ascii", "replace") for message in server.messages]
    assert [sum(f"AdaP{number}" in text for text in texts) for number in (1, 2, 3)] == [1, 1, 1]


def test_f33_one_person_at_two_clinics_is_two_patients(empty_office: Office, server: RealServer) -> None:
    for slug in ("riverside", "harbour"):
        empty_office.add_clinic(slug)
        empty_office.add_patient("P1", slug, email="one@person.example")
        empty_office.treat("P1", slug=slug)
    empty_office.change_patient("P1", "harbour", opt_out="all")
    empty_office.clock.set(INVITED_AT)
    assert empty_office.deliver(to(server), 4).sent == 1
    [message] = server.messages
    assert message.mail_from == "hello@riverside.example"
    assert b"arbour" not in message.content
    assert {row.state for row in empty_office.rows("P1", "harbour")} == {State.CANCELLED}
