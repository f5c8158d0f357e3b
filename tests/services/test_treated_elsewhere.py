"""Visits that patients tell of, elsewhere or to come: what they end or hold back, and what they do not touch."""

from pathlib import Path

import pytest

from reminders.domain.answers import AnswerKind
from reminders.services import dossier, explain
from reminders.services.answering.requests import NotForStaffToDeny, RequestClosed
from reminders.services.find import the_clinic
from tests.services.readers import Reader, invited
from tests.support.clinic import Office
from tests.support.facts import day, utc

TO_COME = {"sent": 1, "planned": 2}
ENDED = {"sent": 1, "cancelled treated_again": 2}
BEGUN_ANEW = {**ENDED, "planned": 3}


@pytest.fixture
def reader(office: Office, tmp_path: Path) -> Reader:
    """P1 got her cosmetic invitation a moment ago, on 23 March."""
    return invited(office, tmp_path / "out")


def _sentences(office: Office) -> set[str]:
    with office.read() as tx:
        explained = explain.why(tx, the_clinic(tx, "riverside"), "P1")
    return {step.sentence for episode in explained.episodes for step in episode.steps if step.view.state == "cancelled"}


def test_an_old_link_does_not_end_what_our_own_treatment_has_begun_since(reader: Reader) -> None:
    reader.office.clock.set(utc("2026-04-10 12:00"))
    reader.office.treat(on="2026-04-10")
    for month, on in (("2026-04-01", "2026-04-25 12:00"), ("2026-05-01", "2026-05-12 12:00")):
        reader.office.clock.set(utc(on))
        reader.answers(AnswerKind.TREATED_ELSEWHERE, day=day(month))
        assert reader.office.states() == BEGUN_ANEW
    assert reader.findings() == []


def test_a_treatment_logged_after_it_was_said_for_a_day_before_starts_a_normal_episode(reader: Reader) -> None:
    reader.office.clock.set(utc("2026-04-20 12:00"))
    reader.answers(AnswerKind.TREATED_ELSEWHERE, day=day("2026-04-01"))
    assert reader.office.states() == ENDED
    reader.office.clock.set(utc("2026-04-21 12:00"))
    reader.office.treat(on="2026-04-18")
    assert reader.office.states() == BEGUN_ANEW
    reader.office.clock.set(utc("2026-07-06 09:00"))
    assert reader.receive().sent == 1
    assert reader.findings() == []


@pytest.mark.parametrize("closed", [False, True])
def test_staff_withdraw_what_does_not_hold_and_the_reminders_return(reader: Reader, *, closed: bool) -> None:
    reader.answers(AnswerKind.TREATED_ELSEWHERE, day=day("2026-03-01"), note="at the other place")
    [told] = reader.worklist()
    if closed:
        reader.close(told.id, "noted")
    assert reader.office.states() == ENDED
    reader.close(told.id, "she was treated here", untrue=True)
    assert reader.office.states() == TO_COME
    assert reader.page().answered is None
    with reader.office.read() as tx:
        notes = dossier.dossier(tx, the_clinic(tx, "riverside"), "P1").patient.notes
    assert notes[-1]["text"] == "she was treated here"
    with pytest.raises(RequestClosed):
        reader.close(told.id, untrue=True)
    reader.office.clock.set(utc("2026-05-05 09:00"))
    assert reader.receive().sent == 1
    assert reader.findings() == []


def test_staff_withdraw_a_day_to_be_reminded_on_as_well(reader: Reader) -> None:
    reader.answers(AnswerKind.REMIND_LATER, day=day("2026-05-19"))
    [said] = reader.worklist(closed=True)
    reader.close(said.id, untrue=True)
    assert reader.office.row("follow_up").reason is None


def test_what_is_closed_and_holds_nothing_back_any_more_cannot_be_withdrawn(reader: Reader) -> None:
    reader.answers(AnswerKind.BOOKED)
    [told] = reader.worklist()
    reader.close(told.id)
    with pytest.raises(RequestClosed):
        reader.close(told.id, untrue=True)


@pytest.mark.parametrize("kind", [AnswerKind.STOPPED, AnswerKind.WRONG_PERSON])
def test_what_a_patient_said_about_writing_at_all_is_not_for_staff_to_deny(reader: Reader, kind: AnswerKind) -> None:
    reader.answers(kind)
    [said] = reader.worklist(closed=True)
    with pytest.raises(NotForStaffToDeny):
        reader.close(said.id, untrue=True)
    assert reader.office.states() == {"sent": 1, "cancelled opted_out": 2}


@pytest.mark.parametrize("treated_first", [False, True])
def test_a_booking_without_a_day_is_over_with_a_treatment_on_the_day_it_was_said(
    reader: Reader, *, treated_first: bool
) -> None:
    if treated_first:
        reader.office.treat(on="2026-03-23")
    reader.answers(AnswerKind.BOOKED)
    reader.office.clock.set(utc("2026-03-23 15:00"))
    if not treated_first:
        reader.office.treat(on="2026-03-23")
    assert reader.office.states() == BEGUN_ANEW
    reader.office.clock.set(utc("2026-06-09 09:00"))
    assert reader.receive().sent == 1
    assert reader.findings() == []


def test_why_says_of_a_booking_without_a_day_what_ends_it_and_of_others_what_is_true_of_them(reader: Reader) -> None:
    reader.answers(AnswerKind.BOOKED)
    told = "Not sent: the patient says a visit is booked; it returns when that request is closed."
    assert _sentences(reader.office) == {told}
    reader.office.book("2026-03-30")
    [both] = _sentences(reader.office)
    assert both != told
    assert "if nothing comes of it" in both
    [asked] = reader.worklist()
    reader.close(asked.id)
    reader.answers(AnswerKind.BOOKED, day=day("2026-04-01"))
    assert _sentences(reader.office) == {both}
