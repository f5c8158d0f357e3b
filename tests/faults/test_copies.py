"""Faults: an older copy of the database is put back, or a copy of it goes on elsewhere; nothing goes out twice."""

import contextlib
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from reminders.domain.facts import Outcome
from reminders.domain.lifecycle import State
from reminders.services import book
from reminders.services.audit import audit
from reminders.services.guarding.lock import Because, MovedOrCopied, OlderCopy, SendingLocked, lock
from reminders.services.guarding.state_file import StateUnwritable
from reminders.services.guarding.unlock import Answer, BadCode, NotLocked, WrongAnswer
from reminders.services.points import Point
from reminders.store.database import rewrite_files
from tests.support.backends import BACKENDS
from tests.support.clinic import FOLLOW_UP_AT, INVITED_AT, Once, to
from tests.support.guarded import Guarded
from tests.support.smtp_server import RealServer

on_both = pytest.mark.parametrize("backend", BACKENDS, indirect=True)
A_DAY_LATER = INVITED_AT.replace(day=24)


def sent_since_the_copy(guarded: Guarded, server: RealServer) -> None:
    """Let the invitation go out, then put back the copy that was made before, when this place had sent nothing yet."""
    assert guarded.office.deliver(to(server)).sent == 0
    copy = guarded.copy()
    guarded.again()
    guarded.clock.set(INVITED_AT)
    assert guarded.office.deliver(to(server)).sent == 1
    guarded.put_back(copy)
    guarded.clock.set(A_DAY_LATER)


def breaches(guarded: Guarded) -> list[str]:
    office = guarded.office
    return [finding.problem for finding in audit(office.database, guarded.clock, office.keys).findings]


@on_both
def test_f43_what_may_have_been_sent_since_a_backup_is_held_for_a_person(guarded: Guarded, server: RealServer) -> None:
    sent_since_the_copy(guarded, server)
    with pytest.raises(OlderCopy):
        guarded.office.deliver(to(server))
    assert guarded.standing().because is Because.RESTORED
    assert guarded.unlock(Answer.RESTORED).held == 1
    assert guarded.office.deliver(to(server)).sent == 0
    assert guarded.office.row().reason == "held_for_review"
    assert len(server.messages) == 1
    assert breaches(guarded) == []


@on_both
def test_f43_delivery_goes_on_after_the_look_and_a_second_old_copy_is_found(
    guarded: Guarded, server: RealServer
) -> None:
    sent_since_the_copy(guarded, server)
    with pytest.raises(SendingLocked):
        guarded.office.deliver(to(server))
    guarded.unlock(Answer.RESTORED)
    guarded.again()
    copy = guarded.copy()
    guarded.again()
    guarded.clock.set(FOLLOW_UP_AT)
    assert guarded.office.deliver(to(server)).sent == 1  # the next step is not in doubt
    guarded.put_back(copy)
    with pytest.raises(OlderCopy):
        guarded.office.deliver(to(server))
    assert len(server.messages) == 2


@on_both
def test_f43_what_was_withdrawn_in_the_backup_comes_back_held(guarded: Guarded, server: RealServer) -> None:
    guarded.office.pause()  # nothing is sent before the copy, and the booking below is in it
    guarded.office.pause(paused=False)
    appointment = guarded.office.book("2026-04-20")
    copy = guarded.copy()
    guarded.clock.set(INVITED_AT)
    guarded.office.add_patient("P2")
    guarded.office.treat("P2")
    assert guarded.office.deliver(to(server)).sent == 1  # to another patient, as ours may have been
    guarded.put_back(copy)
    with pytest.raises(SendingLocked):
        guarded.office.deliver(to(server))
    guarded.unlock(Answer.RESTORED)
    with guarded.office.write() as tx:
        book.set_outcome(tx, appointment, Outcome.CANCELLED)
    assert guarded.office.row().state is State.HELD


def test_f43_what_was_on_its_way_in_the_backup_is_not_sent_again(guarded: Guarded, server: RealServer) -> None:
    """The copy is made between the claim and the fence: its own rescuer would plan the message anew."""
    copied = guarded.folder / "claimed.db"

    def copy() -> None:
        with closing(sqlite3.connect(guarded.file)) as source, closing(sqlite3.connect(copied)) as kept:
            source.backup(kept)

    guarded.clock.set(INVITED_AT)
    assert guarded.office.deliver(to(server), observe=Once(Point.BODY_WRITTEN, copy)).sent == 1
    guarded.put_back(f"sqlite:///{copied}")
    with pytest.raises(OlderCopy):
        guarded.office.deliver(to(server))
    assert guarded.office.row().state is State.CLAIMED  # not even rescued
    assert guarded.unlock(Answer.RESTORED).held == 1
    guarded.clock.set(A_DAY_LATER)
    assert guarded.office.deliver(to(server)).sent == 0
    assert len(server.messages) == 1


def test_f43_a_message_handed_over_in_the_backup_is_unknown(guarded: Guarded, server: RealServer) -> None:
    copied = guarded.folder / "fenced.db"

    def copy() -> None:
        with closing(sqlite3.connect(guarded.file)) as source, closing(sqlite3.connect(copied)) as kept:
            source.backup(kept)

    guarded.clock.set(INVITED_AT)
    guarded.office.deliver(to(server), observe=Once(Point.DOT_WRITTEN, copy))
    guarded.put_back(f"sqlite:///{copied}")
    guarded.clock.set(A_DAY_LATER)
    outcome = guarded.office.deliver(to(server))  # its count is in step: the copy knows of the fence
    assert (outcome.unknown, outcome.sent, len(server.messages)) == (1, 0, 1)


@on_both
def test_f24_a_clone_locks_itself_and_the_original_goes_on(guarded: Guarded, server: RealServer) -> None:
    guarded.office.deliver(to(server))  # at home here
    original = guarded.url
    clone = _clone(guarded)
    guarded.clock.set(INVITED_AT)
    guarded.open(clone)
    with pytest.raises(MovedOrCopied):
        guarded.office.deliver(to(server))
    assert guarded.standing().because is Because.COPIED
    guarded.office.close()
    guarded.open(original)
    assert guarded.office.deliver(to(server)).sent == 1
    assert len(server.messages) == 1


@on_both
def test_f24_a_moved_database_goes_on_once_a_person_says_so(guarded: Guarded, server: RealServer) -> None:
    guarded.office.deliver(to(server))
    guarded.open(_clone(guarded))
    guarded.clock.set(INVITED_AT)
    with pytest.raises(SendingLocked):
        guarded.office.deliver(to(server))
    assert guarded.unlock(Answer.MOVED, "new-disk").held == 0
    guarded.again()
    assert guarded.office.deliver(to(server)).sent == 1
    guarded.again()
    guarded.clock.set(FOLLOW_UP_AT)
    assert guarded.office.deliver(to(server)).sent == 1


def _clone(guarded: Guarded) -> str:
    """Return a copy on another disk, with what its machine remembered: a folder that was copied whole."""
    copy = guarded.copy()
    if guarded.cluster is None:
        there = guarded.folder / "clone"
        there.mkdir()
        shutil.copy(copy.removeprefix("sqlite:///"), there / guarded.file.name)
        shutil.copy(_state_file(guarded), there)
        return f"sqlite:///{there / guarded.file.name}"
    return copy


def _state_file(guarded: Guarded) -> Path:
    return guarded.file.with_name(f".{guarded.file.name}.place")


def test_f24_a_database_without_its_state_file_is_a_copy(guarded: Guarded, server: RealServer) -> None:
    guarded.clock.set(INVITED_AT)
    guarded.office.deliver(to(server))
    _state_file(guarded).unlink()
    guarded.again()
    with pytest.raises(MovedOrCopied):
        guarded.office.deliver(to(server))


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_f24_another_machine_joins_a_server_by_itself(guarded: Guarded, server: RealServer) -> None:
    guarded.clock.set(INVITED_AT)
    assert guarded.office.deliver(to(server)).sent == 1
    guarded.clock.set(FOLLOW_UP_AT)
    guarded.office.pause()
    guarded.office.deliver(to(server))  # the first machine is still there
    guarded.office.pause(paused=False)
    guarded.again(guarded.folder / "another machine")
    assert guarded.office.deliver(to(server)).sent == 1


def test_f43_a_copy_put_back_under_a_running_delivery_lets_nothing_go(guarded: Guarded, server: RealServer) -> None:
    copy = guarded.copy()
    guarded.again()
    guarded.clock.set(INVITED_AT)

    def put_back() -> None:
        for end in ("-wal", "-shm"):
            guarded.file.with_name(guarded.file.name + end).unlink(missing_ok=True)
        Path(copy.removeprefix("sqlite:///")).replace(guarded.file)

    guarded.office.deliver(to(server), observe=Once(Point.BODY_WRITTEN, put_back))
    assert server.messages == []


@on_both
def test_f24_a_lock_stops_a_delivery_that_runs(guarded: Guarded, server: RealServer) -> None:
    guarded.office.add_patient("P2")
    guarded.office.treat("P2")
    guarded.clock.set(INVITED_AT)

    def another_process() -> None:
        with guarded.office.write() as tx:
            assert lock(tx, Because.COPIED)

    with pytest.raises(MovedOrCopied):
        guarded.office.deliver(to(server), observe=Once(Point.SETTLED, another_process))
    assert len(server.messages) == 1
    assert guarded.office.states()["planned"] == 5


@on_both
def test_f43_a_backup_put_back_before_anything_else_was_sent_locks_sending_too(
    guarded: Guarded, server: RealServer
) -> None:
    assert guarded.office.deliver(to(server)).sent == 0
    copy = guarded.copy()
    guarded.again()
    guarded.office.change_patient(opt_out="all")
    assert guarded.office.deliver(to(server)).sent == 0
    guarded.put_back(copy)  # the copy knows nothing of the opt-out
    guarded.clock.set(INVITED_AT)
    with pytest.raises(OlderCopy):
        guarded.office.deliver(to(server))
    assert guarded.unlock(Answer.RESTORED).held == 1
    assert guarded.office.deliver(to(server)).sent == 0
    assert server.messages == []


@on_both
def test_f43_that_a_copy_was_put_back_may_be_said_before_any_delivery(guarded: Guarded, server: RealServer) -> None:
    sent_since_the_copy(guarded, server)
    said = guarded.unlock(Answer.RESTORED)
    assert (said.because, said.held) == (Because.RESTORED, 1)
    assert guarded.office.deliver(to(server)).sent == 0
    assert len(server.messages) == 1


@on_both
def test_f43_that_a_copy_was_put_back_is_heard_where_nothing_shows_it(guarded: Guarded, server: RealServer) -> None:
    guarded.clock.set(INVITED_AT)
    said = guarded.unlock(Answer.RESTORED)
    assert (said.because, said.held) == (None, 1)
    assert guarded.office.deliver(to(server)).sent == 0


@on_both
def test_f43_only_the_answer_that_fits_unlocks(guarded: Guarded, server: RealServer) -> None:
    with pytest.raises(NotLocked):
        guarded.unlock(Answer.MOVED)
    sent_since_the_copy(guarded, server)
    with pytest.raises(SendingLocked):
        guarded.office.deliver(to(server))
    for answer in (Answer.MOVED, Answer.CLOCK):
        with pytest.raises(WrongAnswer):
            guarded.unlock(answer)
    with pytest.raises(BadCode):
        guarded.unlock(Answer.RESTORED, "Mrs Smith said so")
    assert guarded.standing().because is Because.RESTORED


def test_f24_where_nothing_can_be_remembered_nothing_is_sent(guarded: Guarded, server: RealServer) -> None:
    (guarded.folder / "a file").touch()
    guarded.again(guarded.folder / "a file" / "state")
    guarded.clock.set(INVITED_AT)
    with pytest.raises(StateUnwritable, match="REMINDERS_STATE"):
        guarded.office.deliver(to(server))
    assert server.messages == []


def test_f24_the_state_file_is_the_owners_alone_and_is_no_secret(guarded: Guarded, server: RealServer) -> None:
    guarded.clock.set(INVITED_AT)
    guarded.office.deliver(to(server))
    found = _state_file(guarded)
    assert found.stat().st_mode & 0o777 == 0o600
    assert found.read_text().split()[2] == "000000000001"


def test_f43_a_state_file_that_lost_its_last_write_is_harmless(guarded: Guarded, server: RealServer) -> None:
    guarded.office.deliver(to(server))
    before = _state_file(guarded).read_bytes()
    guarded.clock.set(INVITED_AT)
    guarded.office.deliver(to(server))
    _state_file(guarded).write_bytes(before)
    guarded.again()
    guarded.clock.set(FOLLOW_UP_AT)
    assert guarded.office.deliver(to(server)).sent == 1


def test_f24_another_installation_in_the_place_of_an_old_one_is_no_copy(guarded: Guarded, server: RealServer) -> None:
    remembered = _state_file(guarded)
    remembered.write_text(
        f"{'f' * 32} {'e' * 32} {7:012d} {7:015d} {7:015d}\n"
    )  # of an installation that was thrown away
    guarded.clock.set(INVITED_AT)
    assert guarded.office.deliver(to(server)).sent == 1
    guarded.again()
    guarded.clock.set(FOLLOW_UP_AT)
    assert guarded.office.deliver(to(server)).sent == 1


def test_f24_rewriting_the_file_after_an_erasure_is_no_move(guarded: Guarded, server: RealServer) -> None:
    guarded.office.deliver(to(server))
    number = os.stat(guarded.file).st_ino  # noqa: PTH116
    guarded.again()
    assert rewrite_files(guarded.office.database)
    assert os.stat(guarded.file).st_ino == number  # noqa: PTH116
    guarded.clock.set(INVITED_AT)
    assert guarded.office.deliver(to(server)).sent == 1


@on_both
def test_f43_a_copy_from_before_the_first_delivery_is_found_too(guarded: Guarded, server: RealServer) -> None:
    """It never heard of the place that has sent since."""
    copy = guarded.copy()
    guarded.again()
    guarded.clock.set(INVITED_AT)
    assert guarded.office.deliver(to(server)).sent == 1
    guarded.put_back(copy)
    with pytest.raises(OlderCopy):
        guarded.office.deliver(to(server))


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_f43_one_answer_speaks_for_all_machines_that_the_copy_knows(guarded: Guarded, server: RealServer) -> None:
    here, there = guarded.folder / "state", guarded.folder / "another machine"
    for machine in (here, there):
        guarded.again(machine)
        guarded.office.deliver(to(server))
    copy = guarded.copy()
    guarded.again(there)
    guarded.clock.set(INVITED_AT)
    assert guarded.office.deliver(to(server)).sent == 1
    guarded.put_back(copy)
    with pytest.raises(OlderCopy):
        guarded.office.deliver(to(server))
    guarded.again(here)
    assert guarded.unlock(Answer.RESTORED).held == 1
    guarded.again(there)
    assert guarded.office.deliver(to(server)).sent == 0
    guarded.clock.set(FOLLOW_UP_AT)
    assert guarded.office.deliver(to(server)).sent == 1


@on_both
def test_f24_a_round_that_was_not_committed_is_not_counted(guarded: Guarded, server: RealServer) -> None:
    """Its count is taken again by the next try, and is no sign of an older copy."""
    guarded.office.deliver(to(server))
    place = guarded.office.place
    assert place is not None

    class LostError(Exception):
        pass

    def lose_a_commit() -> None:
        with contextlib.suppress(LostError), guarded.office.write() as tx:
            place.pass_fence(tx)
            raise LostError

    guarded.clock.set(INVITED_AT)
    lost = Once(Point.BODY_WRITTEN, lose_a_commit)
    assert guarded.office.deliver(to(server), observe=lost).sent == 1
    assert lost.done
    assert place.here is not None
    assert place.here.fences == 1
