"""Deliveries are killed at random instants, over and over: a short form in every run, a long one by `make storm`.

The instants are counted in events (points passed, commands and pieces of bodies received), drawn from a fixed seed.
"""

import random
from collections.abc import Callable

import pytest

from tests.acceptance.grounds import Ground, with_due
from tests.acceptance.ledger import Books
from tests.support.killable_deliver import Deliveries
from tests.support.killing_server import KillingServer

EVENTS = 34
"""About what two messages make."""


def storm(books: Books, kills: int, seed: int) -> int:
    """Kill so many deliveries, recover, and balance the account; return how many messages are in doubt: one a kill."""
    chance = random.Random(seed)
    killed = sum(books.killed_at_random(chance, EVENTS) for _ in range(kills))
    books.recover()
    assert killed == kills, "the patients ran out: there was nothing left to die of"
    unknown = books.unknown()
    assert unknown <= kills * books.round_size
    assert books.server.accepted
    return unknown


@pytest.mark.parametrize(("seed", "round_size"), [(1, 1), (2, 1), (3, 1), (4, 2)])
def test_two_hundred_kills_at_random_instants_send_nothing_twice_and_lose_nothing(
    ground: Ground,
    ledger: KillingServer,
    deliveries: Deliveries,
    seed: int,
    round_size: int,
) -> None:
    books = Books(with_due(ground, 80 * round_size), ledger, deliveries, round_size=round_size)
    storm(books, 50, seed)


@pytest.mark.storm
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(10, 14))
def test_a_thousand_kills_at_random_instants_send_nothing_twice_and_lose_nothing(
    ground: Ground,
    ledger: KillingServer,
    deliveries: Deliveries,
    seed: int,
    record_property: Callable[[str, object], None],
) -> None:
    books = Books(with_due(ground, 400), ledger, deliveries)
    record_property("kills", 250)
    record_property("unknown", storm(books, 250, seed))
