"""Ticks: plans, delivers, rescues, tidies and gives signs of life, until it is asked to end.

Invariants: APScheduler is the heartbeat and nothing else (what is due is a row, never a job); a tick calls one verb; a
process whose clock died ends with 75, and one that was asked to end finishes what passed the fence and ends with 0.
"""

import datetime as dt
import logging
import os
import random
import secrets
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import wait as wait_for
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from apscheduler.executors.pool import ThreadPoolExecutor  # type: ignore[import-untyped]
from apscheduler.jobstores.memory import MemoryJobStore  # type: ignore[import-untyped]
from apscheduler.schedulers.background import BackgroundScheduler  # type: ignore[import-untyped]
from apscheduler.triggers.interval import IntervalTrigger  # type: ignore[import-untyped]

from reminders.app import App, nouns  # noqa: F401 - no tick waits until it is loaded
from reminders.clock import Clock, Monotonic, SystemClock, SystemMonotonic
from reminders.errors import RemindersError
from reminders.log import Form, Log, opened_log
from reminders.services.engine import Task
from reminders.stopping import GRACE_S, Stop, on_signals
from reminders.worker.acts import Acts
from reminders.worker.jumps import JumpWatch
from reminders.worker.ping import Ping
from reminders.worker.sharing import NAMES, slot_ticks
from reminders.worker.signs import Signs
from reminders.worker.ticks import EndsNow, Tick, Ticker
from reminders.worker.waiting import Waiting, aside
from reminders.worker.watchdog import DELIVERY, EXIT, Watch, Watchdog

if TYPE_CHECKING:
    from reminders.worker.crew import Crew

STEP_BACK = dt.timedelta(seconds=5)
"""What the machine's clock may go back before the ticks are told: less delays one by as much, and nobody notices."""


_LEFT_DELIVERY = (
    "a delivery was left at work. Once its lease is over, the next start or `reminders deliver` settles what it held:"
    " what a mail server may have taken without an answer becomes `unknown`, the rest is planned again"
)
_LEFT_TICK = "a tick was left at work: what it had not saved is undone, and done anew after the next start"


@dataclass(frozen=True, slots=True)
class Pace:
    """How often each tick comes, how long silence is no death, and how long an end may take; all in seconds.

    A delivery may wait fifteen minutes for one server (RFC 5321 4.5.3.2), and shows a sign of life after each. A rescue
    or a heartbeat may wait half a minute each for a connection, a lock and a statement before the database gives up.
    `last_word_s` is what the database has to note the end in, where the ticks have used up `grace_s`.
    """

    deliver_s: float = 30
    plan_s: float = 3600
    rescue_s: float = 10
    retention_s: float = 86_400
    retry_stalled_s: float = 10
    heartbeat_s: float = 10
    plan_after_s: float = 60
    retention_after_s: float = 300
    silence_s: float = 90
    delivery_silence_s: float = 1200
    database_silence_s: float = 120
    look_s: float = 5
    grace_s: float = GRACE_S
    last_word_s: float = 5


class Scheduler(BackgroundScheduler):  # type: ignore[misc] # the library has no types
    """The library's scheduler, and whether the thread behind it still lives: `running` does not tell."""

    def __init__(self, workers: int) -> None:
        """Take no job store but the memory, and a thread for each tick, so that none waits for another."""
        super().__init__(
            timezone="UTC",
            logger=logging.Logger("scheduler", logging.CRITICAL),  # noqa: LOG001 - one of its own, heard by nobody
            jobstores={"default": MemoryJobStore()},
            executors={"default": ThreadPoolExecutor(workers)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def lives(self) -> bool:
        """Tell whether its thread is there."""
        thread = getattr(self, "_thread", None)
        return thread is not None and thread.is_alive()

    def tick_now(self, clock: Clock) -> None:
        """Let every tick come at once: under a clock that went back they would wait until it has caught up."""
        for job in self.get_jobs():
            job.modify(next_run_time=clock.now())


@dataclass(slots=True)
class Clockwork:
    """A clock at work. `leave` ends the process; the scheduler lives by the machine's clock, whatever the app's is."""

    app: App
    log: Log
    stop: Stop
    pace: Pace
    time: Monotonic
    leave: Callable[[int], object]
    chance: random.Random = field(default_factory=random.SystemRandom)
    name: str = field(default_factory=lambda: f"clock-{os.getpid()}-{secrets.token_hex(4)}")
    signs: Signs = field(default_factory=Signs)
    jumps: JumpWatch = field(init=False)
    wall: Clock = field(default_factory=SystemClock)
    scheduler: Scheduler = field(init=False)
    dog: Watchdog = field(init=False)
    ticker: Ticker = field(init=False)
    crew: "Crew | None" = None
    """Who does this machine's share, where several share the work."""
    _started_at: dt.datetime | None = None

    def __post_init__(self) -> None:
        """Put the parts together; nothing ticks yet."""
        self.jumps = JumpWatch(self.app.clock, self.time, self.log)
        self.ticker = Ticker(self.log, self.signs, self.time, self.chance)
        waits = self.pace.database_silence_s
        names = ("rescue", "heartbeat", "top_up", "share_plan", *(f"slot_{task}" for task in Task))
        sending = (DELIVERY, NAMES[Task.DELIVER])
        limits = {**dict.fromkeys(names, waits), **dict.fromkeys(sending, self.pace.delivery_silence_s)}
        self.scheduler = Scheduler(workers=8)
        parts = (self.signs, self._lives, self.time)
        self.dog = Watchdog(*parts, self.pace.silence_s, limits, self.pace.look_s)

    def _lives(self) -> bool:
        return self.scheduler.lives() and (self.crew is None or self.crew.lives())

    @property
    def healthy(self) -> bool:
        """Tell whether the clock ticks."""
        return self.dog.healthy

    def begin(self, ping: Ping | None) -> None:
        """Start ticking, once the database says when the clock was last right; raises `EndsNow` as `Waiting` does."""
        waiting = Waiting(self.stop, self.log, self.time, self.chance)
        self.jumps.seen_at = waiting.for_answer(self.app.lock_state).seen_at
        self.log.info("the clock begins", worker=self.name)
        acts = Acts(self.app, self.name, self.log, self.stop, self.jumps, self.ticker, ping)
        for tick in self._ticks(acts):
            self._add(tick)
        self.scheduler.start()
        if self.app.engine is not None:
            from reminders.worker.crew import crew_of  # noqa: PLC0415 - its library is an extra

            self.crew = crew_of(acts, lambda: not self.jumps.paused)
            self.crew.begin()

    def _ticks(self, acts: Acts) -> Iterator[Tick]:
        pace, lease_s = self.pace, self.app.lease.total_seconds()
        rescue_s = min(pace.rescue_s, lease_s / 4)  # half a lease is the longest wait allowed
        yield Tick("heartbeat", pace.heartbeat_s, acts.heartbeat)
        if self.app.engine is not None:
            every = {Task.DELIVER: pace.deliver_s, Task.PLAN: pace.plan_s, Task.RETENTION: pace.retention_s}
            every |= {Task.RESCUE: rescue_s, Task.RETRY_STALLED: pace.retry_stalled_s}
            yield from slot_ticks(
                self.app, every, {Task.PLAN: pace.plan_after_s, Task.RETENTION: pace.retention_after_s}
            )
            return
        yield Tick("rescue", rescue_s, acts.rescue)
        yield Tick(DELIVERY, pace.deliver_s, acts.deliver)
        yield Tick("plan", pace.plan_s, acts.plan, pace.plan_after_s)
        yield Tick("retention", pace.retention_s, acts.retention, pace.retention_after_s)

    def _add(self, tick: Tick) -> None:
        moment = SystemClock().now() + dt.timedelta(seconds=tick.first_s)
        trigger = IntervalTrigger(seconds=max(tick.every_s, 0.01), timezone="UTC")
        self.scheduler.add_job(self._run, trigger, args=[tick], id=tick.name, next_run_time=moment)

    def _run(self, tick: Tick) -> None:
        if not self.stop.asked():
            self.ticker.run(tick)

    def watch(self) -> None:
        """Look for jumps of the machine's clock, between two looks of the watchdog."""
        jumped = self.jumps.look()
        if self._went_back() or jumped:
            self.scheduler.tick_now(self.wall)

    def _went_back(self) -> bool:
        """Tell whether the clock that the scheduler goes by went back: its ticks would wait until it has caught up.

        That is asked of much smaller steps than those that stop the sending: a minute and a half without a tick are
        the clock's death.
        """
        started = self.wall.now() - dt.timedelta(seconds=self.time.boottime())
        before = self._started_at or started
        back = before - started > STEP_BACK
        self._started_at = started if back else max(before, started)
        return back

    def died(self, what: str) -> None:
        """End the process: the clock is dead, its heartbeat grows old, and only a new process ticks again."""
        if self.scheduler.lives() and not self._lives():
            what = "engine"
        self.log.error("the clock died: the process ends so that its supervisor starts it anew", part=what, code=EXIT)
        self.log.close()
        self.leave(EXIT)

    def finish(self) -> bool:
        """Let what runs come to its end, and say so; False when something did not within the grace."""
        self.stop.ask()
        if self.scheduler.running:
            self.scheduler.shutdown(wait=False)
        until = self.time.monotonic() + self.pace.grace_s
        while self.signs.running and self.time.monotonic() < until:
            threading.Event().wait(0.02)
        left = tuple(self.signs.running)
        if DELIVERY not in left:
            self.app.hang_up()
        said = self._say_stopped(max(until - self.time.monotonic(), self.pace.last_word_s))
        for tick in left:
            self.log.warning(_LEFT_DELIVERY if tick == DELIVERY else _LEFT_TICK, tick=tick)
        self.log.info("the clock has stopped", worker=self.name)
        return said and not left

    def _say_stopped(self, limit_s: float) -> bool:
        """Record that the clock stopped in order; False when the database took no notice in time."""
        told = aside(lambda: self.app.stopped(self.name))
        wait_for([told], limit_s)
        error = told.exception() if told.done() else None
        if isinstance(error, RemindersError) or not told.done():
            kind = type(error).__name__ if error else None
            self.log.warning("that the clock stopped could not be recorded", problem=kind)
        elif error is not None:
            raise error
        return told.done()


@contextmanager
def ticking(
    app: App,
    log: Log,
    stop: Stop,
    pace: Pace | None = None,
    *,
    time: Monotonic | None = None,
    leave: Callable[[int], object] = os._exit,
) -> Iterator[Clockwork]:
    """Keep the clock while the context lasts; at its end the process is left (with 0) only if a tick does not end."""
    clock = Clockwork(app, log, stop, pace or Pace(), time or SystemMonotonic(), leave)
    url = app.settings.ping_url
    with Ping(url, clock.time, log) if url else nullcontext() as ping:
        clock.begin(ping)
        try:
            with Watch(clock.dog, clock.died, clock.watch):
                yield clock
                clock.stop.ask()
        finally:
            ended = clock.finish()
    if not ended:
        log.close()
        leave(0)


@dataclass(frozen=True, slots=True)
class Duty:
    """A process that keeps the clock: how it is asked to end, and where it says what it does."""

    stop: Stop
    log: Log

    @contextmanager
    def opened(self, *opens: Callable[[], AbstractContextManager[App]]) -> Iterator[tuple[App, ...]]:
        """Open the product, once or more, as soon as its database is there; raises what a person has to mend."""
        waiting = Waiting(self.stop, self.log, SystemMonotonic(), random.SystemRandom())
        with ExitStack() as stack:
            yield tuple(waiting.for_answer(lambda one=one: stack.enter_context(one())) for one in opens)  # type: ignore[misc] # bound at once


@contextmanager
def on_duty(form: Form) -> Iterator[Duty]:
    """Take signals and say what happens, from before the database is there; being asked to end is a good end."""
    stop = Stop()
    with on_signals(stop), opened_log(form, SystemClock()) as log, suppress(EndsNow):
        yield Duty(stop, log)


def work(
    form: Form, opens: Callable[[], AbstractContextManager[App]], began: Callable[[App], None], pace: Pace | None = None
) -> None:
    """Keep the clock until SIGTERM or Ctrl-C; calls `began` once it ticks."""
    with on_duty(form) as duty, duty.opened(opens) as (app,), ticking(app, duty.log, duty.stop, pace):
        began(app)
        duty.stop.wait()
