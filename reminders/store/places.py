"""Where deliveries run: how often each place let messages go, and by what a database shows that it was moved or copied.

Invariant: a place's count is raised in the very commit that lets messages go, so that whoever remembers a higher one
than the database knows has sent what this database does not know of.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, insert, select, update

from reminders.store.database import Transaction
from reminders.store.engine import sqlite_path
from reminders.store.schema import places as table

MACHINE = Path("/etc/machine-id")
"""A random word made when the system was installed (machine-id(5)); an image that was never started holds none."""

ALIGNED = 1_000_000
"""What the counts of all places are raised by once a person has looked into an older copy: no place remembers more."""

_SERVER = (
    "SELECT concat_ws(':', 'postgresql', s.system_identifier, c.timeline_id, d.oid) FROM pg_control_system() s, "
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


def join(tx: Transaction, place_id: str) -> None:
    """Add a place that has sent nothing yet, or note that it was seen again."""
    seen = update(table).where(table.c.id == place_id).values(last_seen=tx.now)
    if tx.connection.execute(seen).rowcount == 0:
        tx.connection.execute(insert(table).values(id=place_id, fences=0, first_seen=tx.now, last_seen=tx.now))


def any_sent(tx: Transaction) -> bool:
    """Tell whether any place has let messages go."""
    query = select(func.count()).select_from(table).where(table.c.fences > 0)
    return bool(tx.connection.execute(query).scalar_one())


def pass_fence(tx: Transaction, place_id: str) -> int | None:
    """Count a round that is let go, in its own commit; return the new count, None when the place is not known."""
    c = table.c
    change = update(table).where(c.id == place_id).values(fences=c.fences + 1, last_seen=tx.now).returning(c.fences)
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
