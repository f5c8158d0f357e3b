"""The steps a patient's facts ask for: their days and moments, and how each stands today."""

import datetime as dt
from dataclasses import replace

import pytest

from reminders.domain.facts import Appointment, Episode, Hold, Kind, Outcome, PatientFacts
from reminders.domain.interval import Interval
from reminders.domain.lifecycle import Reason, State
from reminders.domain.planner import Plan, wanted
from reminders.domain.sending_hours import SendingCalendar
from tests.support.facts import CATALOGUE, calendar, catalogue, day, patient, protocol, rules, standings, step_of, utc

FACE, MIGRAINE = "botulinum-cosmetic", "botulinum-migraine"
ENTRY = (FACE, "2026-01-05")
ON_ENTRY = "2026-01-05 12:00"
PLANNED = ("planned", None)
TOO_LATE = ("expired", Reason.TOO_LATE)


def _plan(facts: PatientFacts, now: str = ON_ENTRY, sends: SendingCalendar | None = None) -> Plan:
    return wanted(facts, rules(sends=sends), utc(now))


def _dues(plan: Plan) -> list[str]:
    return [f"{want.step} {want.due_at:%Y-%m-%d %H:%M} {want.not_after:%Y-%m-%d %H:%M}" for want in plan.steps]


def test_the_default_protocol_invites_two_weeks_before_opens_follows_up_at_due_and_calls_last_before_closes() -> None:
    assert _dues(_plan(patient(ENTRY))) == [
        "invitation 2026-03-23 10:00 2026-05-04 23:00",  # the 22nd is a Sunday; in summer ten is nine
        "follow_up 2026-05-05 09:00 2026-06-13 23:00",
        "last_call 2026-06-15 09:00 2026-07-05 23:00",
    ]


def test_every_step_of_every_episode_is_told_by_line_and_day() -> None:
    plan = _plan(patient((MIGRAINE, "2026-01-05"), ENTRY, ("filler-lips", "2026-01-02")))
    told = [(want.protocol, want.step) for want in plan.steps]
    assert told == [
        *(("filler-lips", name) for name in ("invitation", "follow_up")),
        *((FACE, name) for name in ("invitation", "follow_up", "last_call")),
        *((MIGRAINE, name) for name in ("invitation", "follow_up")),
    ]


def test_a_step_names_its_protocol_its_class_and_the_treatment_it_comes_from() -> None:
    want = step_of(_plan(patient((FACE, "2025-06-01"), ENTRY, (FACE, "2026-01-20", Kind.TOUCH_UP))), episode=2)
    assert (want.protocol, want.class_name.value, want.treatment_id) == (FACE, "cosmetic", 2)


def test_a_step_without_a_sending_day_in_its_allowed_days_expires() -> None:
    only = catalogue(protocol("short", "3m 3m2d 5m 6m", "opens 0d, due 0d"))
    goes_by = rules(only, calendar(closed=["2026-04-06"]))
    plan = wanted(patient(("short", "2026-01-05"), protocols=only), goes_by, utc(ON_ENTRY))
    assert standings(plan) == [TOO_LATE, PLANNED]  # 5 April is a Sunday, the 6th is closed, the 7th is the next step's
    assert step_of(plan).due_at == utc("2026-04-05 09:00")


def test_closed_days_move_a_step_within_its_allowed_days() -> None:
    closed = calendar(closed=["2026-03-23", "2026-03-24"])
    assert step_of(_plan(patient(ENTRY), sends=closed)).due_at == utc("2026-03-25 10:00")


@pytest.mark.parametrize(("now", "state"), [("2026-05-04 22:59:59", "planned"), ("2026-05-04 23:00", "expired")])
def test_a_step_may_go_out_until_the_midnight_that_ends_its_last_day(now: str, state: str) -> None:
    assert step_of(_plan(patient(ENTRY), now)).state == state


def test_a_back_dated_entry_expires_the_steps_whose_days_have_passed() -> None:
    assert standings(_plan(patient(ENTRY), "2026-05-20 12:00")) == [TOO_LATE, PLANNED, PLANNED]
    assert standings(_plan(patient(ENTRY), "2026-12-01 12:00")) == [TOO_LATE] * 3


def test_an_episode_that_ended_expired_what_had_passed_and_withdraws_the_rest() -> None:
    plan = _plan(patient(ENTRY, (FACE, "2026-05-20")), "2026-12-30 12:00")
    assert standings(plan, 1) == [
        TOO_LATE,  # until 4 May
        ("cancelled", Reason.TREATED_AGAIN),  # until 13 June
        ("cancelled", Reason.TREATED_AGAIN),  # and so it stays when its days have passed
    ]


@pytest.mark.parametrize(("again", "state"), [("2026-05-04", "cancelled"), ("2026-05-05", "expired")])
def test_a_treatment_on_a_steps_last_day_withdraws_it_and_a_day_later_it_had_passed(again: str, state: str) -> None:
    assert step_of(_plan(patient(ENTRY, (FACE, again)), "2026-06-01 12:00")).state == state


def test_a_step_sent_under_the_entry_that_this_one_corrects_counts_as_sent() -> None:
    corrected = Episode(1, "face", day("2026-01-05"), counts_as_sent=frozenset({"invitation"}))
    plan = _plan(patient(ENTRY, episodes=(corrected,)))
    assert [want.step for want in plan.steps] == ["follow_up", "last_call"]


def test_a_correction_within_the_line_moves_the_steps_of_the_same_episode() -> None:
    plan = _plan(patient((FACE, "2026-01-12"), episodes=(Episode(1, "face", day("2026-01-05")),)), "2026-01-12 12:00")
    assert step_of(plan).due_at == utc("2026-03-30 09:00")


def test_a_withdrawn_entry_asks_for_nothing_and_says_why() -> None:
    plan = _plan(replace(patient(ENTRY), treatments=()))
    assert (plan.steps, plan.otherwise) == ((), {1: Reason.ENTERED_IN_ERROR})


def test_a_protocol_that_was_switched_off_asks_for_nothing_and_says_why() -> None:
    plan = _plan(patient(("peel-light", "2026-01-05")))
    assert (plan.steps, plan.otherwise) == ((), {1: Reason.PROTOCOL_CHANGED})


def test_an_own_interval_moves_the_steps_that_are_counted_from_due() -> None:
    plan = _plan(patient(ENTRY, own_due={"": Interval.parse("14w")}))
    assert [str(want.days.first) for want in plan.steps] == ["2026-03-22", "2026-04-13", "2026-06-14"]


def test_what_is_withheld_is_cancelled_until_its_days_have_passed() -> None:
    held = patient(ENTRY, holds=(Hold(1),))
    assert standings(_plan(held)) == [("cancelled", Reason.ON_HOLD)] * 3
    assert standings(_plan(held, "2026-05-20 12:00")) == [TOO_LATE, *[("cancelled", Reason.ON_HOLD)] * 2]


def test_no_step_is_ever_allowed_after_the_window_closes() -> None:
    plan = _plan(patient(*((code, "2026-01-05") for code in CATALOGUE)))
    assert all(want.days.last <= want.window.closes for want in plan.steps)


def _missed(*days: str) -> tuple[Appointment, ...]:
    return tuple(Appointment(number, day(on), "face", Outcome.MISSED) for number, on in enumerate(days))


def test_after_a_missed_appointment_a_step_is_planned_and_snoozed_for_7_days() -> None:
    want = step_of(_plan(patient(ENTRY, appointments=_missed("2026-04-02")), "2026-04-03 12:00"))
    assert (want.state, want.reason) == (State.PLANNED, Reason.SNOOZED)
    assert (want.due_at, want.snoozed_until) == (utc("2026-03-23 10:00"), utc("2026-04-09 09:00"))


def test_a_miss_that_is_noted_late_leaves_the_week_from_its_noting() -> None:
    def snoozed(noted_on: str | None) -> dt.datetime | None:
        missed = Appointment(1, day("2026-03-24"), "face", Outcome.MISSED, day(noted_on) if noted_on else None)
        return step_of(_plan(patient(ENTRY, appointments=(missed,)), "2026-04-03 12:00")).snoozed_until

    assert snoozed("2026-04-02") == utc("2026-04-09 09:00")
    assert snoozed("2026-03-24") == snoozed("2026-03-20") == snoozed(None) == utc("2026-03-31 09:00")


def test_the_last_noted_miss_is_the_one_that_counts() -> None:
    early = Appointment(1, day("2026-03-24"), "face", Outcome.MISSED, day("2026-04-02"))
    late = Appointment(2, day("2026-03-26"), "migraine", Outcome.MISSED, day("2026-03-26"))
    want = step_of(_plan(patient(ENTRY, appointments=(early, late)), "2026-04-03 12:00"))
    assert want.snoozed_until == utc("2026-04-09 09:00")


def test_the_week_ends_on_a_sending_day() -> None:
    want = step_of(_plan(patient(ENTRY, appointments=_missed("2026-03-28")), "2026-04-03 12:00"))
    assert want.snoozed_until == utc("2026-04-06 09:00")  # a week later is a Saturday


def test_a_step_that_is_due_after_the_week_is_not_snoozed() -> None:
    plan = _plan(patient(ENTRY, appointments=_missed("2026-04-02")), "2026-04-03 12:00")
    assert standings(plan)[1:] == [PLANNED, PLANNED]


def test_a_step_whose_days_end_within_the_week_waits_for_its_end() -> None:
    want = step_of(_plan(patient(ENTRY, appointments=_missed("2026-05-01")), "2026-05-02 12:00"))
    assert (want.state, want.snoozed_until) == (State.PLANNED, want.not_after)


def test_a_second_miss_in_one_episode_is_for_staff_only() -> None:
    plan = _plan(patient(ENTRY, appointments=_missed("2026-03-25", "2026-04-10")), "2026-04-12 12:00")
    assert standings(plan) == [("held", Reason.HELD_FOR_REVIEW)] * 3


def test_misses_of_an_earlier_episode_do_not_count() -> None:
    facts = patient((FACE, "2025-06-01"), ENTRY, appointments=_missed("2025-09-10", "2025-10-10", "2026-03-01"))
    assert step_of(_plan(facts, "2026-03-02 12:00"), episode=2).state is State.PLANNED


def test_time_alone_changes_the_plan_when_a_hold_a_booking_or_a_minority_ends() -> None:
    facts = patient(
        ENTRY,
        birth_date=day("2008-06-01"),
        holds=(Hold(1, until=day("2026-04-10")),),
        appointments=(Appointment(1, day("2026-04-20")), Appointment(2, day("2026-01-06"), outcome=Outcome.MISSED)),
    )
    found = [_plan(facts, now).next_change for now in (ON_ENTRY, "2026-04-10 12:00", "2026-04-27 12:00", "2026-06-02")]
    assert found == [utc("2026-04-09 23:00"), utc("2026-04-26 23:00"), utc("2026-05-31 23:00"), None]


def test_a_clinic_far_east_has_its_own_today() -> None:
    held = patient(ENTRY, holds=(Hold(1, until=day("2026-02-01")),))
    auckland = calendar("Pacific/Auckland")
    standing = [step_of(_plan(held, now, auckland)).state for now in ("2026-01-31 10:59", "2026-01-31 11:00")]
    assert standing == [State.CANCELLED, State.PLANNED]


def test_the_same_facts_at_the_same_moment_ask_for_the_same() -> None:
    facts = patient(ENTRY, (MIGRAINE, "2026-01-05"), ("filler-lips", "2025-10-05"))
    shuffled = replace(facts, treatments=facts.treatments[::-1], episodes=facts.episodes[::-1])
    assert _plan(facts) == _plan(shuffled)
