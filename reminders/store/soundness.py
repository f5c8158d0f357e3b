"""Whether the database can be trusted with what is sent: there is room to record it, and its tables are this version's.

Invariant: nothing here changes a row, and the files are never opened beside SQLite.
"""

import os
import shutil
from dataclasses import dataclass

from sqlalchemy import column, func, select, table

from reminders.domain.facts import Consent, Kind, Status
from reminders.domain.lifecycle import Reason, State
from reminders.domain.protocol import TreatmentClass
from reminders.errors import CannotDo
from reminders.store.engine import sqlite_path
from reminders.store.faults import DatabaseNewer, DatabaseOlder, DatabaseUnwritable
from reminders.store.transaction import Transaction

REVISION = "0005"
"""The revision of the tables that this version's statements are written for: the newest one in `alembic/versions`."""

ROOM = 200 * 1024 * 1024
ROOM_SHARE = 0.05

_CODES = (
    ("reminders", "state", State),
    ("reminders", "reason", Reason),
    ("reminders", "held_reason", Reason),
    ("reminders", "class_name", TreatmentClass),
    ("patients", "consent", Consent),
    ("patients", "status", Status),
    ("treatments", "kind", Kind),
    ("suppressions", "reason", Reason),
)


class DiskNearlyFull(CannotDo):
    """There are only {free} MB left where the database is: nothing is sent while what is sent may not be recorded.

    Make room there, then deliver again; what is due waits meanwhile.
    """


@dataclass(frozen=True, slots=True)
class Room:
    """How many bytes are free where an SQLite file is, of how many, and whether anything can be written there."""

    free: int
    total: int
    writable: bool = True

    @property
    def enough(self) -> bool:
        """Tell whether delivery may go on: 200 MB, or on a small disk a twentieth of it."""
        return self.free >= min(ROOM, ROOM_SHARE * self.total)


def room_left(url: str) -> Room | None:
    """Return the room where the database's file is; None on PostgreSQL, whose disk is its own server's concern."""
    path = sqlite_path(url)
    if path is None or not path.parent.is_dir():
        return None
    usage = shutil.disk_usage(path.parent)
    flags = os.statvfs(path.parent).f_flag if hasattr(os, "statvfs") else 0
    return Room(usage.free, usage.total, not flags & getattr(os, "ST_RDONLY", 0))


def refuse_full(url: str) -> None:
    """Raise where a message could go out and not be recorded: `DiskNearlyFull`, `DatabaseUnwritable`."""
    room = room_left(url)
    if room is not None and not room.writable:
        raise DatabaseUnwritable
    if room is not None and not room.enough:
        raise DiskNearlyFull(free=room.free // (1024 * 1024))


def refuse_moved(tx: Transaction) -> None:
    """Raise `DatabaseNewer` or `DatabaseOlder` when the tables are not this version's any more.

    A newer version's `init` may upgrade beneath a worker that runs: what it then wrote could contradict the new tables.
    """
    found = tx.connection.execute(select(table("alembic_version", column("version_num")))).scalars().all()
    if found != [REVISION]:
        raise (DatabaseNewer if max(found, default="") > REVISION else DatabaseOlder)(found=", ".join(found))


def damaged_rows(tx: Transaction) -> tuple[str, ...]:
    """Return the tables that hold rows with a code this version does not know, and how many rows; reads them whole."""
    found = []
    for name, code, known in _CODES:
        where = column(code).is_not(None) & column(code).not_in([str(member) for member in known])
        count = tx.connection.execute(select(func.count()).select_from(table(name)).where(where)).scalar_one()
        if count:
            found.append(f"{name} ({count} with an unknown {code})")
    return tuple(found)
