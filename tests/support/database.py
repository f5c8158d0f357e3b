"""A real SQLite database for every test: made once by the migrations, then copied.

Invariant: no two tests share a file, and every file came from the migrations.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from reminders.store.database import Database, create_or_upgrade

AUDIT_KEY = b"the key that signs the audit trail of a test"


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "reminders.db"
    create_or_upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def database_path(migrated_file: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(migrated_file, tmp_path / "reminders.db"))


@pytest.fixture
def database_url(database_path: Path) -> str:
    return f"sqlite:///{database_path}"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    made = Database(database_url, audit_key=AUDIT_KEY, busy_ms=5000)
    yield made
    made.close()
