"""Where deliveries run: how often each place let messages go, and by what a database shows that it was moved or copied.

Invariant: a place's count is raised in the very commit that lets messages go, so that whoever remembers a higher one
than the database knows has sent what this database does not know of.
"""

import datetime as dt
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, insert, select, update

from reminders.store.database import Transaction, database_now
from reminders.store.engine import sqlite_path
from reminders.store.schema import places as table
from reminders.store.schema import reminders
from reminders.store.server import uptime

MACHINE = Path("/etc/machine-id")
"""A random word made when the system was installed (machine-id(5)); an image that was never started holds none."""

ALIGNED = 1_000_000
"""What the counts of all places are raised by once a person has looked into an older copy: no place remembers more."""

LATELY = dt.timedelta(minutes=15)
"""So long the word of another machine holds: it counts along, and would have locked an older copy."""

SKEW = dt.timedelta(minutes=1)
"""So far ahead a word may lie: a server's clock is corrected by seconds. What lies further ahead was said on another
one, whose clock is not as slow."""

_TIMELINE = (
    "CASE WHEN pg_is_in_recovery() THEN c.timeline_id"
    " ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int END"
)
"""The timeline that is written to: the control file tells of a promotion only from the next checkpoint on (PostgreSQL's
documentation of pg_rewind), and until then a standby would pass for the server that it stood by."""
_SERVER = (
    f"SELECT concat_ws(':', 'postgresql', s.system_identifier, {_TIMELINE}, d.oid) FROM pg_control_system() s, "  # noqa: S608 - our own words
    "pg_control_checkpoint() c, pg_database d WHERE d.datname = current_database()"
)
_DATABASE = "SELECT concat_ws(':', 'postgresql', oid) FROM pg_database WHERE datname = current_database()"
_MAY_ASK = (
    "SELECT has_function_privilege('pg_control_system()', 'execute') "
    "AND has_function_privilege('pg_control_checkpoint()', 'execute')"
)


@dataclass(frozen=True, slots=True)
class Place:
    """A place of delivery and how often it let messages go."""

    id: str
    fences: int


def home(tx: Transaction, url: str, machine: Path = MACHINE) -> str:
    """Return what tells this database from a copy of it.

    SQLite: the number of its file, which a copy or a move to another disk changes, and the machine. PostgreSQL: the
    cluster's identifier, its timeline (a promoted or restored server has another) and the database's number.
    """
    path = sqlite_path(url)
    if path is not None:
        return f"sqlite:{os.stat(path).st_ino}:{_machine(machine)}"  # noqa: PTH116 - once for every delivery
    asked = _SERVER if tx.connection.exec_driver_sql(_MAY_ASK).scalar() else _DATABASE
    return str(tx.connection.exec_driver_sql(asked).scalar())


def place(tx: Transaction, place_id: str) -> Place | None:
    """Return a place, None when this database never heard of it."""
    row = tx.connection.execute(select(table.c.id, table.c.fences).where(table.c.id == place_id)).first()
    return Place(*row) if row else None


def mark(home: str) -> str:
    """Return a short digest of the database that is at `home`, without the timeline, which a promotion changes."""
    kind, *rest = home.split(":")
    lasting = [kind, rest[0], rest[-1]] if kind == "postgresql" else [kind, *rest]
    return hashlib.sha256(":".join(lasting).encode()).hexdigest()[:12]


def total(tx: Transaction) -> int:
    """Return how often all places together let messages go."""
    return int(tx.connection.execute(select(func.coalesce(func.sum(table.c.fences), 0))).scalar_one())


def join(tx: Transaction, place_id: str) -> None:
    """Add a place that has sent nothing yet, or note that it was seen again, by the clock that all machines share."""
    now = database_now(tx)
    seen = update(table).where(table.c.id == place_id).values(last_seen=now)
    if tx.connection.execute(seen).rowcount == 0:
        tx.connection.execute(insert(table).values(id=place_id, fences=0, first_seen=now, last_seen=now))


def any_sent(tx: Transaction) -> bool:
    """Tell whether anything ever went out: a place let messages go, or a version did that knew of no places."""
    c = reminders.c
    counted = select(table.c.id).where(table.c.fences > 0).limit(1)
    gone = [select(c.id).where(moment.is_not(None)).limit(1) for moment in (c.sent_at, c.handed_over_at)]
    return any(tx.connection.execute(query).first() is not None for query in (counted, *gone))


def seen_lately(tx: Transaction) -> bool:
    """Tell whether a machine that knows the count delivered `LATELY` on this very server, and so vouches for it.

    PostgreSQL alone, whose clock writes these moments and judges them. What was seen before the server started may have
    been seen on the one that it is a copy of: a snapshot of a disk, or a base backup, has the same identifier and the
    same timeline as its original.
    """
    now = database_now(tx)
    since = now - min(LATELY, uptime(tx.connection))
    query = select(table.c.id).where(table.c.last_seen.between(since, now + SKEW)).limit(1)
    return tx.connection.execute(query).first() is not None


def pass_fence(tx: Transaction, place_id: str) -> int | None:
    """Count a round that is let go, in its own commit; return the new count, None when the place is not known."""
    c = table.c
    values = {"fences": c.fences + 1, "last_seen": database_now(tx)}
    change = update(table).where(c.id == place_id).values(values).returning(c.fences)
    found: int | None = tx.connection.execute(change).scalar()
    return found


def align(tx: Transaction) -> None:
    """Raise every count above what its place can remember: a person has looked into what was sent meanwhile."""
    tx.connection.execute(update(table).values(fences=table.c.fences + ALIGNED))


def _machine(path: Path) -> str:
    """Return a digest of the machine's word (it is not to be shown), empty where there is none."""
    try:
        word = path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
    known = word not in ("", "uninitialized")
    return hashlib.sha256(f"reminders:{word}".encode()).hexdigest()[:16] if known else ""
