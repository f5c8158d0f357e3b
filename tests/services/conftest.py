"""What the tests of services may ask for by name."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.delivered import INVITED, House


@pytest.fixture(scope="session")
def delivered_file(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the database of a clinic whose one patient, 1001, got her invitation; made once."""
    folder = tmp_path_factory.mktemp("delivered")
    made = House(Path(shutil.copy(migrated_file, folder / "reminders.db")), folder / "out").found()
    made.treat("1001")
    assert made.deliver().sent == 1
    made.database.close()
    return made.path


@pytest.fixture
def house(delivered_file: Path, tmp_path: Path) -> Iterator[House]:
    """Return a clinic whose one patient, 1001, got her invitation a moment ago."""
    made = House(Path(shutil.copy(delivered_file, tmp_path / "reminders.db")), tmp_path / "out")
    made.clock.at = INVITED
    yield made
    made.database.close()


@pytest.fixture
def new_house(database_path: Path, tmp_path: Path) -> Iterator[House]:
    """Return a clinic without patients."""
    made = House(database_path, tmp_path / "out").found()
    yield made
    made.database.close()
