"""Why a patient is not written to: every reason, which weighs more, and when it ends."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from reminders.domain.answers import Answer, AnswerKind
from reminders.domain.eligibility import is_minor, withheld
from reminders.domain.episode import runs
from reminders.domain.facts import Appointment, Consent, Hold, Outcome, PatientFacts, Status
from reminders.domain.lifecycle import REASONS, Reason, State
from tests.support.facts import day, patient, rules, utc

TODAY = "2026-04-10"
COSMETIC_ENTRY, MEDICAL_ENTRY = ("botulinum-cosmetic", "2026-01-05"), ("botulinum-migraine", "2026-01-05")
MINOR = dt.date(2010, 1, 1)
SAID = utc("2026-04-01 12:00")


def _why(
    facts: PatientFacts, today: str = TODAY, episode: int = 1, *, unknown_is_customer: bool = False
) -> Reason | None:
    goes_by = rules(unknown_is_customer=unknown_is_customer)
    [run] = [run for run in runs(facts, goes_by) if run.episode.id == episode]
    return withheld(run, facts, goes_by, day(today))


def _both(**more: Any) -> tuple[Reason | None, Reason | None]:  # noqa: ANN401 - the fields of PatientFacts
    return _why(patient(COSMETIC_ENTRY, **more)), _why(patient(MEDICAL_ENTRY, **more))


def test_a_patient_of_whom_nothing_speaks_against_it_is_written_to() -> None:
    assert _both() == (None, None)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"erased": True}, Reason.PATIENT_ERASED),
        ({"status": Status.DECEASED}, Reason.DECEASED),
        ({"status": Status.INACTIVE}, Reason.INACTIVE),
        ({"opt_outs": frozenset({"all"})}, Reason.OPTED_OUT),
        ({"blocked": frozenset({("all", Reason.OPTED_OUT)})}, Reason.OPTED_OUT),
        ({"blocked": frozenset({("all", Reason.COMPLAINED)})}, Reason.COMPLAINED),
        ({"blocked": frozenset({("all", Reason.BOUNCED_ADDRESS)})}, Reason.BOUNCED_ADDRESS),
        ({"has_email": False}, Reason.NO_EMAIL),
        ({"consent": Consent.DENIED}, Reason.NO_CONSENT),
        ({"answers": (Answer(AnswerKind.REPLIED, SAID),)}, Reason.REPLIED),
        ({"answers": (Answer(AnswerKind.CONSULTATION_REQUESTED, SAID),)}, Reason.CONSULTATION_REQUESTED),
        ({"answers": (Answer(AnswerKind.PHONE_ME, SAID),)}, Reason.CONSULTATION_REQUESTED),
        ({"holds": (Hold(1),)}, Reason.ON_HOLD),
        ({"appointments": (Appointment(1, day("2026-05-01")),)}, Reason.BOOKED),
    ],
)
def test_this_stops_messages_of_both_classes(more: dict[str, object], reason: Reason) -> None:
    assert _both(**more) == (reason, reason)


@pytest.mark.parametrize(
    ("more", "cosmetic", "medical"),
    [
        ({"opt_outs": frozenset({"cosmetic"})}, Reason.OPTED_OUT, None),
        ({"opt_outs": frozenset({"medical"})}, None, Reason.OPTED_OUT),
        ({"blocked": frozenset({("cosmetic", Reason.COMPLAINED)})}, Reason.COMPLAINED, None),
        ({"blocked": frozenset({("medical", Reason.OPTED_OUT)})}, None, Reason.OPTED_OUT),
        ({"consent": Consent.UNKNOWN}, Reason.NO_CONSENT, None),
        ({"consent": Consent.EXISTING_CUSTOMER}, None, None),
        ({"birth_date": MINOR}, Reason.UNDER_AGE, Reason.NO_REPRESENTATIVE),
        ({"birth_date": MINOR, "has_representative": True}, Reason.UNDER_AGE, None),
    ],
)
def test_this_depends_on_the_class(more: dict[str, object], cosmetic: Reason | None, medical: Reason | None) -> None:
    assert _both(**more) == (cosmetic, medical)


def test_unknown_consent_is_enough_where_the_clinic_recorded_existing_customers() -> None:
    facts = patient(COSMETIC_ENTRY, consent=Consent.UNKNOWN)
    assert _why(facts, unknown_is_customer=True) is None
    assert _why(replace(facts, consent=Consent.DENIED), unknown_is_customer=True) is Reason.NO_CONSENT


def test_a_representatives_address_is_enough() -> None:
    assert _both(has_email=False, has_representative=True) == (None, None)


@pytest.mark.parametrize(
    ("born", "today", "minor"),
    [
        ("2008-04-10", "2026-04-09", True),
        ("2008-04-10", "2026-04-10", False),
        ("2008-02-29", "2026-02-28", True),
        ("2008-02-29", "2026-03-01", False),
    ],
)
def test_a_minor_comes_of_age_on_the_birthday(born: str, today: str, minor: bool) -> None:  # noqa: FBT001 - the expected answer
    assert is_minor(day(born), day(today)) is minor


def test_a_later_treatment_ends_it_whatever_else_holds() -> None:
    facts = patient(COSMETIC_ENTRY, ("botulinum-cosmetic", "2026-04-01"), status=Status.DECEASED)
    assert _why(facts, episode=1) is Reason.TREATED_AGAIN
    assert _why(facts, episode=2) is Reason.DECEASED


def test_an_entry_made_in_error_asks_for_nothing() -> None:
    assert _why(replace(patient(COSMETIC_ENTRY), treatments=())) is Reason.ENTERED_IN_ERROR


def test_a_protocol_that_is_off_asks_for_nothing() -> None:
    assert _why(patient(("peel-light", "2026-01-05"))) is Reason.PROTOCOL_CHANGED


@pytest.mark.parametrize(("today", "reason"), [("2026-04-09", Reason.ON_HOLD), ("2026-04-10", None)])
def test_a_hold_until_a_day_ends_on_that_day(today: str, reason: Reason | None) -> None:
    assert _why(patient(COSMETIC_ENTRY, holds=(Hold(1, until=day("2026-04-10")),)), today) is reason


def test_a_hold_on_one_line_leaves_the_others() -> None:
    facts = patient(COSMETIC_ENTRY, MEDICAL_ENTRY, holds=(Hold(1, line="face"),))
    assert (_why(facts, episode=1), _why(facts, episode=2)) == (Reason.ON_HOLD, None)


def test_a_line_may_be_named_with_its_group_or_without() -> None:
    for named, reason in (("face", Reason.ON_HOLD), ("toxin/face", Reason.ON_HOLD), ("filler/face", None)):
        assert _why(patient(COSMETIC_ENTRY, holds=(Hold(1, line=named),))) is reason


def test_a_booking_on_one_line_leaves_the_others_and_one_without_a_line_stops_all() -> None:
    facts = patient(COSMETIC_ENTRY, MEDICAL_ENTRY, appointments=(Appointment(1, day("2026-05-01"), "face"),))
    assert (_why(facts, episode=1), _why(facts, episode=2)) == (Reason.BOOKED, None)
    every = replace(facts, appointments=(Appointment(1, day("2026-05-01")),))
    assert (_why(every, episode=1), _why(every, episode=2)) == (Reason.BOOKED, Reason.BOOKED)


@pytest.mark.parametrize("outcome", [None, Outcome.KEPT])
@pytest.mark.parametrize(("today", "reason"), [("2026-04-16", Reason.BOOKED), ("2026-04-17", None)])
def test_a_booking_holds_until_7_days_past_without_a_treatment_kept_or_not(
    outcome: Outcome | None, today: str, reason: Reason | None
) -> None:
    booked = Appointment(1, day("2026-04-10"), "face", outcome)
    assert _why(patient(COSMETIC_ENTRY, appointments=(booked,)), today) is reason


@pytest.mark.parametrize("outcome", [Outcome.MISSED, Outcome.CANCELLED])
def test_a_missed_or_cancelled_booking_stops_nothing(outcome: Outcome) -> None:
    booked = Appointment(1, day("2026-05-01"), "face", outcome)
    assert _why(patient(COSMETIC_ENTRY, appointments=(booked,))) is None


@pytest.mark.parametrize("on", ["2026-01-04", "2026-01-05"])
def test_a_booking_up_to_the_day_of_the_treatment_was_for_that_treatment(on: str) -> None:
    assert _why(patient(COSMETIC_ENTRY, appointments=(Appointment(1, day(on)),)), "2026-01-06") is None


ORDER: list[tuple[Reason, dict[str, object]]] = [
    (Reason.PATIENT_ERASED, {"erased": True}),
    (Reason.DECEASED, {"status": Status.DECEASED}),
    (Reason.OPTED_OUT, {"opt_outs": frozenset({"all"})}),
    (Reason.NO_CONSENT, {"consent": Consent.DENIED}),
    (Reason.NO_EMAIL, {"has_email": False}),
    (Reason.ON_HOLD, {"holds": (Hold(1),)}),
    (Reason.BOOKED, {"appointments": (Appointment(1, day("2026-05-01")),)}),
    (Reason.REPLIED, {"answers": (Answer(AnswerKind.REPLIED, SAID),)}),
]


@pytest.mark.parametrize("place", range(len(ORDER)))
def test_of_several_reasons_the_most_lasting_is_told(place: int) -> None:
    more: dict[str, Any] = {}
    for _, facts in ORDER[place:]:
        more |= facts
    assert _why(patient(COSMETIC_ENTRY, **more)) is ORDER[place][0]


def test_every_reason_of_a_withdrawn_reminder_can_be_told() -> None:
    told = {
        *(reason for reason, _ in ORDER),
        *(Reason.BOUNCED_ADDRESS, Reason.COMPLAINED, Reason.INACTIVE, Reason.UNDER_AGE, Reason.NO_REPRESENTATIVE),
        *(Reason.TREATED_AGAIN, Reason.ENTERED_IN_ERROR, Reason.CONSULTATION_REQUESTED, Reason.PROTOCOL_CHANGED),
    }
    assert told == REASONS[State.CANCELLED]  # each of them stands in a test above


def test_a_medical_message_needs_no_more_than_not_being_denied() -> None:
    for consent in Consent:
        facts = patient(MEDICAL_ENTRY, consent=consent)
        assert runs(facts, rules())[0].protocol is not None
        assert (_why(facts) is None) == (consent is not Consent.DENIED)
