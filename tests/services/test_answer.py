"""What a patient answers through a message's link: a fact that holds at once, is changed, taken back or dealt with."""

from pathlib import Path
from typing import Any

import pytest

from reminders.domain.answers import AnswerKind
from reminders.domain.lifecycle import Reason, State
from reminders.services import patient
from reminders.services.answering import answer
from reminders.services.answering.answer import Answered, Reply, ReplyRefused
from reminders.services.find import the_clinic
from tests.services.readers import Reader, invited
from tests.support.clinic import FOLLOW_UP_AT, Office
from tests.support.facts import day, utc
from tests.support.tampering import contents

TO_COME = {"sent": 1, "planned": 2}


@pytest.fixture
def reader(office: Office, tmp_path: Path) -> Reader:
    """P1 got her cosmetic invitation a moment ago; her follow-up and last call are planned."""
    return invited(office, tmp_path / "out")


def test_whoever_asks_for_a_consultation_is_not_reminded_until_staff_have_dealt_with_it(reader: Reader) -> None:
    with reader.office.read() as tx:
        [(hart, name)] = answer.request_page(tx, reader.request_token()).practitioners  # type: ignore[union-attr]
    page = reader.answers(
        AnswerKind.CONSULTATION_REQUESTED,
        practitioner_id=hart,
        contact_by="phone",
        contact_when="evening",
        note="After six, please.\r\nNot on Fridays.",
        phone="+44 20 7946 0123",
    )
    assert page.answered == Answered(
        AnswerKind.CONSULTATION_REQUESTED,
        day("2026-03-23"),
        hart,
        name,
        "phone",
        "evening",
        None,
        has_note=True,
        has_phone=True,
        closed=False,
    )
    assert reader.office.states() == {"sent": 1, "cancelled consultation_requested": 2}
    [asked] = reader.worklist()
    assert (asked.note, asked.phone) == ("After six, please.\nNot on Fridays.", "+44 20 7946 0123")
    reader.close(asked.id)
    assert reader.office.states() == TO_COME
    closed = reader.page().answered
    assert closed is not None
    assert closed.closed


def test_whoever_asks_to_be_phoned_is_not_reminded_either(reader: Reader) -> None:
    page = reader.answers(AnswerKind.PHONE_ME, note="I am on new medicine.")
    assert page.answered is not None
    assert page.answered.contact_by == "phone"
    assert reader.office.states() == {"sent": 1, "cancelled consultation_requested": 2}


def test_the_same_answer_twice_is_one(reader: Reader) -> None:
    seen = []
    for _ in range(2):
        reader.answers(AnswerKind.CONSULTATION_REQUESTED, contact_by="email", note="Any day")
        reader.office.clock.advance(minutes=5)
        seen += [(asked.id, asked.at) for asked in reader.worklist(closed=True)]
    assert seen == seen[:1] * 2


def test_asked_again_after_staff_have_dealt_with_it_it_is_a_new_request(reader: Reader) -> None:
    reader.answers(AnswerKind.CONSULTATION_REQUESTED)
    [first] = reader.worklist()
    reader.close(first.id)
    reader.answers(AnswerKind.CONSULTATION_REQUESTED)
    [second] = reader.worklist()
    assert second.id != first.id
    assert reader.office.states() == {"sent": 1, "cancelled consultation_requested": 2}


def test_another_answer_takes_the_place_of_the_one_before(reader: Reader) -> None:
    reader.answers(AnswerKind.CONSULTATION_REQUESTED)
    page = reader.answers(AnswerKind.BOOKED)
    assert page.answered is not None
    assert page.answered.kind is AnswerKind.BOOKED
    assert [asked.kind for asked in reader.worklist()] == [AnswerKind.BOOKED]


def test_an_answer_taken_back_never_was(reader: Reader) -> None:
    for kind in (AnswerKind.CONSULTATION_REQUESTED, AnswerKind.BOOKED, AnswerKind.WRONG_PERSON):
        reader.answers(kind)
        assert reader.office.states() != TO_COME
        assert reader.takes_back().answered is None
        assert reader.office.states() == TO_COME
        assert reader.worklist() == []
    assert [asked.withdrawn_at is None for asked in reader.worklist(closed=True)] == [False] * 3
    assert reader.takes_back().answered is None


def test_a_booking_without_a_day_holds_until_staff_close_it_or_the_patient_is_treated(reader: Reader) -> None:
    reader.answers(AnswerKind.BOOKED)
    reader.office.clock.set(FOLLOW_UP_AT)
    assert reader.receive().sent == 0
    assert reader.office.states() == {"sent": 1, "cancelled booked": 2}
    reader.office.treat(on="2026-05-05")
    assert [row.reason for row in reader.office.rows() if row.state is State.PLANNED] == [None] * 3


def test_a_booking_for_a_day_holds_as_an_appointment_does_and_staff_see_that_nothing_came_of_it(
    reader: Reader,
) -> None:
    reader.answers(AnswerKind.BOOKED, day=day("2026-04-30"))
    assert reader.office.states() == {"sent": 1, "cancelled booked": 2}
    reader.office.clock.set(utc("2026-05-06 12:00"))
    assert reader.receive().sent == 0
    reader.office.clock.set(utc("2026-05-07 09:00"))
    assert reader.receive().sent == 1
    assert [asked.kind for asked in reader.worklist()] == [AnswerKind.BOOKED]


def test_a_treatment_elsewhere_ends_the_episode_for_good_and_staff_closing_it_changes_nothing(reader: Reader) -> None:
    reader.answers(AnswerKind.TREATED_ELSEWHERE, day=day("2026-03-01"))
    ended = {"sent": 1, "cancelled treated_again": 2}
    assert reader.office.states() == ended
    [told] = reader.worklist()
    reader.close(told.id)
    assert reader.office.states() == ended
    reader.office.clock.set(utc("2026-04-20 12:00"))
    reader.office.treat(on="2026-04-20")
    assert reader.office.states() == {**ended, "planned": 3}
    reader.takes_back()
    assert reader.office.states() == {**ended, "planned": 3}  # the later treatment ends it now


def test_a_treatment_elsewhere_taken_back_brings_the_reminders_back(reader: Reader) -> None:
    reader.answers(AnswerKind.TREATED_ELSEWHERE, day=day("2026-03-01"))
    [told] = reader.worklist()
    reader.close(told.id)
    reader.takes_back()
    assert reader.office.states() == TO_COME


def test_whoever_asks_to_be_reminded_later_is_reminded_on_that_day_and_not_before(reader: Reader) -> None:
    later = reader.page().later_days[2]
    assert later == day("2026-05-19")
    page = reader.answers(AnswerKind.REMIND_LATER, day=later)
    assert page.answered is not None
    assert (page.answered.day, page.answered.closed) == (later, False)
    assert {(r.state, r.reason) for r in reader.office.rows() if r.step == "follow_up"} == {
        (State.PLANNED, Reason.SNOOZED)
    }
    assert reader.worklist() == []  # nobody has to do anything
    reader.office.clock.set(utc("2026-05-18 16:00"))
    assert reader.receive().sent == 0
    reader.office.clock.set(utc("2026-05-19 09:00"))
    assert reader.receive().sent == 1


def test_the_answer_said_last_through_any_message_names_the_day(reader: Reader) -> None:
    reader.answers(AnswerKind.REMIND_LATER, day=day("2026-05-19"))
    reader.office.clock.set(utc("2026-05-19 09:00"))
    assert reader.receive().sent == 1
    reader.answers(AnswerKind.REMIND_LATER, 2, day=day("2026-06-23"))
    assert reader.office.row("last_call").wake_at == utc("2026-06-23 09:00")
    reader.office.clock.set(utc("2026-05-20 09:00"))
    reader.answers(AnswerKind.REMIND_LATER, 1, day=day("2026-06-17"))
    assert reader.office.row("last_call").wake_at == utc("2026-06-17 09:00")


def test_an_answer_concerns_the_lines_of_its_message_alone(office: Office, tmp_path: Path) -> None:
    office.treat(on="2026-01-05", protocol="botulinum-migraine")
    office.clock.set(utc("2026-03-02 10:00"))
    reader = Reader(office, tmp_path / "out")
    assert reader.receive().sent == 1  # the medical invitation
    office.clock.set(utc("2026-03-23 10:00"))
    assert reader.receive().sent == 1  # the cosmetic one
    reader.answers(AnswerKind.CONSULTATION_REQUESTED, 2)
    states = {(row.protocol, row.state) for row in office.rows() if row.state is not State.SENT}
    assert states == {("botulinum-cosmetic", State.CANCELLED), ("botulinum-migraine", State.PLANNED)}
    [asked] = reader.worklist()
    assert asked.lines == ("toxin/face",)


def test_what_staff_note_of_a_reply_concerns_every_line_and_is_announced_to_nobody(reader: Reader) -> None:
    reader.office.treat(on="2026-03-02", protocol="botulinum-migraine")
    reader.office.answer(Reason.REPLIED)
    assert reader.office.states() == {"sent": 1, "cancelled replied": 4}
    assert reader.receive().announced == 0
    with reader.office.write() as tx:
        patient.close_answers(tx, the_clinic(tx, "riverside"), "P1")
    assert reader.office.states() == {"sent": 1, "planned": 4}


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"kind": AnswerKind.REPLIED}, "kind", "unknown"),
    ({"practitioner_id": 999}, "practitioner_id", "unknown"),
    ({"contact_by": "pigeon"}, "contact_by", "unknown"),
    ({"contact_when": "midnight"}, "contact_when", "unknown"),
    ({"note": "x" * 501}, "note", "too_long"),
    ({"note": "a\x00b"}, "note", "control"),
    ({"note": "a\x1b[31mb"}, "note", "control"),
    ({"note": "a\u202eb"}, "note", "control"),
    ({"note": "a\u2028b"}, "note", "control"),
    ({"note": "a\ud800b"}, "note", "control"),
    ({"phone": "1" * 41}, "phone", "too_long"),
    ({"phone": "12\n34"}, "phone", "control"),
    ({"phone": "\u206612"}, "phone", "control"),
    ({"phone": "none"}, "phone", "unknown"),
    ({"kind": AnswerKind.TREATED_ELSEWHERE}, "day", "missing"),
    ({"kind": AnswerKind.TREATED_ELSEWHERE, "day": day("2025-12-01")}, "day", "not_offered"),
    ({"kind": AnswerKind.TREATED_ELSEWHERE, "day": day("2026-03-02")}, "day", "not_offered"),
    ({"kind": AnswerKind.TREATED_ELSEWHERE, "day": day("2026-04-01")}, "day", "not_offered"),
    ({"kind": AnswerKind.REMIND_LATER}, "day", "missing"),
    ({"kind": AnswerKind.REMIND_LATER, "day": day("2026-04-06")}, "day", "not_offered"),
    ({"kind": AnswerKind.REMIND_LATER, "day": day("2026-05-09")}, "day", "not_offered"),
    ({"kind": AnswerKind.REMIND_LATER, "day": day("2027-05-05")}, "day", "not_offered"),
    ({"kind": AnswerKind.BOOKED, "day": day("2026-03-22")}, "day", "past"),
    ({"kind": AnswerKind.BOOKED, "day": day("2036-03-22")}, "day", "not_offered"),
]


@pytest.mark.parametrize(("given", "field", "problem"), REFUSED)
def test_a_field_that_cannot_be_used_is_named_and_nothing_is_recorded(
    reader: Reader, given: dict[str, Any], field: str, problem: str
) -> None:
    fields = {"kind": AnswerKind.CONSULTATION_REQUESTED} | given
    with reader.office.write() as tx, pytest.raises(ReplyRefused) as refused:
        answer.answer(tx, reader.request_token(), Reply(**fields))
    assert refused.value.facts == {"field": field, "problem": problem}
    assert reader.page().answered is None
    assert reader.office.states() == TO_COME


def test_marks_that_arabic_is_written_with_and_line_ends_may_stand_in_a_note(reader: Reader) -> None:
    reader.answers(AnswerKind.PHONE_ME, note="مرحبا\u200f\nabc 👩‍⚕️")
    assert reader.worklist()[0].note == "مرحبا\u200f\nabc 👩‍⚕️"


def test_what_an_answer_has_no_use_for_is_left_out(reader: Reader) -> None:
    reader.answers(AnswerKind.BOOKED, contact_by="phone", phone="123", everything=True, note="with Dr Hart")
    [told] = reader.worklist()
    assert (told.contact_by, told.phone, told.note) == (None, "+44 20 7946 0999", "with Dr Hart")
    assert reader.page().stopped == frozenset()


def test_a_patients_own_words_stand_in_their_own_row_alone_and_go_with_them(reader: Reader) -> None:
    reader.answers(AnswerKind.CONSULTATION_REQUESTED, note="unmistakable words", phone="+44 999 888 777")
    found = [row for row in contents(reader.office.database) if "unmistakable" in row or "999 888" in row]
    assert len(found) == 1
    assert found[0].startswith("patients: ")
    reader.office.erase()
    assert not [row for row in contents(reader.office.database) if "unmistakable" in row]
    assert reader.worklist(closed=True) == []
