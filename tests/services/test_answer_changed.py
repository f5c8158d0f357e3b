"""A changed answer: what was said before and not read yet stays, and what nobody can act on is asked for."""

from pathlib import Path
from typing import Any

import pytest

from reminders.domain.answers import AnswerKind
from reminders.services import clinic
from reminders.services.answering.answer import ReplyRefused
from tests.services.readers import Reader, invited
from tests.support.clinic import Office
from tests.support.facts import day

WORDS: dict[str, Any] = {"note": "I feel dizzy", "phone": "020 1"}
LATER = day("2026-05-19")


@pytest.fixture
def reader(office: Office, tmp_path: Path) -> Reader:
    """P1 got her cosmetic invitation a moment ago."""
    return invited(office, tmp_path / "out")


def _without_a_number(office: Office, folder: Path, **given: str) -> Reader:
    office.add_clinic()
    office.add_patient(phone=None, **given)
    office.treat()
    return invited(office, folder)


def _words(reader: Reader) -> tuple[str, str | None]:
    [asked] = reader.worklist()
    return asked.note, asked.phone


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        (AnswerKind.CONSULTATION_REQUESTED, {"contact_by": "email"}),
        (AnswerKind.PHONE_ME, {}),
        (AnswerKind.BOOKED, {}),
        (AnswerKind.TREATED_ELSEWHERE, {"day": day("2026-03-01")}),
        (AnswerKind.WRONG_PERSON, {}),
    ],
)
def test_words_that_staff_have_not_read_stay_with_the_answer_that_follows(
    reader: Reader, kind: AnswerKind, more: dict[str, Any]
) -> None:
    reader.answers(AnswerKind.CONSULTATION_REQUESTED, contact_by="phone", **WORDS)
    page = reader.answers(kind, **more)
    assert page.answered is not None
    assert (page.answered.kind, page.answered.has_note, page.answered.has_phone) == (kind, True, True)
    assert _words(reader) == ("I feel dizzy", "020 1")


def test_new_words_take_the_place_of_the_old_each_for_itself(reader: Reader) -> None:
    reader.answers(AnswerKind.PHONE_ME, **WORDS)
    reader.answers(AnswerKind.PHONE_ME, note="much better")
    assert _words(reader) == ("much better", "020 1")
    reader.answers(AnswerKind.CONSULTATION_REQUESTED, phone="020 2")
    assert _words(reader) == ("much better", "020 2")


def test_a_note_reaches_staff_even_if_the_patient_then_asks_to_be_reminded_later(reader: Reader) -> None:
    reader.answers(AnswerKind.PHONE_ME, **WORDS)
    reader.answers(AnswerKind.REMIND_LATER, day=LATER)
    assert _words(reader) == ("I feel dizzy", "020 1")
    assert reader.receive().announced == 1
    reader.close(reader.worklist()[0].id)
    assert reader.page().later_days
    assert {str(row.reason) for row in reader.office.rows() if row.step == "follow_up"} == {"snoozed"}


def test_a_number_alone_asks_nothing_of_staff_and_is_there_when_it_is_needed(reader: Reader) -> None:
    reader.answers(AnswerKind.PHONE_ME, phone="020 1")
    reader.answers(AnswerKind.REMIND_LATER, day=LATER)
    assert reader.worklist() == []
    reader.answers(AnswerKind.PHONE_ME)
    assert _words(reader) == ("", "020 1")


def test_words_that_staff_have_dealt_with_are_not_asked_again(reader: Reader) -> None:
    reader.answers(AnswerKind.PHONE_ME, **WORDS)
    reader.close(reader.worklist()[0].id)
    reader.answers(AnswerKind.PHONE_ME)
    assert _words(reader) == ("", "+44 20 7946 0999")


def test_the_same_answer_with_its_fields_left_empty_is_the_same(reader: Reader) -> None:
    reader.answers(AnswerKind.PHONE_ME, **WORDS)
    [first] = reader.worklist()
    reader.office.clock.advance(minutes=5)
    reader.answers(AnswerKind.PHONE_ME)
    assert reader.worklist() == [first]


def test_what_was_changed_is_on_the_whole_list_as_withdrawn_and_its_words_stand_once(reader: Reader) -> None:
    reader.answers(AnswerKind.CONSULTATION_REQUESTED, **WORDS)
    reader.answers(AnswerKind.BOOKED)
    whole = reader.worklist(closed=True)
    assert [(one.kind, one.is_open, one.note) for one in whole] == [
        (AnswerKind.BOOKED, True, "I feel dizzy"),
        (AnswerKind.CONSULTATION_REQUESTED, False, ""),
    ]
    assert whole[1].withdrawn_at == reader.office.clock.now()


@pytest.mark.parametrize("kind", [AnswerKind.CONSULTATION_REQUESTED, AnswerKind.PHONE_ME])
def test_nobody_asks_for_a_call_without_a_number_to_call(
    empty_office: Office, tmp_path: Path, kind: AnswerKind
) -> None:
    reader = _without_a_number(empty_office, tmp_path / "out")
    assert not reader.page().phone_known
    with pytest.raises(ReplyRefused) as refused:
        reader.answers(kind, contact_by="phone")
    assert refused.value.facts == {"field": "phone", "problem": "missing"}
    assert reader.page().answered is None
    assert reader.answers(kind, contact_by="phone", phone="020 1").phone_known
    reader.answers(AnswerKind.PHONE_ME)  # the number that was given stands
    assert _words(reader) == ("", "020 1")


def test_a_number_is_not_needed_where_the_clinic_is_to_write(empty_office: Office, tmp_path: Path) -> None:
    reader = _without_a_number(empty_office, tmp_path / "out")
    reader.answers(AnswerKind.CONSULTATION_REQUESTED, contact_by="email")
    assert _words(reader) == ("", None)


def test_a_stop_stands_beside_any_other_answer(reader: Reader) -> None:
    reader.answers(AnswerKind.STOPPED)
    page = reader.answers(AnswerKind.BOOKED)
    assert page.answered is not None
    assert (page.answered.kind, page.stopped, page.stopped_on) == (
        AnswerKind.BOOKED,
        frozenset({"cosmetic"}),
        page.today,
    )
    page = reader.answers(AnswerKind.STOPPED, everything=True)
    assert page.answered is not None
    assert (page.answered.kind, page.stopped) == (AnswerKind.BOOKED, frozenset({"cosmetic", "all"}))
    page = reader.wants_more()
    assert page.answered is not None
    assert (page.stopped, page.stopped_on) == (frozenset(), None)
    assert reader.wants_more().answered == page.answered


def test_an_opt_out_that_staff_recorded_is_shown_and_is_not_the_patients_to_lift(reader: Reader) -> None:
    reader.office.change_patient(opt_out="cosmetic")
    page = reader.wants_more()
    assert (page.stopped, page.stopped_on) == (frozenset({"cosmetic"}), None)


def test_whoever_is_somebody_else_is_not_called_by_the_patients_name(reader: Reader) -> None:
    assert reader.answers(AnswerKind.WRONG_PERSON).first_name == ""
    assert reader.takes_back().first_name == "AdaP1"


def test_the_page_suggests_whom_the_message_names_as_long_as_they_are_there(
    empty_office: Office, tmp_path: Path
) -> None:
    empty_office.add_clinic()
    empty_office.add_patient()
    empty_office.treat(practitioner="Dr Jane Hart")
    reader = invited(empty_office, tmp_path / "out")
    [(hart, _)] = reader.page().practitioners
    assert reader.page().suggested == hart
    empty_office.change_patient(email="new@riverside-patients.example")
    assert reader.page().suggested is None  # a former address
    empty_office.change_patient(email="p1@riverside-patients.example")
    with empty_office.write() as tx:
        clinic.change_clinic(tx, "riverside", {}, [], ["Dr Jane Hart"])
    assert reader.page().suggested is None
