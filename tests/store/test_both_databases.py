"""The tests of the store and of the services are run on both databases, and nothing is left out unseen."""

from pathlib import Path

import pytest

from reminders.store.database import Database
from tests.services import conftest as services
from tests.store import conftest as store
from tests.support.backends import SERVER, server_is_there, stale

TESTS = Path(__file__).parents[1]


def test_this_machine_has_a_postgresql_server() -> None:
    assert server_is_there(), f"{SERVER} has no wheel for this machine: every test was run on SQLite alone"


def test_a_test_is_run_on_the_database_that_its_name_says(backend: str, database: Database) -> None:
    assert database.url.startswith(backend)


def test_who_asks_for_the_file_is_on_it(database: Database, database_path: Path) -> None:
    assert database.address == f"sqlite:///{database_path}"


@pytest.mark.parametrize(("folder", "alone"), [("store", store.ALONE), ("services", services.ALONE)])
def test_whatever_is_run_on_sqlite_alone_is_there_and_says_why(folder: str, alone: dict[str, str]) -> None:
    assert stale(TESTS / folder, alone) == set()
    assert all(len(why) > 20 for why in alone.values())
