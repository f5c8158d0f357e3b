"""Messages of one patient: what goes out together, what waits, what comes too soon, and how each is worded."""

import datetime as dt
import email

import pytest

from reminders.domain.lifecycle import Reason, State
from reminders.services.points import Point
from tests.support.clinic import FOLLOW_UP_AT, INVITED_AT, LAST_CALL_AT, Office, Once, to
from tests.support.facts import day, utc
from tests.support.smtp_server import HangUp, RealServer, Received, RudeServer

INVITATION, FOLLOW_UP, LAST_CALL = "about a consultation", "your consultation", "a note about a consultation"
PEEL_AT, LIPS_AT = utc("2026-05-22 09:00"), utc("2026-05-25 09:00")


@pytest.fixture
def two_lines(empty_office: Office) -> Office:
    """A peel's invitation falls due on 22 May, the lips' on 25 May."""
    empty_office.add_clinic()
    empty_office.add_patient()
    empty_office.clock.set(utc("2026-02-10 12:00"))
    empty_office.treat(protocol="peel-medium", on="2026-01-05")
    empty_office.treat(protocol="filler-lips", on="2025-10-08")
    return empty_office


def subjects(messages: list[Received]) -> list[str]:
    found = (str(email.message_from_bytes(message.content)["Subject"]) for message in messages)
    return [subject.partition(": ")[2] for subject in found]


def invitations(office: Office) -> list[tuple[State, str | None]]:
    return [(row.state, row.message_id) for row in office.rows() if row.step == "invitation"]


def test_two_due_within_a_week_go_out_as_one_message(two_lines: Office, server: RealServer) -> None:
    two_lines.clock.set(PEEL_AT)
    outcome = two_lines.deliver(to(server))
    assert (outcome.sent, outcome.deferred, outcome.waiting, outcome.next_at) == (0, 1, 1, LIPS_AT)
    assert two_lines.states()["planned waiting_to_merge"] == 1
    two_lines.clock.set(LIPS_AT)
    assert two_lines.deliver(to(server)).sent == 2
    [(state, name), (other_state, other_name)] = invitations(two_lines)
    assert (state, other_state, name) == (State.SENT, State.SENT, other_name)
    assert len(server.messages) == 1


def test_it_waits_once_and_no_longer_than_a_week(two_lines: Office, server: RealServer) -> None:
    two_lines.treat(protocol="laser-hair", on="2025-06-22")  # its invitation falls due on 1 June
    two_lines.clock.set(PEEL_AT)
    assert two_lines.deliver(to(server)).sent == 0
    two_lines.clock.set(LIPS_AT)
    assert two_lines.deliver(to(server)).sent == 2
    two_lines.clock.set(utc("2026-06-01 09:00"))
    outcome = two_lines.deliver(to(server))
    assert (outcome.sent, outcome.next_at) == (0, utc("2026-06-08 09:00"))
    two_lines.clock.set(utc("2026-06-08 08:59"))
    assert two_lines.deliver(to(server)).sent == 0
    two_lines.clock.set(utc("2026-06-08 09:00"))
    assert two_lines.deliver(to(server)).sent == 1


def test_a_held_one_is_not_waited_for(two_lines: Office, server: RealServer) -> None:
    two_lines.hold(until=day("2026-06-20"))
    two_lines.clock.set(PEEL_AT)
    assert two_lines.deliver(to(server)).sent == 0
    two_lines.clock.set(utc("2026-06-22 09:00"))
    assert two_lines.deliver(to(server)).sent == 2


def test_a_medical_message_goes_first_and_a_cosmetic_one_keeps_fourteen_days_from_it(
    empty_office: Office, server: RealServer
) -> None:
    empty_office.add_clinic()
    empty_office.add_patient()
    empty_office.clock.set(utc("2026-01-26 12:00"))
    empty_office.treat(protocol="botulinum-migraine", on="2026-01-26")
    empty_office.treat(protocol="filler-lips", on="2025-08-06")
    empty_office.clock.set(INVITED_AT)
    outcome = empty_office.deliver(to(server))
    assert (outcome.sent, outcome.deferred) == (1, 1)
    [medical] = [row for row in empty_office.rows() if row.state is State.SENT]
    assert medical.protocol == "botulinum-migraine"
    empty_office.clock.set(utc("2026-04-03 09:00"))
    assert empty_office.deliver(to(server)).sent == 0
    empty_office.clock.set(utc("2026-04-06 09:00"))
    assert empty_office.deliver(to(server)).sent == 1


def test_medical_messages_keep_seven_days_from_each_other_but_none_from_cosmetic_ones(
    empty_office: Office, server: RealServer
) -> None:
    empty_office.add_clinic()
    empty_office.add_patient()
    empty_office.clock.set(utc("2026-02-20 12:00"))
    empty_office.treat(protocol="filler-lips", on="2025-08-06")  # 23 March
    empty_office.treat(protocol="botulinum-migraine", on="2026-01-27")  # 24 March
    empty_office.clock.set(INVITED_AT)
    assert empty_office.deliver(to(server)).sent == 1
    empty_office.clock.set(utc("2026-03-24 10:00"))
    assert empty_office.deliver(to(server)).sent == 1
    empty_office.treat(protocol="botulinum-blepharospasm", on="2026-01-16")  # 26 March
    empty_office.clock.set(utc("2026-03-26 10:00"))
    outcome = empty_office.deliver(to(server))
    assert (outcome.sent, outcome.next_at) == (0, utc("2026-03-31 09:00"))
    empty_office.clock.set(utc("2026-03-31 09:00"))
    assert empty_office.deliver(to(server)).sent == 1


def test_what_cannot_keep_its_distance_within_its_days_expires_as_too_soon(office: Office, server: RealServer) -> None:
    office.treat(protocol="microneedling", on="2025-12-11")  # its invitation falls due on 27 April
    office.hold(line="face", until=day("2026-04-28"))
    office.clock.set(utc("2026-04-27 09:00"))
    assert office.deliver(to(server)).sent == 1
    office.clock.set(utc("2026-04-28 09:00"))
    outcome = office.deliver(to(server))
    assert (outcome.sent, outcome.expired, outcome.too_soon) == (0, 1, 1)
    [row] = [row for row in office.rows() if row.step == "invitation" and row.protocol == "botulinum-cosmetic"]
    assert (row.state, row.reason) == (State.EXPIRED, Reason.TOO_SOON)


def test_what_falls_due_while_another_message_is_on_its_way_waits_for_it(two_lines: Office, server: RealServer) -> None:
    two_lines.clock.set(LIPS_AT)

    def another_line_and_another_delivery() -> None:
        two_lines.treat(protocol="laser-hair", on="2025-06-12")  # its invitation was due on 22 May
        assert two_lines.deliver(to(server)).sent == 0

    meanwhile = Once(Point.BODY_WRITTEN, another_line_and_another_delivery)
    assert two_lines.deliver(to(server), observe=meanwhile).sent == 2
    outcome = two_lines.deliver(to(server))
    assert (outcome.sent, outcome.next_at, len(server.messages)) == (0, utc("2026-06-08 09:00"), 1)


def test_the_steps_of_one_episode_are_worded_in_their_order(office: Office, server: RealServer) -> None:
    for moment in (INVITED_AT, FOLLOW_UP_AT, LAST_CALL_AT):
        office.clock.set(moment)
        office.deliver(to(server))
    assert subjects(server.messages) == [INVITATION, FOLLOW_UP, LAST_CALL]


@pytest.mark.parametrize("first", [FOLLOW_UP_AT, LAST_CALL_AT])
def test_the_first_message_of_an_episode_is_an_invitation_whatever_its_step(
    office: Office, server: RealServer, first: dt.datetime
) -> None:
    office.clock.set(first)
    office.deliver(to(server))
    assert subjects(server.messages) == [INVITATION]


def test_a_message_in_doubt_counts_as_sent_for_the_wording_and_the_distance(office: Office, server: RealServer) -> None:
    office.clock.set(utc("2026-05-04 09:00"))
    with RudeServer({"dot": HangUp()}) as rude:
        assert office.deliver(to(rude)).unknown == 1
    office.clock.set(FOLLOW_UP_AT)
    assert office.deliver(to(server)).next_at == utc("2026-05-18 09:00")
    office.clock.set(utc("2026-05-18 09:00"))
    office.deliver(to(server))
    assert subjects(server.messages) == [FOLLOW_UP]


def test_a_merged_message_takes_the_earliest_stage_among_its_reminders(
    empty_office: Office, server: RealServer
) -> None:
    empty_office.add_clinic()
    empty_office.add_patient()
    empty_office.clock.set(utc("2026-02-06 12:00"))
    empty_office.treat(protocol="peel-medium", on="2026-01-05")
    empty_office.treat(protocol="filler-lips", on="2025-11-06")
    for moment in ("2026-05-22 09:00", "2026-06-19 09:00", "2026-06-22 09:00"):
        empty_office.clock.set(utc(moment))
        empty_office.deliver(to(server))
    assert subjects(server.messages) == [INVITATION, INVITATION]
    assert empty_office.states()["sent"] == 3
