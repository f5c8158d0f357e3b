"""Small shapes of statements that every table's module needs.

Invariant: a list of keys of any length is asked for in pieces that every database accepts.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TypeVar

from sqlalchemy import Connection, Table, insert
from sqlalchemy.dialects import postgresql, sqlite

T = TypeVar("T")
PIECE = 900
"""SQLite before 3.32 takes 999 parameters in a statement."""


def pieces(keys: Iterable[T], size: int = PIECE) -> Iterator[Sequence[T]]:
    """Yield `keys` in lists of at most `size`."""
    rest = iter(keys)
    while piece := list(islice(rest, size)):
        yield piece


def insert_unless_there(connection: Connection, table: Table, values: dict[str, object]) -> bool:
    """Insert a row unless a row with one of its unique keys is there; return whether it was inserted."""
    add = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = add(table).on_conflict_do_nothing().returning(*table.primary_key)
    return connection.execute(statement, values).first() is not None


def insert_row(connection: Connection, table: Table, values: Mapping[str, object]) -> int:
    """Insert a row and return the id the database gave it."""
    key = connection.execute(insert(table), dict(values)).inserted_primary_key
    return int(key[0]) if key else 0


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]) -> list[int]:
    """Insert rows of the same columns with one statement and return their ids in the rows' order."""
    if not rows:
        return []
    statement = insert(table).returning(table.c.id, sort_by_parameter_order=True)
    return list(connection.execute(statement, [dict(row) for row in rows]).scalars())
