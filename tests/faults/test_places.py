"""Faults: several machines on one server, one of which forgot what it knew, or knows of what the others sent."""

import contextlib
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from reminders.services.guarding.lock import Because, MovedOrCopied, OlderCopy, SendingLocked
from reminders.services.guarding.unlock import Answer
from reminders.services.points import Point
from reminders.store.database import Database
from tests.support.clinic import FOLLOW_UP_AT, INVITED_AT, Once, to
from tests.support.guarded import Guarded
from tests.support.smtp_server import RealServer

pytestmark = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)


def dumped(guarded: Guarded) -> Path:
    """Keep a dump of the database, as `reminders backup` does."""
    target = guarded.folder / "kept.dump"
    _run(guarded, "pg_dump", "--format=custom", f"--file={target}", f"--dbname={guarded.url}")
    return target


def restored(guarded: Guarded, dump: Path) -> None:
    """Put a dump back into the very database, as the manual says."""
    guarded.office.close()
    _run(guarded, "pg_restore", "--clean", "--if-exists", "--no-owner", f"--dbname={guarded.url}", str(dump))
    guarded.open(guarded.url)


def _run(guarded: Guarded, program: str, *options: str) -> None:
    assert guarded.cluster is not None
    command = [str(Path(guarded.cluster.server.bin_path) / program), *options]
    subprocess.run(command, check=True, capture_output=True)


def machine(guarded: Guarded, name: str) -> Path:
    return guarded.folder / name


def two_machines(guarded: Guarded, server: RealServer) -> Path:
    """Let machine A and B deliver, keep a dump, let B send and A see it; return the dump. A goes on."""
    for name in "AB":
        guarded.again(machine(guarded, name))
        guarded.office.deliver(to(server))
    dump = dumped(guarded)
    guarded.clock.set(INVITED_AT)
    assert guarded.office.deliver(to(server)).sent == 1
    guarded.again(machine(guarded, "A"))
    assert guarded.office.deliver(to(server)).sent == 0
    return dump


def test_f43_a_machine_that_sent_nothing_since_the_dump_knows_that_another_did(
    guarded: Guarded, server: RealServer
) -> None:
    restored(guarded, two_machines(guarded, server))
    with pytest.raises(OlderCopy):
        guarded.office.deliver(to(server))
    assert guarded.unlock(Answer.RESTORED).held == 1
    for name in "AB":
        guarded.again(machine(guarded, name))
        assert guarded.office.deliver(to(server)).sent == 0
    assert len(server.messages) == 1


def test_f43_a_running_machine_lets_nothing_go_after_another_ones_rounds_were_undone(
    guarded: Guarded, server: RealServer
) -> None:
    two_machines(guarded, server)
    guarded.office.add_patient("P2")
    guarded.office.treat("P2")

    def undo() -> None:
        with closing(Database(guarded.url)) as beside, beside.write(guarded.clock.now(), "test") as tx:
            tx.connection.exec_driver_sql("UPDATE places SET fences = 0")

    with pytest.raises(OlderCopy):
        guarded.office.deliver(to(server), observe=Once(Point.BODY_WRITTEN, undo))
    assert len(server.messages) == 1


def test_f24_a_machine_that_forgot_everything_may_be_on_an_older_copy(guarded: Guarded, server: RealServer) -> None:
    guarded.clock.set(INVITED_AT)
    assert guarded.office.deliver(to(server)).sent == 1
    dump = dumped(guarded)
    guarded.clock.set(FOLLOW_UP_AT)
    assert guarded.office.deliver(to(server)).sent == 1
    restored(guarded, dump)
    guarded.again(machine(guarded, "a container without a volume"))
    with pytest.raises(MovedOrCopied):
        guarded.office.deliver(to(server))
    assert guarded.standing().because is Because.COPIED


def test_f24_a_machine_that_is_new_joins_while_another_delivers(guarded: Guarded, server: RealServer) -> None:
    guarded.clock.set(INVITED_AT)
    assert guarded.office.deliver(to(server)).sent == 1
    guarded.clock.set(FOLLOW_UP_AT)
    guarded.again(machine(guarded, "B"))
    with pytest.raises(MovedOrCopied):  # nobody was seen for weeks
        guarded.office.deliver(to(server))
    guarded.again(guarded.folder / "state")
    guarded.unlock(Answer.MOVED)
    assert guarded.office.deliver(to(server)).sent == 1
    guarded.clock.advance(seconds=1)  # the tests' server has been running for longer: see test_copied_servers
    guarded.again(machine(guarded, "C"))
    guarded.office.deliver(to(server))
    assert guarded.standing().because is None


def test_f24_a_copy_on_the_same_server_does_not_disturb_the_original(guarded: Guarded, server: RealServer) -> None:
    """Both are remembered in one folder: what is said of the one is not said of the other."""
    guarded.clock.set(INVITED_AT)
    assert guarded.office.deliver(to(server)).sent == 1
    original, copy = guarded.url, guarded.copy()
    guarded.open(copy)
    with pytest.raises(MovedOrCopied):
        guarded.office.deliver(to(server))
    guarded.unlock(Answer.MOVED, "staging")
    guarded.clock.set(FOLLOW_UP_AT)
    assert guarded.office.deliver(to(server)).sent == 1
    guarded.office.close()
    guarded.open(original)
    assert guarded.office.deliver(to(server)).sent == 1
    assert guarded.standing().because is None


def test_f43_a_copy_that_the_original_went_on_from_is_an_older_one(guarded: Guarded, server: RealServer) -> None:
    guarded.office.deliver(to(server))
    copy = guarded.copy()
    guarded.again()
    guarded.clock.set(INVITED_AT)
    assert guarded.office.deliver(to(server)).sent == 1
    guarded.put_back(copy)  # a database of another number: dropped, made anew, and restored
    with pytest.raises(SendingLocked) as caught:
        guarded.office.deliver(to(server))
    assert isinstance(caught.value, OlderCopy)


@pytest.mark.parametrize(("behind_s", "because"), [(50, None), (70, Because.COPIED)])
def test_f24_a_word_from_ahead_of_a_servers_slow_clock_was_said_on_another_one(
    guarded: Guarded, server: RealServer, behind_s: int, because: Because | None
) -> None:
    """A server's own clock goes back by seconds; a copy's may be an hour slow, and what it holds vouches for nobody."""
    guarded.clock.set(INVITED_AT)
    assert guarded.office.deliver(to(server)).sent == 1
    guarded.clock.advance(seconds=-behind_s)
    guarded.again(machine(guarded, "B"))
    with contextlib.suppress(SendingLocked):
        guarded.office.deliver(to(server))
    assert guarded.standing().because is because
