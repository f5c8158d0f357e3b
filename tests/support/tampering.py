"""Writes to a database behind the product's back, as somebody with SQL at hand would.

Invariant: nothing of the product's own store takes part, and no reference between tables stands in the way.
"""

import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from reminders.store.database import Database

_OUR_TRIGGERS = "SELECT tgname FROM pg_trigger WHERE tgrelid = 'audit'::regclass AND NOT tgisinternal"
_BLOB = re.compile(r"\b[xX]'([0-9a-f]*)'")


def past_the_rules(database: Database, statements: Sequence[str], *, triggers: bool = True) -> None:
    """Run statements in the words of SQLite without a look at references; without `triggers` nothing refuses them."""
    if on_postgresql(database):
        _past_postgresql(database.address, statements, triggers=triggers)
    else:
        _past_sqlite(_path(database), statements, triggers=triggers)


def on_postgresql(database: Database) -> bool:
    return database.address.startswith("postgresql")


def asked(database: Database, question: str) -> list[tuple[Any, ...]]:
    """Return the rows that a question in SQL finds."""
    if on_postgresql(database):
        with psycopg.connect(database.address) as connection:
            return connection.execute(question.encode()).fetchall()
    with closing(sqlite3.connect(_path(database))) as connection:
        return connection.execute(question).fetchall()


def contents(database: Database) -> list[str]:
    """Return every row of every table as text, bytes in hexadecimal, in an order that depends on the rows alone."""
    if on_postgresql(database):
        found = asked(database, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    else:
        found = asked(database, "SELECT name FROM sqlite_master WHERE type = 'table'")
    return sorted(f"{table}: {_shown(row)}" for (table,) in found for row in asked(database, f"SELECT * FROM {table}"))  # noqa: S608


def contents_at(address: str) -> list[str]:
    """Return the `contents` of the database at an address."""
    return contents(Database(address))


def _shown(row: tuple[Any, ...]) -> list[object]:
    return [value.hex() if isinstance(value, bytes) else value for value in row]


def _path(database: Database) -> Path:
    return Path(database.address.removeprefix("sqlite:///"))


def _past_sqlite(path: Path, statements: Sequence[str], *, triggers: bool) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        if not triggers:
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)


def _past_postgresql(address: str, statements: Sequence[str], *, triggers: bool) -> None:
    """Run them as the server's owner; it takes references for triggers, and leaves both alone where it is told to.

    A moment without a zone is UTC, as it is in SQLite's file.
    """
    with psycopg.connect(address, options="-c timezone=UTC") as connection:
        connection.execute("SET session_replication_role = replica")
        if triggers:
            for (name,) in connection.execute(_OUR_TRIGGERS).fetchall():
                connection.execute(sql.SQL("ALTER TABLE audit ENABLE ALWAYS TRIGGER {}").format(sql.Identifier(name)))
        for statement in statements:
            connection.execute(_BLOB.sub(r"'\\x\1'", statement).encode())
