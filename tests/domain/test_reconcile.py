"""How what is stored comes to agree with the facts: what moves, appears, is withdrawn, returns, and is left alone."""

from dataclasses import replace

import pytest

from reminders.domain.facts import Appointment, Episode, Hold, Outcome, PatientFacts, Reminder, Rules
from reminders.domain.interval import Interval
from reminders.domain.lifecycle import Reason, State
from reminders.domain.planner import Action, Change, reconcile, wanted
from tests.support.facts import CATALOGUE, FACE, MEDICAL, apply, calendar, day, patient, protocol, rules, utc

ENTRY = ("botulinum-cosmetic", "2026-01-05")
ENTERED, SPRING = "2026-01-05 12:00", "2026-04-10 12:00"
RULES = rules()
BOOKED = (Appointment(1, day("2026-05-01")),)
MISSED_TWICE = tuple(Appointment(n, day(f"2026-04-0{n}"), None, Outcome.MISSED) for n in (1, 2))


def _changes(
    stored: tuple[Reminder, ...], facts: PatientFacts, now: str = ENTERED, goes_by: Rules = RULES
) -> tuple[Change, ...]:
    return reconcile(stored, wanted(facts, goes_by, utc(now)), utc(now))


def _after(
    stored: tuple[Reminder, ...], facts: PatientFacts, now: str = ENTERED, goes_by: Rules = RULES
) -> tuple[Reminder, ...]:
    return apply(stored, _changes(stored, facts, now, goes_by))


def _stored(facts: PatientFacts | None = None, now: str = ENTERED) -> tuple[Reminder, ...]:
    return _after((), facts or patient(ENTRY), now)


def _told(stored: tuple[Reminder, ...]) -> list[tuple[str, Reason | None]]:
    return [(one.state.value, one.reason) for one in stored]


def _with(stored: tuple[Reminder, ...], **first: object) -> tuple[Reminder, ...]:
    fields: dict[str, object] = dict(first)
    return (replace(stored[0], **fields), *stored[1:])  # type: ignore[arg-type]


def test_an_entry_inserts_its_steps_and_planning_twice_changes_nothing() -> None:
    stored = _stored()
    assert _told(stored) == [("planned", None)] * 3
    assert _changes(stored, patient(ENTRY)) == ()


def test_steps_whose_days_passed_before_the_entry_are_not_stored() -> None:
    assert [one.step for one in _stored(now="2026-05-20 12:00")] == ["follow_up", "last_call"]
    assert [one.step for one in _stored(now="2026-05-04 23:00")] == ["follow_up", "last_call"]
    assert len(_stored(now="2026-05-04 22:59")) == 3


def test_steps_of_an_episode_that_had_ended_before_the_entry_are_not_stored() -> None:
    facts = patient(ENTRY, ("botulinum-cosmetic", "2026-04-01"))
    assert {one.episode_id for one in _stored(facts, SPRING)} == {2}


def test_not_even_when_something_else_speaks_against_writing() -> None:
    facts = patient(ENTRY, ("botulinum-cosmetic", "2026-04-01"), erased=True)
    assert {one.episode_id for one in _stored(facts, SPRING)} == {2}


def test_a_step_without_a_sending_day_is_stored_as_expired_so_that_it_is_accounted_for() -> None:
    never = rules(sends=calendar(weekdays=()))
    stored = _after((), patient(ENTRY), goes_by=never)
    assert _told(stored) == [("expired", Reason.TOO_LATE)] * 3


def test_a_withheld_step_is_stored_as_cancelled_with_its_reason() -> None:
    assert _told(_stored(patient(ENTRY, has_email=False))) == [("cancelled", Reason.NO_EMAIL)] * 3


def test_a_new_treatment_withdraws_what_is_pending_and_leaves_what_was_sent() -> None:
    stored = _with(_stored(), state=State.SENT)
    after = _after(stored, patient(ENTRY, ("botulinum-cosmetic", "2026-04-10")), SPRING)
    assert _told(after) == [("sent", None), *[("cancelled", Reason.TREATED_AGAIN)] * 2, *[("planned", None)] * 3]


def test_voiding_withdraws_and_a_new_entry_of_the_episode_plans_again() -> None:
    voided = _after(_stored(), replace(patient(ENTRY), treatments=()))
    assert _told(voided) == [("cancelled", Reason.ENTERED_IN_ERROR)] * 3
    again = _after(voided, patient(ENTRY))
    assert _told(again) == [("planned", None)] * 3
    assert [one.id for one in again] == [one.id for one in voided]


def test_what_had_passed_when_its_entry_was_voided_has_expired() -> None:
    after = _after(_stored(), replace(patient(ENTRY), treatments=()), "2026-05-20 12:00")
    assert [state for state, _ in _told(after)] == ["expired", "cancelled", "cancelled"]


def test_a_correction_within_the_line_moves_the_same_reminders() -> None:
    corrected = patient(("botulinum-cosmetic", "2026-01-12"), episodes=(Episode(1, "face", day("2026-01-05")),))
    after = _after(_stored(), corrected, "2026-01-13 12:00")
    assert [(one.id, f"{one.due_at:%Y-%m-%d}") for one in after] == [
        (1, "2026-03-30"),
        (2, "2026-05-12"),
        (3, "2026-06-22"),
    ]


def test_a_correction_into_another_line_withdraws_the_old_and_opens_new_steps_but_those_that_count_as_sent() -> None:
    stored = _with(_stored(), state=State.SENT)
    old = Episode(1, "face", day("2026-01-05"))
    new = Episode(2, "lips", day("2026-01-05"), counts_as_sent=frozenset({"invitation"}))
    corrected = patient(("filler-lips", "2026-01-05"))
    corrected = replace(
        corrected,
        episodes=(old, new),
        treatments=tuple(treatment._replace(episode_id=2) for treatment in corrected.treatments),
    )
    after = _after(stored, corrected)
    assert [(one.episode_id, one.step, one.state.value) for one in after] == [
        (1, "invitation", "sent"),
        (1, "follow_up", "cancelled"),
        (1, "last_call", "cancelled"),
        (2, "follow_up", "planned"),
    ]


def test_an_edited_protocol_moves_inserts_and_withdraws() -> None:
    [shorter] = [protocol(FACE.code, "4m 5m 6m 7m", "opens -2w, due 0d", line="face", min_days=90)]
    goes_by = rules(CATALOGUE | {FACE.code: shorter})
    after = _after(_stored(), patient(ENTRY), goes_by=goes_by)
    assert [(one.step, one.state.value, str(one.window.opens)) for one in after] == [
        ("invitation", "planned", "2026-05-05"),
        ("follow_up", "planned", "2026-05-05"),
        ("last_call", "cancelled", "2026-04-05"),
    ]
    assert after[2].reason is Reason.PROTOCOL_CHANGED
    assert _told(_after(after, patient(ENTRY))) == [("planned", None)] * 3


def test_a_protocol_whose_class_was_changed_takes_its_pending_reminders_along() -> None:
    goes_by = rules(CATALOGUE | {FACE.code: replace(FACE, class_name=MEDICAL)})
    after = _after(_stored(), patient(ENTRY), goes_by=goes_by)
    assert {one.class_name for one in after} == {MEDICAL}


def test_an_edited_calendar_moves_what_is_pending() -> None:
    after = _after(_stored(), patient(ENTRY), goes_by=rules(sends=calendar(send_at=660)))
    assert [f"{one.due_at:%H:%M}" for one in after] == ["11:00", "10:00", "10:00"]


def test_a_booking_withdraws_and_its_cancellation_brings_back_what_lasts() -> None:
    booked = _after(_stored(), patient(ENTRY, appointments=BOOKED), SPRING)
    assert _told(booked) == [("cancelled", Reason.BOOKED)] * 3
    assert _told(_after(booked, patient(ENTRY), SPRING)) == [("planned", None)] * 3
    later = _after(booked, patient(ENTRY), "2026-05-20 12:00")
    assert _told(later) == [("cancelled", Reason.BOOKED), *[("planned", None)] * 2]  # a cancelled one stays so


def test_seven_days_after_a_booking_without_a_treatment_the_steps_come_back_by_themselves() -> None:
    facts = patient(ENTRY, appointments=(Appointment(1, day("2026-04-20")),))
    booked = _after(_stored(), facts, SPRING)
    plan = wanted(facts, RULES, utc(SPRING))
    assert plan.next_change == utc("2026-04-26 23:00")
    assert _changes(booked, facts, "2026-04-26 22:59:59") == ()
    assert _told(_after(booked, facts, "2026-04-26 23:00")) == [("planned", None)] * 3


def test_a_missed_appointment_brings_the_steps_back_snoozed() -> None:
    booked = _after(_stored(), patient(ENTRY, appointments=BOOKED), SPRING)
    missed = patient(ENTRY, appointments=(Appointment(1, day("2026-05-01"), None, Outcome.MISSED),))
    after = _after(booked, missed, "2026-05-02 12:00")
    assert _told(after)[:2] == [("planned", Reason.SNOOZED), ("planned", Reason.SNOOZED)]
    assert after[1].wake_at == utc("2026-05-08 09:00")
    assert after[1].due_at == utc("2026-05-05 09:00")


def test_a_second_miss_holds_what_is_planned_and_what_comes_back_but_not_what_a_person_released() -> None:
    facts = patient(ENTRY, appointments=MISSED_TWICE)
    stored = _with(_stored(), released=True)
    stored = (stored[0], stored[1], replace(stored[2], state=State.CANCELLED, reason=Reason.BOOKED))
    after = _after(stored, facts, SPRING)
    held = ("held", Reason.HELD_FOR_REVIEW)
    assert _told(after) == [("planned", None), held, held]
    assert [change.action for change in _changes(stored, facts, SPRING)] == [Action.HOLD, Action.HOLD]


def test_a_held_reminder_waits_for_its_person_though_its_days_move() -> None:
    stored = _with(_stored(), state=State.HELD, reason=Reason.BACKLOG_HOLD)
    after = _after(stored, patient(ENTRY, own_due={"": Interval.parse("14w")}))
    assert _told(after)[0] == ("held", Reason.BACKLOG_HOLD)
    assert f"{after[0].not_after:%Y-%m-%d}" == "2026-04-12"


@pytest.mark.parametrize("state", [State.PLANNED, State.HELD])
def test_what_is_pending_expires_when_its_days_have_passed(state: State) -> None:
    reason = Reason.TEMPLATE_BROKEN if state is State.HELD else None
    stored = _with(_stored(), state=state, reason=reason)
    assert _told(_after(stored, patient(ENTRY), "2026-05-04 23:00"))[0] == ("expired", Reason.TOO_LATE)


def test_a_cancelled_one_stays_so_when_its_days_pass() -> None:
    facts = patient(ENTRY, has_email=False)
    assert _changes(_stored(facts), facts, "2027-05-04 23:00") == ()


def test_a_reason_that_changes_is_told() -> None:
    cancelled = _stored(patient(ENTRY, holds=(Hold(1),)))
    after = _after(cancelled, patient(ENTRY, holds=(Hold(1),), opt_outs=frozenset({"all"})))
    assert _told(after) == [("cancelled", Reason.OPTED_OUT)] * 3


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        *((state, None) for state in (State.SENT, State.BOUNCED, State.CLAIMED, State.HANDED_OVER, State.UNKNOWN)),
        (State.FAILED, Reason.REJECTED_BY_SERVER),
        (State.EXPIRED, Reason.TOO_SOON),
    ],
)
def test_what_was_sent_or_is_in_a_workers_hands_or_with_a_person_is_left_alone(
    state: State, reason: Reason | None
) -> None:
    stored = tuple(replace(one, state=state, reason=reason) for one in _stored())
    for facts in (patient(ENTRY, erased=True), patient(ENTRY, own_due={"": Interval.parse("14w")})):
        for now in (ENTERED, "2027-01-01 12:00"):
            assert _changes(stored, facts, now) == ()


def test_a_waiting_or_retried_reminder_keeps_what_delivery_said_of_it() -> None:
    waits = {"reason": Reason.WAITING_TO_MERGE, "waited": True, "next_attempt_at": utc("2026-03-25 10:00")}
    stored = _with(_stored(), **waits)
    assert _changes(stored, patient(ENTRY), "2026-03-24 12:00") == ()
    moved = _after(stored, patient(ENTRY, own_due={"": Interval.parse("14w")}), "2026-03-24 12:00")
    assert (moved[0].reason, moved[0].wake_at) == (Reason.WAITING_TO_MERGE, utc("2026-03-25 10:00"))


def test_a_restored_reminder_has_no_retry_of_its_own_any_more() -> None:
    withdrawn = {"state": State.CANCELLED, "reason": Reason.BOOKED, "next_attempt_at": utc("2026-03-25 10:00")}
    after = _after(_with(_stored(), **withdrawn), patient(ENTRY))
    assert (after[0].state, after[0].next_attempt_at) == (State.PLANNED, None)


def test_a_copy_sent_by_hand_is_withdrawn_and_moved_with_the_facts_but_never_inserted_or_held() -> None:
    stored = _stored()
    stored = (*stored, replace(stored[0], id=9, copy=1))
    assert _changes(stored, patient(ENTRY)) == ()
    assert _told(_after(stored, patient(ENTRY, erased=True)))[3] == ("cancelled", Reason.PATIENT_ERASED)
    held = _after(stored, patient(ENTRY, appointments=MISSED_TWICE), SPRING)
    assert [state for state, _ in _told(held)] == ["held", "held", "held", "planned"]


def test_a_copy_sent_by_hand_does_not_stand_for_the_plans_own() -> None:
    stored = _stored()
    after = _after((replace(stored[0], copy=1), *stored[1:]), patient(ENTRY))
    assert [(one.step, one.copy) for one in after if one.step == "invitation"] == [("invitation", 1), ("invitation", 0)]


def test_when_a_miss_turns_out_to_be_none_a_retried_reminder_is_no_longer_snoozed() -> None:
    snoozed = {"reason": Reason.SNOOZED, "snoozed_until": utc("2026-04-09 09:00")}
    stored = _with(_stored(), **snoozed, next_attempt_at=utc("2026-04-09 10:00"))
    after = _after(stored, patient(ENTRY), SPRING)
    assert (after[0].reason, after[0].snoozed_until, after[0].wake_at) == (None, None, utc("2026-04-09 10:00"))


def test_reminders_of_an_episode_that_is_gone_were_entered_in_error() -> None:
    after = _after(_stored(), patient())
    assert _told(after) == [("cancelled", Reason.ENTERED_IN_ERROR)] * 3
