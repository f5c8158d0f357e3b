"""Answers as they are stored: open until closed or taken back, with their words in the patient's own row."""

from sqlalchemy import select

from reminders.domain.answers import Answer, AnswerKind
from reminders.store import answers, audit_trail, patients, schema
from reminders.store.answers import Said, Stop, Words
from reminders.store.database import Database, Transaction
from reminders.store.facts import facts
from reminders.store.patients import Patient
from tests.store.clinic import NOW, a_clinic, a_message, a_patient, keep
from tests.support.facts import day

FACE = frozenset({"toxin/face"})


def _patient(tx: Transaction, ref: str = "1001") -> Patient:
    return a_patient(tx, a_clinic(tx), ref)


def _message(tx: Transaction, patient: Patient, name: str = "<a@b>", key: str = "key") -> int:
    message = a_message(tx, (patient.clinic_id, patient.id), name)
    keep(tx, message.id, key=key)
    return message.id


def test_answers_are_open_until_they_are_closed(database: Database) -> None:
    with database.write(NOW, "patient") as tx:
        patient = _patient(tx)
        answers.add_answer(tx, patient, Said(AnswerKind.CONSULTATION_REQUESTED))
        replied = answers.add_answer(tx, patient, Said(AnswerKind.REPLIED))
        assert [one.kind for one in answers.open_answers(tx, patient.id)] == ["consultation_requested", "replied"]
        assert answers.close_answer(tx, replied)
        assert not answers.close_answer(tx, replied)
        assert answers.close_answers(tx, patient.id, AnswerKind.REPLIED) == 0
        assert answers.close_answers(tx, patient.id) == 1
        assert answers.open_answers(tx, patient.id) == []
        assert len(answers.standing(tx, patient.id)) == 2
        trail = [(one.action, one.details) for one in audit_trail.entries(tx, subject="answer")]
    assert trail[0][0] == "answer"
    assert {**(trail[0][1] or {}), "code": ""} == {"kind": "consultation_requested", "asks": True, "code": ""}
    assert [action for action, _ in trail] == ["answer", "answer", "close", "close"]


def test_an_answer_is_found_as_it_was_stored(database: Database) -> None:
    with database.write(NOW, "patient") as tx:
        patient = _patient(tx)
        said = Said(
            AnswerKind.CONSULTATION_REQUESTED, _message(tx, patient), FACE, None, day("2026-04-01"), 7, "phone", "any"
        )
        key = answers.add_answer(tx, patient, said, Words("a note\nof two lines", "030"))
        found = answers.answer_by_id(tx, key)
        assert found is not None
        assert (found.kind, found.at, found.lines, found.day) == (said.kind, NOW, FACE, said.day)
        assert (found.practitioner_id, found.contact_by, found.contact_when) == (7, "phone", "any")
        assert found.fact == Answer(said.kind, NOW, FACE, said.day, asked_at=NOW)
        kept = patients.patient_by_id(tx, patient.id).notes
        assert answers.words_of(kept) == {key: Words("a note\nof two lines", "030")}
        assert answers.answer_by_id(tx, 99) is None


def test_an_answer_taken_back_goes_with_its_words_and_other_notes_stay(database: Database) -> None:
    with database.write(NOW, "patient") as tx:
        patient = _patient(tx)
        patients.add_note(tx, patient.id, "reminder 1 held", "ask first")
        for number in (1, 2):
            answers.add_answer(tx, patient, Said(AnswerKind.REPLIED, 1), Words(f"note {number}"))
        first, second = answers.standing(tx, patient.id)
        answers.withdraw_answers(tx, [first])
        answers.withdraw_answers(tx, [first])
        assert answers.standing(tx, patient.id) == [second]
        notes = patients.patient_by_id(tx, patient.id).notes
        assert [note.get("note", note.get("text")) for note in notes] == ["ask first", "note 2"]
        assert not answers.close_answer(tx, first.id)
        assert [one.action for one in audit_trail.entries(tx, subject="answer", subject_id=first.id)] == [
            "answer",
            "withdraw",
        ]


def test_the_planner_is_told_what_holds(database: Database) -> None:
    with database.write(NOW, "patient") as tx:
        patient = _patient(tx)
        for kind in AnswerKind:
            stop = Stop("all", patient=True) if kind in answers.ABOUT_WRITING else None
            answers.add_answer(tx, patient, Said(kind, 1, FACE, stop, day("2026-03-01")))
        about_writing = {AnswerKind.STOPPED, AnswerKind.WRONG_PERSON}
        told = facts(tx, [patient.id])[patient.id].answers
        assert [one.kind for one in told] == [kind for kind in AnswerKind if kind not in about_writing]
        answers.close_answers(tx, patient.id)
        told = facts(tx, [patient.id])[patient.id].answers
        assert {one.kind for one in told} == {AnswerKind.TREATED_ELSEWHERE, AnswerKind.REMIND_LATER}
        answers.withdraw_answers(tx, answers.standing(tx, patient.id))
        assert facts(tx, [patient.id])[patient.id].answers == ()


def test_what_was_stopped_at_an_address_is_found_whoever_said_it(database: Database) -> None:
    with database.write(NOW, "patient") as tx:
        clinic = a_clinic(tx)
        one, two = a_patient(tx, clinic, "1"), a_patient(tx, clinic, "2")
        stop = Stop("cosmetic", patient=True, address=True)
        for patient, key in ((one, "home"), (two, "home"), (two, "elsewhere")):
            message = _message(tx, patient, f"<{patient.id}{key}@b>", key)
            answers.add_answer(tx, patient, Said(AnswerKind.STOPPED, message, stop=stop))
            answers.add_answer(tx, patient, Said(AnswerKind.BOOKED, message, FACE))
        found = answers.standing_at(tx, clinic.id, "home")
        assert [(said.patient_id, said.stop) for said in found] == [(one.id, stop), (two.id, stop)]
        assert answers.standing_at(tx, clinic.id + 1, "home") == []
        answers.withdraw_answers(tx, found[:1])
        assert len(answers.standing_at(tx, clinic.id, "home")) == 1


def test_nobody_is_told_of_what_staff_entered_what_asks_nothing_what_is_closed_or_taken_back(
    database: Database,
) -> None:
    with database.write(NOW, "patient") as tx:
        patient = _patient(tx)
        message = _message(tx, patient)
        answers.add_answer(tx, patient, Said(AnswerKind.REPLIED))
        answers.add_answer(tx, patient, Said(AnswerKind.REMIND_LATER, message, FACE, asks_staff=False))
        asked = [answers.add_answer(tx, patient, Said(AnswerKind.BOOKED, message, FACE)) for _ in range(4)]
        answers.close_answer(tx, asked[0])
        answers.withdraw_answers(tx, [said for said in answers.standing(tx, patient.id) if said.id == asked[1]])
        waiting = [(asked[2], AnswerKind.BOOKED), (asked[3], AnswerKind.BOOKED)]
        assert answers.unannounced(tx) == {patient.clinic_id: waiting}
        answers.mark_announced(tx, asked[:3])
        assert answers.unannounced(tx) == {patient.clinic_id: waiting[1:]}
        c = schema.answers.c
        left = tx.connection.execute(select(c.id).where(c.announced_at.is_(None))).scalars().all()
        assert left == [asked[3]]
        patients.erase_patient(tx, patient.id)
        assert answers.unannounced(tx) == {}
        assert answers.worklist(tx, None, closed=True) == []


def test_the_worklist_is_of_one_clinic_or_of_all_oldest_first(database: Database) -> None:
    with database.write(NOW, "patient") as tx:
        one = _patient(tx)
        two = a_patient(tx, a_clinic(tx, "ahorn"), "2")
        keys = [answers.add_answer(tx, who, Said(AnswerKind.REPLIED)) for who in (one, two, one)]
        answers.close_answer(tx, keys[0])
        assert [said.id for said in answers.worklist(tx, None, closed=False)] == keys[1:]
        assert [said.id for said in answers.worklist(tx, one.clinic_id, closed=False)] == keys[2:]
        assert [said.id for said in answers.worklist(tx, None, closed=True)] == keys
