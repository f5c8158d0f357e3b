"""A transport takes no more messages a minute than its rate says, from all workers together; the other ways go on."""

import datetime as dt
import threading
from collections.abc import Callable

import pytest

from reminders.domain.lifecycle import State
from reminders.mail.transport import BadTransportUrl, rate_of, transport_for
from reminders.services.insist import Patience
from tests.support.clinic import INVITED_AT, FakeClock, Office, to
from tests.support.smtp_server import RealServer, real_server


@pytest.fixture
def due(empty_office: Office) -> Office:
    """Two clinics with eight patients each, who are due; whoever waits lets their clock go on."""
    for slug in ("north", "south"):
        empty_office.add_clinic(slug)
        empty_office.add_due(8, slug)
    empty_office.clock.set(INVITED_AT)
    empty_office.patience = Patience(wait=lambda seconds: empty_office.clock.advance(seconds=seconds))
    return empty_office


def passed(office: Office) -> float:
    return (office.clock.now() - INVITED_AT).total_seconds()


@pytest.mark.parametrize("round_size", [1, 8, 32])
def test_a_delivery_waits_for_the_rate_until_everything_is_sent(
    due: Office, server: RealServer, round_size: int
) -> None:
    assert due.deliver(to(server), round_size, rate=24).sent == 16  # four at once, and one each 2.5 s
    assert passed(due) == 12 * 2.5


def test_a_rate_above_what_is_due_delays_nothing(due: Office, server: RealServer) -> None:
    assert due.deliver(to(server), 8, rate=6000).sent == 16
    assert passed(due) == 0


def test_what_was_sent_counts_for_the_next_delivery_too(due: Office, server: RealServer) -> None:
    due.deliver(to(server), 8, rate=24, stop=lambda: len(server.messages) >= 4)
    assert len(server.messages) == 4
    due.clock.advance(seconds=5)
    due.deliver(to(server), 8, rate=24, stop=lambda: len(server.messages) >= 6)
    assert (len(server.messages), passed(due)) == (6, 5)


def test_a_clinics_own_rate_keeps_no_other_clinic_waiting(due: Office, server: RealServer) -> None:
    sent_at: dict[float, int] = {}

    def look(_: object) -> None:
        sent_at[passed(due)] = sum(row.state is State.SENT for row in due.rows(slug="north"))

    with real_server() as own:
        due.give_transport(own, "south", "&rate=12")
        assert due.deliver(to(server), 8, observe=look).sent == 16
        assert len(own.messages) == 8
    assert sent_at[0] == 8
    assert passed(due) == 6 * 5


def test_a_limited_shared_way_keeps_no_clinic_with_its_own_waiting(due: Office, server: RealServer) -> None:
    with real_server() as own:
        due.give_transport(own, "south")
        due.deliver(to(server), 8, rate=6, stop=lambda: passed(due) > 0)
        assert (len(server.messages), len(own.messages)) == (1, 8)


def test_who_waits_for_a_rate_hears_a_stop_and_shows_that_it_lives(due: Office, server: RealServer) -> None:
    signs: list[float] = []
    due.deliver(to(server), 8, rate=1, stop=lambda: passed(due) >= 5, beat=lambda: signs.append(passed(due)))
    assert (len(server.messages), passed(due)) == (1, 5)
    assert {0.0, 1.0, 4.0} <= set(signs)


def test_what_waits_for_a_rate_until_the_clinic_closes_goes_out_the_next_day(due: Office, server: RealServer) -> None:
    due.clock.set(INVITED_AT.replace(hour=16, minute=59, second=30))
    outcome = due.deliver(to(server), 8, rate=6)
    assert outcome.sent == len(server.messages) == 3
    assert outcome.next_at == INVITED_AT.replace(hour=9) + dt.timedelta(days=1)
    due.clock.set(outcome.next_at)
    assert due.deliver(to(server), 8, rate=600).sent == 13


def test_a_clock_that_went_back_neither_stops_nor_floods(due: Office, server: RealServer) -> None:
    due.clock.advance(minutes=60)
    due.deliver(to(server), 8, rate=24, stop=lambda: len(server.messages) >= 4)
    due.clock.advance(minutes=-30)
    assert due.deliver(to(server), 8, rate=24).sent == 12
    assert passed(due) == 30 * 60 + 8 * 2.5


def test_what_falls_due_meanwhile_is_seen_while_others_wait_for_a_rate(due: Office, server: RealServer) -> None:
    time = _Time(due.clock)
    due.patience = Patience(time, wait=time.wait)
    with real_server() as own:
        due.give_transport(own, "south")

        def look(_: object) -> None:
            if passed(due) >= 10 and not any(row.patient == "Q1" for row in due.rows(slug="south")):
                due.add_due(1, "south", prefix="Q")

        due.deliver(to(server), 8, rate=1, observe=look, stop=lambda: len(own.messages) == 9)
    assert len(own.messages) == 9
    assert passed(due) <= 95


def test_a_server_that_a_clinic_is_given_while_its_mail_waits_for_a_rate_is_used_soon(
    due: Office, server: RealServer
) -> None:
    time, given = _Time(due.clock), list[str]()
    due.patience = Patience(time, wait=time.wait)
    with real_server() as own:

        def give() -> None:
            if passed(due) >= 10 and not given:
                given.append(due.give_transport(own, "south"))

        due.deliver(to(server), 8, rate=1, beat=give, stop=lambda: len(own.messages) == 8)
    assert len(own.messages) == 8
    assert passed(due) <= 95


class _Time:
    """The monotonic time of a machine whose clock is a test's."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock, self._began = clock, clock.now()

    def monotonic(self) -> float:
        return (self._clock.now() - self._began).total_seconds()

    boottime = monotonic

    def wait(self, seconds: float) -> None:
        self._clock.advance(seconds=seconds)


def test_two_workers_share_one_rate(due: Office) -> None:
    """Time stands still: what goes out is what had gathered, however many ask for it."""
    waits: list[float] = []
    due.patience = Patience(wait=waits.append)
    with real_server() as server:
        found: list[int] = []

        def work() -> None:
            def stop() -> bool:
                return (len(server.messages) >= 6 and len(waits) >= 20) or len(waits) > 2000

            found.append(due.deliver(to(server), 2, rate=36, stop=stop).sent)

        _together(work, work)
        accepted = len(server.messages)
    assert (sum(found), accepted) == (6, 6)


def test_two_workers_share_the_rates_of_several_servers(due: Office) -> None:
    waits: list[float] = []
    due.patience = Patience(wait=waits.append)
    with real_server() as one, real_server() as other:
        due.give_transport(one, "north", "&rate=36")
        due.give_transport(other, "south", "&rate=18")

        def work() -> None:
            due.deliver(None, 3, stop=lambda: len(one.messages) + len(other.messages) >= 9 and len(waits) >= 20)

        _together(work, work)
        assert (len(one.messages), len(other.messages)) == (6, 3)


def _together(*works: Callable[[], None]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


# the option
@pytest.mark.parametrize(
    ("url", "rate"),
    [
        ("smtp://mail.example", None),
        ("smtp://mail.example?rate=1", 1),
        ("smtp://127.0.0.1?tls=never&rate=600", 600),
        ("smtps://mail.example/?rate=100000", 100000),
        ("file:out?rate=60", 60),
        ("file:what?", None),
    ],
)
def test_a_url_may_say_how_many_messages_a_minute(url: str, rate: int | None) -> None:
    transport_for(url)
    assert rate_of(url) == rate


def test_a_folder_is_named_without_its_rate() -> None:
    assert transport_for("file:out?rate=60").name == "file:out"


@pytest.mark.parametrize("said", ["0", "100001", "-1", "1.5", "", "ten", "1&rate=2", "٣"])
@pytest.mark.parametrize("way", ["smtp://mail.example", "file:out"])
def test_a_rate_is_a_number_of_messages_a_minute(way: str, said: str) -> None:
    with pytest.raises(BadTransportUrl, match="rate"):
        transport_for(f"{way}?rate={said}")
