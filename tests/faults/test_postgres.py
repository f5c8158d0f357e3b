"""Faults: PostgreSQL restarts, or a connection to it breaks, while messages go out; several workers on one server.

Nobody gets a message twice, nobody is forgotten, and nothing is in doubt: the program lives, and looks up what it does
not know.
"""

import contextlib
import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from reminders.domain.lifecycle import State
from reminders.services.deliver import DeliverOutcome
from reminders.services.points import Point
from reminders.services.reconnect import LOST
from reminders.services.rescue import rescue
from reminders.store import audit_trail
from tests.acceptance.grounds import ALWAYS_OPEN
from tests.acceptance.ledger import LEASE_S, Books
from tests.support.clinic import INVITED_AT, FakeClock, Office, Once, install, to
from tests.support.database import Copies
from tests.support.killable_deliver import Deliveries
from tests.support.killing import Crew
from tests.support.killing_server import KillingServer
from tests.support.postgres import Cluster, start
from tests.support.proxy import LATE, UNANSWERED, UNSENT, Proxy

pytestmark = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
BEFORE = {
    "claim": Point.STARTED,
    "keep": Point.ENVELOPE_ACCEPTED,
    "fence": Point.BODY_WRITTEN,
    "settle": Point.ANSWERED,
}
"""The last instant before the commit of each step."""
PATIENTS = 6


def with_due(url: str, count: int) -> str:
    """Fill the installed database at `url` with patients who are due at any hour."""
    with contextlib.closing(Office(url, FakeClock())) as office:
        office.add_clinic(**ALWAYS_OPEN)
        office.add_due(count)
    return url


def database_name(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2]


def invitations(office: Office) -> Counter[State]:
    return Counter(row.state for row in office.rows() if row.step == "invitation")


def balance(office: Office, ledger: KillingServer, count: int) -> None:
    """Everybody was written to exactly once, the database knows, and its trail is whole."""
    people = Counter(message.recipient for message in ledger.accepted)
    assert [person for person, times in people.items() if times > 1] == []
    assert (len(people), invitations(office)) == (count, {State.SENT: count})
    with office.read() as tx:
        assert audit_trail.verify(tx) is None


# a COMMIT whose answer is lost
@pytest.mark.parametrize("how", [UNSENT, UNANSWERED, LATE])
@pytest.mark.parametrize("step", BEFORE)
def test_f05_a_step_whose_commit_is_lost_is_looked_up_and_nothing_is_in_doubt(
    copies: Copies, ledger: KillingServer, step: str, how: str
) -> None:
    url = with_due(copies.copy(install), PATIENTS)
    with Proxy(url) as proxy, contextlib.closing(Office(proxy.url, FakeClock(INVITED_AT))) as office:
        outcome = office.deliver(to(ledger), 4, observe=Once(BEFORE[step], lambda: proxy.arm(how)))
        assert proxy.cuts == 1
        assert (outcome.sent, outcome.unknown, outcome.failed) == (PATIENTS, 0, 0)
        balance(office, ledger, PATIENTS)


@pytest.mark.parametrize("how", [UNSENT, UNANSWERED])
def test_f05_who_stops_the_messages_while_the_fence_is_looked_up_gets_none(
    copies: Copies, ledger: KillingServer, how: str
) -> None:
    """The fence may stand already: what counts are the facts at the moment in which the message really goes."""
    url = with_due(copies.copy(install), 1)
    with Proxy(url) as proxy, contextlib.closing(Office(proxy.url, FakeClock(INVITED_AT))) as office:
        cut = Once(Point.BODY_WRITTEN, lambda: proxy.arm(how))
        beside = Office(url, FakeClock(INVITED_AT))
        done: list[bool] = []

        def when_lost() -> None:
            if proxy.cuts and not done:
                done.append(True)
                beside.change_patient(opt_out="all")

        outcome = office.deliver(to(ledger), observe=cut, beat=when_lost)
        beside.close()
        assert (outcome.sent, outcome.unknown, ledger.accepted) == (0, 0, [])
        assert done
        assert invitations(office) == {State.CANCELLED: 1}


# connections end, the server goes down
class Breaker:
    """Does `act` beside a delivery, at random events of its mail server, so many times; then lets it be."""

    def __init__(self, ledger: KillingServer, chance: random.Random, times: int, act: Callable[[], None]) -> None:
        self._ledger, self._chance, self._times, self._act = ledger, chance, times, act
        self._threads: list[threading.Thread] = []
        self.happened = 0

    def arm(self, events: int) -> None:
        self._ledger.arm("any", self._chance.randint(1, events), self._begin)

    def over(self) -> None:
        """Wait until nothing happens any more."""
        for thread in self._threads:
            thread.join(60)

    def _begin(self) -> None:  # the mail server goes on meanwhile, and so the delivery is anywhere when it happens
        self._threads.append(threading.Thread(target=self._happen))
        self._threads[-1].start()

    def _happen(self) -> None:
        self._act()
        self.happened += 1
        if self.happened < self._times:
            self.arm(25)


def deliver_all(office: Office, ledger: KillingServer, breaker: Breaker) -> None:
    """Deliver until everybody is written to, whatever happens meanwhile."""
    breaker.arm(10)
    left = True
    while left:
        with contextlib.suppress(*LOST):  # it ended before its last dot: nothing of it is in doubt
            outcome = office.deliver(to(ledger), 4)
            assert (outcome.unknown, outcome.failed) == (0, 0)
        breaker.over()
        states = invitations(office)
        left = bool(states[State.PLANNED] + states[State.CLAIMED])
        office.clock.advance(minutes=2 * bool(states[State.CLAIMED]))


def test_f05_a_delivery_whose_connections_are_ended_again_and_again_goes_on(
    copies: Copies, postgres: Cluster, ledger: KillingServer
) -> None:
    url = with_due(copies.copy(install), 40)
    name = database_name(url)
    with contextlib.closing(Office(url, FakeClock(INVITED_AT))) as office:
        breaker = Breaker(ledger, random.Random(5), 12, lambda: postgres.end_connections(name))
        deliver_all(office, ledger, breaker)
        assert breaker.happened == 12
        balance(office, ledger, 40)


# one of the server's processes is killed: it ends all the others, and starts anew
def end_politely(cluster: Cluster, name: str) -> None:
    cluster.end_connections(name)


def kill(cluster: Cluster, name: str) -> None:
    cluster.kill_one(name)


@pytest.mark.parametrize(
    ("end", "point"),
    [
        (end_politely, Point.CLAIMED),
        (end_politely, Point.FENCED),
        (kill, Point.CLAIMED),
        (kill, Point.BODY_WRITTEN),
        (kill, Point.FENCED),
        (kill, Point.ANSWERED),
    ],
)
def test_f05_a_killed_process_of_the_server_costs_a_delivery_nothing_wherever_it_stands(
    copies: Copies, postgres: Cluster, ledger: KillingServer, end: Callable[[Cluster, str], None], point: Point
) -> None:
    url = with_due(copies.copy(install), PATIENTS)
    with contextlib.closing(Office(url, FakeClock(INVITED_AT))) as office:
        ended = Once(point, lambda: end(postgres, database_name(url)))
        outcome = office.deliver(to(ledger), 4, observe=ended)
        assert ended.done
        assert (outcome.sent, outcome.unknown, outcome.failed) == (PATIENTS, 0, 0)
        balance(office, ledger, PATIENTS)


@pytest.mark.parametrize("how", [UNSENT, UNANSWERED])
def test_f05_a_killed_process_of_the_server_at_the_fences_commit_is_looked_up_when_the_server_is_back(
    copies: Copies, postgres: Cluster, ledger: KillingServer, how: str
) -> None:
    url = with_due(copies.copy(install), PATIENTS)
    with Proxy(url) as proxy, contextlib.closing(Office(proxy.url, FakeClock(INVITED_AT))) as office:
        cut = Once(Point.BODY_WRITTEN, lambda: proxy.arm(how, lambda: postgres.kill_one(database_name(url))))
        outcome = office.deliver(to(ledger), 4, observe=cut)
        assert proxy.cuts == 1
        assert (outcome.sent, outcome.unknown, outcome.failed) == (PATIENTS, 0, 0)
        balance(office, ledger, PATIENTS)


@pytest.fixture
def own_server() -> Iterator[Cluster]:
    cluster = start(fast=False)
    yield cluster
    cluster.server.cleanup()


def restart_under_load(cluster: Cluster, ledger: KillingServer, count: int, restarts: int, seed: int) -> None:
    name = cluster.make()
    install(cluster.url(name))
    with contextlib.closing(Office(with_due(cluster.url(name), count), FakeClock(INVITED_AT))) as office:
        breaker = Breaker(ledger, random.Random(seed), restarts, cluster.crash_and_start)
        deliver_all(office, ledger, breaker)
        assert breaker.happened == restarts
        balance(office, ledger, count)


def test_f05_a_server_that_is_restarted_under_load_costs_no_message(
    own_server: Cluster, ledger: KillingServer, backend: str
) -> None:
    assert backend == "postgresql"
    restart_under_load(own_server, ledger, count=100, restarts=5, seed=7)


@pytest.mark.storm
@pytest.mark.parametrize("seed", range(10))
def test_f05_three_hundred_restarts_under_load_cost_no_message(
    own_server: Cluster, ledger: KillingServer, backend: str, seed: int, record_property: Callable[[str, object], None]
) -> None:
    assert backend == "postgresql"
    restart_under_load(own_server, ledger, count=300, restarts=30, seed=seed)
    record_property("restarts", 30)
    record_property("messages", 300)


# several workers
def test_f24_three_workers_at_once_send_every_message_once(copies: Copies, ledger: KillingServer, crew: Crew) -> None:
    programs = [crew.member(number) for number in (1, 2, 3)]
    books = Books(with_due(copies.copy(install), 60), ledger, programs[0], round_size=4)
    for program in programs:
        program.start(books.order())
    for program in programs:
        program.go()
    counts = [program.finished() for program in programs]
    assert all(counts), "each came to its end"
    assert sum(one["sent"] for one in counts if one) == 60
    assert all(one["sent"] for one in counts if one), "each did something"
    assert books.unknown() == 0


def test_f24_a_daily_limit_holds_for_all_workers_together(copies: Copies, ledger: KillingServer) -> None:
    url = with_due(copies.copy(install), 30)
    offices = [Office(url, FakeClock(INVITED_AT), seed=seed) for seed in (1, 2, 3)]
    offices[0].change_clinic(daily_limit="7")
    found: list[DeliverOutcome] = []
    threads = [threading.Thread(target=lambda o=o: found.append(o.deliver(to(ledger), 2))) for o in offices]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    sent = invitations(offices[0])
    for office in offices:
        office.close()
    assert (sum(one.sent for one in found), len(ledger.accepted), sent[State.SENT]) == (7, 7, 7)


@pytest.mark.parametrize("phase", ["rcpt", "dot"])
def test_f25_a_worker_that_was_stopped_for_ten_minutes_changes_nothing_that_is_no_longer_its_own(
    copies: Copies, ledger: KillingServer, sleepers: Deliveries, phase: str
) -> None:
    stopped = threading.Event()
    books = Books(with_due(copies.copy(install), 12), ledger, sleepers, round_size=2)
    pid = sleepers.start(books.order())

    def stop() -> None:
        os.kill(pid, signal.SIGSTOP)
        stopped.set()

    ledger.arm(phase, 2, stop)
    sleepers.go()
    assert stopped.wait(30)
    books.clock.advance(minutes=10)
    with contextlib.closing(books.office()) as office:
        rescued = rescue(office.database, office.clock)
        office.deliver(to(ledger), 2)
        assert rescued.unknown == (2 if phase == "dot" else 0)
    os.kill(pid, signal.SIGCONT)
    assert sleepers.finished() is not None
    books.clock.advance(seconds=LEASE_S + 1)
    assert books.unknown() == 0  # the sleeper's own late answer settles what was called unknown meanwhile
