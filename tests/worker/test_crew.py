"""The crews of several machines, in this process: they share the work, and what one leaves another takes up."""

import dataclasses
import json
import threading
from collections import Counter
from contextlib import ExitStack
from typing import Any, NoReturn

import pytest

from reminders.domain.lifecycle import State
from reminders.services.engine import Task
from reminders.store import jobs
from reminders.store.database import Transaction
from tests.support.clinic import INVITED_AT, to
from tests.support.postgres import Cluster
from tests.support.sharing import Machines, kept
from tests.support.smtp_server import RealServer
from tests.support.ticking import FAST, clock_on, eventually

PACE = dataclasses.replace(FAST, deliver_s=0.3, retry_stalled_s=0.3, plan_s=0.5)
DUE = 30
RARELY = dataclasses.replace(PACE, deliver_s=3600, plan_s=3600, plan_after_s=3600, retention_after_s=3600)
"""Only what is left over is looked for."""


@pytest.fixture
def due(machines: Machines) -> Machines:
    """Patients who are due, for two batches."""
    machines.office.add_clinic()
    machines.office.add_due(DUE)
    machines.office.clock.set(INVITED_AT)
    return machines


@pytest.fixture
def left(due: Machines) -> Machines:
    """The same, in an hour whose delivery somebody has shared out already."""
    assert due.add().defer_in_slot(Task.DELIVER, RARELY.deliver_s)
    with due.office.write() as tx:
        jobs.driver(tx).execute("DELETE FROM procrastinate_jobs")
    return due


def batch(tx: Transaction, patients: range, *, worker: int | None = None, attempts: int = 0) -> None:
    """Put a batch in; where a worker is named, as one that it is at."""
    visits = json.dumps({"visits": [[1, patient_id] for patient_id in patients], "more": False})
    jobs.driver(tx).execute(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, args, attempts, status, worker_id)"
        " VALUES ('deliver', %s, %s, %s, %s, %s)",
        (Task.DELIVER_BATCH, visits, attempts, "doing" if worker else "todo", worker),
    )


def dead_worker(tx: Transaction) -> int:
    """Enter a worker that has said nothing for an hour."""
    statement = (
        "INSERT INTO reminders_jobs.procrastinate_workers (last_heartbeat)"
        " VALUES (clock_timestamp() - interval '1 hour') RETURNING id"
    )
    return int(tx.connection.exec_driver_sql(statement).scalar_one())


def received(server: RealServer) -> Counter[str]:
    return Counter(message.rcpt_tos[0] for message in server.messages)


def batches(machines: Machines) -> list[dict[str, Any]]:
    with machines.office.read() as tx:
        return [arguments for _, arguments in jobs.live(tx, Task.DELIVER_BATCH)]


def workers(machines: Machines) -> int:
    with machines.office.read() as tx:
        return jobs.standing(tx, 60).workers


def test_two_machines_share_what_is_due_and_end_in_order(due: Machines, server: RealServer) -> None:
    with ExitStack() as both:
        for _ in range(2):
            both.enter_context(clock_on(due.add(to(server)), PACE))
        assert eventually(lambda: len(due.office.ids(State.SENT)) == DUE, 60)
        assert workers(due) == 8, "one of each machine for each queue"
    assert set(received(server).values()) == {1}
    assert workers(due) == 0
    with due.office.read() as tx:
        assert kept(tx) == [], "a job that is done is gone"


def test_what_a_dead_machine_was_at_is_taken_up_and_the_machine_forgotten(left: Machines, server: RealServer) -> None:
    with left.office.write() as tx:
        batch(tx, range(1, 4), worker=dead_worker(tx))
    with clock_on(left.add(to(server)), RARELY):
        assert eventually(lambda: len(server.messages) == 3)
        assert eventually(lambda: workers(left) == 4)
    assert len(received(server)) == 3


def test_a_job_whose_machine_died_again_and_again_is_dropped(left: Machines, server: RealServer) -> None:
    with left.office.write() as tx:
        batch(tx, range(1, 4), worker=dead_worker(tx), attempts=3)
        batch(tx, range(4, 6), worker=dead_worker(tx), attempts=2)
    with clock_on(left.add(to(server)), RARELY):
        assert eventually(lambda: len(server.messages) == 2)
        assert eventually(lambda: not batches(left))
    assert len(server.messages) == 2


def test_a_machine_that_lacks_something_does_not_eat_up_the_jobs_of_all(left: Machines, server: RealServer) -> None:
    with left.office.write() as tx:
        for first in range(1, DUE, 5):
            batch(tx, range(first, first + 5))
    with clock_on(left.add(), RARELY) as (lacking, _):  # it knows no mail server
        assert eventually(lambda: lacking.ticker.rests(["deliver"]))
        with clock_on(left.add(to(server)), RARELY):
            assert eventually(lambda: not batches(left), 60)
    assert len(server.messages) >= DUE - 5
    assert set(received(server).values()) == {1}


def test_a_machine_whose_clock_is_not_to_be_trusted_fetches_nothing(left: Machines, server: RealServer) -> None:
    app = left.add(to(server))
    pace = dataclasses.replace(RARELY, heartbeat_s=3600)
    with clock_on(app, pace) as (clock, _):
        assert eventually(lambda: workers(left) == 4)
        left.office.clock.advance(hours=1)
        app.clock.advance(hours=1)  # type: ignore[attr-defined] # a test's clock
        assert clock.jumps.look()
        assert eventually(lambda: workers(left) == 0)
        with left.office.write() as tx:
            batch(tx, range(1, 4))
        for _ in range(3):
            clock.jumps.beat()
        assert eventually(lambda: len(server.messages) == 3)


def test_after_its_connections_broke_a_machine_goes_on(due: Machines, server: RealServer, postgres: Cluster) -> None:
    with clock_on(due.add(to(server)), PACE):
        assert eventually(lambda: len(server.messages) > 5, 60)
        postgres.end_connections(due.url.partition("?")[0].rpartition("/")[2])
        assert eventually(lambda: len(due.office.ids(State.SENT)) == DUE, 60)
    assert set(received(server).values()) == {1}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_the_death_of_its_thread_is_the_clocks(left: Machines, server: RealServer) -> None:
    codes: list[int] = []
    pace = dataclasses.replace(RARELY, look_s=0.1, grace_s=1)

    async def dies(**_: object) -> NoReturn:
        raise ValueError

    with clock_on(left.add(to(server)), pace, leave=codes.append) as (clock, kept_log):
        assert eventually(lambda: workers(left) == 4)
        manager: Any = clock.crew._app.job_manager if clock.crew else None  # noqa: SLF001 - as a library that fails
        manager.fetch_job = dies
        assert eventually(lambda: 75 in codes)
        assert not clock.healthy
    assert "the clock died: the process ends so that its supervisor starts it anew" in kept_log.events()


def test_asked_to_end_it_finishes_its_round_and_leaves_the_rest_due(due: Machines, server: RealServer) -> None:
    with clock_on(due.add(to(server)), PACE) as (clock, _):
        assert eventually(lambda: len(server.messages) > 2, 60)
        clock.stop.ask()
    sent = len(due.office.ids(State.SENT))
    assert sent == len(server.messages)
    assert due.office.ids(State.UNKNOWN) == due.office.ids(State.CLAIMED) == []
    assert not [thread for thread in threading.enumerate() if thread.name == "engine"]


def test_the_periodic_work_is_done_by_jobs(due: Machines, server: RealServer) -> None:
    with clock_on(due.add(to(server)), PACE):
        assert eventually(lambda: len(server.messages) == DUE, 60)
        with due.office.read() as tx:
            slots = tx.connection.exec_driver_sql("SELECT task FROM reminders_jobs.slots").scalars().all()
    assert {"deliver", "plan", "rescue", "retention", "retry_stalled"} == set(slots)
