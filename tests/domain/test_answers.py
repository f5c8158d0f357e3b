"""What patients answered, in the plan: what it holds back, for which lines, until when, and what it ends."""

import datetime as dt
from typing import Any

import pytest

from reminders.domain.answers import Answer, AnswerKind
from reminders.domain.facts import Appointment, Outcome, PatientFacts
from reminders.domain.lifecycle import Reason
from reminders.domain.planner import Plan, wanted
from tests.support.facts import calendar, day, patient, rules, standings, step_of, utc

FACE, MIGRAINE = ("botulinum-cosmetic", "2026-01-05"), ("botulinum-migraine", "2026-01-05")
SAID = utc("2026-03-25 12:00")
NOW = utc("2026-03-26 12:00")
OF_FACE, OF_MIGRAINE = frozenset({"toxin/face"}), frozenset({"toxin/migraine"})


def _said(kind: AnswerKind, lines: frozenset[str] | None = OF_FACE, on: str | None = None, **more: Any) -> Answer:  # noqa: ANN401 - fields
    return Answer(kind, more.get("at", SAID), lines, day(on) if on else None)


def _plan(facts: PatientFacts, now: dt.datetime = NOW) -> Plan:
    return wanted(facts, rules(), now)


def _reasons(*answers: Answer, now: dt.datetime = NOW) -> tuple[set[Reason | None], set[Reason | None]]:
    """Return the reasons of the cosmetic and of the medical episode's steps to come."""
    plan = _plan(patient(FACE, MIGRAINE, answers=answers), now)
    found = [{why for state, why in standings(plan, number) if state != "expired"} for number in (1, 2)]
    return found[0], found[1]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (AnswerKind.CONSULTATION_REQUESTED, Reason.CONSULTATION_REQUESTED),
        (AnswerKind.PHONE_ME, Reason.CONSULTATION_REQUESTED),
        (AnswerKind.REPLIED, Reason.REPLIED),
        (AnswerKind.BOOKED, Reason.BOOKED),
    ],
)
def test_an_answer_holds_its_own_lines_back_and_one_without_lines_all(kind: AnswerKind, reason: Reason) -> None:
    assert _reasons(_said(kind)) == ({reason}, {None})
    assert _reasons(_said(kind, OF_MIGRAINE)) == ({None}, {reason})
    assert _reasons(_said(kind, None)) == ({reason}, {reason})


def test_what_is_about_writing_at_all_is_not_the_plans_to_hold_back() -> None:
    assert _reasons(_said(AnswerKind.STOPPED), _said(AnswerKind.WRONG_PERSON)) == ({None}, {None})


def test_a_booking_weighs_more_than_a_request() -> None:
    both = (_said(AnswerKind.CONSULTATION_REQUESTED), _said(AnswerKind.BOOKED))
    assert _reasons(*both)[0] == {Reason.BOOKED}


@pytest.mark.parametrize(("now", "reason"), [("2026-05-07 22:30", Reason.BOOKED), ("2026-05-07 23:30", None)])
def test_a_booking_for_a_day_holds_until_a_week_past_it_and_time_alone_ends_it(now: str, reason: Reason | None) -> None:
    facts = patient(FACE, answers=(_said(AnswerKind.BOOKED, on="2026-05-01"),))
    assert step_of(_plan(facts, utc(now)), "follow_up").reason is reason
    assert _plan(facts).next_change == utc("2026-05-07 23:00")


def test_a_booking_for_a_day_up_to_the_treatments_was_for_that_treatment() -> None:
    for on, reason in (("2026-03-20", None), ("2026-03-19", None), ("2026-03-21", Reason.BOOKED)):
        facts = patient(("botulinum-cosmetic", "2026-03-20"), answers=(_said(AnswerKind.BOOKED, on=on),))
        assert {why for _, why in standings(_plan(facts))} == {reason}


def test_a_booking_without_a_day_is_not_for_a_run_that_began_after_it_was_said() -> None:
    facts = patient(FACE, ("botulinum-cosmetic", "2026-03-26"), answers=(_said(AnswerKind.BOOKED),))
    assert {why for _, why in standings(_plan(facts), 2)} == {None}
    same_day = patient(("botulinum-cosmetic", "2026-03-25"), answers=(_said(AnswerKind.BOOKED),))
    assert {why for _, why in standings(_plan(same_day))} == {None}
    day_before = patient(("botulinum-cosmetic", "2026-03-24"), answers=(_said(AnswerKind.BOOKED),))
    assert {why for _, why in standings(_plan(day_before))} == {Reason.BOOKED}


def test_a_treatment_elsewhere_ends_the_run_on_the_months_last_day_but_not_after_it_was_said() -> None:
    answer = _said(AnswerKind.TREATED_ELSEWHERE, on="2026-03-01")
    for month, ended in (("2026-02-01", "2026-02-28"), ("2026-03-01", "2026-03-25")):
        told = _said(AnswerKind.TREATED_ELSEWHERE, on=month)
        assert told.elsewhere_on("Europe/London") == day(ended)
    plan = _plan(patient(FACE, MIGRAINE, answers=(answer,)))
    assert {why for _, why in standings(plan)} == {Reason.TREATED_AGAIN}
    assert Reason.TREATED_AGAIN not in {why for _, why in standings(plan, 2)}
    assert len({want.episode_id for want in plan.steps}) == 2  # it starts no sequence of its own


def test_the_day_it_was_said_is_the_clinics() -> None:
    late = Answer(AnswerKind.TREATED_ELSEWHERE, utc("2026-03-25 23:30"), OF_FACE, day("2026-03-01"))
    days = [late.elsewhere_on(zone) for zone in ("Europe/London", "Australia/Sydney", "America/New_York")]
    assert days == [day("2026-03-25"), day("2026-03-26"), day("2026-03-25")]


def test_a_treatment_elsewhere_before_the_treatment_or_on_its_day_ends_nothing() -> None:
    answer = _said(AnswerKind.TREATED_ELSEWHERE, on="2026-03-01")
    for on in ("2026-03-25", "2026-03-26"):
        plan = _plan(patient(("botulinum-cosmetic", on), answers=(answer,)))
        assert {why for _, why in standings(plan)} == {None}


@pytest.mark.parametrize(("treated", "ended"), [("2026-03-08", True), ("2026-03-09", False), ("2026-03-18", False)])
def test_a_treatment_elsewhere_ends_what_began_before_the_message_was_made_alone(treated: str, *, ended: bool) -> None:
    asked = utc("2026-03-08 23:30")  # in Sydney it is the 9th
    answer = Answer(AnswerKind.TREATED_ELSEWHERE, SAID, OF_FACE, day("2026-03-01"), asked)
    for zone, later in (("Europe/London", 1), ("Australia/Sydney", 0)):
        assert (answer.ends_on(day("2026-03-08"), zone) is None) == bool(later)
    far = calendar(zone="Australia/Sydney")
    plan = wanted(patient(("botulinum-cosmetic", treated), answers=(answer,)), rules(sends=far), NOW)
    assert ({why for _, why in standings(plan)} == {Reason.TREATED_AGAIN}) is ended


def test_what_a_treatment_elsewhere_does_not_end_it_does_not_space_either() -> None:
    both = OF_FACE | OF_MIGRAINE
    answer = Answer(AnswerKind.TREATED_ELSEWHERE, SAID, both, day("2026-03-01"), utc("2026-03-02 09:00"))
    new = ("botulinum-cosmetic", "2026-03-20")
    assert step_of(_plan(patient(new, answers=(answer,)))).window == step_of(_plan(patient(new))).window


def test_a_treatment_elsewhere_spaces_the_other_lines_of_its_group_as_one_here_would() -> None:
    told = _said(AnswerKind.TREATED_ELSEWHERE, OF_MIGRAINE, on="2026-02-01")
    here = patient(FACE, MIGRAINE, ("botulinum-migraine", "2026-02-28"))
    assert step_of(_plan(patient(FACE, MIGRAINE, answers=(told,)))).window == step_of(_plan(here)).window
    fillers = _said(AnswerKind.TREATED_ELSEWHERE, frozenset({"filler/lips"}), on="2026-02-01")
    assert step_of(_plan(patient(FACE, answers=(fillers,)))).window == step_of(_plan(patient(FACE))).window
    medical = step_of(_plan(patient(MIGRAINE, answers=(_said(AnswerKind.TREATED_ELSEWHERE, on="2026-02-01"),))))
    assert medical.window == step_of(_plan(patient(MIGRAINE))).window


def test_to_be_reminded_later_puts_off_the_lines_steps_to_that_day() -> None:
    later = _said(AnswerKind.REMIND_LATER, on="2026-05-16")  # a Saturday
    plan = _plan(patient(FACE, MIGRAINE, answers=(later,)))
    moved = step_of(plan, "follow_up")
    assert (moved.state, moved.reason, moved.snoozed_until) == ("planned", Reason.SNOOZED, utc("2026-05-18 09:00"))
    assert (step_of(plan, "last_call").reason, step_of(plan, "invitation").snoozed_until) == (
        None,
        step_of(plan, "invitation").not_after,
    )
    assert {why for _, why in standings(plan, 2)} == {None}


def test_of_several_days_to_be_reminded_on_the_one_said_last_rules() -> None:
    said = [
        _said(AnswerKind.REMIND_LATER, on="2026-05-26", at=utc("2026-03-20 12:00")),
        _said(AnswerKind.REMIND_LATER, on="2026-05-12", at=utc("2026-03-24 12:00")),
    ]
    for answers in (tuple(said), tuple(reversed(said))):
        plan = _plan(patient(FACE, answers=answers))
        assert step_of(plan, "follow_up").snoozed_until == utc("2026-05-12 09:00")


def test_peace_after_a_missed_appointment_and_a_wish_to_wait_end_with_the_later_of_both() -> None:
    missed = Appointment(1, day("2026-05-11"), None, Outcome.MISSED)
    for wish, until in (("2026-05-12", "2026-05-18 09:00"), ("2026-05-26", "2026-05-26 09:00")):
        said = (_said(AnswerKind.REMIND_LATER, on=wish),)
        plan = _plan(patient(FACE, appointments=(missed,), answers=said), utc("2026-05-11 12:00"))
        assert step_of(plan, "follow_up").snoozed_until == utc(until)


def test_an_answer_never_lifts_what_weighs_more() -> None:
    for kind in AnswerKind:
        facts = patient(FACE, opt_outs=frozenset({"all"}), answers=(_said(kind, on="2026-05-12"),))
        found = {why for state, why in standings(wanted(facts, rules(sends=calendar()), NOW)) if state == "cancelled"}
        assert found in ({Reason.OPTED_OUT}, {Reason.TREATED_AGAIN}), kind
