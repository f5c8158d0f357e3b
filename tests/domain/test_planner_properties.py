"""Whatever is known of a patient: the plan is the contract's, and agreeing with it is legal, harmless and done once."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import event, given, settings
from hypothesis import strategies as st

from reminders.domain.facts import Reminder
from reminders.domain.lifecycle import PENDING, Reason, State
from reminders.domain.planner import Plan, Wanted, reconcile, wanted
from tests.support.facts import apply
from tests.support.histories import Known, before_and_after, known
from tests.support.oracle import Expected, expected

UNTOUCHED = {
    *(State.SENT, State.BOUNCED, State.EXPIRED, State.CLAIMED),
    *(State.HANDED_OVER, State.UNKNOWN, State.FAILED),
}


@settings(max_examples=max(150, 3 * settings().max_examples))  # never fewer: mutants are judged by them too
@given(known())
def test_every_step_has_the_days_the_moment_and_the_standing_of_the_contract(case: Known) -> None:
    plan = wanted(case.facts, case.rules, case.now)
    told = expected(case.facts, case.rules, case.now)
    assert {(want.episode_id, want.step) for want in plan.steps} == set(told)
    for want in plan.steps:
        event(f"{want.state} {want.reason}")
        _agrees(want, told[want.episode_id, want.step])


def _agrees(want: Wanted, told: Expected) -> None:
    window = (want.window.opens, want.window.due, want.window.overdue, want.window.closes)
    assert (want.protocol, window) == (told.protocol, told.window)
    assert (want.days.first, want.days.last) == (told.first, told.last)
    assert (want.due_at, want.not_after) == (told.due_at, told.not_after)
    assert (want.state, want.snoozed_until) == (told.state, told.snoozed_until)
    assert want.reason in told.reasons


@settings(max_examples=2 * settings().max_examples)
@given(known(), st.sampled_from([1, 7, 20, 60, 150, 900]))
def test_nothing_changes_between_now_and_the_next_change_but_days_that_pass(case: Known, days: int) -> None:
    plan = wanted(case.facts, case.rules, case.now)
    later = case.now + dt.timedelta(days=days)
    if plan.next_change is not None:
        assert plan.next_change > case.now
        later = min(later, plan.next_change - dt.timedelta(seconds=1))
    for before, after in zip(plan.steps, wanted(case.facts, case.rules, later).steps, strict=True):
        assert before == after or (after.state is State.EXPIRED and later >= after.not_after)


@given(known())
def test_planning_from_nothing_stores_each_step_that_may_still_go_and_no_other(case: Known) -> None:
    plan = wanted(case.facts, case.rules, case.now)
    stored = apply((), reconcile((), plan, case.now))
    told = expected(case.facts, case.rules, case.now)
    lasting = {key for key, one in told.items() if case.now < one.not_after and Reason.TREATED_AGAIN not in one.reasons}
    assert {(one.episode_id, one.step) for one in stored} == lasting


Disturbance = tuple[tuple[State, Reason | None], bool, bool, int]
DISTURBANCES = st.lists(
    st.tuples(
        st.sampled_from(
            [
                *((state, None) for state in (State.SENT, State.BOUNCED, State.CLAIMED, State.UNKNOWN)),
                (State.HANDED_OVER, None),
                (State.EXPIRED, Reason.TOO_SOON),
                (State.FAILED, Reason.REJECTED_BY_SERVER),
                (State.HELD, Reason.BACKLOG_HOLD),
                (State.HELD, Reason.TEMPLATE_BROKEN),
                (State.PLANNED, Reason.WAITING_TO_MERGE),
                (State.PLANNED, Reason.SNOOZED),
                (State.PLANNED, None),
                (State.CANCELLED, Reason.BOOKED),
            ]
        ),
        st.booleans(),
        st.booleans(),
        st.integers(0, 2),
    ),
    max_size=6,
)


def _disturbed(stored: Sequence[Reminder], disturbances: list[Disturbance]) -> tuple[Reminder, ...]:
    """Let delivery and people have had their way with what is stored."""
    rows = list(stored)
    for place, (standing, waits, released, copy) in enumerate(disturbances[: len(rows)]):
        state, reason = standing
        row = replace(rows[place], state=state, reason=reason, released=released)
        if state is State.PLANNED and (waits or reason):
            row = replace(row, next_attempt_at=row.due_at + dt.timedelta(days=2), waited=True)
        rows[place] = row
        if copy:
            rows.append(replace(row, id=1000 + place, copy=copy))
    return tuple(rows)


@settings(max_examples=max(100, 2 * settings().max_examples))  # as above
@given(before_and_after(), DISTURBANCES)
def test_making_the_stored_agree_is_legal_touches_nothing_final_and_is_done_once(
    told: tuple[Known, Known], disturbances: list[Disturbance]
) -> None:
    before, after = told
    stored = apply((), reconcile((), wanted(before.facts, before.rules, before.now), before.now))
    stored = _disturbed(stored, disturbances)
    now = after.now
    plan = wanted(after.facts, after.rules, now)
    changes = reconcile(stored, plan, now)
    made = apply(stored, changes)  # checks every move
    for change in changes:
        event(str(change.action))
    assert not [c for c in changes if c.reminder is not None and c.reminder.state in UNTOUCHED]
    assert reconcile(made, plan, now) == ()
    identities = [(one.episode_id, one.step, one.copy) for one in made]
    assert len(identities) == len(set(identities))
    _pending_agree(made, plan, now)


def _pending_agree(made: Sequence[Reminder], plan: Plan, now: dt.datetime) -> None:
    """What may still go out is what the facts want, on its days; what they want is pending or accounted for."""
    by_step = {(want.episode_id, want.step): want for want in plan.steps}
    for one in made:
        want = by_step.get((one.episode_id, one.step))
        if one.state in PENDING:
            assert want is not None
            assert want.state in PENDING
            assert now < one.not_after
            assert (one.due_at, one.not_after, one.window) == (want.due_at, want.not_after, want.window)
        if one.state is State.CANCELLED and want is not None and now < want.not_after:
            assert want.state in (State.CANCELLED, State.EXPIRED)
    held = {(one.episode_id, one.step) for one in made if one.copy == 0}
    for want in plan.steps:
        ended = want.reason is Reason.TREATED_AGAIN
        assert (want.episode_id, want.step) in held or now >= want.not_after or ended
