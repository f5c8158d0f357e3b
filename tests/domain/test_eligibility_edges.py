"""The edges of why nobody is written to: a visit the patient alone knows of, birthdays, and what weighs more."""

from dataclasses import replace

import pytest

from reminders.domain.answers import Answer, AnswerKind
from reminders.domain.eligibility import (
    appointments_of,
    is_minor,
    of_age_on,
    quiet_ends,
    quiet_until,
    remind_on,
    waits_for_closing,
    withheld,
)
from reminders.domain.episode import Run, runs
from reminders.domain.facts import Appointment, Outcome, PatientFacts
from reminders.domain.lifecycle import Reason
from tests.support.facts import day, patient, rules, utc

ENTRY = ("botulinum-cosmetic", "2026-01-05")
LONDON = "Europe/London"
WORD = Answer(AnswerKind.BOOKED, utc("2026-03-25 12:00"))
TODAY = day("2026-03-26")


def _run(facts: PatientFacts) -> Run:
    return runs(facts, rules())[0]


def _waits(facts: PatientFacts, zone: str = LONDON) -> bool:
    return waits_for_closing(_run(facts), facts, zone, TODAY)


def test_a_patients_word_alone_that_a_visit_is_booked_waits_for_staff_to_close_it() -> None:
    assert _waits(patient(ENTRY, answers=(WORD,)))
    assert not _waits(patient(ENTRY))


def test_a_word_with_a_day_ends_by_itself_and_another_answer_is_no_such_word() -> None:
    assert not _waits(patient(ENTRY, answers=(replace(WORD, day=day("2026-04-10")),)))
    assert not _waits(patient(ENTRY, answers=(replace(WORD, kind=AnswerKind.REPLIED),)))
    assert _waits(patient(ENTRY, answers=(replace(WORD, day=day("2026-04-10")), WORD)))


def test_once_a_day_is_booked_it_is_the_appointment_that_stops_the_run() -> None:
    booked = Appointment(1, day("2026-04-10"))
    assert not _waits(patient(ENTRY, answers=(WORD,), appointments=(booked,)))
    for gone in (Outcome.CANCELLED, Outcome.MISSED):
        assert _waits(patient(ENTRY, answers=(WORD,), appointments=(booked._replace(outcome=gone),)))
    assert _waits(patient(ENTRY, answers=(WORD,), appointments=(booked._replace(day=day("2026-03-19")),)))
    assert not _waits(patient(ENTRY, answers=(WORD,), appointments=(booked._replace(day=day("2026-03-20")),)))


def test_a_word_about_another_line_waits_for_nothing_on_this_one() -> None:
    assert not _waits(patient(ENTRY, answers=(replace(WORD, lines=frozenset({"toxin/migraine"})),)))


def test_a_word_of_the_day_the_treatment_was_given_was_about_that_visit_by_the_clinics_own_days() -> None:
    late = replace(WORD, at=utc("2026-01-05 23:30"))  # in Tokyo it is the 6th
    assert not _waits(patient(ENTRY, answers=(late,)))
    assert _waits(patient(ENTRY, answers=(late,)), "Asia/Tokyo")


def test_a_run_whose_entry_was_made_in_error_has_no_appointments_and_waits_for_nothing() -> None:
    facts = replace(patient(ENTRY, answers=(WORD,), appointments=(Appointment(1, day("2026-04-10")),)), treatments=())
    assert appointments_of(_run(facts), facts) == ()
    assert not _waits(facts)


def test_the_peace_after_a_miss_is_a_week_from_the_later_of_its_day_and_the_note() -> None:
    missed, earlier, later = day("2026-03-20"), day("2026-03-19"), day("2026-03-24")
    assert quiet_until(missed, None) == day("2026-03-27")
    assert quiet_until(missed, earlier) == day("2026-03-27")
    assert quiet_until(missed, later) == day("2026-03-31")


def test_the_ends_of_several_peaces_are_told_soonest_first_and_of_misses_alone() -> None:
    visits = (
        Appointment(1, day("2026-03-20"), None, Outcome.MISSED, day("2026-03-30")),
        Appointment(2, day("2026-03-22"), "face", Outcome.MISSED),
        Appointment(3, day("2026-03-21"), "migraine", Outcome.MISSED),
        Appointment(4, day("2026-03-23"), None, Outcome.CANCELLED),
    )
    facts = patient(ENTRY, appointments=visits)
    assert quiet_ends(_run(facts), facts) == (day("2026-03-29"), day("2026-04-06"))


def test_a_wish_to_be_reminded_counts_with_its_day_and_for_its_line() -> None:
    wish = Answer(AnswerKind.REMIND_LATER, utc("2026-03-25 12:00"), frozenset({"toxin/face"}), day("2026-05-12"))
    others = (
        replace(wish, at=utc("2026-03-26 12:00"), day=None),
        replace(wish, at=utc("2026-03-27 12:00"), kind=AnswerKind.BOOKED, day=day("2026-06-01")),
        replace(wish, at=utc("2026-03-28 12:00"), lines=frozenset({"toxin/migraine"}), day=day("2026-07-01")),
    )
    facts = patient(ENTRY, answers=(wish, *others))
    assert remind_on(_run(facts), facts) == day("2026-05-12")
    nobody = patient(ENTRY, answers=others)
    assert remind_on(_run(nobody), nobody) is None


@pytest.mark.parametrize(
    ("born", "of_age"),
    [("2008-04-10", "2026-04-10"), ("2008-02-29", "2026-03-01"), ("2000-02-29", "2018-03-01")],
)
def test_the_eighteenth_birthday_is_the_first_day_of_age(born: str, of_age: str) -> None:
    assert of_age_on(day(born)) == day(of_age)


def test_nobody_is_a_minor_of_whom_no_birthday_is_known() -> None:
    assert is_minor(None, TODAY) is False


BLOCKED = "all"


@pytest.mark.parametrize(
    ("blocked", "reason"),
    [
        ({Reason.BOUNCED_ADDRESS, Reason.COMPLAINED}, Reason.COMPLAINED),
        ({Reason.COMPLAINED, Reason.OPTED_OUT}, Reason.OPTED_OUT),
        ({Reason.PATIENT_ERASED}, Reason.OPTED_OUT),  # erased elsewhere: this one may not be written to there either
        ({Reason.BOUNCED_ADDRESS}, Reason.BOUNCED_ADDRESS),
    ],
)
def test_of_what_is_known_of_an_address_the_persons_own_word_weighs_most(blocked: set[Reason], reason: Reason) -> None:
    facts = patient(ENTRY, blocked=frozenset((BLOCKED, why) for why in blocked))
    assert withheld(_run(facts), facts, rules(), TODAY) is reason


def test_of_a_request_and_a_reply_the_request_is_told() -> None:
    said = tuple(Answer(kind, utc("2026-03-25 12:00")) for kind in (AnswerKind.REPLIED, AnswerKind.PHONE_ME))
    facts = patient(ENTRY, answers=said)
    assert withheld(_run(facts), facts, rules(), TODAY) is Reason.CONSULTATION_REQUESTED
