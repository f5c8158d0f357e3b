"""Faults while servers' answers are in hand: a slow server beside a fast one, damaged rows, a lost fence.

What was answered is recorded whatever becomes of the others, and what got no dot is never in doubt.
"""

import contextlib
import datetime as dt
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest

from reminders.domain.lifecycle import State
from reminders.errors import RemindersError
from reminders.services.insist import Patience
from reminders.services.plan import plan_due_changes
from reminders.services.points import Point
from reminders.services.rescue import rescue
from reminders.store.database import Transaction
from reminders.store.faults import CommitUnknown, DatabaseUnreachable, DatabaseUnwritable, DiskFull, DiskTrouble
from tests.acceptance.grounds import ALWAYS_OPEN
from tests.support.clinic import INVITED_AT, Office, Once, to
from tests.support.killing_server import KillingServer
from tests.support.post import Mood, Post
from tests.support.ticking import FakeTime, app_at, eventually


@pytest.fixture
def ledger() -> Iterator[KillingServer]:
    with KillingServer() as made:
        yield made


@pytest.fixture
def due(empty_office: Office) -> Office:
    """Two clinics with three patients each, all of them due."""
    for slug, prefix in (("riverside", "P"), ("elm", "E")):
        empty_office.add_clinic(slug, **ALWAYS_OPEN)
        empty_office.add_due(3, slug, prefix=prefix)
    empty_office.clock.set(INVITED_AT)
    return empty_office


def spoil(office: Office, statement: str) -> None:
    """Change a row as nobody but a disk or a person with a tool does."""
    office.database.close()
    with closing(sqlite3.connect(office.database.address.removeprefix("sqlite:///"))) as connection, connection:
        connection.execute(statement)


class Died(BaseException):
    """The worker ends here; the rows are as a kill leaves them."""


def die() -> None:
    raise Died


def states(office: Office, left_out: str = "P1") -> set[str]:
    """Return the states of the invitations of everybody but one, whose rows may be unreadable."""
    with closing(sqlite3.connect(office.database.address.removeprefix("sqlite:///"))) as connection:
        query = (
            "SELECT DISTINCT state FROM reminders JOIN patients ON patients.id = patient_id"
            " WHERE step = 'invitation' AND patients.ref != ?"
        )
        return {row[0] for row in connection.execute(query, [left_out])}


def test_f26_an_answer_is_recorded_while_a_slow_server_is_waited_for_and_at_once_when_asked_to_stop(
    due: Office, ledger: KillingServer
) -> None:
    answers, asked = threading.Event(), threading.Event()

    def be_slow() -> None:
        answers.wait(30)

    ledger.arm("dot", 6, be_slow)
    app = app_at(due, to(ledger), round=6)
    work = threading.Thread(target=lambda: app.deliver(stop=asked.is_set))
    work.start()
    try:
        assert eventually(lambda: due.states().get("sent") == 5), "within about a second"
        assert due.states().get("handed_over") == 1
    finally:
        answers.set()
        work.join(30)
    assert (due.states()["sent"], due.states().get("unknown")) == (6, None)


BROKEN = [
    "UPDATE patients SET consent = 'banana' WHERE ref = 'P1'",
    "UPDATE patients SET given_name = CAST(x'ff41' AS TEXT) WHERE ref = 'P1'",
    "UPDATE reminders SET state = 'sleeping' WHERE step = 'follow_up' AND patient_id IN (SELECT min(id) FROM patients)",
]


@pytest.mark.parametrize("statement", BROKEN)
def test_f08_one_patients_damaged_rows_stop_nobody_elses_mail(due: Office, statement: str) -> None:
    spoil(due, statement)
    post = Post(due.clock.now)
    outcome = due.deliver(post, 4)
    assert (outcome.sent, outcome.skipped, len(post.letters)) == (5, 1, 5)
    assert states(due) == {State.SENT}
    assert due.deliver(post, 4).skipped == 1


@pytest.mark.parametrize("point", [Point.CONNECTED, Point.BODY_WRITTEN, Point.DOT_WRITTEN])
@pytest.mark.parametrize("mood", [Mood.ACCEPT, Mood.DOT_LATER])
def test_f08_rows_damaged_on_the_way_cost_no_other_message_its_answer(due: Office, point: Point, mood: Mood) -> None:
    post = Post(due.clock.now)
    post.moods.append(mood)
    outcome = due.deliver(post, 6, observe=Once(point, lambda: spoil(due, BROKEN[0])))
    assert (outcome.unknown, outcome.failed) == (0, 0)
    assert states(due) <= {State.SENT, State.PLANNED}
    due.clock.advance(hours=1)
    assert due.deliver(post, 6).unknown == 0
    assert states(due) == {State.SENT}


def test_f08_whoever_cannot_be_planned_anew_keeps_nobody_else_waiting(due: Office) -> None:
    spoil(due, "UPDATE patients SET replan_at = '2026-03-20 00:00:00.000000'")
    spoil(due, BROKEN[0])
    plan_due_changes(due.database, due.clock)
    with closing(sqlite3.connect(due.database.address.removeprefix("sqlite:///"))) as connection:
        query = "SELECT ref FROM patients WHERE replan_at <= '2026-03-23 10:00' OR ref = 'P1' AND replan_at IS NULL"
        assert connection.execute(query).fetchall() == []


class Lost:
    """A database that loses the answer to one COMMIT and then fails for some time, on counters of its own."""

    def __init__(self, office: Office, fault: type[RemindersError], seconds: float) -> None:
        self.time, self._office, self._fault, self._seconds = FakeTime(), office, fault, seconds
        self._write, self._armed, self._since = office.database.write, False, float("-inf")
        office.patience = Patience(self.time, self._wait)
        office.database.write = self._failing  # type: ignore[method-assign] # it stands for the network

    def arm(self) -> None:
        self._armed = True

    def _wait(self, seconds: float) -> None:
        self.time.advance(seconds)
        self._office.clock.advance(seconds=seconds)

    @contextmanager
    def _failing(
        self, now: dt.datetime | Callable[[], dt.datetime], actor: str, *, alongside: bool = False
    ) -> Iterator[Transaction]:
        if self.time.monotonic() < self._since + self._seconds:
            raise self._fault
        with self._write(now, actor, alongside=alongside) as tx:
            yield tx
        if self._armed:
            self._armed, self._since = False, self.time.monotonic()
            raise CommitUnknown


@pytest.mark.parametrize("fault", [DatabaseUnreachable, DiskTrouble, DiskFull, DatabaseUnwritable])
def test_f05_a_fence_that_may_stand_and_got_no_dot_is_taken_back_however_long_the_database_is_away(
    due: Office, fault: type[RemindersError]
) -> None:
    lost, post = Lost(due, fault, 300), Post(due.clock.now)
    with contextlib.suppress(RemindersError):
        due.deliver(post, 6, observe=Once(Point.BODY_WRITTEN, lost.arm))
    due.clock.advance(minutes=5)
    outcome = due.deliver(post, 6)
    assert (outcome.unknown, outcome.failed) == (0, 0)
    assert due.states()["sent"] == 6
    assert len({letter.recipient for letter in post.letters}) == len(post.letters) == 6


@pytest.mark.parametrize("fault", [DatabaseUnwritable, ZeroDivisionError])
def test_f38_whatever_ends_a_round_before_its_dots_is_no_fault_of_the_message(
    due: Office, fault: type[Exception]
) -> None:
    post = Post(due.clock.now)

    def fall() -> None:
        raise fault

    for _ in range(4):
        with contextlib.suppress(fault):
            due.deliver(post, 6, observe=Once(Point.BODY_WRITTEN, fall))
        due.clock.advance(minutes=5)
    assert due.deliver(post, 6).failed == 0
    assert due.states()["sent"] == 6


def test_f25_a_rescue_that_waited_for_its_turn_takes_nothing_that_was_alive_when_it_asked(due: Office) -> None:
    post, write = Post(due.clock.now), due.database.write

    for _ in range(2):  # their leases end half a minute apart
        with pytest.raises(Died):
            due.deliver(post, observe=Once(Point.FENCED, die))
        due.clock.advance(seconds=31)

    def write_in_turn(*given: object, **named: object) -> object:
        due.clock.advance(seconds=70)
        return write(*given, **named)  # type: ignore[arg-type] # as it was given

    due.database.write = write_in_turn  # type: ignore[method-assign,assignment] # another writer was there first
    assert rescue(due.database, due.clock).unknown == 1
    assert rescue(due.database, due.clock).unknown == 1, "the next one asks anew"
