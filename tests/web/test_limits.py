"""Counting of clients: the pace, the bound of the table, and clocks that are set."""

import pytest

from reminders.web.limits import Allowance, counted_as
from tests.support.clinic import FakeClock


def test_an_address_has_its_minutes_worth_and_then_its_pace() -> None:
    clock = FakeClock()
    allowance = Allowance(clock, 6)
    assert [allowance.wait("a") for _ in range(7)] == [0, 0, 0, 0, 0, 0, 10]
    clock.advance(seconds=10)
    assert [allowance.wait("a") for _ in range(2)] == [0, 10]
    clock.advance(seconds=600)
    assert [allowance.wait("a") for _ in range(7)] == [0, 0, 0, 0, 0, 0, 10]


def test_a_clock_that_is_set_back_gives_nothing_away_and_locks_nobody_out() -> None:
    clock = FakeClock()
    allowance = Allowance(clock, 1)
    assert allowance.wait("a") == 0
    clock.advance(days=-1)
    assert allowance.wait("a") == 60
    clock.advance(seconds=60)
    assert allowance.wait("a") == 0


def test_the_table_keeps_to_its_bound_and_forgets_who_asked_longest_ago() -> None:
    allowance = Allowance(FakeClock(), 1, most=100)
    for number in range(10_000):
        assert allowance.wait(f"192.0.2.{number}") == 0
    assert len(allowance) == 100
    assert allowance.wait("192.0.2.9999") > 0
    assert allowance.wait("192.0.2.0") == 0


@pytest.mark.parametrize(
    ("host", "name"),
    [
        *(("192.0.2.7", "192.0.2.7"), ("::ffff:192.0.2.7", "192.0.2.7"), ("2001:db8:1:2:3::4", "2001:db8:1:2::/64")),
        *(("fe80::1%eth0", "fe80::/64"), (None, "unknown"), ("", "unknown"), ("a name", "unknown")),
    ],
)
def test_what_an_address_is_counted_under(host: str | None, name: str) -> None:
    assert counted_as(host) == name
