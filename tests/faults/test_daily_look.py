"""Faults: a damaged file, where what was looked through within a day is not read again.

The page that is damaged here is one that no delivery asks for: what SQLite comes upon itself is refused at any time.
"""

import datetime as dt
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from reminders.errors import CannotDo
from reminders.services.guarding.looked import Looked, looked
from reminders.services.guarding.sound import on_a_sound_database
from reminders.services.guarding.unlock import Answer
from reminders.store.faults import DatabaseCorrupt, DatabaseDamaged, UnreadableDay
from tests.support.clinic import INVITED_AT
from tests.support.guarded import Guarded
from tests.support.post import Post

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
ASIDE = "ix_patients_address_key"


def damage(guarded: Guarded) -> None:
    """Zero a page that no delivery needs, and go on as another process."""
    guarded.office.close()
    with closing(sqlite3.connect(guarded.file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        [page] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (ASIDE,)).fetchone()
        [size] = connection.execute("PRAGMA page_size").fetchone()
    with guarded.file.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(bytes(size))
    guarded.again()


def deliver(guarded: Guarded) -> int:
    """Deliver once; return how many were sent."""
    return guarded.office.deliver(Post(guarded.clock.now)).sent


def mark(guarded: Guarded, boot: str | None = None) -> Looked:
    place = guarded.place()
    assert place is not None
    found = looked(place, boot)
    assert found is not None
    return found


def test_f08_the_whole_file_is_looked_through_once_a_day_whoever_delivers(guarded: Guarded) -> None:
    guarded.clock.set(INVITED_AT)
    assert deliver(guarded) == 1
    damage(guarded)
    guarded.clock.advance(hours=23)
    assert deliver(guarded) == 0
    guarded.clock.advance(hours=1)
    with pytest.raises(DatabaseCorrupt):
        deliver(guarded)
    guarded.again()
    with pytest.raises(DatabaseCorrupt):
        deliver(guarded)


def test_f08_a_clock_set_back_has_the_file_looked_through_again(guarded: Guarded) -> None:
    guarded.clock.set(INVITED_AT)
    deliver(guarded)
    damage(guarded)
    guarded.clock.advance(minutes=-1)
    with pytest.raises(DatabaseCorrupt):
        deliver(guarded)


def lose_it(mark: Path) -> None:
    mark.unlink()


def write_something_else(mark: Path) -> None:
    mark.write_text("what somebody else wrote\n")


def lay_a_link(mark: Path) -> None:
    mark.rename(mark.with_name("elsewhere"))
    mark.symlink_to(mark.with_name("elsewhere"))


@pytest.mark.parametrize("spoil", [lose_it, write_something_else, lay_a_link])
def test_f08_a_mark_that_is_lost_or_not_ours_counts_as_none(guarded: Guarded, spoil: Callable[[Path], None]) -> None:
    guarded.clock.set(INVITED_AT)
    deliver(guarded)
    spoil(mark(guarded).path)
    damage(guarded)
    with pytest.raises(DatabaseCorrupt):
        deliver(guarded)


def test_f08_what_is_not_ours_in_the_marks_place_is_left_as_it_is(guarded: Guarded) -> None:
    path = mark(guarded).path
    write_something_else(path)
    deliver(guarded)
    mark(guarded).forget()
    assert path.read_text() == "what somebody else wrote\n"


def test_f08_another_file_or_start_of_the_machine_is_looked_at_anew(guarded: Guarded) -> None:
    now = guarded.clock.now()
    mark(guarded, "f1:10").keep(now)
    assert mark(guarded, "f1:99").lately(now + dt.timedelta(hours=1))
    assert not mark(guarded, "5e:5").lately(now + dt.timedelta(hours=1))
    content = guarded.file.read_bytes()
    fresh = guarded.file.with_name("put in its place")
    fresh.write_bytes(content)
    guarded.office.close()
    fresh.replace(guarded.file)
    guarded.again()
    assert not mark(guarded, "f1:99").lately(now + dt.timedelta(hours=1))


def come_upon(guarded: Guarded, fault: CannotDo) -> bool:
    """Let a delivery end with an error; tell whether the next one takes the file for looked through."""
    guarded.clock.set(INVITED_AT)
    deliver(guarded)
    database, place = guarded.office.database, guarded.place()
    with pytest.raises(type(fault)), on_a_sound_database(database, guarded.clock, place):
        raise fault
    return mark(guarded).lately(guarded.clock.now())


def test_f08_damage_that_a_delivery_comes_upon_has_the_file_looked_through_again(guarded: Guarded) -> None:
    assert not come_upon(guarded, DatabaseDamaged())


def test_f08_an_odd_row_does_not_have_the_file_looked_through_again(guarded: Guarded) -> None:
    assert come_upon(guarded, UnreadableDay())


def test_f08_a_copy_that_a_person_put_back_is_looked_through_before_it_sends(guarded: Guarded) -> None:
    deliver(guarded)
    copy = guarded.copy()
    guarded.again()
    guarded.clock.set(INVITED_AT)
    assert deliver(guarded) == 1
    guarded.put_back(copy)
    guarded.unlock(Answer.RESTORED)
    damage(guarded)
    with pytest.raises(DatabaseCorrupt):
        deliver(guarded)
