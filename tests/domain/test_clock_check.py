"""The verdict on a clock: what is tolerated, what is noticed, and what stops everything."""

import datetime as dt

import pytest

from reminders.domain.clock_check import BUILT_ON, LONGEST_DOWNTIME, TOLERATED, Reading, Seen, Verdict, check, jump
from tests.support.facts import utc

NOW = utc("2026-06-01 12:00")
SECOND = dt.timedelta(seconds=1)


@pytest.mark.parametrize(
    ("seen_at", "verdict"),
    [
        (None, Verdict.STEADY),
        (NOW, Verdict.STEADY),
        (NOW + TOLERATED, Verdict.STEADY),
        (NOW + TOLERATED + SECOND, Verdict.BEHIND),
        (NOW + dt.timedelta(days=4000), Verdict.BEHIND),
        (NOW - dt.timedelta(days=366), Verdict.STEADY),
        (NOW - LONGEST_DOWNTIME, Verdict.STEADY),
        (NOW - LONGEST_DOWNTIME - SECOND, Verdict.AHEAD),
    ],
)
def test_a_clock_is_judged_by_what_was_seen_before(seen_at: dt.datetime | None, verdict: Verdict) -> None:
    assert check(NOW, Seen(seen_at), built_on=utc("2020-01-01 00:00")) is verdict


@pytest.mark.parametrize("seen_at", [None, NOW, utc("1970-01-01 00:00")])
def test_a_day_before_the_program_was_made_is_wrong_whatever_was_seen(seen_at: dt.datetime | None) -> None:
    assert check(BUILT_ON - SECOND, Seen(seen_at)) is Verdict.BEFORE_BUILD
    assert check(BUILT_ON, Seen(None)) is Verdict.STEADY


DAY = dt.timedelta(days=1)
START = "f0e1"


@pytest.mark.parametrize(
    ("before", "now", "verdict"),
    [
        (f"{START}:100", f"{START}:160", Verdict.AHEAD),  # the wall moved by 40 days, the machine by a minute
        (f"{START}:100", f"{START}:{100 + 39 * 86400}", Verdict.STEADY),
        (f"{START}:100", f"{START}:{99 + 39 * 86400}", Verdict.AHEAD),
        (f"{START}:100", "another:160", Verdict.STEADY),
        (f"{START}:100", f"{START}:99", Verdict.STEADY),  # no machine's uptime goes back: it is another's
        (f"{START}:100", f"{START}:-5", Verdict.STEADY),
        (f"{START}:", f"{START}:160", Verdict.STEADY),
        (None, f"{START}:160", Verdict.STEADY),
        (f"{START}:100", None, Verdict.STEADY),
        (":100", ":160", Verdict.STEADY),
    ],
)
def test_while_the_machine_runs_its_clock_moves_no_day_further(
    before: str | None, now: str | None, verdict: Verdict
) -> None:
    assert check(NOW, Seen(NOW - 40 * DAY, before), now) is verdict


def test_a_moment_before_the_program_was_made_proves_nothing() -> None:
    assert check(NOW, Seen(utc("1970-01-01 00:00"))) is Verdict.STEADY


@pytest.mark.parametrize("off", [dt.timedelta(minutes=6), dt.timedelta(minutes=-6), dt.timedelta(days=3650)])
def test_a_jump_is_what_the_wall_went_more_than_the_machine(off: dt.timedelta) -> None:
    passed = dt.timedelta(seconds=30)
    assert jump(Reading(NOW, 1000.0), Reading(NOW + passed + off, 1030.0)) == off


def test_what_keepers_of_time_do_to_a_clock_is_no_jump() -> None:
    for off in (dt.timedelta(0), TOLERATED, -TOLERATED):
        assert jump(Reading(NOW, 0.0), Reading(NOW + off + dt.timedelta(seconds=10), 10.0)) is None


def test_a_laptops_night_asleep_is_no_jump() -> None:
    night = dt.timedelta(hours=9)
    assert jump(Reading(NOW, 50.0), Reading(NOW + night, 50.0 + night.total_seconds())) is None
