"""An office at work for the tests of services: one clinic, its catalogue installed once and copied per test.

Invariant: no two tests share a database.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.clinic import FakeClock, Office, installed


@pytest.fixture(scope="session")
def catalogued_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(tmp_path_factory.mktemp("catalogued") / "reminders.db")


@pytest.fixture
def empty_desk(catalogued_file: Path, tmp_path: Path) -> Iterator[Office]:
    """Return an office with a clinic and nobody enrolled."""
    office = Office(f"sqlite:///{shutil.copy(catalogued_file, tmp_path / 'reminders.db')}", FakeClock())
    office.add_clinic()
    yield office
    office.close()
