"""Everything a database says, in a form in which two databases can be compared whatever numbers their rows got.

Invariant: a row's number is replaced by its place among its table's rows, wherever it is referred to; the audit trail,
which has an account of its own, is left out.
"""

from collections.abc import Mapping

from sqlalchemy import Table, select

from reminders.store.columns import metadata
from reminders.store.database import Transaction

_TRAIL = "audit"
Rows = dict[str, list[tuple[object, ...]]]


def contents(tx: Transaction) -> Rows:
    """Return every row of every table but the trail."""
    places = {table.name: _places(tx, table) for table in _tables()}
    return {table.name: _rows(tx, table, places) for table in _tables()}


def _tables() -> list[Table]:
    return [table for table in metadata.sorted_tables if not table.name.startswith(_TRAIL)]


def _places(tx: Transaction, table: Table) -> dict[object, int]:
    if "id" not in table.c:
        return {}
    keys = tx.connection.execute(select(table.c.id).order_by(table.c.id)).scalars()
    return {key: place for place, key in enumerate(keys)}


def _rows(tx: Transaction, table: Table, places: Mapping[str, Mapping[object, int]]) -> list[tuple[object, ...]]:
    owners = [_owner(table, column.name) for column in table.c]
    found = [
        tuple(
            places[owner].get(value, value) if owner else _plain(value)
            for owner, value in zip(owners, row, strict=True)
        )
        for row in tx.connection.execute(select(*table.c))
    ]
    return sorted(found, key=repr)


def _owner(table: Table, column: str) -> str:
    """Return the table whose row a column names, "" for a column that names none."""
    if column == "id" and table.c.id.type.python_type is int:
        return table.name
    owners = [key.column.table.name for key in table.c[column].foreign_keys if key.column.name == "id"]
    return owners[0] if owners else ""


def _plain(value: object) -> object:
    return repr(value) if isinstance(value, dict | list) else value
