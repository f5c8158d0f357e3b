"""What tests of whole processes start from."""

from collections.abc import Iterator

import pytest

from tests.support.killable_deliver import Deliveries
from tests.support.killing_server import KillingServer


@pytest.fixture
def ledger() -> Iterator[KillingServer]:
    with KillingServer() as made:
        yield made


@pytest.fixture
def deliveries() -> Iterator[Deliveries]:
    with Deliveries() as made:
        yield made
