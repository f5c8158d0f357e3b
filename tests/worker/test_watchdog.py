"""The watchdog sees a clock that died, and takes nothing else for dead."""

import datetime as dt
import threading

import pytest

from reminders.clock import SystemClock
from reminders.stopping import Stop
from reminders.worker.clockwork import Clockwork, Pace, Scheduler
from reminders.worker.signs import Signs
from reminders.worker.watchdog import Watch, Watchdog
from tests.support.clinic import FakeClock, Office
from tests.support.ticking import FakeTime, Kept, app_at, eventually

LOOK_S, SILENCE_S = 5.0, 90.0


class Watched:
    """A watchdog over signs that a test gives, looked through by hand."""

    def __init__(self, *, alive: bool = True) -> None:
        self.time, self.signs, self.alive = FakeTime(), Signs(), alive
        limits = {"deliver": 1200.0}
        self.dog = Watchdog(self.signs, lambda: self.alive, self.time, SILENCE_S, limits, LOOK_S)

    def after(self, seconds: float, *, shown_by: str | None = None) -> str | None:
        """Let time pass, a look every five seconds; return the first verdict."""
        for _ in range(int(seconds / LOOK_S)):
            self.time.advance(LOOK_S)
            if shown_by:
                self.signs.beat(shown_by)
            if found := self.dog.look():
                return found
        return None


def test_ninety_seconds_without_a_tick_are_the_death_of_the_clock() -> None:
    watched = Watched()
    assert watched.after(SILENCE_S) is None
    assert watched.dog.healthy
    assert watched.after(LOOK_S) == "ticks"
    assert not watched.dog.healthy


def test_a_clock_whose_ticks_end_lives_for_ever() -> None:
    watched = Watched()
    for _ in range(50):
        assert watched.after(80) is None
        watched.signs.end("heartbeat")
    assert watched.dog.healthy


def test_a_scheduler_without_its_thread_is_dead_at_once() -> None:
    watched = Watched()
    assert watched.after(LOOK_S) is None
    watched.alive = False
    assert watched.after(LOOK_S) == "scheduler"


def test_a_process_that_was_stopped_for_an_hour_is_not_dead_when_it_goes_on() -> None:
    watched = Watched()
    watched.after(10)
    watched.time.advance(3600)
    assert watched.dog.look() is None
    assert watched.after(70) is None
    assert watched.after(20) == "ticks", "but it must tick then"


def test_a_laptop_that_slept_for_a_night_is_not_dead() -> None:
    watched = Watched()
    watched.after(80)
    watched.time.sleep(8 * 3600)
    assert watched.after(10) is None


def test_a_delivery_that_shows_signs_of_life_may_take_all_day_and_a_silent_one_may_not() -> None:
    watched = Watched()
    watched.signs.begin("deliver")
    assert watched.after(8 * 3600, shown_by="deliver") is None
    assert watched.after(1190, shown_by="heartbeat") is None
    assert watched.after(10, shown_by="heartbeat") == "deliver"


def test_a_process_with_an_answer_in_hand_is_left_only_when_the_delivery_itself_is_dead() -> None:
    watched = Watched()
    watched.signs.begin("deliver")
    watched.signs.hold(2)
    assert watched.after(600) is None, "the database stands still, and with it every tick"
    assert not watched.dog.healthy, "which shows"
    assert watched.after(590) is None
    assert watched.after(20) == "ticks"


def test_a_process_whose_answers_are_recorded_is_left_as_ever() -> None:
    watched = Watched()
    watched.signs.begin("deliver")
    watched.signs.hold(2)
    assert watched.after(600) is None
    watched.signs.hold(0)
    assert watched.after(LOOK_S) == "ticks"


def test_a_clock_that_goes_back_by_seconds_or_minutes_lets_every_tick_come_at_once(office: Office) -> None:
    wall, kept, time = FakeClock(), Kept(), FakeTime()
    clock = Clockwork(app_at(office), kept.log, Stop(), Pace(), time, lambda _: None, wall=wall)
    later = wall.now() + dt.timedelta(hours=1)
    job = clock.scheduler.add_job(print, "interval", days=1, next_run_time=later)
    for step, comes in ((0, False), (-4, False), (3, False), (-6, True), (0, False), (600, False), (-240, True)):
        job.modify(next_run_time=later)
        wall.advance(seconds=5 + step)
        time.advance(5)
        clock.watch()
        assert (job.next_run_time == wall.now()) is comes, step


def test_a_tick_that_hangs_is_seen_although_the_others_go_on() -> None:
    watched = Watched()
    watched.signs.begin("plan")
    assert watched.after(SILENCE_S, shown_by="heartbeat") is None
    assert watched.after(LOOK_S, shown_by="heartbeat") == "plan"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_the_library_says_that_it_runs_when_its_thread_is_dead_and_we_do_not() -> None:
    died = threading.Event()

    def bad_trigger(*_: object) -> None:
        died.set()
        raise OSError

    scheduler = Scheduler(workers=1)
    scheduler.start()
    try:
        assert scheduler.lives()
        scheduler._process_jobs = bad_trigger  # noqa: SLF001 - as a failing job store ends it
        scheduler.wakeup()
        assert died.wait(10)
        assert eventually(lambda: not scheduler.lives())
        assert scheduler.running
    finally:
        scheduler.shutdown(wait=False)


def test_a_tick_that_comes_an_hour_late_still_comes() -> None:
    came = threading.Event()
    scheduler = Scheduler(workers=1)
    an_hour_ago = SystemClock().now() - dt.timedelta(hours=1)
    scheduler.add_job(came.set, "interval", days=1, next_run_time=an_hour_ago)
    scheduler.start()
    try:
        assert came.wait(10)
    finally:
        scheduler.shutdown(wait=False)


def test_it_looks_by_itself_and_says_what_died_once() -> None:
    found: list[str] = []
    looked = threading.Event()
    dog = Watchdog(Signs(), lambda: False, FakeTime(), SILENCE_S, {}, 0.01)
    with Watch(dog, found.append, looked.set):
        assert eventually(lambda: bool(found))
    assert (found, looked.is_set()) == (["scheduler"], True)


def test_the_limits_are_those_that_were_promised() -> None:
    assert (Pace().silence_s, Pace().grace_s) == (90, 30)
    assert Pace().database_silence_s > 30 + 30 + 30, "a connection, a lock and a statement each have half a minute"
    assert Pace().delivery_silence_s > 900, "a server may take ten minutes for its answer to the dot"
