"""Clinics with their calendars, practitioners and locations.

Invariant: everything found here by id is looked for within its clinic, and an audit entry names changed fields only.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, bindparam, delete, select, update

from reminders.store.apart import ODD_DATA, apart
from reminders.store.audit_trail import record
from reminders.store.database import Transaction
from reminders.store.rows import insert_row, insert_unless_there
from reminders.store.schema import clinics, closed_days
from reminders.store.schema import locations as location_table
from reminders.store.schema import practitioners as practitioner_table

_NUMBERS = ("opens_at", "closes_at", "send_at", "daily_limit")
_CODED = ("unknown_consent", "daily_limit", "paused_at")
"""The fields by which a clinic keeps messages back: what stands in them the trail is told."""


@dataclass(frozen=True, slots=True)
class Clinic:
    """A tenant. Times of day are minutes after local midnight; `sending_days` counts Monday as 0."""

    id: int
    slug: str
    name: str
    timezone: str
    email: str
    sender_name: str | None
    reply_to: str | None
    phone: str | None
    booking_url: str | None
    address: str | None
    language: str
    jurisdiction: str | None
    country: str | None
    region: str | None
    sending_days: frozenset[int]
    opens_at: int
    closes_at: int
    send_at: int | None
    daily_limit: int | None
    unknown_consent: str | None
    colour: str | None
    paused_at: dt.datetime | None
    created_at: dt.datetime
    closed_days: frozenset[dt.date]


@dataclass(frozen=True, slots=True)
class Practitioner:
    """Who a patient is pointed to, until `left_on`."""

    id: int
    clinic_id: int
    name: str
    left_on: dt.date | None


@dataclass(frozen=True, slots=True)
class Location:
    """A place of a clinic."""

    id: int
    clinic_id: int
    name: str
    address: str | None
    phone: str | None
    booking_url: str | None


Owned = TypeVar("Owned", Practitioner, Location)


def add_clinic(tx: Transaction, **values: object) -> Clinic:
    """Add a clinic from the fields of `Clinic`; weekdays nine to five, and English, unless said otherwise."""
    usual = {"language": "en", "sending_days": range(5), "opens_at": 9 * 60, "closes_at": 17 * 60}
    columns = _columns(usual | values) | {"created_at": tx.now}
    clinic_id = insert_row(tx.connection, clinics, columns)
    codes = _codes(dict.fromkeys(_CODED) | columns)
    record(tx, "add", "clinic", clinic_id, clinic_id=clinic_id, details={"codes": codes})
    days = values.get("closed_days")
    if isinstance(days, Iterable):
        set_closed_days(tx, clinic_id, add=days, remove=())
    found = clinic_by_id(tx, clinic_id)
    assert found is not None  # noqa: S101 - it was inserted above
    return found


def clinic_by_slug(tx: Transaction, slug: str) -> Clinic | None:
    """Return the clinic of that slug."""
    return next(iter(_found(tx, clinics.c.slug == slug)), None)


def clinic_by_id(tx: Transaction, clinic_id: int) -> Clinic | None:
    """Return the clinic of that id."""
    return next(iter(_found(tx, clinics.c.id == clinic_id)), None)


def clinics_by_ids(tx: Transaction, ids: Collection[int]) -> list[Clinic]:
    """Return those of these clinics that are there, by slug."""
    rows = tx.connection.execute(_BY_IDS, {"asked": ids}).mappings().all()
    return _with_closed_days(rows, tx.connection.execute(_CLOSED, {"asked": ids}))


_BY_IDS = select(clinics).where(clinics.c.id.in_(bindparam("asked", expanding=True))).order_by(clinics.c.slug)
_CLOSED = select(closed_days.c.clinic_id, closed_days.c.day).where(
    closed_days.c.clinic_id.in_(bindparam("asked", expanding=True))
)


def all_clinics(tx: Transaction) -> list[Clinic]:
    """Return every clinic, by slug."""
    return _found(tx)


def clinic_ids(tx: Transaction) -> list[int]:
    """Return the ids of every clinic, by slug; nothing else of their rows is read."""
    return list(tx.connection.execute(select(clinics.c.id).order_by(clinics.c.slug)).scalars())


def readable_clinics(tx: Transaction) -> list[Clinic]:
    """Return every clinic whose rows can be read, by slug: a damaged one is left out, and concerns nobody else."""
    found: list[Clinic] = []
    for clinic_id in clinic_ids(tx):
        with suppress(*ODD_DATA), apart(tx):
            found += _found(tx, clinics.c.id == clinic_id)
    return found


def slugs(tx: Transaction) -> dict[int, str]:
    """Return the slug of every clinic by its id; where it cannot be read, the id."""
    found: dict[int, str] = {}
    for clinic_id in clinic_ids(tx):
        found[clinic_id] = f"#{clinic_id}"
        with suppress(*ODD_DATA), apart(tx):
            query = select(clinics.c.slug).where(clinics.c.id == clinic_id)
            found[clinic_id] = tx.connection.execute(query).scalar_one()
    return found


def change_clinic(tx: Transaction, clinic_id: int, changes: Mapping[str, object]) -> None:
    """Set fields of a clinic, by the names of `Clinic` (its closed days through `set_closed_days`)."""
    if not changes:
        return
    tx.connection.execute(update(clinics).where(clinics.c.id == clinic_id).values(_columns(changes)))
    codes = _codes(changes)
    details = {"fields": sorted(changes)} | ({"codes": codes} if codes else {})
    record(tx, "change", "clinic", clinic_id, clinic_id=clinic_id, details=details)


def set_closed_days(tx: Transaction, clinic_id: int, add: Iterable[dt.date], remove: Iterable[dt.date]) -> None:
    """Add and remove whole days on which nothing is sent; days that are so already stay."""
    added = [day for day in sorted(set(add)) if _close(tx, clinic_id, day)]
    removed = [day for day in sorted(set(remove)) if _open(tx, clinic_id, day)]
    if added or removed:
        details = {"added": [str(day) for day in added], "removed": [str(day) for day in removed]}
        record(tx, "closed days", "clinic", clinic_id, clinic_id=clinic_id, details=details)


def add_practitioner(tx: Transaction, clinic_id: int, name: str) -> Practitioner:
    """Add a practitioner; the name is unique in the clinic."""
    key = insert_row(tx.connection, practitioner_table, {"clinic_id": clinic_id, "name": name})
    record(tx, "add", "practitioner", key, clinic_id=clinic_id)
    return Practitioner(key, clinic_id, name, None)


def practitioners(tx: Transaction, clinic_id: int) -> list[Practitioner]:
    """Return the clinic's practitioners, those who left too, in the order they were added."""
    return list(practitioners_of(tx, [clinic_id]).get(clinic_id, ()))


def practitioners_of(tx: Transaction, clinic_ids: Collection[int]) -> dict[int, tuple[Practitioner, ...]]:
    """Return the practitioners of these clinics, as `practitioners` does; a clinic without one is left out."""
    return _by_clinic(Practitioner(*row) for row in tx.connection.execute(_TEAM, {"asked": clinic_ids}))


def set_practitioner_left(tx: Transaction, practitioner_id: int, day: dt.date | None) -> None:
    """Note the day from which a practitioner is no longer there, or that they are back."""
    table = practitioner_table
    change = update(table).where(table.c.id == practitioner_id).values(left_on=day).returning(table.c.clinic_id)
    for (clinic_id,) in tx.connection.execute(change).all():
        record(tx, "change", "practitioner", practitioner_id, clinic_id=clinic_id, details={"fields": ["left_on"]})


def add_location(tx: Transaction, clinic_id: int, name: str, **values: str | None) -> Location:
    """Add a place with any of `address`, `phone`, `booking_url`; the name is unique in the clinic."""
    key = insert_row(tx.connection, location_table, {"clinic_id": clinic_id, "name": name, **values})
    record(tx, "add", "location", key, clinic_id=clinic_id)
    return Location(key, clinic_id, name, *(values.get(field) for field in ("address", "phone", "booking_url")))


def locations(tx: Transaction, clinic_id: int) -> list[Location]:
    """Return the clinic's places in the order they were added."""
    return list(locations_of(tx, [clinic_id]).get(clinic_id, ()))


def locations_of(tx: Transaction, clinic_ids: Collection[int]) -> dict[int, tuple[Location, ...]]:
    """Return the places of these clinics, as `locations` does; a clinic without one is left out."""
    return _by_clinic(Location(*row) for row in tx.connection.execute(_PLACES, {"asked": clinic_ids}))


def change_location(tx: Transaction, location_id: int, changes: Mapping[str, str | None]) -> None:
    """Set fields of a place, by the names of `Location`."""
    if not changes:
        return
    table = location_table
    change = update(table).where(table.c.id == location_id).values(**changes).returning(table.c.clinic_id)
    for (clinic_id,) in tx.connection.execute(change).all():
        record(tx, "change", "location", location_id, clinic_id=clinic_id, details={"fields": sorted(changes)})


_TEAM, _PLACES = (
    select(table).where(table.c.clinic_id.in_(bindparam("asked", expanding=True))).order_by(table.c.id)
    for table in (practitioner_table, location_table)
)


def _by_clinic(found: Iterable[Owned]) -> dict[int, tuple[Owned, ...]]:
    gathered: dict[int, list[Owned]] = {}
    for one in found:
        gathered.setdefault(one.clinic_id, []).append(one)
    return {clinic_id: tuple(those) for clinic_id, those in gathered.items()}


def _found(tx: Transaction, *conditions: ColumnElement[bool]) -> list[Clinic]:
    rows = tx.connection.execute(select(clinics).where(*conditions).order_by(clinics.c.slug)).mappings().all()
    query = select(closed_days.c.clinic_id, closed_days.c.day)
    if conditions:
        query = query.where(closed_days.c.clinic_id.in_([row["id"] for row in rows]))
    return _with_closed_days(rows, tx.connection.execute(query))


def _with_closed_days(rows: Sequence[Mapping[Any, Any]], days: Iterable[Sequence[Any]]) -> list[Clinic]:
    closed: dict[int, set[dt.date]] = {}
    for clinic_id, day in days:
        closed.setdefault(clinic_id, set()).add(day)
    return [_clinic(row, frozenset(closed.get(row["id"], ()))) for row in rows]


def _clinic(row: Mapping[Any, Any], closed: frozenset[dt.date]) -> Clinic:
    values = dict(row)
    if not all(isinstance(values[name], int | None) for name in _NUMBERS):  # SQLite keeps a text in any column
        raise TypeError
    values["sending_days"] = frozenset(int(day) for day in values["sending_days"].split(",") if day)
    return Clinic(**values, closed_days=closed)


def _codes(values: Mapping[str, object]) -> dict[str, object]:
    """Return what the trail is told of these fields: of a pause only whether there is one."""
    told = {name: values[name] for name in _CODED if name in values}
    return told | {name: told[name] is not None for name in ("paused_at",) if name in told}


def _columns(values: Mapping[str, object]) -> dict[str, object]:
    columns = {name: value for name, value in values.items() if name != "closed_days"}
    days = columns.get("sending_days")
    if isinstance(days, Iterable):
        columns["sending_days"] = ",".join(str(day) for day in sorted(days))
    return columns


def _close(tx: Transaction, clinic_id: int, day: dt.date) -> bool:
    return insert_unless_there(tx.connection, closed_days, {"clinic_id": clinic_id, "day": day})


def _open(tx: Transaction, clinic_id: int, day: dt.date) -> bool:
    c = closed_days.c
    return tx.connection.execute(delete(closed_days).where(c.clinic_id == clinic_id, c.day == day)).rowcount == 1
