"""An installation that remembers where it delivers from, on SQLite and on PostgreSQL; it can be copied and put back.

Invariant: a copy is made with the database's own means while nobody writes, and put back as a person does.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from reminders.services.guarding.lock import LockState, lock_state
from reminders.services.guarding.place import Place, place_here
from reminders.services.guarding.unlock import Answer, Unlocked, unlock
from reminders.settings import Settings
from reminders.store import installation
from tests.support.clinic import FakeClock, Office, install
from tests.support.database import Copies
from tests.support.postgres import Cluster

INSTALLATION = "0123456789abcdef0123456789abcdef"


def one_patient(url: str) -> None:
    """Make an installation with one patient, whose invitation is due on 23 March at 10:00, to be copied."""
    install(url)
    office = Office(url, FakeClock())
    with office.write() as tx:
        installation.save_installation(tx, INSTALLATION, b"wrapped")
    office.add_clinic()
    office.add_patient()
    office.treat()
    office.close()


@dataclass(slots=True)
class Guarded:
    """An office on one database. Its machine keeps its state in `state` (None: beside the SQLite file)."""

    url: str
    folder: Path
    state: Path | None = None
    cluster: Cluster | None = None
    clock: FakeClock = field(default_factory=FakeClock)
    processes: int = 0
    copies: list[str] = field(default_factory=list)
    office: Office = field(init=False)

    def __post_init__(self) -> None:
        """Open the office."""
        self.open(self.url)

    def open(self, url: str) -> None:
        """Go on with the database at `url` as a new process would; tokens begin anew."""
        self.url = url
        self.processes += 1
        self.office = Office(url, self.clock, seed=self.processes)
        self.office.place = self.place()

    def again(self, state: Path | None = None) -> None:
        """Begin a new process, on a machine that keeps its state elsewhere if `state` is given."""
        self.office.close()
        self.state = state or self.state
        self.open(self.url)

    def place(self) -> Place | None:
        """Return this machine's place, as a process that begins now knows it."""
        with self.office.read() as tx:
            return place_here(tx, Settings(database_url=self.url, state=self.state))

    def standing(self) -> LockState:
        """Return whether sending is locked."""
        with self.office.read() as tx:
            return lock_state(tx)

    def unlock(self, answer: Answer, why: str = "looked") -> Unlocked:
        """Lift the lock."""
        return unlock(self.office.database, self.clock, self.place(), answer, why)

    @property
    def file(self) -> Path:
        """Return the file of an SQLite database."""
        return Path(self.url.removeprefix("sqlite:///"))

    def copy(self) -> str:
        """Copy the database; return where the copy is."""
        self.office.close()
        if self.cluster is not None:
            self.copies.append(self.cluster.make(_name(self.url)))
            return self.cluster.url(self.copies[-1])
        target = self.folder / f"copy-{len(self.copies)}.db"
        self.copies.append(target.name)
        with closing(sqlite3.connect(self.file)) as source, closing(sqlite3.connect(target)) as kept:
            source.backup(kept)
        return f"sqlite:///{target}"

    def put_back(self, copy: str) -> None:
        """Restore a copy: its content in the file that is there, or its database in the place of ours."""
        self.office.close()
        if self.cluster is not None:
            self.open(copy)
            return
        with self.file.open("r+b") as there:
            there.truncate()
            there.write(Path(copy.removeprefix("sqlite:///")).read_bytes())
        self.open(self.url)

    def close(self) -> None:
        """Close the office, and drop what was copied."""
        self.office.close()
        if self.cluster is not None:
            for name in self.copies:
                self.cluster.drop(name)


@pytest.fixture
def guarded(copies: Copies, backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Guarded]:
    """Return an installation with one patient, whose invitation is due on 23 March at 10:00."""
    url = copies.copy(one_patient)
    if backend == "sqlite":
        made = Guarded(url, tmp_path)
    else:
        made = Guarded(url, tmp_path, tmp_path / "state", request.getfixturevalue("postgres"))
    yield made
    made.close()


def _name(url: str) -> str:
    """Return the name of a database of the tests' server."""
    return next(part for part in url.partition("?")[0].split("/") if part.startswith("made_"))
