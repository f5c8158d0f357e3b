"""The window: four days counted from the treatment, moved only as the contract says."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminders.domain.interval import Interval
from reminders.domain.protocol import Anchor, Protocol
from reminders.domain.window import Window, allowed_days, earliest_opening, spaced, window_of
from tests.support.facts import CATALOGUE, FACE, LIPS, LONG, MIGRAINE, day, protocol
from tests.support.oracle import plain_window

DAYS = st.dates(dt.date(2023, 1, 1), dt.date(2030, 12, 31))
OWN = st.one_of(st.none(), st.sampled_from(["1d", "12w", "14w", "4m", "5m2w", "1y"]).map(Interval.parse))


def _window(text: str) -> Window:
    return Window(*map(day, text.split()))


@pytest.mark.parametrize(
    ("treated", "window"),
    [
        ("2026-01-05", "2026-04-05 2026-05-05 2026-06-05 2026-07-05"),
        ("2025-08-31", "2025-11-30 2025-12-31 2026-01-31 2026-02-28"),
        ("2027-08-31", "2027-11-30 2027-12-31 2028-01-31 2028-02-29"),
        ("2028-02-29", "2028-05-29 2028-06-29 2028-07-29 2028-08-29"),
    ],
)
def test_the_default_window_opens_at_3m_is_due_at_4m_overdue_at_5m_and_closes_at_6m(treated: str, window: str) -> None:
    assert window_of(FACE, day(treated)) == _window(window)


def test_opens_is_never_sooner_than_90_days_where_three_months_are_89() -> None:
    treated = day("2026-02-01")
    assert (day("2026-05-01") - treated).days == 89
    assert window_of(FACE, treated).opens == day("2026-05-02")


def test_the_other_days_do_not_move_with_opens() -> None:
    assert window_of(FACE, day("2026-02-01")) == _window("2026-05-02 2026-06-01 2026-07-01 2026-08-01")


def test_the_other_days_are_never_before_opens() -> None:
    slow = protocol("slow", "3m 3m 14w 4m", min_days=100)
    assert window_of(slow, day("2026-02-01")) == _window("2026-05-12 2026-05-12 2026-05-12 2026-06-01")


def test_without_a_minimum_the_interval_alone_rules() -> None:
    assert window_of(protocol("plain"), day("2026-02-01")).opens == day("2026-05-01")


def test_an_own_interval_replaces_due_and_an_earlier_one_leaves_the_rest() -> None:
    window = window_of(FACE, day("2026-01-05"), Interval.parse("14w"))
    assert window == _window("2026-04-05 2026-04-13 2026-06-05 2026-07-05")


def test_a_later_own_interval_moves_overdue_and_closes_by_as_many_days() -> None:
    window = window_of(FACE, day("2026-01-05"), Interval.parse("4m10d"))
    assert window == _window("2026-04-05 2026-05-15 2026-06-15 2026-07-15")


def test_an_own_interval_is_never_before_opens() -> None:
    assert window_of(FACE, day("2026-01-05"), Interval.parse("6w")).due == day("2026-04-05")


def test_spacing_moves_all_four_days_by_as_many_days_and_never_back() -> None:
    window = window_of(FACE, day("2026-01-05"))
    assert spaced(window, FACE, [day("2026-01-15")]) == _window("2026-04-15 2026-05-15 2026-06-15 2026-07-15")
    assert spaced(window, FACE, []) == window
    assert spaced(window, FACE, [day("2025-12-01")]) == window
    assert spaced(window, FACE, [day("2026-01-15"), day("2026-01-10")]).opens == day("2026-04-15")


def test_spacing_keeps_the_minimum_of_days_too() -> None:
    assert earliest_opening(FACE, day("2026-02-01")) == day("2026-05-02")
    window = window_of(FACE, day("2026-01-31"))
    assert window.opens == day("2026-05-01")
    assert spaced(window, FACE, [day("2026-02-01")]).opens == day("2026-05-02")


def test_a_step_may_go_out_until_the_day_before_the_next_and_the_last_until_closes() -> None:
    window = window_of(FACE, day("2026-01-05"))
    days = [(str(allowed.first), str(allowed.last)) for allowed in allowed_days(FACE, window)]
    assert days == [
        ("2026-03-22", "2026-05-04"),  # opens - 2w, until the day before due
        ("2026-05-05", "2026-06-13"),  # due, until the day before closes - 3w
        ("2026-06-14", "2026-07-05"),  # closes - 3w, until closes
    ]


def test_no_step_may_go_out_after_the_window_closes() -> None:
    late = protocol("late", steps="due 0d, closes 2w")
    [first, last] = allowed_days(late, window_of(late, day("2026-01-05")))
    assert first.last == day("2026-07-05")
    assert last.last < last.first


@pytest.mark.parametrize("one", [FACE, LONG, MIGRAINE, LIPS])
def test_every_anchor_names_its_day(one: Protocol) -> None:
    window = window_of(one, day("2026-01-05"))
    assert [window.day(anchor) for anchor in Anchor] == [window.opens, window.due, window.overdue, window.closes]


@given(st.sampled_from(list(CATALOGUE.values())), DAYS, OWN)
def test_every_window_is_the_one_counted_day_by_day_and_ascends(
    one: Protocol, treated: dt.date, own: Interval | None
) -> None:
    window = window_of(one, treated, own)
    assert (window.opens, window.due, window.overdue, window.closes) == plain_window(one, treated, own)
    assert treated < window.opens <= min(window.due, window.overdue)
    assert window.overdue <= window.closes
    assert (window.opens - treated).days >= one.min_days
