"""Facts that change while a message is on its way: what no longer holds is not accepted by the server, ever."""

from collections.abc import Callable

import pytest

from reminders.domain.lifecycle import Reason, State
from reminders.services.points import Point
from reminders.store import contacts
from tests.support.clinic import INVITED_AT, Office, Once, to
from tests.support.facts import utc
from tests.support.smtp_server import RealServer

BETWEEN = (
    Point.CLAIMED,
    Point.RENDERED,
    Point.CONNECTED,
    Point.ENVELOPE_ACCEPTED,
    Point.BYTES_KEPT,
    Point.BODY_WRITTEN,
)
Change = Callable[[Office], object]


def suppress(office: Office) -> None:
    with office.write() as tx:
        key = office.keys.address_key("p1@riverside-patients.example")
        contacts.suppress(tx, 1, key, "all", Reason.COMPLAINED)


WITHDRAWALS: dict[Reason, Change] = {
    Reason.OPTED_OUT: lambda office: office.change_patient(opt_out="all"),
    Reason.BOOKED: lambda office: office.book("2026-03-30"),
    Reason.DECEASED: lambda office: office.change_patient(status="deceased"),
    Reason.INACTIVE: lambda office: office.change_patient(status="inactive"),
    Reason.NO_CONSENT: lambda office: office.change_patient(consent="denied"),
    Reason.TREATED_AGAIN: lambda office: office.treat(on="2026-03-23"),
    Reason.PATIENT_ERASED: lambda office: office.erase(),
    Reason.ON_HOLD: lambda office: office.hold(),
    Reason.REPLIED: lambda office: office.answer(Reason.REPLIED),
    Reason.CONSULTATION_REQUESTED: lambda office: office.answer(Reason.CONSULTATION_REQUESTED),
    Reason.NO_EMAIL: lambda office: office.change_patient(email=""),
    Reason.COMPLAINED: suppress,
    Reason.ENTERED_IN_ERROR: lambda office: office.void("T1"),
}


@pytest.fixture
def due(empty_office: Office) -> Office:
    """A patient whose invitation is due now, for the entry T1."""
    empty_office.add_clinic()
    empty_office.add_patient()
    empty_office.treat(entry="T1")
    empty_office.clock.set(INVITED_AT)
    return empty_office


@pytest.mark.parametrize("reason", WITHDRAWALS)
def test_what_no_longer_holds_just_before_the_dot_is_not_accepted(
    due: Office, server: RealServer, reason: Reason
) -> None:
    meanwhile = Once(Point.BODY_WRITTEN, lambda: WITHDRAWALS[reason](due))
    outcome = due.deliver(to(server), observe=meanwhile)
    assert meanwhile.done
    assert (outcome.sent, outcome.unknown, server.messages) == (0, 0, [])
    assert outcome.cancelled >= 1
    invitation = min(due.rows(), key=lambda row: row.id)
    assert (invitation.state, invitation.reason) == (State.CANCELLED, reason)


@pytest.mark.parametrize("point", BETWEEN)
@pytest.mark.parametrize("reason", [Reason.OPTED_OUT, Reason.PATIENT_ERASED])
def test_an_opt_out_or_an_erasure_holds_from_the_claim_to_the_fence(
    due: Office, server: RealServer, point: Point, reason: Reason
) -> None:
    outcome = due.deliver(to(server), observe=Once(point, lambda: WITHDRAWALS[reason](due)))
    assert (outcome.sent, server.messages) == (0, [])
    assert min(due.rows(), key=lambda row: row.id).reason is reason


@pytest.mark.parametrize("point", BETWEEN)
def test_a_clinic_paused_on_the_way_sends_nothing(due: Office, server: RealServer, point: Point) -> None:
    outcome = due.deliver(to(server), observe=Once(point, due.pause))
    assert (outcome.sent, server.messages, due.row().state) == (0, [], State.PLANNED)
    due.pause(paused=False)
    assert due.deliver(to(server)).sent == 1


def test_a_clinic_that_closes_on_the_way_sends_nothing(due: Office, server: RealServer) -> None:
    due.clock.set(utc("2026-03-23 16:59"))
    closing = Once(Point.BODY_WRITTEN, lambda: due.clock.set(utc("2026-03-23 17:00")))
    outcome = due.deliver(to(server), observe=closing)
    assert (outcome.sent, server.messages, outcome.next_at) == (0, [], utc("2026-03-24 09:00"))


def test_days_that_end_on_the_way_send_nothing(due: Office, server: RealServer) -> None:
    due.change_clinic(sending_hours="00:00-24:00", sending_days="mon,tue,wed,thu,fri,sat,sun")
    due.clock.set(utc("2026-05-04 22:59"))
    ending = Once(Point.BODY_WRITTEN, lambda: due.clock.set(utc("2026-05-04 23:00")))
    outcome = due.deliver(to(server), observe=ending)
    assert (outcome.sent, server.messages, outcome.expired) == (0, [], 1)
    assert due.row().reason is Reason.TOO_LATE


def test_what_moved_to_later_days_on_the_way_waits_for_them(due: Office, server: RealServer) -> None:
    correction = Once(Point.BODY_WRITTEN, lambda: due.treat(on="2026-02-02", entry="T2", replaces="T1"))
    outcome = due.deliver(to(server), observe=correction)
    assert (outcome.sent, server.messages) == (0, [])
    assert outcome.next_at == due.row().due_at == utc("2026-04-20 09:00")


def test_a_window_that_moved_on_the_way_is_never_offered_as_it_was(due: Office, server: RealServer) -> None:
    due.clock.set(utc("2026-04-20 09:00"))
    correction = Once(Point.BODY_WRITTEN, lambda: due.treat(on="2026-01-12", entry="T2", replaces="T1"))
    outcome = due.deliver(to(server), observe=correction)
    assert outcome.sent == 1
    [received] = server.messages
    assert b"12 April 2026" in received.content
    assert b"5 April 2026" not in received.content


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        (lambda office: office.change_patient(known_as="Countess"), b"Countess"),
        (lambda office: office.change_clinic(phone="+44 20 7946 0999"), b"+44 20 7946 0999"),
        (lambda office: office.change_patient(email="new@riverside-patients.example"), b"new@riverside"),
        (lambda office: office.change_patient(practitioner="Dr Jane Hart"), b"Dr Jane Hart"),
    ],
)
def test_a_fact_shown_in_it_that_changes_on_the_way_is_shown_as_it_is_now(
    due: Office, server: RealServer, change: Change, shown: bytes
) -> None:
    outcome = due.deliver(to(server), observe=Once(Point.BODY_WRITTEN, lambda: change(due)))
    assert outcome.sent == 1
    [received] = server.messages
    assert shown in received.content
    assert received.rcpt_tos[0].encode() in received.content


def test_facts_that_keep_changing_are_left_to_the_next_delivery(due: Office, server: RealServer) -> None:
    names = iter(f"Name{number}" for number in range(1000))

    def rename(point: Point) -> None:
        if point is Point.BODY_WRITTEN:
            due.change_patient(known_as=next(names))

    outcome = due.deliver(to(server), observe=rename)
    assert (outcome.sent, due.row().state) == (0, State.PLANNED)
    assert due.deliver(to(server)).sent == 1


def test_one_withdrawn_message_of_a_round_does_not_stop_the_others(due: Office, server: RealServer) -> None:
    due.add_due(3, prefix="Q")
    outcome = due.deliver(to(server), 4, observe=Once(Point.BODY_WRITTEN, lambda: due.change_patient(opt_out="all")))
    assert (outcome.sent, len(server.messages)) == (3, 3)
    assert all(b"p1@" not in received.content for received in server.messages)
