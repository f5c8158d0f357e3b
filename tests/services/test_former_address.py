"""Links that went to an address which is not the patient's any more: its reader speaks for that address alone."""

from pathlib import Path
from typing import Any

import pytest

from reminders.domain.answers import AnswerKind
from reminders.services.answering import answer
from reminders.services.answering.answer import Reply, ReplyRefused
from tests.services.readers import Reader, invited
from tests.support.clinic import Office
from tests.support.facts import day

TO_COME = {"sent": 1, "planned": 2}
FOR_THE_PATIENT: dict[AnswerKind, dict[str, Any]] = {
    AnswerKind.CONSULTATION_REQUESTED: {"note": "call me"},
    AnswerKind.PHONE_ME: {"phone": "020 1"},
    AnswerKind.BOOKED: {},
    AnswerKind.TREATED_ELSEWHERE: {"day": day("2026-03-01")},
    AnswerKind.REMIND_LATER: {"day": day("2026-05-19")},
}


@pytest.fixture
def reader(office: Office, tmp_path: Path) -> Reader:
    """P1 got her cosmetic invitation a moment ago."""
    return invited(office, tmp_path / "out")


def _moves(reader: Reader) -> None:
    reader.office.change_patient(email="new@riverside-patients.example", phone="+44 20 7946 0009")


@pytest.mark.parametrize("kind", FOR_THE_PATIENT)
@pytest.mark.parametrize("wrong", [False, True])
def test_nothing_is_answered_for_the_patient_at_a_former_address(
    reader: Reader, kind: AnswerKind, *, wrong: bool
) -> None:
    if wrong:
        reader.answers(AnswerKind.WRONG_PERSON)
    _moves(reader)
    with reader.office.write() as tx, pytest.raises(ReplyRefused) as refused:
        answer.answer(tx, reader.request_token(), Reply(kind, **FOR_THE_PATIENT[kind]))
    assert refused.value.facts == {"field": "kind", "problem": "not_offered"}
    assert reader.office.states() == TO_COME
    assert [said.kind for said in reader.worklist()] == [AnswerKind.WRONG_PERSON] * wrong
    assert reader.findings() == []


def test_a_page_at_a_former_address_offers_to_stop_and_to_say_not_me_and_shows_nothing_of_the_patient(
    reader: Reader,
) -> None:
    reader.answers(AnswerKind.CONSULTATION_REQUESTED, note="call me", phone="020 1")
    assert not reader.page().former
    _moves(reader)
    page = reader.page()
    assert page.former
    assert (page.first_name, page.for_representative, page.phone_known) == ("", False, False)
    assert (page.practitioners, page.suggested, page.later_days, page.elsewhere_months) == ((), None, (), ())
    assert (page.answered, page.stopped, page.stopped_on) == (None, frozenset(), None)
    page = reader.answers(AnswerKind.WRONG_PERSON)
    assert page.answered is not None
    assert (page.answered.kind, page.answered.has_note) == (AnswerKind.WRONG_PERSON, False)
    assert reader.takes_back().answered is None


def test_what_the_patient_asked_for_before_is_neither_replaced_nor_taken_back_there(reader: Reader) -> None:
    reader.answers(AnswerKind.CONSULTATION_REQUESTED, note="call me")
    _moves(reader)
    reader.takes_back()
    reader.answers(AnswerKind.WRONG_PERSON)
    asked, told = reader.worklist()
    assert (asked.kind, asked.note) == (AnswerKind.CONSULTATION_REQUESTED, "call me")
    assert (told.kind, told.note) == (AnswerKind.WRONG_PERSON, "")
    assert reader.office.states() == {"sent": 1, "cancelled consultation_requested": 2}


def test_a_patient_without_any_address_is_not_answered_for_at_the_one_they_had(reader: Reader) -> None:
    reader.office.change_patient(email="")
    with pytest.raises(ReplyRefused):
        reader.answers(AnswerKind.BOOKED)
    reader.stops()
    assert reader.office.states() == {"sent": 1, "cancelled opted_out": 2}


def test_an_address_that_is_the_patients_again_speaks_for_them_again(reader: Reader) -> None:
    _moves(reader)
    reader.office.change_patient(email="P1@Riverside-Patients.example")
    assert reader.page().first_name == "AdaP1"
    reader.answers(AnswerKind.BOOKED)
    assert reader.office.states() == {"sent": 1, "cancelled booked": 2}
