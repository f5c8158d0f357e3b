"""The states of a reminder: every legal move, every illegal one, and the reasons that each state may carry."""

import pytest

from reminders.domain.lifecycle import COUNTS_AS_SENT, FINAL, IN_FLIGHT, PENDING, IllegalMove, Reason, State, check_move

# Drawn by hand from the contract (States of a reminder), a row for the state before, a column for the state after.
COLUMNS = "planned held claimed handed_over sent bounced unknown failed cancelled expired"
DRAWN = """
planned      x  x  x  .  .  .  .  .  x  x
held         x  x  .  .  .  .  .  .  x  x
claimed      x  x  x  x  .  .  .  x  x  x
handed_over  x  .  .  x  x  .  x  x  .  .
sent         .  .  .  .  .  x  .  .  .  .
bounced      .  .  .  .  .  .  .  .  .  .
unknown      x  .  .  .  x  x  x  x  .  .
failed       x  .  .  .  .  .  .  x  .  .
cancelled    x  x  .  .  .  .  .  .  x  .
expired      .  .  .  .  .  .  .  .  .  .
"""
REASONS = {
    "planned": "snoozed clinic_paused waiting_to_merge",
    "held": "held_for_review backlog_hold template_broken",
    "failed": "rejected_by_server too_many_attempts",
    "cancelled": "no_email no_consent opted_out bounced_address complained deceased inactive under_age "
    "no_representative treated_again entered_in_error booked consultation_requested replied on_hold patient_erased "
    "protocol_changed",
    "expired": "too_late too_soon",
}
GIVEN = {state: REASONS.get(state.value, "").split() for state in State}
LEGAL = {
    (State(before), State(after))
    for before, *marks in (row.split() for row in DRAWN.strip().splitlines())
    for after, mark in zip(COLUMNS.split(), marks, strict=True)
    if mark == "x"
}


def _is_legal(before: State, after: State, reason: Reason | None) -> bool:
    try:
        check_move(before, after, reason)
    except IllegalMove:
        return False
    return True


@pytest.mark.parametrize("after", State)
@pytest.mark.parametrize("before", State)
def test_a_move_is_legal_exactly_if_the_contract_draws_it(before: State, after: State) -> None:
    reasons: list[Reason | None] = [Reason(reason) for reason in GIVEN[after]]
    for reason in reasons or [None]:
        assert _is_legal(before, after, reason) == ((before, after) in LEGAL)


@pytest.mark.parametrize("after", State)
def test_each_state_carries_its_own_reasons_and_no_other(after: State) -> None:
    into = [before for before, then in LEGAL if then is after]
    told = {reason for reason in Reason if any(_is_legal(before, after, reason) for before in into)}
    assert {reason.value for reason in told} == set(GIVEN[after])


@pytest.mark.parametrize("after", ["held", "failed", "cancelled", "expired"])
def test_what_does_not_go_out_says_why(after: str) -> None:
    assert not any(_is_legal(before, State(after), None) for before in State)


@pytest.mark.parametrize("after", ["planned", "claimed", "handed_over", "sent", "bounced", "unknown"])
def test_the_others_need_no_reason(after: str) -> None:
    assert any(_is_legal(before, State(after), None) for before in State)


def test_every_reason_belongs_to_exactly_one_state() -> None:
    assert sorted(reason for reasons in GIVEN.values() for reason in reasons) == sorted(
        reason.value for reason in Reason
    )


def test_every_state_but_planned_held_cancelled_and_expired_is_reached_through_a_claim() -> None:
    into = {after: {before for before, then in LEGAL if then is after and before is not after} for after in State}
    assert into[State.CLAIMED] == {State.PLANNED}
    assert into[State.HANDED_OVER] == {State.CLAIMED}
    assert into[State.SENT] == {State.HANDED_OVER, State.UNKNOWN}
    assert into[State.UNKNOWN] == {State.HANDED_OVER}
    assert into[State.BOUNCED] == {State.SENT, State.UNKNOWN}


def test_only_sent_bounced_and_expired_are_final_and_a_sent_one_may_still_come_back() -> None:
    onward = {state: {after for before, after in LEGAL if before is state and after is not state} for state in State}
    assert {state for state in State if not onward[state]} == {State.BOUNCED, State.EXPIRED}
    assert onward[State.SENT] == {State.BOUNCED}
    assert {State.SENT, State.BOUNCED, State.EXPIRED} == FINAL


def test_an_unknown_one_never_goes_back_to_a_worker_by_itself() -> None:
    assert (State.UNKNOWN, State.CLAIMED) not in LEGAL
    assert (State.UNKNOWN, State.HANDED_OVER) not in LEGAL


def test_what_may_have_arrived_what_is_pending_and_what_is_on_its_way_are_apart() -> None:
    assert {State.SENT, State.BOUNCED, State.UNKNOWN} == COUNTS_AS_SENT
    assert {State.PLANNED, State.HELD} == PENDING
    assert {State.CLAIMED, State.HANDED_OVER} == IN_FLIGHT


def test_an_illegal_move_says_which_in_one_sentence() -> None:
    with pytest.raises(IllegalMove, match=r"A reminder that is sent cannot become planned \(no reason\)"):
        check_move(State.SENT, State.PLANNED, None)
