"""Faults: connections that hang for ever beneath the pages' word on whether they can work."""

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from reminders.app import App
from reminders.web.health import Known
from tests.support.clinic import Office
from tests.support.postgres import Cluster
from tests.support.site import installed_app_of
from tests.support.ticking import FakeTime, eventually

pytestmark = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
PATIENCE_S = 0.2
MOST = 4


@pytest.fixture
def app(office: Office) -> App:
    return installed_app_of(office)


class Still:
    """Lets the servers of a database's connections stand still; with `door` the one that answers newcomers, too."""

    def __init__(self, cluster: Cluster, url: str) -> None:
        self._cluster, self._name = cluster, url.partition("?")[0].rpartition("/")[2]
        self._stopped: list[int] = []

    def begin(self, *, door: bool = False) -> None:
        query = "SELECT pid FROM pg_stat_activity WHERE datname = %s"
        with psycopg.connect(self._cluster.url("postgres")) as connection:
            self._stopped = [int(row[0]) for row in connection.execute(query, [self._name]).fetchall()]
        assert self._stopped, "nobody is connected"
        if door:
            pid = (Path(self._cluster.server.pgdata) / "postmaster.pid").read_text(encoding="ascii").splitlines()[0]
            self._stopped.insert(0, int(pid))
        for pid_ in self._stopped:
            os.kill(pid_, signal.SIGSTOP)

    def end(self, *, kill: bool = False) -> None:
        """Let them go on; with `kill` the connections' servers die instead, and the one at the door begins anew."""
        while self._stopped:
            pid = self._stopped.pop()
            os.kill(pid, signal.SIGKILL if kill and self._stopped else signal.SIGCONT)  # the door is the last


@pytest.fixture
def still(office: Office, postgres: Cluster) -> Iterator[Still]:
    made = Still(postgres, office.database.address)
    yield made
    made.end()
    assert eventually(lambda: not any(thread.name == "health" for thread in threading.enumerate()))


class Probe:
    """Whoever asks now and then whether the pages can work."""

    def __init__(self, app: App, question: Callable[[], bool]) -> None:
        self.time = FakeTime()
        self._known = Known(app, question, unanswered=False, patience_s=PATIENCE_S, time=self.time)
        self._app = app

    async def ready(self, after_s: float = 0) -> bool:
        self.time.advance(after_s)
        self._app.clock.advance(seconds=2)  # type: ignore[attr-defined]  # an office's clock is one that is moved
        return await self._known.now()

    async def ready_soon(self) -> bool:
        """Ask as a supervisor does, until the answer is yes."""
        for _ in range(100):
            if await self.ready():
                return True
            await asyncio.sleep(0.05)
        return False


def run(steps: Callable[[], Coroutine[None, None, None]]) -> None:
    """Run in a thread of its own: a browser's test leaves a loop running in this one's."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(steps())).result(90)


def test_f05_a_connection_that_hangs_for_ever_makes_the_pages_red_and_a_new_one_green_again(
    office: Office, app: App, still: Still
) -> None:
    with office.read(), office.read(), office.read():
        pass  # so many connections lie ready, and all of them will hang
    probe = Probe(app, app.is_ready)

    async def steps() -> None:
        assert await probe.ready()
        still.begin()
        assert not await probe.ready()
        assert not await probe.ready(2 * PATIENCE_S), "it may answer yet"
        await probe.ready(PATIENCE_S)
        assert await probe.ready_soon(), "the hanging one stands still as before"

    run(steps)


@pytest.mark.parametrize("how", ["goes on", "is killed"])
def test_f05_after_a_server_that_stood_still_the_pages_are_green_however_that_ended(
    app: App, still: Still, how: str
) -> None:
    probe = Probe(app, app.is_ready)

    async def steps() -> None:
        assert await probe.ready()
        still.begin(door=True)
        for _ in range(3):
            assert not await probe.ready(3 * PATIENCE_S)
        still.end(kill=how == "is killed")
        assert await probe.ready_soon()

    run(steps)


def test_a_question_that_always_hangs_takes_a_few_threads_and_gives_them_back(app: App) -> None:
    over, hung = threading.Event(), list[threading.Thread]()

    def question() -> bool:
        hung.append(threading.current_thread())
        return over.wait(60)

    async def steps() -> None:
        probe = Probe(app, question)
        for _ in range(3 * MOST):
            assert not await probe.ready(3 * PATIENCE_S)
        assert len(hung) == MOST
        over.set()
        assert await probe.ready_soon()

    run(steps)
    assert eventually(lambda: not any(thread.is_alive() for thread in hung))
