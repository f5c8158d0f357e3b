"""A tick: whatever happens in it, the next one comes, and no line tells what it stumbled over."""

import random
from collections.abc import Callable

import pytest

from reminders.errors import CannotDo
from reminders.services.guarding.lock import Because, ClockAhead
from reminders.store.faults import DatabaseBusy
from reminders.worker.signs import Signs
from reminders.worker.ticks import EndsNow, Tick, Ticker
from tests.support.ticking import FakeTime, Kept


class NoSuchThing(CannotDo):
    """There is no {thing}: it was asked for {times} times."""


class Bench:
    """A ticker and a tick that does what a test says."""

    def __init__(self) -> None:
        self.time, self.kept, self.signs, self.runs = FakeTime(), Kept(), Signs(), 0
        self.act: Callable[[], object] = lambda: None
        self.ticker = Ticker(self.kept.log, self.signs, self.time, random.Random(1))
        self.tick = Tick("deliver", 30, self._act)

    def _act(self, beat: Callable[[], None]) -> None:
        self.runs += 1
        beat()
        self.act()

    def fails(self, error: BaseException) -> None:
        def act() -> None:
            raise error

        self.act = act

    def run(self, times: int = 1, *, apart_s: float = 30) -> None:
        for _ in range(times):
            self.time.advance(apart_s)
            self.ticker.run(self.tick)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_an_error_nobody_foresaw_is_one_line_without_its_words_and_the_tick_lives_on(bench: Bench) -> None:
    bench.fails(ValueError("Ada Lovelace <ada@home.example>"))
    bench.run(3, apart_s=120)
    bench.act = lambda: None
    bench.run(1, apart_s=120)
    assert bench.runs == 4
    failed, well = bench.kept.lines()
    assert (failed["problem"], failed["level"]) == ("ValueError", "error")
    assert "Ada" not in bench.kept.stream.getvalue()
    assert well["event"] == "a tick works again"


def test_an_error_of_ours_is_said_by_its_sentence_with_numbers_and_without_words(bench: Bench) -> None:
    bench.fails(NoSuchThing(thing="ada@home.example", times=3))
    bench.run()
    [line] = bench.kept.lines()
    assert line["said"] == "There is no …: it was asked for 3 times."


def test_what_fails_again_and_again_is_said_once_an_hour(bench: Bench) -> None:
    bench.fails(DatabaseBusy())
    bench.run(115, apart_s=60)
    assert len(bench.kept.lines()) == 2


def test_a_lock_that_stops_every_tick_is_said_once_an_hour(bench: Bench) -> None:
    bench.fails(ClockAhead(because=Because.CLOCK_AHEAD))
    names = ("heartbeat", "rescue", "deliver", "plan", "retention")
    for _ in range(70):
        bench.time.advance(61)
        for name in names:
            bench.ticker.run(Tick(name, 30, bench.tick.act))
    assert [line["problem"] for line in bench.kept.lines()] == ["ClockAhead"] * 2
    assert all(bench.ticker.degraded_but(name) for name in names)


def test_what_else_stops_several_ticks_is_said_of_each(bench: Bench) -> None:
    bench.fails(DatabaseBusy())
    for name in ("deliver", "plan"):
        bench.ticker.run(Tick(name, 30, bench.tick.act))
    assert [line["tick"] for line in bench.kept.lines()] == ["deliver", "plan"]


def test_after_a_failure_it_waits_and_each_time_longer(bench: Bench) -> None:
    bench.fails(DatabaseBusy())
    bench.run(100, apart_s=1)
    assert 4 < bench.runs < 12
    bench.run(1, apart_s=120)
    bench.act = lambda: None
    bench.run(1, apart_s=120)
    before = bench.runs
    bench.run(5, apart_s=1)
    assert bench.runs == before + 5, "well again, it does not wait any more"


def test_a_tick_that_waits_still_shows_that_the_clock_lives(bench: Bench) -> None:
    bench.fails(DatabaseBusy())
    bench.run(10, apart_s=0.01)
    assert (bench.runs, bench.signs.ended, bench.signs.running) == (1, 10, {})


def test_a_tick_that_ends_early_has_not_failed(bench: Bench) -> None:
    bench.fails(EndsNow())
    bench.run(2)
    assert (bench.runs, bench.kept.lines()) == (2, [])
    assert not bench.ticker.degraded_but("plan")


def test_it_knows_whether_another_tick_fails(bench: Bench) -> None:
    bench.fails(DatabaseBusy())
    bench.run()
    assert bench.ticker.degraded_but("plan")
    assert not bench.ticker.degraded_but("deliver")
