"""The tables of the engine that shares work among several machines (Procrastinate), beside ours on PostgreSQL.

They stand in a namespace of their own. Its functions name their tables without one, so that a transaction which uses
them looks there too, behind our own tables.

Invariants: its tables are made and changed by its own scripts alone, each of which is applied once, together with the
note that it was; a slot is taken once.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from reminders.store.database import Transaction

NAMESPACE = "reminders_jobs"


@dataclass(frozen=True, slots=True)
class Standing:
    """How many workers gave a sign of life lately, and how many jobs wait, are at work, or are a dead worker's."""

    workers: int
    waiting: int
    at_work: int
    stalled: int


def applied(tx: Transaction) -> set[str] | None:
    """Return the scripts that were applied; None where the namespace is not there."""
    if tx.connection.exec_driver_sql(f"SELECT to_regclass('{NAMESPACE}.applied')").scalar_one() is None:
        return None
    return set(tx.connection.exec_driver_sql(f"SELECT name FROM {NAMESPACE}.applied").scalars())  # noqa: S608 - ours


def create(tx: Transaction, script: str, names: Iterable[str]) -> None:
    """Make the namespace and all tables by `script`, which does what the scripts called `names` do."""
    run = tx.connection.exec_driver_sql
    run(f"CREATE SCHEMA {NAMESPACE}")
    run(f"CREATE TABLE {NAMESPACE}.applied (name text PRIMARY KEY)")
    run(f"CREATE TABLE {NAMESPACE}.slots (task text PRIMARY KEY, slot bigint NOT NULL)")
    _apply(tx, script, names)


def upgrade(tx: Transaction, name: str, script: str) -> None:
    """Apply a script to the tables that are there."""
    _apply(tx, script, [name])


def _apply(tx: Transaction, script: str, names: Iterable[str]) -> None:
    run = tx.connection.exec_driver_sql
    usual = run("SELECT current_setting('search_path')").scalar_one()
    run("SELECT set_config('search_path', %s, true)", (NAMESPACE,))
    driver(tx).execute(script)  # as it is: SQLAlchemy would take a percent sign for a parameter
    run("SELECT set_config('search_path', %s, true)", (usual,))
    for name in names:
        run(f"INSERT INTO {NAMESPACE}.applied (name) VALUES (%s)", (name,))  # noqa: S608 - ours


def driver(tx: Transaction) -> Any:  # noqa: ANN401 - psycopg's connection; the driver is an extra
    """Return the driver's own connection, for what the engine puts in on it; it sees the engine's tables as well."""
    name = "current_setting('search_path')"
    tx.connection.exec_driver_sql(
        f"SELECT set_config('search_path', {name} || ', {NAMESPACE}', true) WHERE position('{NAMESPACE}' in {name}) = 0"
    )
    return tx.connection.connection.driver_connection


def take_slot(tx: Transaction, task: str, slot: int, every: int) -> bool:
    """Take a task's slot; False where it is taken, or a later one is. Both in milliseconds since 1970.

    A slot that lies far ahead was taken under a clock that has gone back since: it keeps nobody out.
    """
    statement = (
        f"INSERT INTO {NAMESPACE}.slots AS known (task, slot) VALUES (%s, %s) ON CONFLICT (task) DO UPDATE"  # noqa: S608 - ours
        " SET slot = excluded.slot WHERE known.slot < excluded.slot OR known.slot > excluded.slot + %s RETURNING 1"
    )
    return tx.connection.exec_driver_sql(statement, (task, slot, 3 * every)).first() is not None


def live(tx: Transaction, task: str) -> list[tuple[bool, dict[str, Any]]]:
    """Return the jobs of a task that wait (True) or are at work (False), with their arguments."""
    statement = (
        f"SELECT status = 'todo', args FROM {NAMESPACE}.procrastinate_jobs"  # noqa: S608 - ours
        " WHERE task_name = %s AND status IN ('todo', 'doing') ORDER BY id"
    )
    return [(waits, args) for waits, args in tx.connection.exec_driver_sql(statement, (task,))]


def standing(tx: Transaction, silent_s: float) -> Standing:
    """Return how the engine does; a worker that said nothing for `silent_s` seconds of the server's clock is dead."""
    alive = "SELECT id FROM alive"
    statement = (
        f"WITH alive AS (SELECT id FROM {NAMESPACE}.procrastinate_workers"  # noqa: S608 - ours
        " WHERE last_heartbeat > clock_timestamp() - %s * interval '1 second')"
        " SELECT (SELECT count(*) FROM alive), count(*) FILTER (WHERE status = 'todo'),"
        f" count(*) FILTER (WHERE status = 'doing' AND worker_id IN ({alive})),"
        f" count(*) FILTER (WHERE status = 'doing' AND (worker_id IS NULL OR worker_id NOT IN ({alive})))"
        f" FROM {NAMESPACE}.procrastinate_jobs"
    )
    return Standing(*tx.connection.exec_driver_sql(statement, (silent_s,)).one())
