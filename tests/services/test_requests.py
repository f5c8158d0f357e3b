"""The staff's list: what is open, in which order, with all that is needed to act on it; and its closing."""

from pathlib import Path

import pytest

from reminders.domain.answers import AnswerKind
from reminders.domain.lifecycle import Reason
from reminders.services import dossier
from reminders.services.answering.requests import NoSuchRequest, RequestClosed, close_request, requests
from reminders.services.find import NoSuchClinic, the_clinic
from reminders.services.typed import BadValue
from tests.services.readers import Reader, invited
from tests.support.clinic import Office


@pytest.fixture
def reader(empty_office: Office, tmp_path: Path) -> Reader:
    """Three patients have their invitations."""
    empty_office.add_clinic()
    for ref in ("P1", "P2", "P3"):
        empty_office.add_patient(ref, phone=f"+44 20 7946 000{ref[1]}")
        empty_office.treat(ref)
    return invited(empty_office, tmp_path / "out")


def test_who_asks_to_be_phoned_comes_first_then_the_oldest(reader: Reader) -> None:
    for number, kind in enumerate((AnswerKind.BOOKED, AnswerKind.CONSULTATION_REQUESTED, AnswerKind.PHONE_ME), start=1):
        reader.answers(kind, number)
        reader.office.clock.advance(hours=1)
    assert [asked.patient for asked in reader.worklist()] == ["P3", "P1", "P2"]


def test_the_number_to_call_is_the_one_just_given_else_the_one_known(reader: Reader) -> None:
    reader.answers(AnswerKind.PHONE_ME, 1, phone="020 1")
    reader.answers(AnswerKind.PHONE_ME, 2)
    assert [asked.phone for asked in reader.worklist()] == ["020 1", "+44 20 7946 0002"]


def test_what_staff_noted_themselves_is_on_the_list_too(reader: Reader) -> None:
    reader.office.answer(Reason.REPLIED)
    [asked] = reader.worklist()
    assert (asked.kind, asked.lines) == (AnswerKind.REPLIED, None)


def test_a_request_is_closed_once_with_a_sentence_in_the_patients_record(reader: Reader) -> None:
    reader.answers(AnswerKind.CONSULTATION_REQUESTED)
    [asked] = reader.worklist()
    with reader.office.write() as tx:
        closed = close_request(tx, asked.id, "phoned, comes on Friday")
        assert closed.closed_at == reader.office.clock.now()
        record = dossier.dossier(tx, the_clinic(tx, "riverside"), "P1")
        assert record.patient.notes[-1]["text"] == "phoned, comes on Friday"
        assert record.answers == ()
    assert reader.office.states("P1") == {"sent": 1, "planned": 2}
    assert reader.worklist() == []
    assert [asked.id for asked in reader.worklist(closed=True)] == [asked.id]
    with reader.office.write() as tx, pytest.raises(RequestClosed):
        close_request(tx, asked.id, "again")


def test_what_is_not_there_was_taken_back_or_belongs_to_an_erased_patient_cannot_be_closed(reader: Reader) -> None:
    reader.answers(AnswerKind.CONSULTATION_REQUESTED, 1)
    reader.answers(AnswerKind.CONSULTATION_REQUESTED, 2)
    first, second = reader.worklist()
    reader.takes_back(1)
    reader.office.erase("P2")
    for request, error in ((first.id, RequestClosed), (second.id, NoSuchRequest), (99, NoSuchRequest)):
        with reader.office.write() as tx, pytest.raises(error):
            close_request(tx, request, "done")
    with reader.office.write() as tx, pytest.raises(BadValue):
        close_request(tx, first.id, " ")


def test_a_list_is_of_one_clinic_or_of_all(reader: Reader) -> None:
    reader.office.add_clinic("north")
    reader.answers(AnswerKind.BOOKED)
    with reader.office.read() as tx:
        assert requests(tx, "north", closed=True) == ()
        assert len(requests(tx, "riverside", closed=False)) == len(requests(tx, None, closed=False)) == 1
        with pytest.raises(NoSuchClinic):
            requests(tx, "nowhere", closed=False)


def test_a_patients_export_holds_every_answer_with_its_words(reader: Reader) -> None:
    reader.answers(AnswerKind.CONSULTATION_REQUESTED, note="soon, please")
    reader.stops()
    with reader.office.read() as tx:
        said = dossier.export(tx, the_clinic(tx, "riverside"), "P1")["answers"]
    assert [(one["kind"], one["note"]) for one in said] == [("consultation_requested", "soon, please"), ("stopped", "")]
