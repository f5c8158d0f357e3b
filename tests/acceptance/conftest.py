"""What tests of whole processes start from."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.clinic import installed
from tests.support.killable_deliver import Deliveries
from tests.support.killing_server import KillingServer


@pytest.fixture(scope="session")
def installed_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(tmp_path_factory.mktemp("installed") / "reminders.db")


@pytest.fixture
def ledger() -> Iterator[KillingServer]:
    with KillingServer() as made:
        yield made


@pytest.fixture
def deliveries() -> Iterator[Deliveries]:
    with Deliveries() as made:
        yield made
