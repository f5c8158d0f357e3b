"""Stopping messages through a link, wrong addresses, and their taking back: exactly what was stopped is lifted."""

from pathlib import Path

import pytest

from reminders.domain.answers import AnswerKind
from reminders.domain.lifecycle import Reason
from reminders.services import decide, patient
from reminders.services.find import the_clinic
from reminders.services.patient import PatientChange
from reminders.store import contacts
from tests.services.readers import Reader, invited
from tests.support.clinic import FOLLOW_UP_AT, Office

TO_COME = {"sent": 1, "planned": 2}
STOPPED = {"sent": 1, "cancelled opted_out": 2}
ONE_TO_COME = {"sent": 2, "planned": 1}
ONE_STOPPED = {"sent": 2, "cancelled opted_out": 1}


@pytest.fixture
def reader(office: Office, tmp_path: Path) -> Reader:
    """P1 got her cosmetic invitation a moment ago."""
    return invited(office, tmp_path / "out")


@pytest.fixture
def couple(empty_office: Office, tmp_path: Path) -> Reader:
    """P1 and P2 share an address, and each got an invitation."""
    empty_office.add_clinic()
    for ref in ("P1", "P2"):
        empty_office.add_patient(ref, email="both@home.example")
        empty_office.treat(ref)
    return invited(empty_office, tmp_path / "out")


@pytest.fixture
def moved(reader: Reader) -> Reader:
    """P1 got her invitation at an address that is not hers any more, and her follow-up at her present one."""
    reader.office.change_patient(email="new@riverside-patients.example")
    reader.office.clock.set(FOLLOW_UP_AT)
    assert reader.receive().sent == 1
    return reader


def _opt_in(office: Office, scope: str) -> None:
    with office.write() as tx:
        patient.change_patient(tx, office.keys, the_clinic(tx, "riverside"), "P1", PatientChange(opt_in=scope))


def test_a_class_is_stopped_and_allowed_again_as_often_as_it_is_said(reader: Reader) -> None:
    for _ in range(3):
        assert reader.stops().stopped == {"cosmetic"}
    assert reader.office.states() == STOPPED
    assert reader.worklist(closed=True)[0].scope == "cosmetic"
    assert len(reader.worklist(closed=True)) == 1
    for _ in range(2):
        assert reader.allows().stopped == frozenset()
    assert reader.office.states() == TO_COME


def test_to_stop_a_class_leaves_the_other_and_to_stop_everything_does_not(reader: Reader) -> None:
    reader.office.treat(on="2026-03-20", protocol="botulinum-migraine")
    reader.stops()
    assert reader.office.states() == {**STOPPED, "planned": 2}
    assert reader.stops(everything=True).stopped == {"cosmetic", "all"}
    assert reader.office.states() == {"sent": 1, "cancelled opted_out": 4}
    assert reader.stops().stopped == {"cosmetic", "all"}
    assert reader.allows().stopped == frozenset()
    assert reader.office.states() == {"sent": 1, "planned": 4}


def test_stopped_from_the_page_of_answers_it_shows_there_and_is_taken_back_there(reader: Reader) -> None:
    page = reader.answers(AnswerKind.STOPPED, everything=True)
    assert (page.answered, page.stopped, page.stopped_on) == (None, frozenset({"all"}), page.today)
    assert reader.stop_page().stopped == {"all"}
    assert reader.takes_back().stopped == {"all"}  # a stop is no answer to the others
    assert reader.wants_more().stopped == frozenset()
    assert reader.office.states() == TO_COME


def test_another_answer_does_not_lift_a_stop_and_a_stop_does_not_withdraw_a_request(reader: Reader) -> None:
    reader.answers(AnswerKind.PHONE_ME)
    reader.stops()
    assert [asked.kind for asked in reader.worklist()] == [AnswerKind.PHONE_ME]
    page = reader.answers(AnswerKind.CONSULTATION_REQUESTED)
    assert page.stopped == {"cosmetic"}
    assert reader.office.states() == STOPPED
    assert reader.takes_back().stopped == {"cosmetic"}
    assert reader.wants_more().stopped == frozenset()


def test_an_opt_out_that_staff_recorded_is_not_lifted_by_a_link(reader: Reader) -> None:
    reader.office.change_patient(opt_out="cosmetic")
    assert reader.allows().stopped == {"cosmetic"}
    reader.stops()
    assert reader.allows().stopped == {"cosmetic"}
    reader.office.change_patient(email="new@riverside-patients.example")
    assert reader.office.states() == STOPPED


def test_a_bounce_and_a_complaint_outlast_the_patients_word(reader: Reader) -> None:
    reader.stops(everything=True)
    with reader.office.write() as tx:
        decide.came_back(tx, reader.office.row().id, complaint=True)
    reader.allows()
    assert reader.office.states() == {"sent": 1, "cancelled complained": 2}


def test_two_messages_of_one_patient_are_one_voice(reader: Reader) -> None:
    reader.office.clock.advance(days=43)
    assert reader.receive().sent == 1
    reader.stops(1)
    reader.stops(2)
    assert reader.allows(2).stopped == frozenset()
    reader.stops(2)
    assert reader.allows(1).stopped == frozenset()


def test_what_staff_opt_in_forgets_the_stop_so_that_it_cannot_lift_a_later_one(reader: Reader) -> None:
    reader.stops()
    _opt_in(reader.office, "all")
    assert reader.office.states() == TO_COME
    assert reader.page().answered is None
    reader.office.change_patient(opt_out="cosmetic")
    assert reader.allows().stopped == {"cosmetic"}


def test_a_stop_at_the_present_address_is_neither_shown_nor_lifted_at_a_former_one(moved: Reader) -> None:
    moved.stops(2)
    assert (moved.stop_page(1).stopped, moved.page(1).stopped) == (frozenset(), frozenset())
    assert moved.allows(1).stopped == moved.wants_more(1).stopped == frozenset()
    assert moved.office.states() == ONE_STOPPED
    assert moved.allows(2).stopped == frozenset()
    assert moved.office.states() == ONE_TO_COME
    moved.stops(2)
    moved.office.change_patient(email="third@riverside-patients.example")
    for message in (1, 2):
        moved.allows(message)
    assert moved.office.states() == ONE_STOPPED
    assert moved.findings() == []


def test_a_stop_said_while_the_address_was_the_patients_is_not_lifted_there_once_it_is_not(reader: Reader) -> None:
    reader.stops()
    reader.office.change_patient(email="new@riverside-patients.example")
    assert reader.allows().stopped == {"cosmetic"}  # as far as this address goes
    assert reader.wants_more().stopped_on is None
    assert reader.office.states() == STOPPED


@pytest.mark.parametrize("everything", [False, True])
def test_a_stop_at_a_former_address_holds_for_the_patient_until_the_present_one_lifts_it(
    moved: Reader, *, everything: bool
) -> None:
    for _ in range(2):
        moved.stops(1, everything=everything)
    moved.allows(1)
    assert moved.office.states() == ONE_STOPPED
    assert moved.page(2).stopped_on is not None
    lifted = moved.wants_more(2)
    assert (lifted.stopped, lifted.stopped_on) == (frozenset(), None)
    assert moved.office.states() == ONE_TO_COME
    assert moved.stop_page(1).stopped == {"all" if everything else "cosmetic"}  # the other address stays stopped
    assert moved.allows(1).stopped == frozenset()
    assert moved.findings() == []


@pytest.mark.parametrize("scope", ["cosmetic", "all"])
@pytest.mark.parametrize("everything", [False, True])
def test_what_staff_stop_after_the_patient_outlasts_the_patients_second_thoughts(
    reader: Reader, scope: str, *, everything: bool
) -> None:
    reader.stops(everything=everything)
    reader.office.change_patient(opt_out=scope)
    assert reader.allows().stopped == {scope}
    reader.stops(everything=everything)
    assert reader.wants_more().stopped == {scope}
    assert reader.office.states() == STOPPED
    reader.office.change_patient(email="new@riverside-patients.example")
    assert reader.office.states() == STOPPED
    _opt_in(reader.office, "all")
    assert reader.office.states() == TO_COME
    assert reader.findings() == []


def test_what_staff_stop_outlasts_this_is_not_me(reader: Reader) -> None:
    reader.answers(AnswerKind.WRONG_PERSON)
    reader.office.change_patient(opt_out="all")
    reader.takes_back()
    assert reader.office.states() == STOPPED
    with reader.office.read() as tx:
        key = reader.office.keys.address_key("p1@riverside-patients.example")
        assert [one.scope for one in contacts.suppressions_of(tx, 1, key)] == ["all"]


def test_what_staff_stop_at_a_shared_address_is_not_lifted_by_the_other_reader(couple: Reader) -> None:
    couple.stops(1)
    couple.office.change_patient("P2", opt_out="cosmetic")
    assert couple.allows(1).stopped == {"cosmetic"}
    assert couple.office.states("P1") == couple.office.states("P2") == STOPPED
    assert couple.findings() == []


def test_whoever_shares_the_address_is_stopped_too_until_each_who_said_so_takes_it_back(couple: Reader) -> None:
    couple.stops(1)
    assert couple.office.states("P2") == STOPPED
    couple.stops(2)
    couple.allows(1)
    assert couple.office.states("P1") == STOPPED  # the address is still stopped for the other
    assert couple.office.states("P2") == STOPPED
    couple.allows(2)
    assert couple.office.states("P1") == couple.office.states("P2") == TO_COME


def test_a_wrong_address_is_not_written_to_and_a_new_one_brings_the_reminders_back(reader: Reader) -> None:
    reader.answers(AnswerKind.WRONG_PERSON, note="I am somebody else")
    assert reader.office.states() == STOPPED
    [told] = reader.worklist()
    assert (told.kind, told.note) == (AnswerKind.WRONG_PERSON, "I am somebody else")
    reader.close(told.id)
    assert reader.office.states() == STOPPED
    reader.office.change_patient(email="right@riverside-patients.example")
    assert reader.office.states() == TO_COME


def test_a_wrong_address_corrected_meanwhile_does_not_stop_the_right_one(reader: Reader) -> None:
    reader.office.change_patient(email="right@riverside-patients.example")
    reader.answers(AnswerKind.WRONG_PERSON)
    assert reader.office.states() == TO_COME


def test_a_stop_taken_back_leaves_a_wrong_address_alone_and_the_other_way_round(reader: Reader) -> None:
    reader.answers(AnswerKind.WRONG_PERSON)
    reader.stops(everything=True)
    reader.allows()
    assert reader.office.states() == STOPPED
    reader.takes_back()
    assert reader.office.states() == TO_COME
    reader.stops(everything=True)
    reader.answers(AnswerKind.WRONG_PERSON)
    reader.takes_back()
    assert reader.office.states() == STOPPED
    reader.allows()
    assert reader.office.states() == TO_COME


@pytest.mark.parametrize("after", [None, AnswerKind.BOOKED, AnswerKind.PHONE_ME])
@pytest.mark.parametrize("everything", [False, True])
def test_a_stop_after_this_is_not_me_outlasts_it(reader: Reader, after: AnswerKind | None, *, everything: bool) -> None:
    reader.answers(AnswerKind.WRONG_PERSON)
    assert reader.stops(everything=everything).stopped >= {"all" if everything else "cosmetic"}
    if after is None:
        reader.takes_back()
    else:
        reader.answers(after)
    assert reader.office.states() == STOPPED


def test_the_suppression_that_another_patient_of_the_address_caused_before_stays(couple: Reader) -> None:
    with couple.office.write() as tx:
        contacts.suppress(tx, 1, couple.office.keys.address_key("both@home.example"), "all", Reason.OPTED_OUT)
    couple.stops(1, everything=True)
    couple.allows(1)
    assert couple.page(1).stopped == {"all"}


def test_staff_are_told_of_a_stop_that_reaches_a_medical_line_and_not_of_a_cosmetic_one(
    office: Office, tmp_path: Path
) -> None:
    office.treat(protocol="botulinum-migraine")
    office.clock.set(office.clock.now().replace(month=3, day=2))
    reader = Reader(office, tmp_path / "out")
    assert reader.receive().sent == 1
    reader.stops()
    [told] = reader.worklist()
    assert (told.kind, told.scope) == (AnswerKind.STOPPED, "medical")
    office.clock.advance(days=21)
    assert reader.receive().sent == 1
    reader.stops(2)
    assert len(reader.worklist()) == 1
