"""Whether the database can be trusted with what is sent: there is room to record it, and its tables are this version's.

Invariant: nothing here changes a row, and the files are never opened beside SQLite.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ColumnElement,
    Date,
    Integer,
    LargeBinary,
    String,
    case,
    cast,
    column,
    func,
    literal_column,
    not_,
    select,
    table,
)

from reminders.domain.facts import Consent, Kind, Status
from reminders.domain.interval import Interval
from reminders.domain.lifecycle import Reason, State
from reminders.domain.protocol import TreatmentClass
from reminders.errors import BadInput, CannotDo
from reminders.store.clinics import clinic_ids, readable_clinics
from reminders.store.columns import Moment, StateCode
from reminders.store.engine import sqlite_path
from reminders.store.faults import DatabaseNewer, DatabaseOlder, DatabaseUnwritable, UnreadableText
from reminders.store.schema import metadata, own_intervals
from reminders.store.transaction import Transaction

REVISION = "0007"
"""The revision of the tables that this version's statements are written for: the newest one in `alembic/versions`."""

_AS_IT_IS = "+0 days"
"""Makes SQLite look for the day in its calendar: without it 31 February passes."""

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
    """Return the tables that hold rows which cannot be read, how many and by which column; reads them whole.

    That is a code this version does not know, a day that no calendar has, and on SQLite, whose columns hold anything, a
    value of another kind, or a text that is no UTF-8.
    """
    if tx.connection.dialect.name == "sqlite":
        driver: Any = tx.connection.connection.driver_connection
        driver.create_function("is_utf8", 1, _is_utf8, deterministic=True)
    found = []
    for one in metadata.sorted_tables:
        checks = {column.name: wrong for column in one.c if (wrong := _unreadable(tx, column)) is not None}
        if not checks:
            continue
        counting = select(*(func.count(case((wrong, 1))) for wrong in checks.values())).select_from(one)
        counted = zip(checks, tx.connection.execute(counting).one(), strict=True)
        found += [f"{one.name} ({count} with an unreadable {name})" for name, count in counted if count]
    for name, code, known in _CODES:
        where = column(code).is_not(None) & column(code).not_in([str(member) for member in known])
        count = tx.connection.execute(select(func.count()).select_from(table(name)).where(where)).scalar_one()
        if count:
            found.append(f"{name} ({count} with an unknown {code})")
    return (*found, *_unusable(tx))


def _unusable(tx: Transaction) -> Iterator[str]:
    """Yield what stands in words of our own that mean nothing."""
    c = own_intervals.c
    wrong = 0
    with suppress(UnreadableText):  # said above
        for due, count in tx.connection.execute(select(c.due, func.count()).group_by(c.due)):
            try:
                Interval.parse(due)
            except (BadInput, ValueError):
                wrong += count
    if wrong:
        yield f"own_intervals ({wrong} with an unknown due)"
    if closed := len(clinic_ids(tx)) - len(readable_clinics(tx)):
        yield f"clinics ({closed} that cannot be read)"


def _unreadable(tx: Transaction, one: "Column[Any]") -> ColumnElement[bool] | None:
    """Return the condition that a column holds what cannot be read; None where the database lets nothing such in."""
    if tx.connection.dialect.name != "sqlite":
        days = isinstance(one.type, Date | Moment)  # its own go on behind the year 9999, and to infinity
        return not_(func.date_part("year", one).between(1, 9999)) if days else None
    value: ColumnElement[Any] = literal_column(f'"{one.name}"')
    if isinstance(one.type, Date):
        wrong = _differs(func.date(value, _AS_IT_IS), value)
    elif isinstance(one.type, Moment):
        wrong = _differs(func.datetime(value, _AS_IT_IS), func.substr(value, 1, 19))
    elif isinstance(one.type, Integer | Boolean):
        wrong = func.typeof(value) != "integer"
    elif isinstance(one.type, JSON):
        wrong = (func.json_valid(value) == 0) | _no_utf8(value)
    elif isinstance(one.type, String | StateCode):
        wrong = (func.typeof(value) != "text") | _no_utf8(value)
    else:
        return None
    return value.is_not(None) & wrong


def _differs(read: ColumnElement[Any], value: ColumnElement[Any]) -> ColumnElement[bool]:
    return read.is_(None) | (read != value)


def _no_utf8(value: ColumnElement[Any]) -> ColumnElement[bool]:
    return func.is_utf8(cast(value, LargeBinary)) == 0


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True
