"""The plan follows the facts: it moves, withdraws and brings back, never twice, and leaves alone what is on its way."""

import datetime as dt

import pytest

from reminders.domain.facts import Outcome
from reminders.domain.lifecycle import Reason, State
from reminders.services import book, clinic
from reminders.services.points import Point
from tests.support.clinic import FOLLOW_UP_AT, INVITED_AT, Office, Once, to
from tests.support.facts import day, utc
from tests.support.smtp_server import RealServer


def outcome_of(office: Office, appointment: int, outcome: Outcome) -> None:
    with office.write() as tx:
        book.set_outcome(tx, appointment, outcome)


def test_planning_again_changes_nothing(office: Office) -> None:
    before = office.rows()
    assert sum(office.plan().changes.values()) == 0
    assert office.rows() == before


def test_a_treatment_is_planned_as_it_is_logged(office: Office) -> None:
    assert [(row.step, row.due_at, row.state) for row in office.rows()] == [
        ("invitation", INVITED_AT, State.PLANNED),
        ("follow_up", FOLLOW_UP_AT, State.PLANNED),
        ("last_call", utc("2026-06-15 09:00"), State.PLANNED),
    ]


def test_a_withdrawn_one_returns_under_its_own_number_when_the_fact_no_longer_holds(office: Office) -> None:
    before = office.row()
    office.change_patient(consent="denied")
    assert office.row().reason is Reason.NO_CONSENT
    office.change_patient(consent="granted")
    assert (office.row().id, office.row().state, office.row().due_at) == (before.id, State.PLANNED, before.due_at)


def test_a_withdrawn_one_whose_days_passed_stays_withdrawn(office: Office, server: RealServer) -> None:
    office.change_patient(consent="denied")
    office.clock.set(utc("2026-05-05 08:00"))
    office.change_patient(consent="granted")
    office.deliver(to(server))
    assert (office.row().state, office.row().reason) == (State.CANCELLED, Reason.NO_CONSENT)
    assert office.row("follow_up").state is State.PLANNED


def test_new_days_for_what_was_withdrawn_before_are_counted_as_nothing(office: Office) -> None:
    office.change_patient(consent="denied")
    with office.write() as tx:
        _, planned = clinic.change_clinic(tx, "riverside", {}, closed=[INVITED_AT.date()])
    assert sum(planned.changes.values()) == 0
    assert office.row().due_at > INVITED_AT


def test_time_alone_ends_a_hold(office: Office, server: RealServer) -> None:
    office.hold(until=day("2026-04-01"))
    office.clock.set(utc("2026-03-31 16:00"))
    assert office.deliver(to(server)).sent == 0
    office.clock.set(utc("2026-04-01 09:00"))
    assert office.deliver(to(server)).sent == 1


def test_a_booking_stops_and_seven_days_past_it_without_a_treatment_it_returns(
    office: Office, server: RealServer
) -> None:
    office.book("2026-03-25")
    assert office.row().reason is Reason.BOOKED
    office.clock.set(utc("2026-03-31 09:00"))
    assert office.deliver(to(server)).sent == 0
    office.clock.set(utc("2026-04-01 09:00"))
    assert office.deliver(to(server)).sent == 1


def test_a_booking_of_another_line_stops_nothing(office: Office, server: RealServer) -> None:
    office.book("2026-03-25", line="migraine")
    office.clock.set(INVITED_AT)
    assert office.deliver(to(server)).sent == 1


def test_after_a_missed_appointment_the_patient_is_left_in_peace_for_a_week(office: Office, server: RealServer) -> None:
    booked = office.book("2026-03-24")
    office.clock.set(utc("2026-03-25 10:00"))
    outcome_of(office, booked, Outcome.MISSED)
    assert (office.row().state, office.row().reason) == (State.PLANNED, Reason.SNOOZED)
    delivered = office.deliver(to(server))
    assert (delivered.sent, delivered.next_at) == (0, utc("2026-04-01 09:00"))
    office.clock.set(utc("2026-04-01 09:00"))
    assert office.deliver(to(server)).sent == 1


def test_a_miss_noted_late_leaves_the_patient_in_peace_for_a_week_from_then(office: Office, server: RealServer) -> None:
    booked = office.book("2026-03-24")
    office.clock.set(utc("2026-04-02 10:00"))
    outcome_of(office, booked, Outcome.MISSED)
    assert (office.row().state, office.row().reason) == (State.PLANNED, Reason.SNOOZED)
    delivered = office.deliver(to(server))
    assert (delivered.sent, delivered.next_at) == (0, utc("2026-04-09 09:00"))
    office.clock.set(utc("2026-04-09 09:00"))
    assert office.deliver(to(server)).sent == 1


@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_patient_who_booked_the_same_day_again_is_not_written_to(
    office: Office, server: RealServer, outcome: Outcome
) -> None:
    office.clock.set(INVITED_AT)
    booked = office.book("2026-03-23")
    outcome_of(office, booked, outcome)
    assert office.book("2026-03-23") == booked
    assert {(row.state, row.reason) for row in office.rows()} == {(State.CANCELLED, Reason.BOOKED)}
    assert office.deliver(to(server)).sent == 0


def test_a_cancelled_appointment_gives_everything_back(office: Office) -> None:
    booked = office.book("2026-03-24")
    outcome_of(office, booked, Outcome.CANCELLED)
    assert office.states() == {"planned": 3}


def test_a_changed_calendar_moves_what_is_to_come(office: Office) -> None:
    office.change_clinic(sending_days="wed", sending_hours="14:00-16:00")
    assert office.row().due_at == utc("2026-03-25 14:00")


def test_an_own_interval_moves_due_and_survives_every_plan(office: Office) -> None:
    office.change_patient(due="14w")
    moved = office.row("follow_up").due_at
    assert moved == utc("2026-04-13 09:00")
    office.plan()
    office.treat(on="2026-01-05")
    assert office.row("follow_up").due_at == moved


def test_what_a_worker_has_is_left_alone_by_the_plan(office: Office, server: RealServer) -> None:
    office.clock.set(INVITED_AT)
    seen = []

    def look() -> None:
        office.change_patient(consent="denied")
        seen.append((office.row().state, office.row("follow_up").state))

    office.deliver(to(server), observe=Once(Point.DOT_WRITTEN, look))
    assert seen == [(State.HANDED_OVER, State.CANCELLED)]
    assert office.row().state is State.SENT


def test_a_retry_keeps_its_moment_when_the_plan_runs(office: Office, server: RealServer) -> None:
    office.clock.set(INVITED_AT)
    server.script["RCPT"].append("450 4.2.0 later")
    office.deliver(to(server))
    before = office.row()
    office.plan()
    assert office.row() == before
    assert before.next_attempt_at is not None
    assert before.next_attempt_at > INVITED_AT


@pytest.mark.parametrize("moment", ["2026-05-05 00:00", "2027-01-01 10:00"])
def test_what_expired_stays_expired_whatever_the_clock_says_later(
    office: Office, server: RealServer, moment: str
) -> None:
    office.clock.set(utc(moment))
    office.deliver(to(server))
    assert office.row().state is State.EXPIRED
    office.clock.set(INVITED_AT)
    office.plan()
    assert office.deliver(to(server)).sent == 0
    assert office.row().state is State.EXPIRED


def test_a_clock_that_jumps_back_sends_nothing_twice(office: Office, server: RealServer) -> None:
    office.clock.set(INVITED_AT)
    office.deliver(to(server))
    for back in (dt.timedelta(hours=1), dt.timedelta(days=30)):
        office.clock.set(INVITED_AT - back)
        assert office.deliver(to(server)).sent == 0
        office.clock.set(INVITED_AT)
        assert office.deliver(to(server)).sent == 0
    assert len(server.messages) == 1
