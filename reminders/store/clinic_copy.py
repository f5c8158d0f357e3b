"""Copies what one clinic's plan and deliveries rest on into an SQLite file of its own, for a look ahead.

Invariants: the source is only read; no name, address, note, letter or link comes along: a patient is a number there,
and where one could be reached stands a placeholder.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, func, insert, select

from reminders.store.columns import metadata
from reminders.store.database import Transaction
from reminders.store.engine import WRITES, sqlite_engine
from reminders.store.migrating import head_revision
from reminders.store.schema import (
    answers,
    appointments,
    clinics,
    closed_days,
    episodes,
    holds,
    locations,
    messages,
    opt_outs,
    own_intervals,
    patients,
    practitioners,
    protocols,
    reminders,
    suppressions,
    templates,
    treatments,
)

_OF_THE_CLINIC = (
    *(closed_days, practitioners, locations, patients, opt_outs, suppressions, own_intervals, holds, episodes),
    *(treatments, appointments, messages, answers, reminders, templates),
)
_BLANKED: Mapping[Table, tuple[str, ...]] = {
    patients: ("family_name", "known_as", "phone", "postal_address", "notes"),
    messages: ("content", "packed", "pattern_id", "fingerprint"),
}
_BATCH = 1000


def copy_clinic(tx: Transaction, clinic_id: int, target: Path) -> None:
    """Make the new file `target` and copy the clinic into it; answers count as announced there."""
    engine = sqlite_engine(target, create=True)
    try:
        with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
            metadata.create_all(connection)
            connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
            connection.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (head_revision(),))
            _copy(tx.connection, connection, clinics, clinics.c.id == clinic_id)
            _copy(tx.connection, connection, protocols, None)
            for table in _OF_THE_CLINIC:
                _copy(tx.connection, connection, table, table.c.clinic_id == clinic_id, tx.now)
    finally:
        engine.dispose()


def stages(tx: Transaction) -> dict[str, str]:
    """Return the wording of every message, by its Message-ID."""
    rows = tx.connection.execute(select(messages.c.message_id, messages.c.stage))
    return {row.message_id: row.stage for row in rows}


def next_replanning(tx: Transaction) -> dt.datetime | None:
    """Return the next moment at which time alone changes somebody's plan."""
    found: dt.datetime | None = tx.connection.execute(select(func.min(patients.c.replan_at))).scalar_one()
    return found


def _copy(
    source: Connection,
    target: Connection,
    table: Table,
    condition: ColumnElement[bool] | None,
    now: dt.datetime | None = None,
) -> None:
    columns = [column for column in table.columns if column.name not in _BLANKED.get(table, ())]
    query = select(*columns)
    if condition is not None:
        query = query.where(condition)
    rows = source.execute(query.execution_options(yield_per=_BATCH)).mappings()
    for batch in rows.partitions(_BATCH):
        target.execute(insert(table), list(_without_names(table, batch, now)))


def _without_names(table: Table, rows: Iterable[RowMapping], now: dt.datetime | None) -> Iterable[dict[str, Any]]:
    for row in rows:
        copied = dict(row)
        if table is patients:
            copied["given_name"] = copied["given_name"] and "N"
            for column in ("email", "representative_email"):
                copied[column] = copied[column] and f"p{copied['id']}@patients.example"
        if table is answers:
            copied["announced_at"] = copied["announced_at"] or now
        yield copied
