"""A clinic's own templates: every version of each as it was written, and which one is in force.

Invariant: a stored version never changes but for its withdrawal; numbers count up per clinic, class, step, protocol
(empty: every protocol of the step) and language, and the newest one is in force unless it is withdrawn.
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, bindparam, func, select, update

from reminders.store.audit_trail import record
from reminders.store.database import Transaction
from reminders.store.rows import insert_row
from reminders.store.schema_letters import templates as table


@dataclass(frozen=True, slots=True)
class Place:
    """What a template is for; `protocol` is a code, or empty for every protocol of the step."""

    class_name: str
    stage: str
    language: str
    protocol: str = ""


@dataclass(frozen=True, slots=True)
class StoredTemplate:
    """One version of a clinic's own template; `source` is its file as it was written."""

    id: int
    clinic_id: int
    place: Place
    version: int
    source: str
    check_version: str
    actor: str
    created_at: dt.datetime
    withdrawn_at: dt.datetime | None


def add_version(tx: Transaction, clinic_id: int, place: Place, source: str, check_version: str) -> StoredTemplate:
    """Keep another version of a template; it is in force from here on."""
    values = {
        "clinic_id": clinic_id,
        "class_name": place.class_name,
        "stage": place.stage,
        "protocol": place.protocol,
        "language": place.language,
        "version": _last_version(tx, clinic_id, place) + 1,
        "source": source,
        "check_version": check_version,
        "actor": tx.actor,
        "created_at": tx.now,
    }
    number = insert_row(tx.connection, table, values)
    _note(tx, "save", number, clinic_id, place, int(str(values["version"])))
    return _one(tx, table.c.id == number)


def withdraw(tx: Transaction, found: StoredTemplate) -> bool:
    """Take the version in force back, so that the shipped template is used; False where it was withdrawn before."""
    statement = update(table).where(table.c.id == found.id, table.c.withdrawn_at.is_(None)).values(withdrawn_at=tx.now)
    done = tx.connection.execute(statement).rowcount == 1
    if done:
        _note(tx, "withdraw", found.id, found.clinic_id, found.place, found.version)
    return done


def in_force(tx: Transaction, clinic_id: int, place: Place) -> StoredTemplate | None:
    """Return the newest version for this place; None where there is none, or the newest is withdrawn."""
    query = select(table).where(_at(clinic_id, place)).order_by(table.c.version.desc()).limit(1)
    row = tx.connection.execute(query).first()
    return _read(row) if row is not None and row.withdrawn_at is None else None


@dataclass(frozen=True, slots=True)
class Named:
    """Which version is in force at a place of a clinic."""

    id: int
    clinic_id: int
    place: Place


def named_in_force(tx: Transaction, clinic_ids: Collection[int]) -> list[Named]:
    """Return what is in force at these clinics, without its words: asked for every round of messages."""
    rows = tx.connection.execute(_IN_FORCE, {"asked": clinic_ids})
    return [Named(key, clinic_id, Place(*place)) for key, clinic_id, *place in rows]


def _in_force() -> Select[Any]:
    places = (table.c.clinic_id, table.c.class_name, table.c.stage, table.c.language, table.c.protocol)
    of_these = table.c.clinic_id.in_(bindparam("asked", expanding=True))
    last = select(*places, func.max(table.c.version).label("version")).where(of_these).group_by(*places).subquery()
    same = and_(*(column == last.c[column.name] for column in (*places, table.c.version)))
    return select(table.c.id, *places).join_from(table, last, same).where(table.c.withdrawn_at.is_(None))


_IN_FORCE = _in_force()


def sources(tx: Transaction, ids: Collection[int]) -> list[tuple[int, int, str]]:
    """Return id, version and words of these versions."""
    query = select(table.c.id, table.c.version, table.c.source).where(table.c.id.in_(ids))
    return [(key, version, source) for key, version, source in tx.connection.execute(query)] if ids else []


def all_in_force(tx: Transaction, clinic_id: int | None = None) -> list[StoredTemplate]:
    """Return what is in force at a clinic, or at every clinic, by clinic, class, step, protocol and language."""
    places = (table.c.clinic_id, table.c.class_name, table.c.stage, table.c.protocol, table.c.language)
    newest = select(*places, func.max(table.c.version).label("version")).group_by(*places).subquery()
    same = and_(*(column == newest.c[column.name] for column in (*places, table.c.version)))
    query = select(table).join(newest, same).where(table.c.withdrawn_at.is_(None)).order_by(*places)
    if clinic_id is not None:
        query = query.where(table.c.clinic_id == clinic_id)
    return [_read(row) for row in tx.connection.execute(query)]


def versions(tx: Transaction, clinic_id: int, place: Place) -> list[StoredTemplate]:
    """Return every version for this place, oldest first."""
    query = select(table).where(_at(clinic_id, place)).order_by(table.c.version)
    return [_read(row) for row in tx.connection.execute(query)]


def _at(clinic_id: int, place: Place) -> ColumnElement[bool]:
    return and_(
        table.c.clinic_id == clinic_id,
        table.c.class_name == place.class_name,
        table.c.stage == place.stage,
        table.c.protocol == place.protocol,
        table.c.language == place.language,
    )


def _last_version(tx: Transaction, clinic_id: int, place: Place) -> int:
    return tx.connection.execute(select(func.max(table.c.version)).where(_at(clinic_id, place))).scalar() or 0


def _one(tx: Transaction, condition: ColumnElement[bool]) -> StoredTemplate:
    return _read(tx.connection.execute(select(table).where(condition)).one())


def _note(tx: Transaction, action: str, number: int, clinic_id: int, place: Place, version: int) -> None:
    details = {
        "class": place.class_name,
        "step": place.stage,
        "protocol": place.protocol or None,
        "language": place.language,
        "version": version,
    }
    record(tx, action, "template", number, clinic_id=clinic_id, details=details)


def _read(row: Row[tuple[object, ...]]) -> StoredTemplate:
    return StoredTemplate(
        id=row.id,
        clinic_id=row.clinic_id,
        place=Place(row.class_name, row.stage, row.language, row.protocol),
        version=row.version,
        source=row.source,
        check_version=row.check_version,
        actor=row.actor,
        created_at=row.created_at,
        withdrawn_at=row.withdrawn_at,
    )
