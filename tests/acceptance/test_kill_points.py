"""A delivery is killed at each of its named instants: nothing is sent twice, nothing is lost, no doubt is hidden."""

import itertools
from collections.abc import Callable

import pytest

from reminders.services.points import Point
from tests.acceptance.grounds import Ground, with_due
from tests.acceptance.ledger import Books
from tests.support.killable_deliver import Deliveries
from tests.support.killing_server import PHASES, KillingServer

IN_DOUBT = (Point.FENCED, Point.DOT_WRITTEN, Point.ANSWERED)
"""From the fence's commit to the answer's: nobody can tell from the database whether the server has the message."""
BEFORE_THE_BODY_ENDS = ("connect", "ehlo", "mail", "rcpt", "data")


@pytest.mark.parametrize("round_size", [1, 4])
def test_a_kill_at_any_named_point_sends_nothing_twice_and_loses_nothing(
    ground: Ground, ledger: KillingServer, deliveries: Deliveries, round_size: int
) -> None:
    books = Books(with_due(ground, 8 * round_size), ledger, deliveries, round_size=round_size)
    for point in sorted(Point, key=lambda point: point not in IN_DOUBT):  # first: whom a death hit goes alone after it
        assert books.killed_at(point), point
    assert books.killed_at(Point.SETTLED, 2)
    books.recover()
    assert books.unknown() == len(IN_DOUBT) * round_size


def test_a_kill_while_the_server_hears_any_phase_sends_nothing_twice_and_loses_nothing(
    ground: Ground, ledger: KillingServer, deliveries: Deliveries
) -> None:
    books = Books(with_due(ground, 22), ledger, deliveries)
    for phase in PHASES:
        assert books.killed_by_server(phase), phase
        if phase not in ("connect", "ehlo"):  # a delivery has one connection
            assert books.killed_by_server(phase, 2), phase
    books.recover()
    assert books.unknown() <= 2 * len(set(PHASES) - set(BEFORE_THE_BODY_ENDS))


def killed_at_points(books: Books, first: int, kills: int) -> int:
    """Kill at so many of the named points and phases in turn, recover, and balance; return how many are in doubt."""
    instants = itertools.cycle(
        [(books.killed_at, point) for point in Point] + [(books.killed_by_server, phase) for phase in PHASES]
    )
    for kill, instant in itertools.islice(instants, first, first + kills):
        assert kill(instant), instant
    books.recover()
    unknown = books.unknown()
    assert unknown > 0
    return unknown


@pytest.mark.parametrize("first", [0, 7, 14, 21])
def test_two_hundred_kills_at_named_points_send_nothing_twice_and_lose_nothing(
    ground: Ground, ledger: KillingServer, deliveries: Deliveries, first: int
) -> None:
    killed_at_points(Books(with_due(ground, 35), ledger, deliveries), first, 40)


@pytest.mark.storm
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", range(4))
def test_a_thousand_kills_at_named_points_send_nothing_twice_and_lose_nothing(
    ground: Ground,
    ledger: KillingServer,
    deliveries: Deliveries,
    part: int,
    record_property: Callable[[str, object], None],
) -> None:
    books = Books(with_due(ground, 160), ledger, deliveries)
    record_property("kills", 250)
    record_property("unknown", killed_at_points(books, part, 250))
