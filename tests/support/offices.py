"""Fixtures: a clinic with one treated patient, and a server that takes their mail."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.clinic import FakeClock, Office, install, with_one_treated
from tests.support.database import Copies, Templates
from tests.support.smtp_server import RealServer, real_server


@pytest.fixture(scope="session")
def installed_file(templates: Templates) -> Path:
    """An SQLite database with the starter catalogue, to be copied."""
    return templates.file(install)


@pytest.fixture
def empty_office(copies: Copies) -> Iterator[Office]:
    """An installation without a clinic."""
    made = Office(copies.copy(install, "office"), FakeClock())
    yield made
    made.close()


@pytest.fixture
def office(copies: Copies) -> Iterator[Office]:
    """A clinic with one patient treated on 5 January, whose invitation is due on 23 March at 10:00."""
    made = Office(copies.copy(with_one_treated, "office"), FakeClock())
    yield made
    made.close()


@pytest.fixture
def server() -> Iterator[RealServer]:
    """A mail server that takes everything, but for what a test scripts."""
    with real_server() as made:
        yield made
