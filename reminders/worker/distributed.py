"""Procrastinate as the engine that shares work among several machines: puts jobs in, and makes its tables.

Invariant: it puts jobs in on our own connection, inside our own transaction, and changes nothing of ours.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.resources import files

from procrastinate import SyncPsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Job as Kept
from procrastinate.manager import JobManager
from procrastinate.schema import SchemaManager

from reminders.clock import Clock
from reminders.errors import DatabaseNotReady
from reminders.services.engine import Job, Task
from reminders.store import jobs
from reminders.store.database import Database, Transaction
from reminders.store.faults import noun_for

QUEUES: Mapping[str, tuple[Task, ...]] = {
    "deliver": (Task.DELIVER_BATCH,),
    "share": (Task.DELIVER, Task.TOP_UP),
    "plan": (Task.PLAN, Task.PLAN_BATCH, Task.RETENTION),
    "rescue": (Task.RESCUE, Task.RETRY_STALLED),
}
"""Which queue a task is in: a machine does one job of each at a time, so that none waits for another kind's."""
_QUEUE_OF = {task: queue for queue, tasks in QUEUES.items() for task in tasks}


class SharedTablesMissing(DatabaseNotReady):
    """The tables by which several machines share work are missing: run `reminders init` where the extra is installed.

    `REMINDERS_ENGINE=local` lets this machine work without them.
    """


class SharedTablesOlder(DatabaseNotReady):
    """The tables by which several machines share work are an earlier version's: stop all, and run `reminders init`."""


class SharedTablesNewer(DatabaseNotReady):
    """The tables by which several machines share work are a newer version's: install that version on every machine."""


class Procrastinate:
    """The engine; it connects to nothing of its own."""

    def __init__(self) -> None:
        """Read nothing yet."""
        self._manager = JobManager(SyncPsycopgConnector())

    def defer(self, tx: Transaction, job: Job) -> bool:
        """Put a job in; False where one that is to be alone waits already: the library's index says so."""
        savepoint = tx.connection.begin_nested()
        try:
            self.defer_all(tx, [job])
        except AlreadyEnqueued:
            savepoint.rollback()
            return False
        savepoint.commit()
        return True

    def defer_all(self, tx: Transaction, wanted: Sequence[Job]) -> None:
        """Put all of them in with one statement."""
        if not wanted:
            return
        try:
            self._manager.batch_defer_jobs([_kept(job) for job in wanted], connection=jobs.driver(tx))
        except ConnectorException as error:
            noun = noun_for(getattr(error.__cause__, "sqlstate", None))
            raise noun from None

    def create_schema(self, database: Database, clock: Clock) -> bool:
        """Create the tables at once, or bring them to this version script by script.

        Each script is applied in one transaction with the note that it was: a crash leaves whole ones, and the next
        `init` goes on. The library keeps no such note itself, and its scripts cannot be told from the tables.
        """
        with database.write(clock.now, "init") as tx:
            known = jobs.applied(tx)
            if known is None:
                jobs.create(tx, SchemaManager.get_schema(), self._scripts)
                return True
        _refuse_newer(known, self._scripts)
        missing = [name for name in self._scripts if name not in known]
        for name in missing:
            with database.write(clock.now, "init") as tx:
                if name not in (jobs.applied(tx) or ()):  # another `init` may be at it
                    jobs.upgrade(tx, name, self._scripts[name])
        return bool(missing)

    def need_schema(self, tx: Transaction) -> None:
        """Raise a `DatabaseNotReady` unless the tables are those of this version of the library."""
        known = jobs.applied(tx)
        if known is None:
            raise SharedTablesMissing
        _refuse_newer(known, self._scripts)
        if not known.issuperset(self._scripts):
            raise SharedTablesOlder

    @cached_property
    def _scripts(self) -> dict[str, str]:
        """Return the library's scripts by their names, in the order in which they are applied."""
        found = (one for one in files("procrastinate.sql.migrations").iterdir() if one.name.endswith(".sql"))
        return {one.name: one.read_text(encoding="utf-8") for one in sorted(found, key=lambda one: one.name)}


def _refuse_newer(known: set[str], scripts: Mapping[str, str]) -> None:
    if not known.issubset(scripts):
        raise SharedTablesNewer


def _kept(job: Job) -> Kept:
    return Kept(
        queue=_QUEUE_OF[job.task],
        lock=None,
        queueing_lock=job.task if job.alone else None,
        task_name=job.task,
        task_kwargs=dict(job.arguments),  # type: ignore[arg-type] # ids and counts, in lists
    )
