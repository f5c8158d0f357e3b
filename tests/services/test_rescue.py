"""Workers that die, sleep or are slow: what becomes of what they had, and what they may still say about it."""

import datetime as dt
import threading
from dataclasses import replace

import pytest

from reminders.domain.lifecycle import Reason, State
from reminders.services import decide
from reminders.services.leases import LeaseKeeper
from reminders.services.means import MeansLacking, need_means
from reminders.services.points import Point
from reminders.services.rescue import Rescued, rescue
from reminders.store import audit_trail
from tests.support.clinic import INVITED_AT, LEASE, FakeClock, Office, Once, to
from tests.support.facts import utc
from tests.support.killing_server import KillingServer
from tests.support.smtp_server import HangUp, RealServer, RudeServer

BEFORE_THE_BODY = (Point.CLAIMED, Point.RENDERED, Point.CONNECTED, Point.ENVELOPE_ACCEPTED)
BEFORE_THE_FENCE = (*BEFORE_THE_BODY, Point.BYTES_KEPT, Point.BODY_WRITTEN)
BEHIND_THE_FENCE = (Point.FENCED, Point.DOT_WRITTEN, Point.ANSWERED)


class Died(BaseException):
    """The worker ends here; the rows are as a kill leaves them."""


def die() -> None:
    raise Died


def die_at(office: Office, server: RealServer, point: Point) -> None:
    """Let a delivery die at a point."""
    with pytest.raises(Died):
        office.deliver(to(server), observe=Once(point, die))


@pytest.fixture
def due(office: Office) -> Office:
    office.clock.set(INVITED_AT)
    return office


@pytest.mark.parametrize("point", BEFORE_THE_FENCE)
def test_what_was_not_handed_over_is_sent_when_the_lease_has_run_out(
    due: Office, server: RealServer, point: Point
) -> None:
    die_at(due, server, point)
    assert due.row().state is State.CLAIMED
    due.clock.set(INVITED_AT + LEASE - dt.timedelta(seconds=1))
    outcome = due.deliver(to(server))
    assert (outcome.sent, outcome.next_at) == (0, INVITED_AT + LEASE)
    due.clock.set(INVITED_AT + LEASE)
    assert due.deliver(to(server)).sent == 1
    assert len(server.messages) == 1


@pytest.mark.parametrize("point", BEHIND_THE_FENCE)
def test_what_was_handed_over_becomes_unknown_and_is_not_sent_again(
    due: Office, server: RealServer, point: Point
) -> None:
    die_at(due, server, point)
    assert due.row().state is State.HANDED_OVER
    due.clock.set(INVITED_AT + LEASE)
    outcome = due.deliver(to(server))
    assert (outcome.unknown, outcome.sent, due.row().state) == (1, 0, State.UNKNOWN)
    due.clock.advance(days=20)
    assert due.deliver(to(server)).sent == 0


def test_three_deaths_after_the_body_began_leave_it_to_a_person(due: Office, server: RealServer) -> None:
    for point in (Point.BYTES_KEPT, Point.BODY_WRITTEN, Point.BODY_WRITTEN):
        die_at(due, server, point)
        due.clock.advance(minutes=2)
    outcome = due.deliver(to(server))
    assert (outcome.failed, outcome.sent) == (1, 0)
    assert (due.row().state, due.row().reason) == (State.FAILED, Reason.TOO_MANY_ATTEMPTS)
    with due.write() as tx:
        decide.retry(tx, [due.row().id])
    die_at(due, server, Point.BODY_WRITTEN)
    due.clock.advance(minutes=2)
    assert due.deliver(to(server)).sent == 1


@pytest.mark.parametrize("point", BEFORE_THE_BODY)
def test_deaths_before_the_body_began_are_never_counted(due: Office, server: RealServer, point: Point) -> None:
    for _ in range(5):
        die_at(due, server, point)
        due.clock.advance(minutes=2)
    assert due.deliver(to(server)).sent == 1


def test_early_deaths_do_not_bring_a_later_one_nearer_the_limit(due: Office, server: RealServer) -> None:
    for point in (Point.CLAIMED, Point.CONNECTED, Point.BODY_WRITTEN, Point.CLAIMED, Point.BODY_WRITTEN):
        die_at(due, server, point)
        due.clock.advance(minutes=2)
    assert due.deliver(to(server)).sent == 1


def test_a_refusal_after_the_body_is_no_death(due: Office, server: RealServer) -> None:
    for _ in range(2):
        die_at(due, server, Point.BODY_WRITTEN)
        due.clock.advance(minutes=2)
    for _ in range(3):
        server.script["DOT"].append("451 4.3.0 not now")
        outcome = due.deliver(to(server))
        assert (outcome.deferred, outcome.failed) == (1, 0)
        due.clock.advance(hours=2)
    die_at(due, server, Point.ENVELOPE_ACCEPTED)
    due.clock.advance(minutes=2)
    due.clock.set(utc("2026-03-24 10:00"))
    assert due.deliver(to(server)).sent == 1


def test_what_comes_back_is_planned_by_the_facts_as_they_are_now(due: Office, server: RealServer) -> None:
    die_at(due, server, Point.BODY_WRITTEN)
    due.change_patient(opt_out="all")
    assert due.row().state is State.CLAIMED
    due.clock.set(utc("2026-03-23 22:00"))  # the clinic is closed: nobody looks at it for sending
    outcome = due.deliver(to(server))
    assert (outcome.cancelled, due.row().state, due.row().reason) == (1, State.CANCELLED, Reason.OPTED_OUT)


def test_a_rescue_that_finds_nothing_changes_nothing(due: Office) -> None:
    with due.read() as tx:
        before = len(audit_trail.entries(tx))
    assert rescue(due.database, due.clock) == Rescued()
    with due.read() as tx:
        assert len(audit_trail.entries(tx)) == before


def taken_over(office: Office, server: RealServer, point: Point) -> Once:
    """Let another delivery come when this one's lease has run out, at a point of this one."""

    def another() -> None:
        office.clock.advance(minutes=2)
        office.deliver(to(server))

    return Once(point, another)


@pytest.mark.parametrize("point", BEFORE_THE_FENCE)
def test_a_worker_that_woke_too_late_writes_nothing_and_sends_nothing(
    due: Office, server: RealServer, point: Point
) -> None:
    outcome = due.deliver(to(server), observe=taken_over(due, server, point))
    assert (outcome.sent, outcome.unknown) == (0, 0)
    assert (due.row().state, len(server.messages)) == (State.SENT, 1)
    with due.read() as tx:
        actions = [entry.action for entry in audit_trail.entries(tx, subject="reminder", subject_id=due.row().id)]
    assert actions == ["claim", "planned", "claim", "handed_over", "sent"]


@pytest.mark.parametrize("point", BEHIND_THE_FENCE)
def test_a_late_250_settles_what_was_called_unknown(due: Office, server: RealServer, point: Point) -> None:
    outcome = due.deliver(to(server), observe=taken_over(due, server, point))
    assert (outcome.sent, due.row().state, len(server.messages)) == (1, State.SENT, 1)
    with due.read() as tx:
        actions = [entry.action for entry in audit_trail.entries(tx, subject="reminder", subject_id=due.row().id)]
        assert actions == ["claim", "handed_over", "unknown", "sent"]
        assert audit_trail.verify(tx) is None


@pytest.mark.parametrize(("said", "state"), [("451 4.3.0 not now", State.PLANNED), ("554 5.7.1 blocked", State.FAILED)])
def test_a_late_refusal_is_as_definite_as_any(due: Office, server: RealServer, said: str, state: State) -> None:
    server.script["DOT"].append(said)
    due.deliver(to(server), observe=taken_over(due, server, Point.FENCED))
    assert (due.row().state, server.messages) == (state, [])


def test_without_a_late_answer_it_stays_unknown(due: Office, server: RealServer) -> None:
    with RudeServer({"dot": HangUp()}) as rude:
        due.deliver(to(rude), observe=taken_over(due, server, Point.DOT_WRITTEN))
    assert due.row().state is State.UNKNOWN


def test_a_late_answer_changes_nothing_once_a_person_has_settled_it(due: Office, server: RealServer) -> None:
    def settled_meanwhile() -> None:
        due.clock.advance(minutes=20)
        rescue(due.database, due.clock)
        with due.write() as tx:
            decide.settle(tx, due.row().id, State.SENT, "the patient called")

    server.script["DOT"].append("451 4.3.0 not now")
    due.deliver(to(server), observe=Once(Point.DOT_WRITTEN, settled_meanwhile))
    assert due.row().state is State.SENT


class WatchedClock(FakeClock):
    """A clock that tells when the keeper of leases has looked at it."""

    def __init__(self, now: dt.datetime) -> None:
        super().__init__(now)
        self.looks = threading.Semaphore(0)

    def now(self) -> dt.datetime:
        found = super().now()
        if threading.current_thread().name == "lease-keeper":
            self.looks.release()
        return found


def test_a_lease_is_renewed_for_as_long_as_a_slow_server_takes(due: Office) -> None:
    lease = dt.timedelta(seconds=0.3)
    clock = due.clock = WatchedClock(INVITED_AT)
    rescued = []

    def take_long() -> None:
        for _ in range(4):
            clock.advance(seconds=0.25)
            for _ in range(2):  # when it looks the second time, it has written what it saw the first time
                assert clock.looks.acquire(timeout=10)
        rescued.append(rescue(due.database, clock))

    with KillingServer() as slow:
        slow.arm("dot", 1, take_long)
        outcome = due.deliver(to(slow), lease=lease)
    assert rescued == [Rescued()]
    assert (outcome.sent, due.row().state) == (1, State.SENT)


def test_a_lease_is_renewed_for_as_long_as_a_letter_takes_to_be_written(due: Office, server: RealServer) -> None:
    lease = dt.timedelta(seconds=0.3)
    clock = due.clock = WatchedClock(INVITED_AT)
    rescued = []

    def write_slowly(content: bytes, _domain: str) -> bytes:
        for _ in range(4):
            clock.advance(seconds=0.25)
            for _ in range(2):  # as above
                assert clock.looks.acquire(timeout=10)
        rescued.append(rescue(due.database, clock))
        return content

    outcome = due.deliver(to(server), lease=lease, sign=write_slowly)
    assert rescued == [Rescued()]
    assert (outcome.sent, due.row().state) == (1, State.SENT)


def test_where_the_system_gives_no_thread_for_the_leases_the_letters_go_back_untouched(
    due: Office, server: RealServer
) -> None:
    before = threading.stack_size()
    try:
        with pytest.raises(MeansLacking):  # no machine has room for such a stack
            due.deliver(to(server), observe=Once(Point.CLAIMED, lambda: threading.stack_size(1 << 60)))
    finally:
        threading.stack_size(before)
    found = due.row()
    assert (found.state, found.reason, found.attempts, found.last_fault) == (State.PLANNED, None, 0, None)
    assert due.deliver(to(server)).sent == 1


def test_no_other_trouble_of_a_running_program_is_taken_for_what_the_machine_lacks() -> None:
    for error in (RuntimeError("can't start new threads"), NotImplementedError("can't start new thread"), OSError(2)):
        need_means(error)


def test_a_lease_is_renewed_before_it_runs_out(due: Office) -> None:
    clock, lease = WatchedClock(INVITED_AT), dt.timedelta(seconds=1.5)
    with LeaseKeeper(due.database, clock, lease, []):
        assert clock.looks.acquire(timeout=lease.total_seconds())


def test_a_lease_is_not_renewed_for_a_row_that_is_not_ours_any_more(due: Office, server: RealServer) -> None:
    clock = due.clock = WatchedClock(INVITED_AT)

    def taken_and_kept() -> None:
        clock.advance(minutes=2)
        with pytest.raises(Died):
            due.deliver(to(server), observe=Once(Point.CLAIMED, die))
        assert clock.looks.acquire(timeout=10)

    late = dt.timedelta(seconds=0.3)
    due.deliver(to(server), lease=late, observe=Once(Point.BODY_WRITTEN, taken_and_kept))
    with due.read() as tx:
        assert due.row().state is State.CLAIMED
        row = tx.connection.exec_driver_sql("SELECT lease_until FROM reminders WHERE state = 'claimed'").scalar_one()
    assert str(row).startswith("2026-03-23 10:03")


def test_a_round_of_many_dies_and_is_rescued_together(due: Office, server: RealServer) -> None:
    due.add_due(7, prefix="Q")
    with pytest.raises(Died):
        due.deliver(to(server), 4, observe=Once(Point.FENCED, die))
    due.clock.advance(minutes=2)
    outcome = due.deliver(to(server), 4)
    assert (outcome.unknown, outcome.sent) == (4, 4)


def test_a_dead_workers_patients_get_no_other_message_meanwhile(due: Office, server: RealServer) -> None:
    die_at(due, server, Point.BODY_WRITTEN)
    due.clock.advance(seconds=30)
    assert due.deliver(to(server)).sent == 0
    assert server.messages == []


def test_a_cut_body_of_a_dead_worker_is_not_accepted(due: Office) -> None:
    with KillingServer() as ledger:
        with pytest.raises(Died):
            due.deliver(to(ledger), observe=Once(Point.BODY_WRITTEN, die))
        assert ledger.accepted == []


def test_rescued_says_what_it_did(due: Office, server: RealServer) -> None:
    die_at(due, server, Point.CLAIMED)
    due.clock.advance(minutes=2)
    assert replace(rescue(due.database, due.clock), plan=Rescued().plan) == Rescued(planned=1)
