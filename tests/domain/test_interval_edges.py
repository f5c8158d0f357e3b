"""The edges of intervals, retries and limits: how they are written, how far they reach, what they let by."""

import datetime as dt

import pytest

from reminders.domain.backlog import is_backlog
from reminders.domain.clock_check import BUILT_ON, Reading, Seen, Verdict, check, jump
from reminders.domain.interval import BadInterval, Interval
from reminders.domain.retry import FULL_ROUND, breaker_pause, next_attempt, ramp_after
from tests.support.facts import day, utc


@pytest.mark.parametrize(
    ("interval", "text"),
    [
        (Interval(1, 2, 3, 4), "1y2m3w4d"),
        (Interval(months=6, days=1, negative=True), "-6m1d"),
        (Interval(), "0d"),
        (Interval(weeks=12), "12w"),
    ],
)
def test_an_interval_is_written_as_clinics_write_it(interval: Interval, text: str) -> None:
    assert str(interval) == text
    assert Interval.parse(text) == interval


def test_what_is_typed_with_capitals_spaces_or_a_plus_is_read_all_the_same() -> None:
    assert Interval.parse(" +6M1D ") == Interval(months=6, days=1)


@pytest.mark.parametrize("text", ["-0d", "-0y0m0w0d", "+0w"])
def test_nothing_has_no_sign(text: str) -> None:
    assert Interval.parse(text) == Interval()


@pytest.mark.parametrize(
    "text", ["999y", "9999m", "9999w", "99999d", "-1y", "-1m", "-1w", "-1d", "123y1234m1234w12345d"]
)
def test_as_many_digits_as_a_person_may_type_are_read(text: str) -> None:
    assert str(Interval.parse(text)) == text


@pytest.mark.parametrize("text", ["1000y", "10000m", "10000w", "100000d"])
def test_a_digit_more_is_a_slip_of_the_finger(text: str) -> None:
    with pytest.raises(BadInterval):
        Interval.parse(text)


def test_a_refused_interval_is_quoted_and_a_long_one_cut() -> None:
    with pytest.raises(BadInterval, match=r"^'soon' is not an interval"):
        Interval.parse("soon")
    with pytest.raises(BadInterval, match=r"^'x{40}' is not an interval"):
        Interval.parse("x" * 60)
    with pytest.raises(BadInterval, match=r"^'-999y' is not an interval"):
        Interval.parse("-999y").after(day("0500-01-01"))


def test_a_negative_interval_takes_each_of_its_units_away() -> None:
    assert Interval.parse("-1y1m1w1d").after(day("2026-03-15")) == day("2025-02-07")


def test_a_ramp_ends_with_the_last_of_a_full_round() -> None:
    assert (ramp_after(1), ramp_after(FULL_ROUND - 1), ramp_after(FULL_ROUND)) == (2, 32, None)
    assert ramp_after(FULL_ROUND + 1) is None


@pytest.mark.parametrize(("refusals", "minutes"), [(-1, 5), (0, 5), (1, 5), (2, 15), (6, 240), (7, 240)])
def test_a_refusal_not_counted_yet_waits_as_the_first_does(refusals: int, minutes: int) -> None:
    assert next_attempt(utc("2026-01-05 10:00"), refusals, 0.5) - utc("2026-01-05 10:00") == dt.timedelta(
        minutes=minutes
    )


@pytest.mark.parametrize(("faults", "jitter", "seconds"), [(0, 0.5, 60), (1, 0.0, 45), (2, 0.5, 120), (9, 0.9, 1080)])
def test_a_rest_is_spread_over_a_quarter_less_and_a_quarter_more(faults: int, jitter: float, seconds: float) -> None:
    assert breaker_pause(faults, jitter).total_seconds() == pytest.approx(seconds)


def test_a_clinic_that_never_sends_has_a_backlog_beyond_fifty() -> None:
    assert [is_backlog(overdue, ()) for overdue in (50, 51)] == [False, True]


def test_five_minutes_and_a_microsecond_are_a_jump_five_minutes_are_none() -> None:
    start, instant = utc("2026-06-01 12:00"), dt.timedelta(microseconds=1)
    tolerated = dt.timedelta(minutes=5)
    assert jump(Reading(start, 0.0), Reading(start + tolerated, 0.0)) is None
    assert jump(Reading(start, 0.0), Reading(start + tolerated + instant, 0.0)) == tolerated + instant
    assert jump(Reading(start, 0.0), Reading(start - tolerated - instant, 0.0)) == -(tolerated + instant)


@pytest.mark.parametrize(
    ("now", "seen_at", "verdict"),
    [
        ("2025-12-31 23:59", None, Verdict.BEFORE_BUILD),
        ("2026-01-01 00:00", None, Verdict.STEADY),
        ("2027-06-01 00:00", "2026-04-27 00:00", Verdict.STEADY),  # a gap of 400 days
        ("2027-06-01 00:01", "2026-04-27 00:00", Verdict.AHEAD),
        ("2026-06-01 12:00", "2026-06-01 12:05", Verdict.STEADY),
        ("2026-06-01 12:00", "2026-06-01 12:06", Verdict.BEHIND),
    ],
)
def test_a_clock_is_believed_from_this_programs_first_day_and_over_a_gap_of_400(
    now: str, seen_at: str | None, verdict: Verdict
) -> None:
    assert check(utc(now), Seen(utc(seen_at) if seen_at else None)) is verdict


def test_the_programs_first_day_is_a_moment_like_any_later_one() -> None:
    assert check(BUILT_ON + dt.timedelta(days=401), Seen(BUILT_ON)) is Verdict.AHEAD


def test_a_clock_that_moves_on_by_days_while_its_machine_has_not_run_a_second_is_ahead() -> None:
    seen = Seen(utc("2026-06-01 12:00"), "start:100")
    assert check(utc("2026-06-02 12:00"), seen, "start:100") is Verdict.STEADY
    assert check(utc("2026-06-02 12:01"), seen, "start:100") is Verdict.AHEAD
    assert check(utc("2026-06-02 12:01"), seen, "start:99") is Verdict.STEADY  # no uptime runs backwards: unreadable


def test_the_words_for_a_clock_stay_as_they_are() -> None:
    assert " ".join(Verdict) == "steady behind before_build ahead"
