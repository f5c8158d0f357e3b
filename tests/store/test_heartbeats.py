"""Signs of life: a process that died is spoken for by one that began later, and by no other."""

import datetime as dt

import pytest

from reminders.services.heartbeat import beat, pulse, stop
from tests.support.clinic import Office


def is_dead(office: Office) -> bool:
    with office.read() as tx:
        return pulse(tx).dead


def acts(office: Office, *steps: tuple[int, str, str]) -> None:
    """Do at so many minutes what a worker does."""
    began = office.clock.now()
    for minutes, worker, act in steps:
        office.clock.set(began + dt.timedelta(minutes=minutes))
        (beat if act == "beats" else stop)(office.database, office.clock, worker)
    office.clock.advance(minutes=5)


@pytest.mark.parametrize(
    ("steps", "dead"),
    [
        ([(0, "A", "beats"), (5, "B", "beats"), (6, "B", "stops")], False),
        ([(0, "A", "beats"), (5, "B", "beats")], True),
        (
            [(0, "B", "beats"), (1, "A", "beats"), (6, "B", "stops")],
            True,
        ),  # it was there all along, and is no successor
        ([(0, "A", "beats"), (5, "B", "beats"), (6, "A", "beats"), (7, "B", "stops")], True),
        ([(0, "A", "beats"), (0, "A", "stops")], False),
        ([], False),
    ],
)
def test_a_later_start_speaks_for_a_worker_that_died(
    empty_office: Office,
    steps: list[tuple[int, str, str]],
    dead: bool,  # noqa: FBT001 - a row of the table
) -> None:
    acts(empty_office, *steps)
    assert is_dead(empty_office) is dead


def test_a_living_successor_is_alive(empty_office: Office) -> None:
    acts(empty_office, (0, "A", "beats"), (5, "B", "beats"))
    beat(empty_office.database, empty_office.clock, "B")
    assert not is_dead(empty_office)
