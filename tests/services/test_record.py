"""Treatments and their corrections: what was sent stays sent, what is to come follows the entry as it should be."""

import pytest

from reminders.domain.facts import Kind
from reminders.domain.lifecycle import Reason, State
from reminders.services.record import AlreadyWithdrawn, NoSuchTreatment, RefTaken, RefWithdrawn, TreatmentInTheFuture
from reminders.store import treatments
from reminders.store.listing import ListedReminder
from reminders.store.treatments import EpisodeRow
from tests.support.clinic import INVITED_AT, LOGGED_AT, Office, to
from tests.support.facts import day, utc
from tests.support.smtp_server import RealServer

LATER = utc("2026-02-10 12:00")


@pytest.fixture
def logged(empty_office: Office) -> Office:
    """A patient with one cosmetic treatment, T1, on 5 January."""
    empty_office.add_clinic()
    empty_office.add_patient()
    empty_office.treat(entry="T1")
    empty_office.clock.set(LATER)
    return empty_office


def episodes(office: Office) -> list[EpisodeRow]:
    with office.read() as tx:
        return treatments.episodes_of(tx, 1)


def of_episode(office: Office, episode_id: int) -> dict[str, ListedReminder]:
    return {row.step: row for row in office.rows() if row.episode_id == episode_id}


def sent_invitation(office: Office, server: RealServer) -> None:
    office.clock.set(INVITED_AT)
    assert office.deliver(to(server)).sent == 1


def test_a_correction_within_the_line_keeps_the_episode_and_moves_its_day(logged: Office) -> None:
    before = {step: row.id for step, row in of_episode(logged, 1).items()}
    logged.treat(on="2026-01-12", entry="T2", replaces="T1")
    rows = of_episode(logged, 1)
    assert ({step: row.id for step, row in rows.items()}, len(episodes(logged))) == (before, 1)
    assert rows["invitation"].window.opens == day("2026-04-12")
    assert {row.treatment for row in rows.values()} == {"T2"}


def test_a_step_that_was_sent_stays_sent_when_its_entry_is_corrected(logged: Office, server: RealServer) -> None:
    sent_invitation(logged, server)
    logged.treat(on="2026-01-12", entry="T2", replaces="T1")
    rows = of_episode(logged, 1)
    assert (rows["invitation"].state, rows["invitation"].sent_at) == (State.SENT, INVITED_AT)
    assert rows["follow_up"].due_at == utc("2026-05-12 09:00")
    assert logged.deliver(to(server)).sent == 0


def test_a_correction_into_another_line_opens_an_episode_in_which_what_was_sent_counts(
    logged: Office, server: RealServer
) -> None:
    sent_invitation(logged, server)
    logged.treat(protocol="microneedling", entry="T2", replaces="T1")
    [first, second] = episodes(logged)
    assert (second.line, second.continues_id) == ("skin/needling", first.id)
    assert of_episode(logged, first.id)["invitation"].state is State.SENT
    assert of_episode(logged, first.id)["follow_up"].reason is Reason.ENTERED_IN_ERROR
    assert set(of_episode(logged, second.id)) == {"follow_up"}


def test_a_correction_into_another_line_before_anything_was_sent_starts_anew(logged: Office) -> None:
    logged.treat(protocol="microneedling", entry="T2", replaces="T1")
    [first, second] = episodes(logged)
    assert {row.reason for row in of_episode(logged, first.id).values()} == {Reason.ENTERED_IN_ERROR}
    assert {row.state for row in of_episode(logged, second.id).values()} == {State.PLANNED}
    assert set(of_episode(logged, second.id)) == {"invitation", "follow_up"}


def test_a_correction_back_into_the_first_line_sends_nothing_twice(logged: Office, server: RealServer) -> None:
    sent_invitation(logged, server)
    logged.treat(protocol="microneedling", entry="T2", replaces="T1")
    logged.treat(entry="T3", replaces="T2")
    invitations = [row for row in logged.rows() if row.step == "invitation"]
    assert [row.state for row in invitations if row.state is not State.CANCELLED] == [State.SENT]
    logged.clock.set(utc("2026-04-20 09:00"))
    assert logged.deliver(to(server)).sent == 0


def test_a_correction_to_and_fro_counts_what_was_sent_in_between(logged: Office, server: RealServer) -> None:
    logged.treat(protocol="microneedling", entry="T2", replaces="T1")
    logged.clock.set(utc("2026-05-22 09:00"))  # the needling's invitation
    assert logged.deliver(to(server)).sent == 1
    logged.treat(entry="T3", replaces="T2")
    assert logged.deliver(to(server)).sent == 0
    live = [row for row in logged.rows() if row.state is State.PLANNED]
    assert {row.step for row in live} == {"follow_up", "last_call"}


def test_correcting_one_of_two_entries_of_an_episode_repeats_nothing(logged: Office, server: RealServer) -> None:
    logged.treat(protocol="botulinum-cosmetic-long", entry="T2")
    logged.clock.set(utc("2026-06-15 09:00"))
    assert logged.deliver(to(server)).sent == 1
    logged.treat(on="2026-01-12", protocol="botulinum-cosmetic-long", entry="T3", replaces="T2")
    assert {row.step for row in logged.rows() if row.state is State.PLANNED} == {"follow_up"}
    logged.clock.set(utc("2026-06-29 09:00"))
    assert logged.deliver(to(server)).sent == 0


def test_a_voided_entry_withdraws_its_reminders_and_the_same_entry_brings_them_back(logged: Office) -> None:
    before = {step: row.id for step, row in of_episode(logged, 1).items()}
    logged.void("T1")
    assert {row.reason for row in logged.rows()} == {Reason.ENTERED_IN_ERROR}
    logged.treat(entry="T2")
    assert {step: row.id for step, row in of_episode(logged, 1).items()} == before
    assert logged.states() == {"planned": 3}


def test_voiding_after_the_invitation_keeps_it_sent_and_re_entering_does_not_repeat_it(
    logged: Office, server: RealServer
) -> None:
    sent_invitation(logged, server)
    logged.void("T1")
    logged.treat(entry="T2")
    assert logged.states() == {"sent": 1, "planned": 2}
    assert logged.deliver(to(server)).sent == 0


def test_two_protocols_of_one_line_on_one_day_are_one_episode(logged: Office) -> None:
    logged.treat(protocol="botulinum-cosmetic-long", entry="T2")
    assert len(episodes(logged)) == 1
    assert {row.protocol for row in logged.rows() if row.state is State.PLANNED} == {"botulinum-cosmetic-long"}
    assert of_episode(logged, 1)["last_call"].reason is Reason.PROTOCOL_CHANGED


def test_a_new_treatment_of_the_line_ends_the_earlier_episode(logged: Office) -> None:
    logged.treat(on="2026-02-10", entry="T2")
    [first, second] = episodes(logged)
    assert {row.reason for row in of_episode(logged, first.id).values()} == {Reason.TREATED_AGAIN}
    assert {row.state for row in of_episode(logged, second.id).values()} == {State.PLANNED}


def test_voiding_the_newer_treatment_brings_back_the_older_ones_reminders(logged: Office) -> None:
    logged.treat(on="2026-02-10", entry="T2")
    logged.void("T2")
    assert {row.state for row in of_episode(logged, 1).values()} == {State.PLANNED}


def test_a_back_dated_treatment_behind_a_newer_one_stores_no_reminder(logged: Office) -> None:
    row = logged.treat(on="2025-12-01", entry="T0")
    assert row.episode_id is not None
    assert of_episode(logged, row.episode_id) == {}
    assert {row.state for row in of_episode(logged, 1).values()} == {State.PLANNED}


def test_of_a_back_dated_treatment_only_the_steps_to_come_are_stored(empty_office: Office) -> None:
    empty_office.add_clinic()
    empty_office.add_patient()
    empty_office.clock.set(utc("2026-05-20 12:00"))
    empty_office.treat(entry="T1")
    assert {row.step for row in empty_office.rows()} == {"follow_up", "last_call"}


@pytest.mark.parametrize("kind", [Kind.TOUCH_UP, Kind.REVIEW])
def test_a_touch_up_or_a_review_never_restarts_the_clock(logged: Office, kind: Kind) -> None:
    before = logged.rows()
    row = logged.treat(on="2026-01-20", entry="T2", kind=kind)
    assert row.episode_id is None
    assert logged.rows() == before


def test_an_entry_that_was_a_touch_up_after_all_gives_the_clock_back(logged: Office) -> None:
    logged.treat(on="2026-01-20", entry="T2")
    logged.treat(on="2026-01-20", entry="T3", kind=Kind.TOUCH_UP, replaces="T2")
    assert {row.state for row in of_episode(logged, 1).values()} == {State.PLANNED}


def test_where_two_episodes_meet_on_a_day_the_one_with_something_sent_stays(logged: Office, server: RealServer) -> None:
    logged.treat(on="2025-12-01", entry="T0")
    sent_invitation(logged, server)
    logged.treat(on="2026-01-05", entry="T9", replaces="T0")
    live = [row for row in logged.rows() if row.state in (State.PLANNED, State.SENT)]
    assert {row.episode_id for row in live} == {1}
    assert logged.states()["sent"] == 1
    assert logged.deliver(to(server)).sent == 0


def test_where_two_episodes_meet_with_nothing_sent_the_older_stays(logged: Office) -> None:
    logged.treat(on="2026-02-10", entry="T2")
    logged.treat(on="2026-01-05", entry="T3", replaces="T2")
    assert {row.episode_id for row in logged.rows() if row.state is State.PLANNED} == {1}


def test_an_entry_made_twice_is_recorded_once(logged: Office) -> None:
    before = logged.rows()
    again = logged.treat(entry="T1")
    assert (again.id, logged.rows()) == (1, before)


def test_a_number_that_stands_for_something_else_is_refused(logged: Office) -> None:
    with pytest.raises(RefTaken):
        logged.treat(on="2026-01-06", entry="T1")
    logged.void("T1")
    with pytest.raises(RefWithdrawn, match="another ref"):
        logged.treat(entry="T1")


def test_a_correction_of_another_patients_entry_is_refused(logged: Office) -> None:
    logged.add_patient("P2")
    with pytest.raises(NoSuchTreatment):
        logged.treat("P2", entry="T2", replaces="T1")
    assert {row.state for row in logged.rows()} == {State.PLANNED}


def test_what_was_corrected_cannot_be_corrected_again(logged: Office) -> None:
    logged.treat(on="2026-01-12", entry="T2", replaces="T1")
    with pytest.raises(AlreadyWithdrawn):
        logged.treat(on="2026-01-13", entry="T3", replaces="T1")


def test_a_day_to_come_in_the_clinics_zone_is_refused(empty_office: Office) -> None:
    empty_office.add_clinic(timezone="America/Los_Angeles")
    empty_office.add_patient()
    empty_office.clock.set(LOGGED_AT.replace(hour=3))  # still 4 January there
    with pytest.raises(TreatmentInTheFuture):
        empty_office.treat(on="2026-01-05")
    empty_office.treat(on="2026-01-04")
