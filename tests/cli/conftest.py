"""An installation for every test, copied from the one that `reminders init` made."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import typer

from reminders.cli.shell import build
from tests.cli.desk import Desk


def copy(made: Path, to: Path) -> None:
    """Copy a database whole, whatever of it still lies in its log; nobody else may read the copy, as `init` has it."""
    to.touch(mode=0o600)
    with closing(sqlite3.connect(made)) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)


@pytest.fixture(scope="session")
def shell() -> typer.Typer:
    return build()


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory, shell: typer.Typer) -> Path:
    made = Desk(tmp_path_factory.mktemp("installation"), shell)
    made.run("init")
    return made.database


@pytest.fixture
def bare_desk(tmp_path: Path, shell: typer.Typer, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A folder in which nothing was made yet."""
    monkeypatch.chdir(tmp_path)
    return Desk(tmp_path, shell)


@pytest.fixture
def new_desk(bare_desk: Desk, installation: Path) -> Desk:
    """An installation without a clinic."""
    copy(installation, bare_desk.database)
    return bare_desk


@pytest.fixture(scope="session")
def business(tmp_path_factory: pytest.TempPathFactory, shell: typer.Typer, installation: Path) -> Path:
    folder = tmp_path_factory.mktemp("business")
    copy(installation, folder / "reminders.db")
    made = Desk(folder, shell)
    made.open_for_business()
    return made.database


@pytest.fixture
def desk(bare_desk: Desk, business: Path) -> Desk:
    """A clinic with one patient, treated on 5 January 2026, which is today."""
    copy(business, bare_desk.database)
    return bare_desk
