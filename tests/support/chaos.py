"""Fixtures: a rude mail server, and a clinic that delivers to it, both shared by all scenarios of a test process."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.chaos_office import ChaosOffice
from tests.support.chaos_server import ChaosServer
from tests.support.clinic import FakeClock, Office
from tests.support.smtp_server import Certificates, certificates


@pytest.fixture(scope="session")
def trusted() -> Certificates:
    """Return a certificate of the rude server that its clients trust."""
    return certificates()


@pytest.fixture(scope="session")
def chaos_server() -> Iterator[ChaosServer]:
    """Return a server that behaves as a test says."""
    with ChaosServer() as server:
        yield server


@pytest.fixture(scope="session")
def chaos_office(installed_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChaosOffice]:
    """Return a clinic with one patient whose invitation is due, to be begun again for each scenario."""
    with _office(installed_file, tmp_path_factory.mktemp("chaos"), 1) as made:
        yield made


@pytest.fixture(scope="session")
def chaos_patients(installed_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChaosOffice]:
    """Return a clinic with two patients who are due."""
    with _office(installed_file, tmp_path_factory.mktemp("chaos"), 2) as made:
        yield made


@contextmanager
def _office(installed_file: Path, folder: Path, patients: int) -> Iterator[ChaosOffice]:
    beginning = Path(shutil.copy(installed_file, folder / "beginning.db"))
    first = Office(f"sqlite:///{beginning}", FakeClock())
    first.add_clinic()
    first.add_due(patients)
    first.close()
    made = ChaosOffice(Path(shutil.copy(beginning, folder / "office.db")), beginning)
    yield made
    made.close()
