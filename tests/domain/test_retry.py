"""When a refused message is tried again, and how long a broken transport rests."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminders.domain.retry import RESCUE_LIMIT, breaker_pause, next_attempt, ramp_after
from tests.support.facts import utc

NOW = utc("2026-01-05 10:00")
JITTER = st.floats(0, 1, exclude_max=True)


def _minutes(refusals: int, jitter: float = 0.5) -> float:
    return (next_attempt(NOW, refusals, jitter) - NOW) / dt.timedelta(minutes=1)


def test_the_waits_grow_from_5_minutes_to_4_hours_and_stay_there() -> None:
    assert [_minutes(refusals) for refusals in range(1, 9)] == [5, 15, 30, 60, 120, 240, 240, 240]


@pytest.mark.parametrize(("refusals", "jitter", "minutes"), [(2, 0.0, 7.5), (2, 0.75, 18.75), (6, 0.0, 120)])
def test_jitter_spreads_a_wait_over_half_to_one_and_a_half(refusals: int, jitter: float, minutes: float) -> None:
    assert _minutes(refusals, jitter) == minutes


def test_nothing_is_tried_again_within_5_minutes_so_that_greylisting_lets_it_in() -> None:
    assert _minutes(1, 0.0) == 5


@given(st.integers(-3, 1_000_000), JITTER)
def test_a_wait_is_never_under_5_minutes_nor_over_6_hours(refusals: int, jitter: float) -> None:
    assert 5 <= _minutes(refusals, jitter) <= 360


@given(st.integers(1, 20), JITTER)
def test_later_refusals_never_wait_less(refusals: int, jitter: float) -> None:
    assert _minutes(refusals, jitter) <= _minutes(refusals + 1, jitter)


def test_a_transport_rests_a_minute_after_its_first_fault_doubling_to_15() -> None:
    pauses = [breaker_pause(faults, 0.5) / dt.timedelta(minutes=1) for faults in range(1, 8)]
    assert pauses == [1, 2, 4, 8, 15, 15, 15]


@given(st.integers(-3, 10**12), JITTER)
def test_a_rest_is_bounded_however_long_the_fault(faults: int, jitter: float) -> None:
    assert dt.timedelta(seconds=45) <= breaker_pause(faults, jitter) < dt.timedelta(minutes=19)


def test_a_reminder_is_rescued_three_times_after_its_body_had_begun() -> None:
    assert RESCUE_LIMIT == 3


def test_a_ramp_grows_by_what_is_accepted_until_it_is_over() -> None:
    rounds: list[int] = []
    ramp: int | None = 1
    while ramp is not None and len(rounds) < 9:
        rounds.append(ramp)
        for _ in range(rounds[-1]):
            ramp = ramp_after(ramp)
    assert rounds == [1, 2, 4, 8, 16, 32]
    assert ramp_after(None) is None
