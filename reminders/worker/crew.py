"""This machine's share of the jobs: a thread that fetches them, one at a time from each queue, and does them.

It works on connections of its own, hears of what is to be delivered at once (LISTEN), and looks for every kind of job
now and then besides. A job is done by a tick's verb, and an error of it is told as a tick's is.

Invariants: a queue whose task failed rests here as the ticker says, and its batch goes back to the other machines: one
that lacks something must not eat up everybody's jobs; none is fetched once the process is asked to end, or while its
clock is not to be trusted; a job is never kept for what it did: what is due stands in our rows.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from procrastinate import App, PsycopgConnector, RetryStrategy
from procrastinate.connector import BaseConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager
from procrastinate.worker import Worker
from psycopg_pool import AsyncConnectionPool

from reminders.services.engine import Task
from reminders.store.engine import connecting
from reminders.store.jobs import NAMESPACE
from reminders.worker.acts import Acts
from reminders.worker.distributed import QUEUES
from reminders.worker.sharing import NAMES
from reminders.worker.ticks import Tick, Ticker

NAME = "engine"
BEATS_EVERY_S, SILENT_S = 5.0, 20.0
"""How often a machine says that it lives, and after how long a silence its jobs are another's; in seconds."""
MOST_TRIES = 3
"""A job that failed so often, or was at work when its machine died, is dropped: what it was for is found again."""
_LOOKS_EVERY_S, _PAUSE_S, _CONNECTIONS = 0.2, 1.0, 4
_FETCHES_EVERY_S, _WAITS_S = 2.0, 5.0
_KEPT_HOURS = 24
_BATCHES = (Task.DELIVER_BATCH, Task.PLAN_BATCH)
"""Of the others each slot brings one."""
_AT_ONCE = ("deliver", "share")
"""The queues of which a machine wants to hear; each takes a connection."""
_GONE = (ConnectorException, OSError)

Act = Callable[..., None]
"""Does a job: is handed what it calls to show life, and the job's arguments by name."""


class PutBack(Exception):
    """A job may not have come to its end here: another machine looks what is left of it."""


@dataclass(slots=True)
class Crew:
    """The thread and its workers. `may` tells whether jobs may be fetched now, `ends` whether the process is to end."""

    url: str
    acts: Mapping[Task, Act]
    names: Mapping[Task, str]
    ticker: Ticker
    may: Callable[[], bool]
    ends: Callable[[], bool]
    fetches_every_s: float = _FETCHES_EVERY_S
    silent_s: float = SILENT_S
    _app: App = field(init=False)
    _connecting: dict[str, object] = field(init=False)
    _workers: dict[str, Worker] = field(default_factory=dict)
    _thread: threading.Thread = field(init=False)
    _broke: bool = False

    def __post_init__(self) -> None:
        """Connect to nothing yet."""
        found = connecting(self.url)
        self._connecting = {**found, "options": f"{found.get('options', '')} -c search_path={NAMESPACE}".strip()}
        self._app = App(connector=PsycopgConnector())
        self._app.job_manager = _Manager(self._app.connector, self._stop_all)
        for queue, tasks in QUEUES.items():
            for task in tasks:
                act = self._retry_stalled if task is Task.RETRY_STALLED else partial(self._do, queue, task)
                again = RetryStrategy(max_attempts=MOST_TRIES) if task in _BATCHES else None
                self._app.task(name=task, queue=queue, retry=again or False)(act)
        self._thread = threading.Thread(target=self._run, name=NAME, daemon=True)

    def begin(self) -> None:
        """Begin to fetch."""
        self.ticker.signs.begin(NAME)
        self._thread.start()

    def lives(self) -> bool:
        """Tell whether its thread is there and well, or has ended as it was to."""
        return (self._thread.is_alive() and not self._broke) or self.ends()

    def _run(self) -> None:
        with _quiet():
            asyncio.run(self._work())
        self.ticker.signs.end(NAME)

    async def _work(self) -> None:
        """Keep the queues until the end; a database that is away is waited for."""
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # `_Manager` has heard of it
        beating = asyncio.create_task(self._beat())
        while not self.ends():
            try:
                async with self._pool() as pool, self._app.open_async(pool):
                    await asyncio.gather(*map(self._keep, QUEUES))
            except _GONE as error:
                await self._pause(error)
            except BaseException:
                self._broke = True
                raise
        beating.cancel()

    def _pool(self) -> AsyncConnectionPool:
        """Return connections that are made when they are needed, and waited for no longer than an end may take."""
        check = AsyncConnectionPool.check_connection
        return AsyncConnectionPool(
            kwargs=self._connecting, min_size=1, max_size=_CONNECTIONS, timeout=_WAITS_S, check=check, open=False
        )

    async def _beat(self) -> None:
        while True:
            self.ticker.signs.go_on(NAME)
            await asyncio.sleep(_PAUSE_S)

    async def _keep(self, queue: str) -> None:
        """Fetch from a queue as long as that may be done."""
        while not self.ends():
            if not self._may(queue):
                await asyncio.sleep(_LOOKS_EVERY_S)
                continue
            worker = self._workers[queue] = Worker(
                self._app,
                [queue],
                concurrency=1,
                fetch_job_polling_interval=self.fetches_every_s,
                delete_jobs="always",
                listen_notify=queue in _AT_ONCE,
                install_signal_handlers=False,
                update_heartbeat_interval=min(BEATS_EVERY_S, self.silent_s / 4),
                stalled_worker_timeout=self.silent_s,
            )
            watching = asyncio.create_task(self._watch(queue, worker))
            try:
                await worker.run()  # type: ignore[no-untyped-call]
            except _GONE as error:
                await self._pause(error)
            finally:
                watching.cancel()

    async def _watch(self, queue: str, worker: Worker) -> None:
        while self._may(queue):  # noqa: ASYNC110 - nobody could set an event: a signal changes a flag and nothing else
            await asyncio.sleep(_LOOKS_EVERY_S)
        _stop(worker)

    def _may(self, queue: str) -> bool:
        return self.may() and not self.ends() and not self.ticker.rests(self.names[task] for task in QUEUES[queue])

    async def _pause(self, error: BaseException) -> None:
        if not self.ends():
            self.ticker.say_seldom("the engine waits for its database", part=NAME, problem=type(error).__name__)
            await asyncio.sleep(_PAUSE_S)

    def _do(self, queue: str, task: Task, **arguments: Any) -> None:  # noqa: ANN401 - the job's own
        """Do a job, in a thread; where it failed, fetch no more before the ticker would try again."""
        if not self.ends():
            self.ticker.run(Tick(self.names[task], 0, lambda beat: self.acts[task](beat, **arguments)))
        if not self._may(queue):
            _stop(self._workers[queue])
            raise PutBack

    def _stop_all(self) -> None:
        for worker in self._workers.values():
            _stop(worker)

    async def _retry_stalled(self) -> None:
        """Give what dead machines were at to the others, and forget those machines and what was over a day ago."""
        manager = JobManager(self._app.connector)
        for job in await manager.get_stalled_jobs(seconds_since_heartbeat=self.silent_s):
            with suppress(ConnectorException):  # it came to its end after all
                if job.attempts >= MOST_TRIES:
                    await manager.finish_job(job, Status.FAILED, delete_job=True)
                else:
                    await manager.retry_job(job)
        await manager.prune_stalled_workers(self.silent_s)
        await manager.delete_old_jobs(_KEPT_HOURS, include_failed=True, include_cancelled=True, include_aborted=True)


def crew_of(acts: Acts, may: Callable[[], bool]) -> Crew:
    """Return who does this machine's share; jobs are fetched while `may` says so."""
    does: Mapping[Task, Act] = {
        Task.DELIVER: acts.share_delivery,
        Task.TOP_UP: acts.top_up,
        Task.DELIVER_BATCH: acts.deliver_batch,
        Task.PLAN: acts.share_plan,
        Task.PLAN_BATCH: acts.plan_span,
        Task.RESCUE: acts.rescue,
        Task.RETENTION: acts.retention,
    }
    return Crew(acts.app.database.address, does, NAMES, acts.ticker, may, acts.stop.asked)


class _Manager(JobManager):
    """Lets all workers end, to be registered anew, where a job's end could not be noted: it then belongs to nobody.

    Else it would seem to be at work for as long as its worker lives, and whom it was for would wait as long.
    """

    def __init__(self, connector: BaseConnector, lost: Callable[[], None]) -> None:
        super().__init__(connector)
        self._lost = lost

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:  # noqa: FBT001 - the library's own
        """Note that a job has ended."""
        with self._losing():
            await super().finish_job(job, status, delete_job)

    async def retry_job(self, job: Job, *given: Any, **named: Any) -> None:  # noqa: ANN401 - the library's own
        """Note that a job is to be another's."""
        with self._losing():
            await super().retry_job(job, *given, **named)

    @contextmanager
    def _losing(self) -> Iterator[None]:
        try:
            yield
        except ConnectorException:
            self._lost()
            raise


def _stop(worker: Worker) -> None:
    worker.stop()  # type: ignore[no-untyped-call]


@contextmanager
def _quiet() -> Iterator[None]:
    """Let the libraries tell nobody: of what they meet the ticker tells, once an hour, and without their words."""
    loggers = [logging.getLogger(name) for name in ("procrastinate", "psycopg")]
    before = [one.level for one in loggers]
    for one in loggers:
        one.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for one, level in zip(loggers, before, strict=True):
            one.setLevel(level)
