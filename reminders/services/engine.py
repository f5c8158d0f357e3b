"""What is asked of an engine that shares work among several machines: the entry point binds one, or none.

Without one (SQLite, or no extra `distributed`) every process that keeps the clock does the work of its own ticks.

Invariants: a job holds ids and counts, never a patient's data; it is put in inside our own transaction, so that it is
there exactly when that was committed; what is true stands in our rows, and a job that is lost or comes twice changes
nothing about it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from reminders.clock import Clock
from reminders.errors import BadInput
from reminders.store import jobs
from reminders.store.database import Database, Transaction, database_now


class NoEngine(BadInput):
    """Several machines cannot share the work here: that takes PostgreSQL, and this program's extra `distributed`.

    Install it, or leave REMINDERS_ENGINE out.
    """


class Task(StrEnum):
    """What a job may ask for."""

    DELIVER = "deliver"
    TOP_UP = "top_up"
    DELIVER_BATCH = "deliver_batch"
    PLAN = "plan"
    PLAN_BATCH = "plan_batch"
    RESCUE = "rescue"
    RETENTION = "retention"
    RETRY_STALLED = "retry_stalled"


@dataclass(frozen=True, slots=True)
class Job:
    """A piece of work for any machine; `arguments` hold ids and counts. `alone` lets one of its task wait at a time."""

    task: Task
    arguments: Mapping[str, object] = field(default_factory=dict)
    alone: bool = False


class Engine(Protocol):
    """Keeps jobs in our database, and hands each to one of the machines that work for it."""

    def defer(self, tx: Transaction, job: Job) -> bool:
        """Put a job in; False where one that is to be alone waits already."""
        ...

    def defer_all(self, tx: Transaction, wanted: Sequence[Job]) -> None:
        """Put many in at once, of which none is to be alone."""
        ...

    def create_schema(self, database: Database, clock: Clock) -> bool:
        """Create its tables, or upgrade them; False where they were this version's already."""
        ...

    def need_schema(self, tx: Transaction) -> None:
        """Raise the `DatabaseNotReady` that says why its tables cannot be used."""
        ...


def defer_in_slot(database: Database, clock: Clock, engine: Engine, task: Task, every_s: float) -> bool:
    """Put a periodic job in, unless somebody did so in this slot of `every_s` seconds; tell whether it was put in.

    Slots are counted by the database's clock, which is one for all machines, and taken in the transaction that puts
    the job in: however many ask, whatever their own clocks say, and whoever dies on the way, it is put in once.
    """
    every = max(int(every_s * 1000), 1)
    with database.write(clock.now, "clock", alongside=True) as tx:
        slot = int(database_now(tx).timestamp() * 1000) // every * every
        return jobs.take_slot(tx, task, slot, every) and engine.defer(tx, Job(task, alone=True))
