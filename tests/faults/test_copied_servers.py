"""Faults: a whole PostgreSQL server is copied, and the copy runs beside the original or takes its place."""

import contextlib
from collections.abc import Iterator

import psycopg
import pytest

from reminders.services.guarding.lock import Because, MovedOrCopied, OlderCopy
from reminders.services.guarding.unlock import Answer
from tests.support.clinic import FOLLOW_UP_AT, INVITED_AT, LAST_CALL_AT, to
from tests.support.guarded import Guarded
from tests.support.postgres import Cluster
from tests.support.smtp_server import RealServer

pytestmark = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)


@contextlib.contextmanager
def copied(cluster: Cluster, *, promoted: bool) -> Iterator[Cluster]:
    made = cluster.copy(promoted=promoted)
    try:
        yield made
    finally:
        made.server.cleanup()


def name_of(guarded: Guarded) -> str:
    return guarded.url.partition("?")[0].rpartition("/")[2]


def suspicion(guarded: Guarded) -> Because | None:
    place = guarded.place()
    assert place is not None
    with guarded.office.read() as tx:
        return place.suspicion(tx, place.file.read())


def identity(cluster: Cluster) -> tuple[object, ...]:
    """Return by what servers are told apart: the cluster's identifier and its timeline."""
    asked = "SELECT system_identifier, timeline_id FROM pg_control_system(), pg_control_checkpoint()"
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        connection.execute("CHECKPOINT")
        return connection.execute(asked).fetchone() or ()


def test_f24_a_copied_server_lets_neither_a_new_machine_send_nor_one_that_sent_since(
    guarded: Guarded, postgres: Cluster, server: RealServer
) -> None:
    """A disk's snapshot, or a base backup that is started: nothing in its files tells it from the original."""
    here, elsewhere = guarded.state, guarded.folder / "another machine"
    guarded.clock.set(INVITED_AT)
    assert guarded.office.deliver(to(server)).sent == 1
    guarded.clock.set(FOLLOW_UP_AT)
    guarded.office.pause()
    guarded.office.deliver(to(server))  # somebody was there a moment ago, and would vouch
    guarded.office.pause(paused=False)
    original = guarded.url
    with copied(postgres, promoted=False) as copy:
        assert identity(copy) == identity(postgres)
        guarded.clock.advance(minutes=10)
        assert guarded.office.deliver(to(server)).sent == 1
        guarded.office.close()
        guarded.open(copy.url(name_of(guarded)))
        assert suspicion(guarded) is Because.RESTORED
        guarded.again(elsewhere)
        with pytest.raises(MovedOrCopied):
            guarded.office.deliver(to(server))
        guarded.again(here)
        with pytest.raises(MovedOrCopied):  # locked for everybody
            guarded.office.deliver(to(server))
        guarded.office.close()
        guarded.open(original)
    assert suspicion(guarded) is None
    guarded.clock.set(LAST_CALL_AT)
    assert guarded.office.deliver(to(server)).sent == 1
    assert len(server.messages) == 3


@pytest.mark.parametrize("behind", [False, True])
def test_f43_a_promoted_standby_sends_nothing_before_a_person_says_whether_it_is_behind(
    guarded: Guarded, postgres: Cluster, server: RealServer, *, behind: bool
) -> None:
    guarded.clock.set(INVITED_AT)
    if not behind:
        assert guarded.office.deliver(to(server)).sent == 1
    with copied(postgres, promoted=True) as copy:
        if behind:
            assert guarded.office.deliver(to(server)).sent == 1
        guarded.office.close()
        guarded.open(copy.url(name_of(guarded)))
        with pytest.raises(OlderCopy if behind else MovedOrCopied):
            guarded.office.deliver(to(server))
        guarded.unlock(Answer.RESTORED if behind else Answer.MOVED, "failover")
        assert guarded.office.deliver(to(server)).sent == 0
        guarded.clock.set(FOLLOW_UP_AT)
        assert guarded.office.deliver(to(server)).sent == 1
        assert len(server.messages) == 2
        guarded.office.close()
