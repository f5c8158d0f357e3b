"""Faults: the file that remembers is not ours, is called otherwise, or lies elsewhere than it did."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from reminders.services.guarding.lock import MovedOrCopied
from reminders.services.guarding.state_file import Remembered, StateFile, StateUnwritable
from tests.support.clinic import FOLLOW_UP_AT, INVITED_AT, to
from tests.support.guarded import Guarded
from tests.support.smtp_server import RealServer

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
PRECIOUS = "what somebody else wrote\n"


def state_of(guarded: Guarded) -> Path:
    return guarded.file.with_name(f".{guarded.file.name}.place")


def a_link(state: Path) -> None:
    victim = state.with_name("victim")
    victim.write_text(PRECIOUS)
    state.symlink_to(victim)


def a_link_to_nothing(state: Path) -> None:
    state.symlink_to(state.with_name("victim"))


def other_content(state: Path) -> None:
    state.write_text(PRECIOUS)


FOREIGN: tuple[Callable[[Path], None], ...] = (a_link, a_link_to_nothing, other_content, os.mkfifo, Path.mkdir)


@pytest.mark.parametrize("make", FOREIGN)
def test_f24_what_is_not_ours_is_neither_followed_nor_written_to(
    guarded: Guarded, server: RealServer, make: Callable[[Path], None]
) -> None:
    state = state_of(guarded)
    make(state)
    guarded.clock.set(INVITED_AT)
    with pytest.raises(StateUnwritable):
        guarded.office.deliver(to(server))
    victim = state.with_name("victim")
    assert not victim.exists() or victim.read_text() == PRECIOUS
    assert not state.is_file() or state.read_text() == PRECIOUS
    assert server.messages == []
    assert guarded.standing().because is None


def test_f24_a_link_that_appears_under_a_delivery_is_not_written_through(guarded: Guarded, server: RealServer) -> None:
    guarded.office.deliver(to(server))
    state = state_of(guarded)
    file = StateFile(state, "a" * 32)
    kept = state.with_name("kept")
    state.rename(kept)
    content = kept.read_bytes()
    state.symlink_to(kept)
    file.keep(Remembered("b" * 32, 1, 1))
    with pytest.raises(StateUnwritable):
        file.begin(Remembered("b" * 32, 1, 1))
    assert kept.read_bytes() == content


def test_f24_an_empty_file_counts_as_none_and_is_taken(guarded: Guarded, server: RealServer) -> None:
    state_of(guarded).touch()
    guarded.clock.set(INVITED_AT)
    assert guarded.office.deliver(to(server)).sent == 1
    assert state_of(guarded).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in guarded.file.parent.glob("*.new")] == []


def test_f24_an_older_memory_never_takes_the_place_of_a_newer_one(guarded: Guarded) -> None:
    file = StateFile(state_of(guarded), "a" * 32)
    file.begin(Remembered("b" * 32, 3, 9))
    file.keep(Remembered("b" * 32, 4, 8))
    assert file.read() == Remembered("b" * 32, 4, 9)
    file.keep(Remembered("c" * 32, 7, 7))
    assert file.read() == Remembered("b" * 32, 4, 9)


def test_f24_naming_a_folder_for_what_is_remembered_is_no_move(guarded: Guarded, server: RealServer) -> None:
    guarded.clock.set(INVITED_AT)
    assert guarded.office.deliver(to(server)).sent == 1
    guarded.again(guarded.folder / "state")
    guarded.clock.set(FOLLOW_UP_AT)
    assert guarded.office.deliver(to(server)).sent == 1
    [kept] = (guarded.folder / "state").glob("*.place")
    assert kept.read_text().split()[1:3] == [state_of(guarded).read_text().split()[1], "000000000002"]


def test_f24_giving_the_database_another_name_is_no_move(guarded: Guarded, server: RealServer) -> None:
    guarded.clock.set(INVITED_AT)
    assert guarded.office.deliver(to(server)).sent == 1
    guarded.office.close()
    renamed = guarded.file.rename(guarded.file.with_name("clinic.db"))
    guarded.open(f"sqlite:///{renamed}")
    guarded.clock.set(FOLLOW_UP_AT)
    assert guarded.office.deliver(to(server)).sent == 1


def test_f24_a_copy_in_the_same_folder_is_not_taken_for_the_renamed_original(
    guarded: Guarded, server: RealServer
) -> None:
    guarded.clock.set(INVITED_AT)
    assert guarded.office.deliver(to(server)).sent == 1
    guarded.office.close()
    copy = guarded.file.with_name("clinic.db")
    with closing(sqlite3.connect(guarded.file)) as source, closing(sqlite3.connect(copy)) as kept:
        source.backup(kept)
    guarded.open(f"sqlite:///{copy}")
    with pytest.raises(MovedOrCopied):
        guarded.office.deliver(to(server))


def test_f24_a_file_that_counts_less_is_not_adopted(guarded: Guarded, server: RealServer) -> None:
    guarded.office.deliver(to(server))
    before = state_of(guarded).read_bytes()
    guarded.clock.set(INVITED_AT)
    assert guarded.office.deliver(to(server)).sent == 1
    state_of(guarded).write_bytes(before)
    guarded.again(guarded.folder / "state")
    with pytest.raises(MovedOrCopied):
        guarded.office.deliver(to(server))
