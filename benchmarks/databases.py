"""The databases of a benchmark: SQLite files, and a PostgreSQL server of its own with its usual durability.

Invariant: nothing is measured on a server that does not flush what it commits (`fsync`, `synchronous_commit`,
`full_page_writes`).
"""

import itertools
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import psycopg
from sqlalchemy import make_url

from benchmarks.programs import ProgramFailed
from tests.support.postgres import Cluster, start

SETTINGS = (
    *("server_version", "fsync", "synchronous_commit", "full_page_writes", "wal_level"),
    *("shared_buffers", "max_wal_size", "max_connections", "autovacuum"),
)
_DURABLE = ("fsync", "synchronous_commit", "full_page_writes")


class Databases(Protocol):
    """Databases of one kind, each named by its URL."""

    kind: str

    def fresh(self) -> str:
        """Return the URL of a new database (of a file yet to be made)."""
        ...

    def copy(self, url: str) -> str:
        """Return the URL of a copy of a database nobody is connected to."""
        ...

    def settle(self, url: str) -> None:
        """Bring a filled database to rest, so that no upkeep falls into somebody's turn."""
        ...

    def drop(self, url: str) -> None:
        """Remove a database."""
        ...


@dataclass(slots=True)
class SqliteFiles:
    """Databases in files of a folder."""

    folder: Path
    kind: str = "SQLite"
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def fresh(self) -> str:
        """Return the URL of a file yet to be made."""
        return f"sqlite:///{self.folder / f'made{next(self._numbers)}.db'}"

    def copy(self, url: str) -> str:
        """Copy a file whose log was brought in."""
        made = self.fresh()
        shutil.copyfile(_file(url), _file(made))
        return made

    def settle(self, url: str) -> None:
        """Bring the log into the file."""
        with closing(sqlite3.connect(_file(url))) as connection:
            connection.execute("ANALYZE")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def drop(self, url: str) -> None:
        """Remove the file and what stands beside it."""
        for ending in ("", "-wal", "-shm"):
            Path(f"{_file(url)}{ending}").unlink(missing_ok=True)


@dataclass(slots=True)
class PostgresServer:
    """Databases of a server."""

    cluster: Cluster
    kind: str = "PostgreSQL"

    def fresh(self) -> str:
        """Make an empty database."""
        return self.cluster.url(self.cluster.make())

    def copy(self, url: str) -> str:
        """Copy a database, and have everything written before somebody's turn begins."""
        made = self.cluster.url(self.cluster.make(_name(url)))
        self._run("postgres", "CHECKPOINT")
        return made

    def settle(self, url: str) -> None:
        """Tidy and count, as the server would do by itself a minute later."""
        self._run(_name(url), "VACUUM ANALYZE")
        self._run(_name(url), "CHECKPOINT")

    def drop(self, url: str) -> None:
        """Drop the database."""
        self.cluster.drop(_name(url))

    def alter(self, name: str, value: str) -> None:
        """Change a setting of the whole server."""
        self._run("postgres", f"ALTER SYSTEM SET {name} = '{value}'")
        self._run("postgres", "SELECT pg_reload_conf()")

    def settings(self) -> dict[str, str]:
        """Return what matters of the server's settings."""
        with psycopg.connect(self.cluster.url("postgres")) as connection:
            cursor = connection.execute(
                "SELECT name, current_setting(name) FROM unnest(%s::text[]) name", [list(SETTINGS)]
            )
            return {str(name): str(value) for name, value in cursor}

    def _run(self, name: str, statement: str) -> None:
        with psycopg.connect(self.cluster.url(name), autocommit=True) as connection:
            connection.execute(statement.encode())


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Start a server in a new folder; it ends with the context. Raises `ProgramFailed` where it is not durable."""
    cluster = start(fast=False)
    try:
        server = PostgresServer(cluster)
        lax = [name for name in _DURABLE if server.settings()[name] != "on"]
        if lax:
            raise ProgramFailed(f"the server is not durable: {', '.join(lax)}")
        yield server
    finally:
        cluster.server.cleanup()


def run(url: str, *statements: str) -> None:
    """Run statements, and commit them together."""
    with closing(_connected(url)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def ask(url: str, question: str) -> list[tuple[Any, ...]]:
    """Return the rows of a question."""
    with closing(_connected(url)) as connection:
        return [tuple(row) for row in connection.execute(question).fetchall()]


def _connected(url: str) -> Any:  # noqa: ANN401 - either driver
    if url.startswith("sqlite"):
        return sqlite3.connect(_file(url))
    return psycopg.connect(url)


def _file(url: str) -> str:
    return str(make_url(url).database)


def _name(url: str) -> str:
    return str(make_url(url).database)
