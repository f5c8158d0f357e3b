"""A delivery is killed at each of its named instants: nothing is sent twice, nothing is lost, no doubt is hidden."""

import itertools
from pathlib import Path

import pytest

from reminders.services.points import Point
from tests.acceptance.ledger import Books, with_due
from tests.support.killable_deliver import Deliveries
from tests.support.killing_server import PHASES, KillingServer

IN_DOUBT = (Point.FENCED, Point.DOT_WRITTEN, Point.ANSWERED)
"""From the fence's commit to the answer's: nobody can tell from the database whether the server has the message."""
BEFORE_THE_BODY_ENDS = ("connect", "ehlo", "mail", "rcpt", "data")


@pytest.mark.parametrize("round_size", [1, 4])
def test_a_kill_at_any_named_point_sends_nothing_twice_and_loses_nothing(
    installed_file: Path, tmp_path: Path, ledger: KillingServer, deliveries: Deliveries, round_size: int
) -> None:
    books = Books(with_due(installed_file, tmp_path, 8 * round_size), ledger, deliveries, round_size=round_size)
    for point in Point:
        assert books.killed_at(point), point
    assert books.killed_at(Point.SETTLED, 2)
    books.recover()
    assert books.unknown() == len(IN_DOUBT) * round_size


def test_a_kill_while_the_server_hears_any_phase_sends_nothing_twice_and_loses_nothing(
    installed_file: Path, tmp_path: Path, ledger: KillingServer, deliveries: Deliveries
) -> None:
    books = Books(with_due(installed_file, tmp_path, 22), ledger, deliveries)
    for phase in PHASES:
        assert books.killed_by_server(phase), phase
        if phase not in ("connect", "ehlo"):  # a delivery has one connection
            assert books.killed_by_server(phase, 2), phase
    books.recover()
    assert books.unknown() <= 2 * len(set(PHASES) - set(BEFORE_THE_BODY_ENDS))


@pytest.mark.parametrize("point", IN_DOUBT)
def test_a_message_in_doubt_is_listed_as_unknown_by_the_next_delivery_and_never_sent_again(
    installed_file: Path, tmp_path: Path, ledger: KillingServer, deliveries: Deliveries, point: Point
) -> None:
    books = Books(with_due(installed_file, tmp_path, 1), ledger, deliveries)
    assert books.killed_at(point)
    outcome = deliveries.run(books.order())
    assert outcome is not None
    assert (outcome["unknown"], outcome["sent"]) == (1, 0)
    assert books.unknown() == 1
    assert len(ledger.accepted) == (0 if point is Point.FENCED else 1)


@pytest.mark.parametrize("point", [Point.CLAIMED, Point.ENVELOPE_ACCEPTED, Point.BYTES_KEPT])
def test_a_death_before_the_body_began_is_never_held_against_the_message(
    installed_file: Path, tmp_path: Path, ledger: KillingServer, deliveries: Deliveries, point: Point
) -> None:
    books = Books(with_due(installed_file, tmp_path, 1), ledger, deliveries)
    deaths = 2 if point is Point.BYTES_KEPT else 7
    for _ in range(deaths):
        assert books.killed_at(point)
    assert deliveries.run(books.order()) == {"sent": 1, "unknown": 0, "failed": 0, "deferred": 0, "held": 0}


@pytest.mark.storm
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", range(4))
def test_a_thousand_kills_at_named_points_send_nothing_twice_and_lose_nothing(
    installed_file: Path, tmp_path: Path, ledger: KillingServer, deliveries: Deliveries, part: int
) -> None:
    books = Books(with_due(installed_file, tmp_path, 160), ledger, deliveries)
    instants = itertools.cycle(
        [(books.killed_at, point) for point in Point] + [(books.killed_by_server, phase) for phase in PHASES]
    )
    for kill, instant in itertools.islice(instants, part, part + 250):
        assert kill(instant), instant
    books.recover()
    assert books.unknown() > 0
