"""What the database asks of a PostgreSQL server: how transactions begin, who waits for whom, and by which clock.

Invariant: nobody changes facts while a delivery reads them. A writer takes the lock `facts` alone; the steps of
deliveries take it together, so that they run beside each other and never beside a change of facts.

No two of our transactions can wait for each other in a ring. The order is: `facts`; then rows, each kind in the order
transport, clinic, patient, reminders; then `trail`, held by one at a time until its COMMIT. Who holds `facts` alone
meets nobody further on. Of those who hold it together, each touches only rows of its own: a claim waits for no patient
(it takes one whom nobody has, or leaves them), a worker's other steps touch what it has claimed, and a renewal leaves a
row that its own worker is at. Transports with a rate are waited for in the order of their names, at the beginning of a
claim and by nothing else; rows that are missing are made before any is held, in that order too. Clinics with a daily
limit are waited for in rising order. Behind `trail` nobody takes anything.
"""

import datetime as dt
from collections.abc import Mapping

from sqlalchemy import Connection
from sqlalchemy.engine.interfaces import DBAPIConnection

_FACTS = 0x7265_6D69  # any numbers that only we use: PostgreSQL's advisory locks are named by numbers
_TRAIL = 0x7265_6D6A

_STATEMENT_MS = 300_000
_IDLE_MS = 30_000
"""How long one statement may run, and how long a transaction may say nothing: a program that was stopped in the middle
of one, or cut off, would else keep every other machine out until somebody notices. Silence is no work of ours: nothing
is computed for seconds between two statements."""

_STEP_MS, _KNOWS_WHOLE = 120_000, (17,)
"""How long a step of a delivery may take as a whole, on servers that know such a limit: who was stopped while a
statement was on its way to the server is silent in a way that neither of the limits above counts."""

_IN_ERROR = 3
"""psycopg.pq.TransactionStatus.INERROR; the driver is an extra, and not imported without need."""

CONNECTING: Mapping[str, int] = {
    "connect_timeout": 10,
    "keepalives": 1,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
"""How a connection notices that its server is gone (libpq's names; seconds, the last one milliseconds): else it would
wait for hours (postgresql.org/docs, 32.1.2). What the URL says goes before."""


_LOST_PEER = {"idle": 10, "interval": 5, "count": 3}
_UNHEARD_MS = 25_000


def watch_the_client(connection: DBAPIConnection) -> None:
    """Let the server notice within half a minute that our machine was cut off, and undo what we were at.

    A cable that is pulled in the middle of a statement leaves the server waiting for the rest of it, with our locks in
    its hands: that is no silence between two statements, and its own keepalives begin after two hours.
    """
    set_ = [f"set_config('tcp_keepalives_{name}', '{value}', false)" for name, value in _LOST_PEER.items()]
    cursor = connection.cursor()
    cursor.execute(f"SELECT {', '.join(set_)}, set_config('tcp_user_timeout', '{_UNHEARD_MS}', false)")
    cursor.close()
    connection.commit()  # what is set in a transaction that is undone is undone as well


_OFTEN = {"autovacuum_vacuum_scale_factor": "0.02", "autovacuum_vacuum_cost_delay": "0"}
_OF_A_FEW_ROWS = {"fillfactor": "50", "autovacuum_vacuum_scale_factor": "0", "autovacuum_vacuum_threshold": "500"}
STORAGE: Mapping[str, Mapping[str, str]] = {
    "reminders": {"fillfactor": "85", **_OFTEN, "autovacuum_analyze_scale_factor": "0.02"},
    "messages": {"fillfactor": "85", **_OFTEN},
    **dict.fromkeys(("installation", "places", "transports", "heartbeats"), _OF_A_FEW_ROWS),
}
"""How PostgreSQL keeps the tables that a delivery changes; figures in docs/performance.md.

A message's row is written anew about five times on its way. As the server comes it cleans a table up when a fifth of it
is dead, which is millions of rows where ten millions are planned; the few rows that every delivery changes it would
leave until they fill pages."""


def keep_clean(connection: Connection) -> None:
    """Give the tables of `STORAGE` its settings, for new pages and from the next cleaning on; nothing on SQLite."""
    if connection.dialect.name == "postgresql":
        for table, settings in STORAGE.items():
            given = ", ".join(f"{name} = {value}" for name, value in settings.items())
            connection.exec_driver_sql(f"ALTER TABLE {table} SET ({given})")


def begin_reader(connection: Connection) -> None:
    """Begin a transaction that sees one state of everything and cannot write."""
    connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")


def begin_writer(connection: Connection, busy_ms: int, *, alongside: bool) -> None:
    """Begin a writer's transaction with its lock; what it reads from now on, it reads as of then or later.

    A server may be set to answer a COMMIT before it is on the disk; for our letters it is told not to: a lost "sent"
    would be a second letter. A stricter setting of its own stays.
    """
    lock = "pg_advisory_xact_lock_shared" if alongside else "pg_advisory_xact_lock"
    knows = (connection.dialect.server_version_info or (0,)) >= _KNOWS_WHOLE
    whole = f"set_config('transaction_timeout', '{_STEP_MS}', true)," if alongside and knows else ""
    connection.exec_driver_sql(
        f"SELECT {whole} set_config('lock_timeout', '{busy_ms}', true),"
        f" set_config('statement_timeout', '{_STATEMENT_MS}', true),"
        f" set_config('idle_in_transaction_session_timeout', '{_IDLE_MS}', true),"
        " set_config('synchronous_commit', CASE WHEN current_setting('synchronous_commit') IN ('off', 'local')"
        " THEN 'on' ELSE current_setting('synchronous_commit') END, true),"
        f" {lock}({_FACTS})"
    )


def take_as_long_as_needed(connection: Connection) -> None:
    """Let the statements of this transaction run for as long as they need: a migration rewrites whole tables."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")


def wait_for_the_trail(connection: Connection) -> None:
    """Wait until no other transaction has entries on their way to the trail; ours are then the next."""
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_TRAIL})")


def server_clock(connection: Connection) -> dt.datetime:
    """Return the server's present moment, not that of the transaction's beginning, aware, in UTC."""
    found: dt.datetime = connection.exec_driver_sql("SELECT clock_timestamp()").scalar_one()
    return found.astimezone(dt.UTC)


def uptime(connection: Connection) -> dt.timedelta:
    """Return for how long the server has been running: what a copy of it holds is older than the copy's own start."""
    asked = "SELECT clock_timestamp() - pg_postmaster_start_time()"
    found: dt.timedelta = connection.exec_driver_sql(asked).scalar_one()
    return found


def is_broken(connection: Connection) -> bool:
    """Tell whether a statement of this transaction failed: its COMMIT would undo everything and say nothing of it."""
    info = getattr(connection.connection.driver_connection, "info", None)
    return bool(getattr(info, "transaction_status", None) == _IN_ERROR)
