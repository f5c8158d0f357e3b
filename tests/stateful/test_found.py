"""Histories that once broke something, shrunk by Hypothesis and kept as plain tests."""

from collections.abc import Iterator

import pytest

from reminders.domain.lifecycle import Reason
from reminders.services.points import Point
from tests.stateful.world import World, founded
from tests.support.clinic import INVITED_AT
from tests.support.database import Templates


@pytest.fixture
def world(templates: Templates) -> Iterator[World]:
    """Return two clinics, each with a patient treated today."""
    made = World(templates.file(founded))
    for slug in ("riverside", "elm"):
        made.office.add_patient("P1", slug)
        made.office.treat("P1", made.today.isoformat(), slug=slug)
    yield made
    made.close()


def test_an_answer_given_after_the_clock_was_set_back_does_not_accuse_the_message_before_it(world: World) -> None:
    world.office.clock.set(INVITED_AT)
    world.deliver(1)
    assert len(world.post.letters) == 2
    world.office.clock.advance(minutes=-1)
    world.office.answer(Reason.REPLIED, "P1")
    world.audit()


@pytest.mark.parametrize("point", [Point.FENCED, Point.DOT_WRITTEN, Point.ANSWERED])
def test_a_message_whose_worker_died_behind_the_fence_goes_out_at_most_once(world: World, point: Point) -> None:
    world.office.clock.set(INVITED_AT)
    for fatal in (point, None, None):
        world.deliver(1, fatal)
        world.check()
    world.audit(at_rest=True)
