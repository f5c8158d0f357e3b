"""Somebody with the database's password: writes rows past the product, with triggers and references out of the way.

Invariants: what is tampered with is chosen by a seed and nothing else; `Tampered.undo` brings back exactly what stood
there, so that hundreds of tamperings share one database, SQLite or PostgreSQL alike.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, delete, insert, select, text

from reminders.store.columns import metadata

Row = dict[str, Any]


def open_doors(url: str) -> Engine:
    """Return an engine past every trigger, reference and unique rule of this database, for good."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            for (name,) in connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
                connection.execute(text(f"DROP TRIGGER {name}"))
            return engine
        connection.execute(text("DROP TRIGGER audit_only_grows ON audit"))
        rules = (
            "SELECT conrelid::regclass::text, conname FROM pg_constraint"
            " WHERE contype IN ('f', 'u', 'c') AND connamespace = 'public'::regnamespace"
            " ORDER BY contype = 'u'"  # what refers to a unique rule goes before it
        )
        for table, name in connection.execute(text(rules)).all():
            connection.execute(text(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"'))
    return engine


@dataclass(slots=True)
class Tampered:
    """A database with its doors open, and the rows as they were."""

    engine: Engine
    saved: dict[str, list[Row]] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, url: str) -> "Tampered":
        """Open the doors and remember every row."""
        made = cls(open_doors(url))
        with made.engine.connect() as connection:
            for table in metadata.sorted_tables:
                made.saved[table.name] = [dict(row) for row in connection.execute(select(table)).mappings()]
        return made

    def rows(self, table: str, **where: object) -> list[Row]:
        """Return the rows as they were, by id, that hold these values."""
        found = [row for row in self.saved[table] if all(row[name] == value for name, value in where.items())]
        return sorted(found, key=lambda row: str(row.get("id", "")).zfill(12))

    @contextmanager
    def writing(self, *tables: str) -> Iterator[Connection]:
        """Write to these tables, which `undo` then restores."""
        self.touched.update(tables)
        with self.engine.begin() as connection:
            yield connection

    def put(self, table: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Let a table hold these rows and no others."""
        found = metadata.tables[table]
        with self.writing(table) as connection:
            _fill(connection, found, rows)

    def change(self, table: str, key: object, **values: object) -> None:
        """Change columns of the row of that id."""
        found = metadata.tables[table]
        with self.writing(table) as connection:
            done = connection.execute(found.update().where(found.c.id == key).values(**values))
            assert done.rowcount == 1

    def remove(self, table: str, *keys: object) -> None:
        """Delete rows by id."""
        found = metadata.tables[table]
        with self.writing(table) as connection:
            assert connection.execute(delete(found).where(found.c.id.in_(keys))).rowcount == len(keys)

    def add(self, table: str, **values: object) -> None:
        """Insert a row."""
        with self.writing(table) as connection:
            connection.execute(insert(metadata.tables[table]), [values])

    def undo(self, *, everything: bool = False) -> None:
        """Bring back what stood in the touched tables, or in all of them."""
        self.touched.update(self.saved if everything else ())
        with self.engine.begin() as connection:
            for name in sorted(self.touched):
                _fill(connection, metadata.tables[name], self.saved[name])
        self.touched.clear()


def _fill(connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    connection.execute(delete(table))
    if rows:
        connection.execute(insert(table), [dict(row) for row in rows])


@dataclass(frozen=True, slots=True)
class Tampering:
    """Something done behind the product's back, and what an audit must say of it.

    `promise` is the number it must name; `names` is a part of the problem, the patient's ref, or the reminder's number.
    `planned` says that everybody is planned anew from what was changed, which makes the rows agree again.
    """

    name: str
    do: Callable[[], object]
    promise: int
    names: str
    planned: bool = False


Family = Callable[[Tampered, random.Random], Iterator[Tampering]]


def first(family: Family, tampered: Tampered, count: int, seed: object) -> list[Tampering]:
    """Return so many tamperings of a family, drawn from a seed."""
    drawn = family(tampered, random.Random(str(seed)))
    return [next(drawn) for _ in range(count)]


GONE = ("sent", "bounced", "unknown")
"""The states of reminders that went out, or may have."""

Make = Callable[[Tampered, random.Random], Tampering]


def reminder_named(key: object) -> str:
    """Return what an audit calls a reminder."""
    return f"reminder {key}"


def reminders_in(tampered: Tampered, *states: str) -> list[Row]:
    """Return the reminders that are in one of these states."""
    return [row for row in tampered.rows("reminders") if row["state"] in states]


def changing(
    name: str, table: str, row: Row, promise: int, names: str, tampered: Tampered, **values: object
) -> Tampering:
    """Return the tampering by which a row takes other values."""
    words = f"{name}: row {row['id']} of {table} becomes {values}"[:200]
    return Tampering(words, lambda: tampered.change(table, row["id"], **values), promise, names)


def each(*makes: Make) -> Family:
    """Return the family that draws from these by turns."""

    def family(tampered: Tampered, chance: random.Random) -> Iterator[Tampering]:
        while True:
            for make in makes:
                yield make(tampered, chance)

    return family
