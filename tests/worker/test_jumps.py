"""A clock that jumped stops what goes out, until it has been steady or a person has looked."""

import datetime as dt

import pytest

from reminders.worker.jumps import STEADY_BEATS, JumpWatch
from tests.support.clinic import FakeClock
from tests.support.ticking import FakeTime, Kept


class Machine:
    """A machine whose clocks a test moves."""

    def __init__(self, since_seen: dt.timedelta = dt.timedelta(0)) -> None:
        self.clock, self.time, self.kept = FakeClock(), FakeTime(), Kept()
        self.watch = JumpWatch(self.clock, self.time, self.kept.log)
        self.watch.seen_at = self.clock.now() - since_seen
        self.watch.beat()

    def runs(self, seconds: float) -> None:
        self.clock.advance(seconds=seconds)
        self.time.advance(seconds)

    def sleeps(self, hours: float) -> None:
        self.clock.advance(hours=hours)
        self.time.sleep(hours * 3600)


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.mark.parametrize("hours", [1, -1, 24 * 365, -24])
def test_after_a_jump_nothing_goes_out_until_three_steady_heartbeats_have_passed(machine: Machine, hours: int) -> None:
    machine.runs(10)
    machine.clock.advance(hours=hours)
    assert machine.watch.look()
    for _ in range(STEADY_BEATS):
        assert machine.watch.paused
        machine.runs(10)
        machine.watch.beat()
    assert not machine.watch.paused
    jumped = [line for line in machine.kept.lines() if line["level"] == "warning"]
    assert [line["seconds"] for line in jumped] == [hours * 3600]


def test_a_heartbeat_under_a_clock_that_jumped_again_is_no_steady_one(machine: Machine) -> None:
    machine.clock.advance(hours=1)
    machine.watch.look()
    machine.clock.advance(hours=-1)
    machine.watch.beat()
    machine.runs(10)
    machine.watch.beat()
    machine.watch.beat()
    assert machine.watch.paused
    machine.watch.beat()
    assert not machine.watch.paused


def test_a_laptop_that_slept_has_not_jumped(machine: Machine) -> None:
    machine.sleeps(14)
    assert not machine.watch.look()
    assert not machine.watch.paused


@pytest.mark.parametrize(("length", "locks"), [(dt.timedelta(hours=23), False), (dt.timedelta(hours=25), True)])
def test_a_jump_ahead_of_more_than_a_day_asks_for_the_lock(machine: Machine, length: dt.timedelta, locks: bool) -> None:  # noqa: FBT001 - a row of the table
    machine.clock.set(machine.clock.now() + length)
    machine.watch.look()
    assert machine.watch.locks is locks


@pytest.mark.parametrize(("days", "waits"), [(0.9, False), (1.1, True), (-1.1, True), (300, True)])
def test_a_machine_that_begins_far_from_what_was_seen_waits_for_three_steady_heartbeats(
    days: float,
    waits: bool,  # noqa: FBT001 - a row of the table
) -> None:
    machine = Machine(dt.timedelta(days=days))
    assert machine.watch.paused is waits
    for _ in range(STEADY_BEATS if waits else 0):
        assert machine.watch.paused
        machine.runs(10)
        machine.watch.beat()
    assert not machine.watch.paused
    assert not machine.watch.locks  # a restart may follow months of rest; what the wall did meanwhile nobody knows


def test_a_clock_that_is_set_soon_after_the_start_waits_again() -> None:
    machine = Machine(dt.timedelta(days=300))
    machine.clock.advance(days=-299)
    machine.runs(10)
    machine.watch.beat()
    assert machine.watch.paused


def test_a_clock_that_drifts_or_is_set_by_minutes_is_left_alone(machine: Machine) -> None:
    for _ in range(10):
        machine.clock.advance(minutes=4)
        assert not machine.watch.look()
