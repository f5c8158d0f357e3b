"""A real database for every test: made once by the migrations, then copied; on both kinds where it is run on both.

Invariant: no two tests share a database, and every one came from the migrations. A test is on SQLite unless the
conftest of its folder has it run on both (see `tests.support.backends`).
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reminders.store.database import Database, create_or_upgrade
from tests.support.postgres import Cluster

AUDIT_KEY = b"the key that signs the audit trail of a test"
Make = Callable[[str], object]
"""Makes what is to be copied, at the address it is given."""


class Templates:
    """Databases that were made once in a process, to be copied by every test that starts from there."""

    def __init__(self, folder: Path, cluster: Callable[[], Cluster]) -> None:
        self._folder, self._cluster = folder, cluster
        self._made: dict[tuple[str, Make], str] = {}

    def file(self, make: Make) -> Path:
        """Return the file that `make` makes."""
        return self._folder / self._once("sqlite", make, self._new_file)

    def database(self, make: Make) -> str:
        """Return the name of the PostgreSQL database that `make` makes."""
        return self._once("postgresql", make, self._new_database)

    def _once(self, backend: str, make: Make, new: Callable[[Make], str]) -> str:
        if (backend, make) not in self._made:
            self._made[backend, make] = new(make)
        return self._made[backend, make]

    def _new_file(self, make: Make) -> str:
        name = f"template-{len(self._made)}.db"
        make(f"sqlite:///{self._folder / name}")  # it closes what it opened, which brings the log into the file
        return name

    def _new_database(self, make: Make) -> str:
        name = self._cluster().make()
        make(self._cluster().url(name))
        return name


class Copies:
    """The databases of one test."""

    def __init__(self, templates: Templates, folder: Path, cluster: Cluster | None) -> None:
        self._templates, self._folder, self._cluster = templates, folder, cluster
        self._named: list[str] = []

    def copy(self, make: Make, name: str = "reminders") -> str:
        """Return the address of a database as `make` made it; `name` tells two of one test apart."""
        if self._cluster is None:
            return f"sqlite:///{shutil.copy(self._templates.file(make), self._folder / f'{name}.db')}"
        self._named.append(self._cluster.make(self._templates.database(make)))
        return self._cluster.url(self._named[-1])

    def empty(self, name: str = "empty") -> str:
        """Return the address of no database yet: a file that is not there, or a database without any table."""
        if self._cluster is None:
            return f"sqlite:///{self._folder / f'{name}.db'}"
        self._named.append(self._cluster.make())
        return self._cluster.url(self._named[-1])

    def drop(self) -> None:
        """Drop what a server holds; files go with their folder."""
        for name in self._named:
            if self._cluster is not None:
                self._cluster.forget(name)


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> str:
    """Return the kind of database this test is run on: `sqlite`, or what its folder's conftest says."""
    return str(getattr(request, "param", "sqlite"))


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Templates:
    return Templates(tmp_path_factory.mktemp("templates"), lambda: request.getfixturevalue("postgres"))


@pytest.fixture
def copies(templates: Templates, backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Copies]:
    """Give this test databases of its own, of the kind it is run on."""
    made = Copies(templates, tmp_path, request.getfixturevalue("postgres") if backend == "postgresql" else None)
    yield made
    made.drop()


@pytest.fixture(scope="session")
def migrated_file(templates: Templates) -> Path:
    return templates.file(create_or_upgrade)


@pytest.fixture
def database_path(migrated_file: Path, tmp_path: Path) -> Path:
    """Return the file of an SQLite database. Whoever asks for it is about SQLite alone, and `database` is on it."""
    return Path(shutil.copy(migrated_file, tmp_path / "reminders.db"))


@pytest.fixture
def sqlite_url(database_path: Path) -> str:
    """Return the address of an SQLite database. Whoever asks for it is about SQLite alone."""
    return f"sqlite:///{database_path}"


@pytest.fixture
def database_url(copies: Copies, request: pytest.FixtureRequest) -> str:
    """Return the address of a database with every table and no row."""
    if "database_path" in request.fixturenames:
        return str(request.getfixturevalue("sqlite_url"))
    return copies.copy(create_or_upgrade)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    made = Database(database_url, audit_key=AUDIT_KEY, busy_ms=5000)
    yield made
    made.close()
