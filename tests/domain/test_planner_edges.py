"""The edges of agreeing with the facts: the midnight at which days end, and that a change brings the new days."""

from dataclasses import replace

import pytest

from reminders.domain.facts import Appointment, Outcome, PatientFacts, Reminder, Rules
from reminders.domain.lifecycle import Reason, State
from reminders.domain.planner import Action, Change, reconcile, wanted
from tests.support.facts import CATALOGUE, FACE, apply, calendar, day, patient, protocol, rules, utc

ENTRY = ("botulinum-cosmetic", "2026-01-05")
ENTERED, SPRING = "2026-01-05 12:00", "2026-04-10 12:00"
INVITATION_ENDS = "2026-05-04 23:00"
RULES = rules()
LATER = rules(CATALOGUE | {FACE.code: protocol(FACE.code, "4m 5m 6m 7m", "opens -2w, due 0d, closes -3w", line="face")})
EARLIER = rules(
    CATALOGUE | {FACE.code: protocol(FACE.code, "2m 3m 4m 5m", "opens -2w, due 0d, closes -3w", line="face")}
)
MISSED_TWICE = tuple(Appointment(n, day(f"2026-04-0{n}"), None, Outcome.MISSED) for n in (1, 2))


def _changes(
    stored: tuple[Reminder, ...], facts: PatientFacts, now: str = ENTERED, goes_by: Rules = RULES
) -> tuple[Change, ...]:
    return reconcile(stored, wanted(facts, goes_by, utc(now)), utc(now))


def _invitation(facts: PatientFacts | None = None, **more: object) -> Reminder:
    stored = apply((), _changes((), facts or patient(ENTRY)))[0]
    return replace(stored, **more)  # type: ignore[arg-type]


def _change(
    reminder: Reminder, facts: PatientFacts, now: str = ENTERED, goes_by: Rules = RULES
) -> tuple[Action, State, Reason | None] | None:
    """Return what happens to one stored reminder, having seen that its new days are brought whenever there are any."""
    plan = wanted(facts, goes_by, utc(now))
    of_it = [one for one in reconcile((reminder,), plan, utc(now)) if one.reminder is not None]
    for one in of_it:
        asked = [want for want in plan.steps if (want.episode_id, want.step) == (1, reminder.step)]
        assert one.reminder == reminder
        assert one.wanted == (asked[0] if asked else None)
    return (of_it[0].action, of_it[0].state, of_it[0].reason) if of_it else None


def test_what_is_not_stored_yet_is_inserted() -> None:
    assert [(one.action, one.state, one.reminder) for one in _changes((), patient(ENTRY))] == [
        (Action.INSERT, State.PLANNED, None)
    ] * 3


VOIDED = replace(patient(ENTRY), treatments=())


@pytest.mark.parametrize(
    ("now", "then"),
    [
        ("2026-05-04 22:59:59", (Action.WITHDRAW, State.CANCELLED, Reason.ENTERED_IN_ERROR)),
        (INVITATION_ENDS, (Action.EXPIRE, State.EXPIRED, Reason.TOO_LATE)),
    ],
)
def test_what_nobody_asks_for_is_withdrawn_until_the_midnight_that_ends_its_days_and_expires_at_it(
    now: str, then: tuple[Action, State, Reason]
) -> None:
    assert _change(_invitation(), VOIDED, now) == then


@pytest.mark.parametrize(("now", "told"), [("2026-05-04 22:59:59", True), (INVITATION_ENDS, False)])
def test_a_withdrawn_one_takes_on_no_new_reason_from_the_midnight_that_ends_its_days(now: str, *, told: bool) -> None:
    again = patient(ENTRY, ("botulinum-cosmetic", "2026-04-10"))
    found = _change(_invitation(state=State.CANCELLED, reason=Reason.BOOKED), again, now)
    # the run ended on 10 April, within the invitation's days
    assert found == ((Action.WITHDRAW, State.CANCELLED, Reason.TREATED_AGAIN) if told else None)


@pytest.mark.parametrize("now", ["2026-05-04 22:59:59", INVITATION_ENDS])
def test_what_is_asked_for_goes_until_the_midnight_that_ends_its_days_and_expires_at_it(now: str) -> None:
    expired = (Action.EXPIRE, State.EXPIRED, Reason.TOO_LATE)
    assert _change(_invitation(), patient(ENTRY), now) == (expired if now == INVITATION_ENDS else None)


def test_a_withdrawn_one_whose_days_had_passed_returns_when_a_protocol_gives_it_new_ones() -> None:
    withdrawn = _invitation(state=State.CANCELLED, reason=Reason.BOOKED)
    assert _change(withdrawn, patient(ENTRY), "2026-05-20 12:00") is None
    assert _change(withdrawn, patient(ENTRY), "2026-05-20 12:00", LATER) == (Action.RESTORE, State.PLANNED, None)


def test_days_that_a_protocol_moves_into_the_past_expire_and_the_new_days_are_kept() -> None:
    assert _change(_invitation(), patient(ENTRY), SPRING, EARLIER) == (
        *(Action.EXPIRE, State.EXPIRED, Reason.TOO_LATE),
    )
    assert _change(_invitation(state=State.CANCELLED, reason=Reason.BOOKED), patient(ENTRY), SPRING, EARLIER) is None


def test_what_is_withdrawn_brings_the_new_days_and_what_was_withdrawn_before_follows_them() -> None:
    unreachable = patient(ENTRY, has_email=False)
    withdrawn = (Action.WITHDRAW, State.CANCELLED, Reason.NO_EMAIL)
    assert _change(_invitation(), unreachable) == withdrawn
    before = _invitation(unreachable)
    assert _change(before, unreachable) is None
    assert _change(before, unreachable, goes_by=LATER) == withdrawn


@pytest.mark.parametrize("goes_by", [RULES, LATER])
def test_what_was_held_before_it_was_withdrawn_is_held_again_for_its_own_reason(goes_by: Rules) -> None:
    withdrawn = _invitation(state=State.CANCELLED, reason=Reason.BOOKED, held_reason=Reason.BACKLOG_HOLD)
    held_again = (Action.HOLD, State.HELD, Reason.BACKLOG_HOLD)
    assert _change(withdrawn, patient(ENTRY), goes_by=goes_by) == held_again
    released = replace(withdrawn, released=True)
    assert _change(released, patient(ENTRY), goes_by=goes_by) == held_again


def test_what_was_held_before_and_is_to_be_held_now_tells_the_reason_of_now() -> None:
    withdrawn = _invitation(state=State.CANCELLED, reason=Reason.BOOKED, held_reason=Reason.BACKLOG_HOLD)
    twice_missed = patient(ENTRY, appointments=MISSED_TWICE)
    assert _change(withdrawn, twice_missed, SPRING) == (Action.HOLD, State.HELD, Reason.HELD_FOR_REVIEW)


@pytest.mark.parametrize("goes_by", [RULES, LATER])
def test_what_is_held_for_review_brings_its_days(goes_by: Rules) -> None:
    twice_missed = patient(ENTRY, appointments=MISSED_TWICE)
    held = (Action.HOLD, State.HELD, Reason.HELD_FOR_REVIEW)
    assert _change(_invitation(), twice_missed, SPRING, goes_by) == held
    assert _change(_invitation(state=State.CANCELLED, reason=Reason.BOOKED), twice_missed, SPRING, goes_by) == held


def test_a_held_one_moves_with_its_days_and_keeps_its_reason() -> None:
    held = _invitation(state=State.HELD, reason=Reason.TEMPLATE_BROKEN)
    assert _change(held, patient(ENTRY)) is None
    assert _change(held, patient(ENTRY), goes_by=LATER) == (Action.MOVE, State.HELD, Reason.TEMPLATE_BROKEN)
    snoozed = replace(held, snoozed_until=utc("2026-03-25 10:00"))
    assert _change(snoozed, patient(ENTRY)) == (Action.MOVE, State.HELD, Reason.TEMPLATE_BROKEN)


@pytest.mark.parametrize(
    "stale",
    [
        {"due_at": utc("2026-03-24 10:00")},
        {"not_after": utc("2026-05-05 23:00")},
        {"window": _invitation().window._replace(overdue=day("2026-06-06"))},
        {"protocol": "botulinum-cosmetic-long"},
        {"class_name": CATALOGUE["botulinum-migraine"].class_name},
        {"treatment_id": 7},
        {"treatment_id": None},
        {"snoozed_until": utc("2026-03-25 10:00")},
        {"reason": Reason.SNOOZED},
    ],
)
def test_a_planned_one_moves_when_anything_that_is_stored_of_the_plan_differs(stale: dict[str, object]) -> None:
    assert _change(_invitation(None, **stale), patient(ENTRY)) == (Action.MOVE, State.PLANNED, None)


def test_what_delivery_said_is_forgotten_with_the_attempt_it_was_said_of() -> None:
    waiting = _invitation(reason=Reason.WAITING_TO_MERGE, next_attempt_at=utc("2026-03-25 10:00"))
    assert _change(waiting, patient(ENTRY)) is None
    assert _change(replace(waiting, next_attempt_at=None), patient(ENTRY)) == (Action.MOVE, State.PLANNED, None)
    withdrawn = replace(waiting, state=State.CANCELLED, reason=Reason.BOOKED)
    assert _change(withdrawn, patient(ENTRY)) == (Action.RESTORE, State.PLANNED, None)


def test_peace_that_lasts_beyond_the_days_of_a_step_ends_with_them() -> None:
    missed = (Appointment(1, day("2026-05-02"), None, Outcome.MISSED),)
    found = wanted(patient(ENTRY, appointments=missed), RULES, utc("2026-05-02 12:00")).steps[0]
    assert (found.state, found.reason, found.snoozed_until) == (*(State.PLANNED, Reason.SNOOZED, utc(INVITATION_ENDS)),)


def test_peace_that_ends_when_a_step_falls_due_anyway_puts_off_nothing() -> None:
    missed = (
        Appointment(1, day("2026-03-16"), None, Outcome.MISSED),
    )  # until Monday the 23rd, the invitation's moment
    found = wanted(patient(ENTRY, appointments=missed), RULES, utc("2026-03-17 12:00")).steps[0]
    assert (found.reason, found.snoozed_until, found.due_at) == (None, None, utc("2026-03-23 10:00"))


def test_time_alone_next_changes_the_plan_on_the_first_of_the_days_to_come() -> None:
    facts = patient(ENTRY, birth_date=day("2008-04-20"), appointments=(Appointment(1, day("2026-04-20")),))
    assert wanted(facts, RULES, utc(SPRING)).next_change == utc("2026-04-19 23:00")
    assert wanted(facts, RULES, utc("2026-04-19 23:00")).next_change == utc("2026-04-26 23:00")
    assert wanted(facts, RULES, utc("2026-04-26 23:00")).next_change is None
    for outcome, comes in ((Outcome.KEPT, True), (Outcome.MISSED, False), (Outcome.CANCELLED, False)):
        settled = patient(ENTRY, appointments=(Appointment(1, day("2026-04-20"), None, outcome),))
        assert (wanted(settled, RULES, utc(SPRING)).next_change is not None) is comes


def test_a_step_that_no_day_allows_has_a_moment_and_an_end_all_the_same() -> None:
    upside_down = rules(
        CATALOGUE | {FACE.code: protocol(FACE.code, "3m 4m 5m 6m", "closes 0d, due 0d, opens 0d", line="face")},
        calendar(send_at=555),
    )
    first = wanted(patient(ENTRY), upside_down, utc(ENTERED)).steps[0]
    assert first.days.last < first.days.first
    assert (first.state, first.reason) == (State.EXPIRED, Reason.TOO_LATE)
    assert (first.due_at, first.not_after) == (utc("2026-07-05 08:15"), utc("2026-07-04 23:00"))


def test_the_words_under_which_changes_are_counted_stay_as_they_are() -> None:
    assert " ".join(Action) == "insert move withdraw restore hold expire"
