"""What is due goes out once, to one person, in the clinic's hours, within its limit; the rest waits, and it says so."""

import email
from email import policy
from email.message import EmailMessage

import pytest

from reminders.domain.lifecycle import Reason, State
from reminders.store import audit_trail
from tests.support.clinic import INVITED_AT, Office, to
from tests.support.facts import utc
from tests.support.smtp_server import RealServer, Received


def read(received: Received) -> EmailMessage:
    return email.message_from_bytes(received.content, _class=EmailMessage, policy=policy.default)


def test_a_due_reminder_is_sent_once(office: Office, server: RealServer) -> None:
    office.clock.set(INVITED_AT)
    outcome = office.deliver(to(server))
    assert (outcome.sent, outcome.failed, outcome.unknown, outcome.deferred) == (1, 0, 0, 0)
    assert office.deliver(to(server)).sent == 0
    [received] = server.messages
    row = office.row()
    assert (row.state, row.sent_at, row.attempts) == (State.SENT, INVITED_AT, 1)
    assert read(received)["Message-ID"] == row.message_id


def test_everything_that_is_due_goes_out_in_one_delivery(office: Office, server: RealServer) -> None:
    office.add_due(40, prefix="Q")
    office.clock.set(INVITED_AT)
    assert office.deliver(to(server)).sent == 41
    assert len({received.rcpt_tos for received in server.messages}) == 41


@pytest.mark.parametrize("round_size", [2, 7, 32])
def test_rounds_of_any_size_send_everything_once(office: Office, server: RealServer, round_size: int) -> None:
    office.add_due(19, prefix="Q")
    office.clock.set(INVITED_AT)
    assert office.deliver(to(server), round_size).sent == 20
    assert len({read(received)["Message-ID"] for received in server.messages}) == len(server.messages) == 20


def test_a_message_has_one_recipient_and_names_nobody_else(office: Office, server: RealServer) -> None:
    office.add_due(3, prefix="Q")
    office.clock.set(INVITED_AT)
    office.deliver(to(server), 4)
    for received in server.messages:
        [recipient] = received.rcpt_tos
        assert read(received)["To"] == recipient
        others = {other.rcpt_tos[0] for other in server.messages} - {recipient}
        assert not any(other.encode() in received.content for other in others)


def test_nothing_goes_out_before_its_moment(office: Office, server: RealServer) -> None:
    office.clock.set(utc("2026-03-23 09:59"))
    outcome = office.deliver(to(server))
    assert (outcome.sent, outcome.next_at, server.messages) == (0, INVITED_AT, [])


@pytest.mark.parametrize(
    ("now", "next_at"),
    [
        ("2026-03-23 17:00", "2026-03-24 09:00"),
        ("2026-03-24 08:59", "2026-03-24 09:00"),
        ("2026-03-27 18:00", "2026-03-30 08:00"),  # a weekend, in which the clocks go forward
        ("2026-03-28 11:00", "2026-03-30 08:00"),
    ],
)
def test_outside_the_clinics_hours_nothing_is_sent_and_it_says_when(
    office: Office, server: RealServer, now: str, next_at: str
) -> None:
    office.clock.set(utc(now))
    outcome = office.deliver(to(server))
    assert (outcome.sent, outcome.next_at, server.messages) == (0, utc(next_at), [])
    office.clock.set(utc(next_at))
    assert office.deliver(to(server)).sent == 1


def test_the_last_minute_of_the_hours_still_counts(office: Office, server: RealServer) -> None:
    office.clock.set(utc("2026-03-23 16:59"))
    assert office.deliver(to(server)).sent == 1


def test_what_its_days_passed_expires_and_is_not_sent(office: Office, server: RealServer) -> None:
    office.clock.set(utc("2026-05-05 06:00"))
    outcome = office.deliver(to(server))
    row = office.row()
    assert (outcome.expired, outcome.sent) == (1, 0)
    assert (row.state, row.reason) == (State.EXPIRED, Reason.TOO_LATE)
    assert outcome.next_at == utc("2026-05-05 09:00")


def test_the_daily_limit_leaves_the_rest_for_another_day(office: Office, server: RealServer) -> None:
    office.add_due(9, prefix="Q")
    office.change_clinic(daily_limit="4")
    office.clock.set(INVITED_AT)
    outcome = office.deliver(to(server), 3)
    assert (outcome.sent, outcome.next_at) == (4, utc("2026-03-24 09:00"))
    office.clock.advance(hours=2)
    assert office.deliver(to(server)).sent == 0
    office.clock.set(utc("2026-03-24 09:00"))
    assert office.deliver(to(server)).sent == 4
    office.clock.set(utc("2026-03-25 09:00"))
    assert office.deliver(to(server)).sent == 2


def test_what_the_daily_limit_left_is_no_backlog(office: Office, server: RealServer) -> None:
    office.add_due(70, prefix="Q")
    office.change_clinic(daily_limit="1")
    office.clock.set(INVITED_AT)
    office.deliver(to(server))
    office.clock.set(utc("2026-03-31 09:00"))
    outcome = office.deliver(to(server))
    assert (outcome.sent, outcome.held) == (1, 0)


def test_a_paused_clinic_sends_nothing_until_it_is_resumed(office: Office, server: RealServer) -> None:
    office.pause()
    office.clock.set(INVITED_AT)
    outcome = office.deliver(to(server))
    assert (outcome.sent, outcome.next_at, office.row().reason) == (0, None, Reason.CLINIC_PAUSED)
    office.pause(paused=False)
    assert office.deliver(to(server)).sent == 1


def test_a_closed_clinic_does_not_keep_another_from_sending(office: Office, server: RealServer) -> None:
    office.add_clinic("harbour", timezone="America/New_York")
    office.add_due(3, "harbour", prefix="H")
    office.clock.set(INVITED_AT)
    assert office.deliver(to(server)).sent == 1
    office.clock.set(utc("2026-03-23 14:00"))
    assert office.deliver(to(server)).sent == 3


def test_two_clinics_never_mix(office: Office, server: RealServer) -> None:
    office.add_clinic("harbour", reply_to="desk@harbour.example")
    office.add_patient("P1", "harbour", given_name="Grace", email="grace@harbour-patients.example")
    office.treat("P1", slug="harbour")
    office.clock.set(INVITED_AT)
    assert office.deliver(to(server), 2).sent == 2
    for slug, other in (("riverside", "harbour"), ("harbour", "riverside")):
        [received] = [one for one in server.messages if one.mail_from == f"hello@{slug}.example"]
        assert received.rcpt_tos[0].endswith(f"@{slug}-patients.example")
        assert other.encode() not in received.content.lower()


def test_one_persons_address_at_two_clinics_is_stopped_at_one_of_them_only(office: Office, server: RealServer) -> None:
    shared = office.row().patient
    office.add_clinic("harbour")
    office.add_patient("P9", "harbour", email="p1@riverside-patients.example")
    office.treat("P9", slug="harbour")
    office.change_patient(shared, opt_out="all")
    office.clock.set(INVITED_AT)
    assert office.deliver(to(server)).sent == 1
    assert (office.row().reason, office.row(ref="P9", slug="harbour").state) == (Reason.OPTED_OUT, State.SENT)


def test_an_opt_out_stops_every_patient_of_the_clinic_who_shares_the_address(
    office: Office, server: RealServer
) -> None:
    office.add_patient("P2", email="P1@RIVERSIDE-patients.example")
    office.treat("P2")
    office.change_patient("P1", opt_out="all")
    office.clock.set(INVITED_AT)
    assert office.deliver(to(server)).sent == 0
    assert office.row(ref="P2").reason is Reason.OPTED_OUT


def test_every_transition_is_on_the_trail_and_the_trail_verifies(office: Office, server: RealServer) -> None:
    office.clock.set(INVITED_AT)
    server.script["RCPT"].append("450 4.2.0 come back later")
    office.deliver(to(server))
    office.clock.advance(hours=1)
    office.deliver(to(server))
    with office.read() as tx:
        actions = [entry.action for entry in audit_trail.entries(tx, subject="reminder", subject_id=office.row().id)]
        assert actions == ["claim", "planned", "claim", "handed_over", "sent"]
        assert audit_trail.verify(tx) is None


def test_the_same_facts_clock_and_seed_make_the_same_outbox(office: Office, server: RealServer) -> None:
    office.clock.set(INVITED_AT)
    office.deliver(to(server))
    again = office.row().message_id
    assert again == "<{}@riverside.example>".format(
        office.keys.message_seed(f"1:1:{office.row().episode_id}:invitation:0:0")
    )
