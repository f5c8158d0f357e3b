"""Small shapes of statements that every table's module needs.

Invariant: a list of keys of any length is asked for in pieces that every database accepts.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from operator import itemgetter
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Date, Dialect, Integer, Select, Table, bindparam, func, insert, select
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
    add_rows(connection, table, rows, ids)
    return ids


def add_rows(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, object]], ids: Sequence[int] | None = None
) -> None:
    """Insert rows of the same columns: by COPY or the driver's `executemany`.

    `ids` are those of the rows where these do not have them. Every value goes through its column's type, as it would in
    a statement of SQLAlchemy's, which takes several times as long as the driver over each row.
    """
    if not rows:
        return
    names = tuple(rows[0])
    columns: list[Sequence[Any]] = list(zip(*map(itemgetter(*names), rows), strict=True))
    if ids is not None:
        names, columns = ("id", *names), [tuple(ids), *columns]
    dialect = connection.dialect
    if dialect.name == "sqlite":
        connection.exec_driver_sql(_insertion(table, names), _made(table, names, dialect, columns))
    elif len(rows) < WORTH_COPYING:
        connection.execute(insert(table), [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)])
    else:
        _copy(connection, table, names, _made(table, names, dialect, columns))


def _insertion(table: Table, names: Sequence[str]) -> str:
    quoted = ", ".join(f'"{name}"' for name in names)
    return f'INSERT INTO "{table.name}" ({quoted}) VALUES ({", ".join("?" * len(names))})'  # noqa: S608 - names of columns


def _made(
    table: Table, names: Sequence[str], dialect: Dialect, columns: Sequence[Sequence[Any]]
) -> list[tuple[Any, ...]]:
    """Return the rows as the driver takes them; a column at a time, since most have nothing to be made of."""
    pairs = zip((_maker(table, name, dialect) for name in names), columns, strict=True)
    return list(zip(*(map(make, values) if make else values for make, values in pairs), strict=True))


@lru_cache(maxsize=512)
def _maker(table: Table, name: str, dialect: Dialect) -> Callable[[Any], Any] | None:
    """Return what makes a value of the column one that the driver takes; the days of many rows are the same few."""
    kind = table.c[name].type
    make = kind.dialect_impl(dialect).bind_processor(dialect)
    return lru_cache(maxsize=4096)(make) if make and isinstance(kind, Date) else make


def _copy(connection: Connection, table: Table, names: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    quoted = ", ".join(f'"{name}"' for name in names)
    statement = f'COPY "{table.name}" ({quoted}) FROM STDIN'
    driver, dialect = cast("Any", connection.connection.driver_connection), cast("Any", connection.dialect)
    error = dialect.dbapi.Error
    try:
        with driver.cursor().copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except error as refused:  # as SQLAlchemy says it of every other statement, and without the values
        raise DBAPIError.instance(statement, None, refused, error, hide_parameters=True, dialect=dialect) from refused


def _next_ids(connection: Connection, table: Table, count: int) -> list[int]:
    """Take ids for new rows, each greater than all there are.

    On SQLite whoever inserts is the only writer, and the next id is the one after the greatest, as its own rule has it;
    on PostgreSQL they come from the column's sequence.
    """
    if connection.dialect.name == "sqlite":
        last = connection.execute(_last_id(table)).scalar_one()
        return list(range(last + 1, last + 1 + count))
    return sorted(connection.execute(_taken_ids(table), {"count": count}).scalars())


@lru_cache(maxsize=64)
def _last_id(table: Table) -> Select[int]:
    return select(func.coalesce(func.max(table.c.id), 0))


@lru_cache(maxsize=64)
def _taken_ids(table: Table) -> Select[int]:
    sequence = func.pg_get_serial_sequence(f'"{table.name}"', "id")
    return select(func.nextval(sequence)).select_from(func.generate_series(1, bindparam("count", type_=Integer)))
