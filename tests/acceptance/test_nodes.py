"""Three machines on one PostgreSQL: one is killed, one stopped past its lease, one cut off the network.

Every message goes out, none twice, and what is in doubt is no more than was between fence and answer.
"""

import datetime as dt
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from dateutil.relativedelta import relativedelta

from reminders.app import App, open_app
from reminders.clock import SystemClock, SystemMonotonic
from reminders.domain.lifecycle import State
from reminders.services.engine import Job, Task
from reminders.settings import Settings
from reminders.store import jobs
from reminders.worker.distributed import Procrastinate
from tests.acceptance.grounds import ALWAYS_OPEN
from tests.support.clinic import FakeClock, Office
from tests.support.killing_server import KillingServer
from tests.support.network import Namespace, Relays, cable
from tests.support.postgres import start
from tests.support.running import KEY, Running, installed, program

LEASE_S, ROUND = 10, 8
NODES = 3


@dataclass
class Trial:
    """A database with patients who are due, three machines that work on it, and the server that takes their mail."""

    app: App
    office: Office
    server: KillingServer
    nodes: list[Running]
    cable: Namespace | Relays

    def set_going(self) -> None:
        """Let the clinic send, and have what is due shared out at once."""
        self.office.pause(paused=False)
        with self.office.write() as tx:
            Procrastinate().defer(tx, Job(Task.DELIVER, alone=True))

    def holding(self, *among: Running) -> Running:
        """Wait until one of these has messages in its hands, and return it."""
        found: list[Running] = []

        def somebody() -> bool:
            with self.office.read() as tx:
                rows = tx.connection.exec_driver_sql("SELECT worker FROM reminders WHERE worker LIKE 'deliver-%%'")
                at_it = {str(name).split("-")[1] for (name,) in rows}
            found[:] = [node for node in among if str(node.pid) in at_it]
            return bool(found)

        assert until(somebody, 60), "nobody has anything in hand"
        return found[0]

    def accepted(self, count: int) -> None:
        assert until(lambda: len(self.server.accepted) >= count, 3600), self.told()

    def left(self) -> set[int]:
        """Return what is due and not settled."""
        with self.office.read() as tx:
            query = "SELECT id FROM reminders WHERE state IN ('planned', 'claimed', 'handed_over') AND due_at <= %s"
            return set(tx.connection.exec_driver_sql(query, (SystemClock().now(),)).scalars())

    def in_hand(self) -> set[int]:
        """Return what some machine has in hand, alive or not."""
        with self.office.read() as tx:
            query = "SELECT id FROM reminders WHERE state IN ('claimed', 'handed_over')"
            return set(tx.connection.exec_driver_sql(query).scalars())

    def told(self) -> str:
        return "\n".join(node.text[-2000:] for node in self.nodes)


def until(true: Callable[[], bool], seconds: float) -> bool:
    """Look now and then; false when it did not come true in time."""
    time = SystemMonotonic()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        threading.Event().wait(0.02)
    return true()


@pytest.fixture
def trial(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Trial]:
    """Return a trial with so many patients as the test's parameter says; its clinic is paused."""
    cluster = start()
    with ExitStack() as stack:
        stack.callback(cluster.server.cleanup)
        name = cluster.make()
        installed(cluster.url(name))
        settings = Settings(database_url=cluster.url(name), secret_key=KEY)
        between = stack.enter_context(cable(cluster))
        app = stack.enter_context(open_app(settings, engine=Procrastinate()))
        office = Office(cluster.url(name), FakeClock(SystemClock().now()))
        office.keys, office.database = app.keys, app.database
        office.add_clinic(**ALWAYS_OPEN)
        today = office.clock.now().date()
        office.add_due(request.param, on=f"{today + dt.timedelta(days=14) - relativedelta(months=3)}")
        office.pause()
        server = stack.enter_context(KillingServer(between.near, 65536))
        nodes = []
        for number in range(NODES):
            cut = number == NODES - 1
            place = between.place(server.port) if cut else f"{between.near}:{server.port}"
            folder = tmp_path / f"machine-{number}"
            folder.mkdir()
            node = program(
                folder,
                "worker",
                url=between.database(name) if cut else cluster.url(name),
                within=between.within if cut else (),
                REMINDERS_SMTP_URL=f"smtp://{place}?tls=never",
                REMINDERS_LEASE_S=str(LEASE_S),
                REMINDERS_ROUND=str(ROUND),
            )
            nodes.append(stack.enter_context(node))
        for node in nodes:
            assert node.says("The clock ticks", 120), node.text
        yield Trial(app, office, server, nodes, between)


def lose_all_three(trial: Trial, count: int) -> tuple[float, float]:
    """Kill one, stop another, cut off the third; then wake the second.

    Return the seconds from there until what they had in hand was settled, and until everything was.
    """
    time = SystemMonotonic()
    first, second, third = trial.nodes
    trial.set_going()
    trial.accepted(count // 5)
    killed = trial.holding(first, second)
    stopped = second if killed is first else first
    killed.signal(signal.SIGKILL)
    trial.accepted(count * 2 // 5)
    os.kill(trial.holding(stopped).pid, signal.SIGSTOP)
    asleep = time.monotonic()
    trial.accepted(count * 3 // 5)
    trial.holding(third)
    trial.cable.pull()
    threading.Event().wait(max(0.0, asleep + LEASE_S + 5 - time.monotonic()))
    stopped.signal(signal.SIGCONT)
    awake, lost = time.monotonic(), trial.in_hand()
    assert until(lambda: not trial.left() & lost, 900), trial.told()
    recovered = time.monotonic() - awake
    assert until(lambda: not trial.left(), 3600), trial.told()
    took = time.monotonic() - awake
    trial.cable.plug()
    assert until(lambda: len(alive(trial)) == 2 and not batches(trial), 200), trial.told()
    for node in (stopped, third):
        node.signal(signal.SIGTERM)
    assert [node.ended(60) for node in (stopped, third)] == [0, 0], trial.told()
    return recovered, took


def alive(trial: Trial) -> set[str]:
    """Return which clocks gave a sign of life within twenty seconds."""
    with trial.office.read() as tx:
        query = "SELECT worker FROM heartbeats WHERE ticked_at > %s AND stopped_at IS NULL"
        since = SystemClock().now() - dt.timedelta(seconds=20)
        return set(tx.connection.exec_driver_sql(query, (since,)).scalars())


def batches(trial: Trial) -> int:
    """Count the batches that wait or are at work: of what is settled, some come again and find nothing left to do."""
    with trial.office.read() as tx:
        return len(jobs.live(tx, Task.DELIVER_BATCH))


def balance(trial: Trial, count: int) -> int:
    """See that everybody was written to once, and nobody twice; return how many messages are in doubt."""
    rows = [row for row in trial.office.rows() if row.step == "invitation"]
    taken = Counter(message.message_id for message in trial.server.accepted)
    people = Counter(message.recipient for message in trial.server.accepted)
    assert [name for name, times in (taken + people).items() if times > 1] == []
    assert Counter(row.state for row in rows).keys() <= {State.SENT, State.UNKNOWN}
    sent = {row.message_id for row in rows if row.state is State.SENT}
    unknown = {row.message_id for row in rows if row.state is State.UNKNOWN}
    assert len(rows) == len(sent) + len(unknown) == count
    assert sent <= set(taken) <= sent | unknown
    return len(unknown)


FEW, MANY = 300, int(os.environ.get("DUE", "20000"))


@pytest.mark.parametrize(
    ("trial", "count"),
    [
        pytest.param(FEW, FEW, marks=pytest.mark.timeout(400)),
        pytest.param(MANY, MANY, marks=[pytest.mark.storm, pytest.mark.timeout(7200)]),
    ],
    indirect=["trial"],
    ids=["few", "many"],
)
def test_a_killed_a_stopped_and_a_cut_off_machine_lose_nothing_and_send_nothing_twice(
    trial: Trial, count: int, record_property: Callable[[str, object], None]
) -> None:
    recovered, took = lose_all_three(trial, count)
    unknown = balance(trial, count)
    assert unknown <= NODES * ROUND
    record_property("messages", count)
    record_property("unknown", unknown)
    record_property("seconds until what was in hand was settled", round(recovered))
    record_property("seconds until everything was", round(took))
