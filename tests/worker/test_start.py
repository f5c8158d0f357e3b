"""The clock as a process that begins: where its database is away, where its place is taken, and when it is hung up."""

import random
import signal
import socket
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from typer.testing import CliRunner

from reminders.cli.session import Session
from reminders.cli.shell import build
from reminders.main import Clock, WebPages
from reminders.stopping import Stop
from reminders.store.faults import DatabaseBusy, DatabaseMissing, DatabaseUnreachable
from reminders.worker.ticks import EndsNow
from reminders.worker.waiting import SAID_AFTER_S, SILENCE_S, Waiting
from reminders.worker.watchdog import EXIT
from tests.support.database import Copies
from tests.support.running import KEY, free_place, installed, program
from tests.support.ticking import FakeTime, Kept

AWAY = "the clock waits for its database"
on_postgresql = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)


def beats(url: str) -> list[tuple[int, int]]:
    """Return how many clocks gave signs of life, and how many of them said that they stopped."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        return connection.execute("SELECT count(*), count(stopped_at) FROM heartbeats").fetchall()


# waiting
class Bench:
    """Something that waits; the time goes on while it rests."""

    def __init__(self) -> None:
        self.time, self.kept, self.stop = FakeTime(), Kept(), Stop()
        self.rested: list[float] = []
        self.waiting = Waiting(self.stop, self.kept.log, self.time, random.Random(1), self._rest)

    def _rest(self, seconds: float) -> None:
        self.rested.append(seconds)
        self.time.advance(seconds)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def failing(times: int, error: Exception, then: Callable[[], object] = lambda: None) -> Callable[[], str]:
    left = iter(range(times))

    def ask() -> str:
        if next(left, None) is None:
            then()
            return "there"
        raise error

    return ask


def test_f05_it_waits_in_growing_pauses_and_says_so_once_an_hour(bench: Bench) -> None:
    assert bench.waiting.for_answer(failing(120, DatabaseUnreachable())) == "there"
    assert 60 * 60 < sum(bench.rested) < 2 * 60 * 60, "a minute each at last, more or less"
    away, again, there = bench.kept.lines()
    assert (away["problem"], away["event"]) == ("DatabaseUnreachable", again["event"])
    assert str(away["said"]).startswith("The database cannot be reached")
    assert there["event"] == "the database is there"


def test_what_a_person_has_to_mend_is_not_waited_for(bench: Bench) -> None:
    with pytest.raises(DatabaseMissing):
        bench.waiting.for_answer(failing(1, DatabaseMissing(place="nowhere")))
    with pytest.raises(ValueError, match="ours"):
        bench.waiting.for_answer(failing(1, ValueError("ours")))
    assert (bench.rested, bench.kept.lines()) == ([], [])


def test_it_is_asked_to_end_while_it_waits_between_two_tries_or_for_an_answer(bench: Bench) -> None:
    hangs, over = threading.Event(), threading.Event()

    def hang() -> None:
        hangs.set()
        over.wait(60)

    def ask_to_end() -> None:
        assert hangs.wait(30)
        bench.time.advance(SAID_AFTER_S)
        bench.stop.ask()

    asking = threading.Thread(target=ask_to_end)
    asking.start()
    with pytest.raises(EndsNow):
        bench.waiting.for_answer(hang)
    with pytest.raises(EndsNow):
        bench.waiting.for_answer(failing(1, DatabaseBusy()))
    asking.join()
    over.set()
    assert bench.kept.events()[-1] == "asked to end before the clock began"


def test_f05_a_connection_that_never_answers_ends_the_process_for_its_supervisor(bench: Bench) -> None:
    hangs, over, left = threading.Event(), threading.Event(), list[int]()

    def hang() -> None:
        hangs.set()
        over.wait(60)

    def leave(code: int) -> None:
        left.append(code)
        bench.stop.ask()

    def pass_the_time() -> None:
        assert hangs.wait(30)
        bench.time.advance(SILENCE_S)

    bench.waiting.leave = leave
    passing = threading.Thread(target=pass_the_time)
    passing.start()
    with pytest.raises(EndsNow):
        bench.waiting.for_answer(hang)
    passing.join()
    over.set()
    assert left == [EXIT]


# as a process
@pytest.fixture
def socket_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:  # the path of a socket has a hundred letters at most
        yield Path(folder)


@on_postgresql
def test_f05_a_clock_begins_once_its_server_is_there(copies: Copies, tmp_path: Path, socket_folder: Path) -> None:
    url = copies.copy(installed)
    [folder] = parse_qs(urlsplit(url).query)["host"]
    with program(tmp_path, "worker", url=url.replace(folder, str(socket_folder))) as worker:
        assert worker.says(AWAY)
        for place in Path(folder).glob(".s.PGSQL.*"):
            (socket_folder / place.name).symlink_to(place)
        assert worker.says("The clock ticks")
        worker.signal(signal.SIGTERM)
        assert worker.ended() == 0
    assert worker.text.count(AWAY) == 1
    assert "the database is there" in worker.text
    assert "Traceback" not in worker.text


def test_f06_a_clock_whose_database_another_program_keeps_waits_and_ends_at_once_when_asked(
    copies: Copies, tmp_path: Path
) -> None:
    url = copies.copy(installed)
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        with program(tmp_path, "worker", url=url) as worker:
            assert worker.says(AWAY)
            worker.signal(signal.SIGTERM)
            assert worker.ended(10) == 0, "SQLite itself waits for half a minute"
    assert "asked to end before the clock began" in worker.text
    assert '"problem"' not in worker.text, "it was heard while SQLite waited, before any answer"
    assert beats(url) == [(0, 0)]


def typed(*args: str, **env: str) -> tuple[int, str]:
    """Run a command in this process; return its exit code and what it said of errors."""
    session = Session(pages=WebPages(), duty=Clock())
    done = CliRunner().invoke(build(), list(args), env=env, obj=session)
    return done.exit_code, done.stderr


@pytest.mark.parametrize("command", ["worker", "run"])
@pytest.mark.parametrize(
    ("url", "code", "words"),
    [
        ("sqlite:///nowhere.db", 4, "There is no database"),
        ("mysql://x/y", 3, "REMINDERS_DATABASE_URL: give sqlite:///FILE"),
    ],
)
def test_a_clock_that_a_person_has_to_help_ends_with_its_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, url: str, code: int, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    found, said = typed(command, REMINDERS_DATABASE_URL=url, REMINDERS_SECRET_KEY=KEY)
    assert (found, len(said.splitlines())) == (code, 1), said
    assert words in said


def test_a_second_program_on_the_same_place_says_so_before_its_clock_begins(copies: Copies) -> None:
    url = copies.copy(installed)
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        found, said = typed("run", REMINDERS_DATABASE_URL=url, REMINDERS_SECRET_KEY=KEY, REMINDERS_LISTEN=place)
    assert found == 1
    assert said.startswith(f"The pages cannot be served on {place}: another program listens there.")
    assert len(said.splitlines()) == 1
    assert beats(url) == [(0, 0)]


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="this system closes no terminals")
def test_pages_and_clock_end_in_order_when_their_terminal_is_closed(copies: Copies, tmp_path: Path) -> None:
    url, place = copies.copy(installed), free_place()
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests themselves may have been told to outlive theirs
    running = program(tmp_path, "run", url=url, REMINDERS_LISTEN=place, REMINDERS_SMTP_URL=f"file:{tmp_path / 'out'}")
    signal.signal(signal.SIGHUP, before)
    with running:
        assert running.says("and the clock ticks")
        assert httpx2.get(f"http://{place}/healthz").text == "alive\n"
        running.signal(signal.SIGHUP)
        assert running.ended() == 0
    assert "the clock has stopped" in running.text
    [(begun, stopped)] = beats(url)
    assert begun == stopped
