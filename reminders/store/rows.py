"""Small shapes of statements that every table's module needs.

Invariant: a list of keys of any length is asked for in pieces that every database accepts.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Table, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

T = TypeVar("T")
WORTH_COPYING = 10
"""From so many rows on COPY is faster than a statement with its parameters for each."""

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
    """Insert rows of the same columns at once and return their ids in the rows' order.

    The ids are taken before: asked of the database row by row, as RETURNING has to be, they cost several times as much.
    """
    if not rows:
        return []
    ids = _next_ids(connection, table, len(rows))
    add_rows(connection, table, [{**row, "id": key} for key, row in zip(ids, rows, strict=True)])
    return ids


def add_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert rows of the same columns: many of them by COPY on PostgreSQL, else with one statement."""
    if len(rows) < WORTH_COPYING or connection.dialect.name != "postgresql":
        connection.execute(insert(table), [dict(row) for row in rows])
        return
    dialect, columns = connection.dialect, [table.c[name] for name in rows[0]]
    made = [column.type.dialect_impl(dialect).bind_processor(dialect) for column in columns]
    names = ", ".join(f'"{column.name}"' for column in columns)
    driver = cast("Any", connection.connection.driver_connection)
    statement, error = f'COPY "{table.name}" ({names}) FROM STDIN', cast("Any", dialect).dbapi.Error
    try:
        with driver.cursor().copy(statement) as copy:
            for row in rows:
                copy.write_row([make(value) if make else value for make, value in zip(made, row.values(), strict=True)])
    except error as refused:  # as SQLAlchemy says it of every other statement, and without the values
        raise DBAPIError.instance(statement, None, refused, error, hide_parameters=True, dialect=dialect) from refused


def _next_ids(connection: Connection, table: Table, count: int) -> list[int]:
    """Take ids for new rows, each greater than all there are.

    On SQLite whoever inserts is the only writer, and the next id is the one after the greatest, as its own rule has it;
    on PostgreSQL they come from the column's sequence.
    """
    if connection.dialect.name == "sqlite":
        last = connection.execute(select(func.coalesce(func.max(table.c.id), 0))).scalar_one()
        return list(range(last + 1, last + 1 + count))
    sequence = func.pg_get_serial_sequence(f'"{table.name}"', "id")
    taken = select(func.nextval(sequence)).select_from(func.generate_series(1, count))
    return sorted(connection.execute(taken).scalars())
