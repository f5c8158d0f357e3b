"""The dead-man's switch: asked while all is well, and whatever it does hinders nobody."""

import contextlib
import random
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reminders.settings import BadSettings, Settings, load_settings
from reminders.stopping import Stop
from reminders.worker.acts import Acts
from reminders.worker.jumps import JumpWatch
from reminders.worker.ping import EVERY_S, NotTaken, Ping
from reminders.worker.signs import Signs
from reminders.worker.ticks import Tick, Ticker
from tests.support.clinic import INVITED_AT, Office, to
from tests.support.killing_server import KillingServer
from tests.support.ticking import FakeTime, Kept, app_at, clock_on, eventually

Answer = Callable[[socket.socket], None]


class Sink:
    """Listens, keeps what it was asked, and answers as a test says."""

    def __init__(self, answer: Answer) -> None:
        self.asked: list[bytes] = []
        self.over = threading.Event()
        self._answer = answer
        self._door = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._door.getsockname()[1]}/ping/a-secret?check=1"
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                sock, _ = self._door.accept()
            except OSError:
                return
            with sock, contextlib.suppress(OSError):
                self.asked.append(sock.recv(4096))
                self._answer(sock)

    def close(self) -> None:
        self.over.set()
        with contextlib.suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()
        self._thread.join(10)


@pytest.fixture
def sink() -> Iterator[Callable[[Answer], Sink]]:
    made: list[Sink] = []

    def make(answer: Answer) -> Sink:
        made.append(Sink(answer))
        return made[-1]

    yield make
    for one in made:
        one.close()


def answers(line: bytes) -> Answer:
    return lambda sock: sock.sendall(line)


OK = answers(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK")


def test_it_is_asked_at_most_once_a_minute_and_only_when_all_is_well(sink: Callable[[Answer], Sink]) -> None:
    found, time, kept = sink(OK), FakeTime(), Kept()
    with Ping(found.url, time, kept.log) as ping:
        for _ in range(20):
            ping.well()
        assert eventually(lambda: len(found.asked) == 1)
        time.advance(EVERY_S - 1)
        ping.well()
        time.advance(1)
        ping.well()
        assert eventually(lambda: len(found.asked) == 2)
    assert found.asked[0].startswith(b"GET /ping/a-secret?check=1 HTTP/1.1\r\nHost: 127.0.0.1:")
    assert kept.lines() == []


def test_a_clock_that_delivers_ten_times_a_second_asks_once_a_minute(
    office: Office, sink: Callable[[Answer], Sink], tmp_path: Path
) -> None:
    found = sink(OK)
    app = app_at(office, ping_url=found.url, smtp_url=f"file:{tmp_path / 'out'}")
    with clock_on(app) as (clock, _):
        assert eventually(lambda: clock.signs.ended > 20)
        assert eventually(lambda: len(found.asked) > 0)
    assert len(found.asked) == 1


def test_a_long_delivery_asks_while_it_goes_on_and_not_while_it_stands_still(
    office: Office, sink: Callable[[Answer], Sink]
) -> None:
    found, time, kept, counts = sink(OK), FakeTime(), Kept(), list[bool]()
    office.clock.set(INVITED_AT)
    office.add_due(3, prefix="Q")
    ticker = Ticker(kept.log, Signs(), time, random.Random(1))
    with KillingServer() as server, Ping(found.url, time, kept.log) as ping:
        jumps = JumpWatch(office.clock, time, kept.log)
        app = app_at(office, to(server), round=1)
        acts = Acts(app, "clock", kept.log, Stop(), jumps, ticker, ping)

        def two_heartbeats(message: int) -> None:
            """Give one after what went on before this message, and one after nothing."""
            server.arm("dot", 1, lambda: two_heartbeats(message + 1))
            for _ in range(2):
                time.advance(EVERY_S)
                acts.heartbeat(lambda: None)
                counts.append(eventually(lambda: len(found.asked) == message - 1, 10))

        server.arm("dot", 1, lambda: two_heartbeats(1))
        ticker.run(Tick("deliver", 30, acts.deliver))
        assert counts == [True] * 8, "the first of four messages is not through yet"
        assert eventually(lambda: len(found.asked) == 4), "and the delivery itself came to its end"
        app.hang_up()


@pytest.mark.parametrize(
    "line", [b"HTTP/1.1 500 No\r\n\r\n", b"HTTP/1.1 302 Elsewhere\r\nLocation: http://127.0.0.1:1/\r\n\r\n", b"no\r\n"]
)
def test_f41_an_answer_that_is_no_success_is_a_failure_and_a_redirect_is_not_followed(
    sink: Callable[[Answer], Sink], line: bytes
) -> None:
    found = sink(answers(line))
    with pytest.raises(NotTaken):
        Ping(found.url, FakeTime(), Kept().log).ask()
    assert len(found.asked) == 1


def _drip(sink_over: threading.Event, sock: socket.socket) -> None:
    while not sink_over.wait(0.02):
        sock.sendall(b"H")


@pytest.mark.parametrize("how", ["hangs", "drips"])
def test_f41_a_sink_that_hangs_or_drips_is_left_after_its_time(sink: Callable[[Answer], Sink], how: str) -> None:
    over = threading.Event()
    found = sink(lambda sock: _drip(over, sock) if how == "drips" else (over.wait(20), None)[1])
    with pytest.raises((TimeoutError, NotTaken)):
        Ping(found.url, RealTime(), Kept().log, limit_s=0.3).ask()
    over.set()


class RealTime(FakeTime):
    """The machine's own counter."""

    def monotonic(self) -> float:
        from reminders.clock import SystemMonotonic  # noqa: PLC0415 - only these two tests need it

        return SystemMonotonic().monotonic()


def test_f41_a_sink_that_refuses_is_said_once_an_hour_without_its_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        url = f"http://127.0.0.1:{door.getsockname()[1]}/ping/a-secret"
    time, kept = FakeTime(), Kept()
    tried = threading.Semaphore(0)

    class Counted(Ping):
        def ask(self) -> None:
            try:
                super().ask()
            finally:
                tried.release()

    with Counted(url, time, kept.log) as ping:
        for _ in range(90):
            ping.well()
            assert tried.acquire(timeout=10)
            time.advance(EVERY_S)
    assert [line["problem"] for line in kept.lines()] == ["ConnectionRefusedError"] * 2
    assert "a-secret" not in kept.stream.getvalue()


def test_saying_that_all_is_well_returns_at_once_although_the_sink_hangs(sink: Callable[[Answer], Sink]) -> None:
    over = threading.Event()
    found, time = sink(lambda _: (over.wait(20), None)[1]), FakeTime()
    with Ping(found.url, time, Kept().log) as ping:
        for _ in range(1000):
            ping.well()
            time.advance(EVERY_S)
        assert eventually(lambda: len(found.asked) == 1)
    over.set()


@pytest.mark.parametrize(
    "url", ["https://hc.example/abc", "http://127.0.0.1:9/x", "http://localhost/x", "http://[::1]/"]
)
def test_an_address_over_https_or_of_this_machine_is_taken(url: str) -> None:
    assert Settings(ping_url=url).ping_url == url


@pytest.mark.parametrize(
    "url", ["http://hc.example/abc", "ftp://127.0.0.1/", "https://user:secret@hc.example/", "https://", "https://a/ b"]
)
def test_any_other_address_is_refused_by_name_and_not_shown(url: str) -> None:
    with pytest.raises(BadSettings, match="REMINDERS_PING_URL") as refused:
        load_settings(ping_url=url)
    assert "hc.example" not in str(refused.value)
