"""Signs of life: a process that died is spoken for by one that began later, and by no other."""

import datetime as dt

import pytest

from reminders.services.checkup.ticking import ticking_check
from reminders.services.guarding.lock import Because, lock
from reminders.services.guarding.unlock import Answer, unlock
from reminders.services.heartbeat import beat, pulse, stop
from reminders.services.retention import tidy, tidy_once_a_day
from reminders.store import installation
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


def cron(office: Office, *, days: int, hours: int = 6) -> None:
    """Let something else than a clock deliver every few hours for so many days."""
    for _ in range(days * 24 // hours):
        office.clock.advance(hours=hours)
        with office.write() as tx:
            installation.see_now(tx)  # as every delivery does
        tidy_once_a_day(office.database, office.clock, 90, lambda: True)


def test_a_clock_that_died_stays_dead_until_something_else_has_delivered_for_days_and_while_it_does(
    empty_office: Office,
) -> None:
    with empty_office.write() as tx:
        installation.save_installation(tx, "an-installation", b"a wrapped pepper")
    tidy(empty_office.database, empty_office.clock, 90, lambda: True)  # the clock's own
    empty_office.clock.advance(minutes=1)
    beat(empty_office.database, empty_office.clock, "A")
    cron(empty_office, days=1)
    assert is_dead(empty_office), "a person who found the clock dead delivers too"
    empty_office.clock.advance(hours=1)
    cron(empty_office, days=2)
    assert not is_dead(empty_office)
    with empty_office.read() as tx:
        assert (pulse(tx).stopped, pulse(tx).replaced) == (True, True)
        assert "such as cron" in ticking_check(tx).said
    beat(empty_office.database, empty_office.clock, "A")
    assert not is_dead(empty_office)
    empty_office.clock.advance(minutes=2)
    assert is_dead(empty_office), "what delivered before its last tick speaks for nothing since"
    cron(empty_office, days=3)
    assert not is_dead(empty_office)
    empty_office.clock.advance(days=3)
    assert is_dead(empty_office), "cron delivers no more"


@pytest.mark.parametrize("answer", [Answer.RESTORED, Answer.MOVED])
def test_the_clocks_of_the_place_that_a_copy_comes_from_are_not_waited_for_once_a_person_has_spoken(
    empty_office: Office, answer: Answer
) -> None:
    with empty_office.write() as tx:
        installation.save_installation(tx, "an-installation", b"a wrapped pepper")
    beat(empty_office.database, empty_office.clock, "a clock elsewhere")
    empty_office.clock.advance(hours=1)
    with empty_office.write() as tx:
        lock(tx, Because.COPIED)
    assert is_dead(empty_office)
    unlock(empty_office.database, empty_office.clock, None, answer, "new-disk")
    assert not is_dead(empty_office)
    beat(empty_office.database, empty_office.clock, "a clock elsewhere")
    empty_office.clock.advance(minutes=2)
    assert is_dead(empty_office), "it ticks here after all, and died"
