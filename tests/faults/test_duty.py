"""The clock under duress: asked to end at any instant, stuck, without its thread, and without its database."""

import itertools
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from reminders.domain.lifecycle import Reason, State
from reminders.services.checkup.check import Check
from reminders.services.checkup.store import waiting_checks
from reminders.services.points import Point
from reminders.worker.clockwork import Pace
from reminders.worker.watchdog import EXIT
from tests.support.clinic import INVITED_AT, FakeClock, Office, to
from tests.support.forking import Program
from tests.support.killing_server import KillingServer
from tests.support.ticking import app_at, clock_on, eventually

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def ledger() -> Iterator[KillingServer]:
    with KillingServer() as made:
        yield made


def with_due(installed_file: Path, folder: Path, count: int) -> str:
    """Return the URL of a database in which so many patients are due, at any hour of any day."""
    url = f"sqlite:///{shutil.copy(installed_file, folder / 'reminders.db')}"
    office = Office(url, FakeClock())
    office.add_clinic(sending_days="mon,tue,wed,thu,fri,sat,sun", sending_hours="00:00-24:00", send_at="00:00")
    office.add_due(count)
    office.close()
    return url


def order(url: str, server: KillingServer, how: str = "plain") -> dict[str, object]:
    """Return what a clock in a process of its own is told."""
    return {"url": url, "now": INVITED_AT.isoformat(), "host": server.host, "port": server.port, "how": how}


def invitations(url: str) -> Counter[str]:
    """Count the invitations by state."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        query = "SELECT state, count(*) FROM reminders WHERE step = 'invitation' GROUP BY state"
        return Counter(dict(connection.execute(query).fetchall()))


def stops_at(clocks: Program, url: str, server: KillingServer, phase: str, nth: int) -> None:
    """Let a clock deliver, ask it to end while it waits for its server in a phase, and see that it ends well."""
    assert eventually(server.is_quiet)
    pid = clocks.begin(order(url, server))

    def ask() -> None:
        os.kill(pid, signal.SIGTERM)
        threading.Event().wait(0.2)  # the server thinks about it; the signal comes meanwhile

    server.arm(phase, nth, ask)
    clocks.go()
    assert clocks.finished() == {}
    server.disarm()


def test_f26_a_clock_that_is_asked_to_end_in_any_phase_or_at_random_leaves_nothing_unknown(
    installed_file: Path, tmp_path: Path, ledger: KillingServer
) -> None:
    url, chance = with_due(installed_file, tmp_path, 60), random.Random(26)
    phases = ("mail", "rcpt", "data", "body", "last_line", "dot", "replied")
    instants = [(phase, 2) for phase in phases]
    instants += [(chance.choice(phases), chance.randint(1, 5)) for _ in range(5)]
    with Program("tests.support.ticking") as clocks:
        for phase, nth in instants:
            stops_at(clocks, url, ledger, phase, nth)
            assert set(invitations(url)) <= {"planned", "sent"}, (phase, nth)
            assert invitations(url)["sent"] == len(ledger.accepted)
        pid = clocks.begin(order(url, ledger))
        clocks.go()
        assert eventually(lambda: invitations(url)["sent"] == 60, 60)
        os.kill(pid, signal.SIGINT)
        assert clocks.finished() == {}
    assert max(Counter(taken.recipient for taken in ledger.accepted).values()) == 1
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        beats = connection.execute("SELECT count(*), count(stopped_at) FROM heartbeats").fetchone()
    assert 0 < beats[0] == beats[1], "a clock that gave a sign of life did not say that it stopped"


@pytest.mark.parametrize("round_size", [1, 4])
def test_f26_a_delivery_that_is_asked_to_end_at_any_named_point_leaves_nothing_on_its_way(
    installed_file: Path, tmp_path: Path, ledger: KillingServer, round_size: int
) -> None:
    count = 12 * round_size
    url = with_due(installed_file, tmp_path, count)
    office = Office(url, FakeClock(INVITED_AT))
    for point in Point:
        passed: list[Point] = []
        app = app_at(office, to(ledger), round=round_size)
        object.__setattr__(app, "observe", passed.append)
        outcome = app.deliver(stop=lambda passed=passed, point=point: point in passed)  # type: ignore[misc] # bound at once
        assert (point, outcome.unknown) == (point, 0)
        assert set(invitations(url)) <= {"planned", "sent"}
    before = len(ledger.accepted)
    assert app_at(office, to(ledger), round=round_size).deliver().sent == count - before
    assert len({taken.recipient for taken in ledger.accepted}) == len(ledger.accepted) == count
    office.close()


def abandoned(office: Office) -> Check:
    with office.read() as tx:
        return next(check for check in waiting_checks(tx) if check.name == "abandoned reminders")


def test_f26_a_delivery_that_is_left_at_work_is_said_and_the_doctor_counts_what_it_left(
    office: Office, ledger: KillingServer
) -> None:
    office.clock.set(INVITED_AT)
    asked, answers, left = threading.Event(), threading.Event(), list[int]()

    def hang() -> None:
        asked.set()
        answers.wait(30)

    ledger.arm("dot", 1, hang)
    app = app_at(office, to(ledger))
    with clock_on(app, Pace(grace_s=0.1), left.append) as (clock, kept):
        assert asked.wait(30)
    said = [str(line["event"]) for line in kept.lines() if line.get("tick") == "deliver"]
    assert (left, len(said)) == ([0], 1)
    assert said[0].startswith("a delivery was left at work")
    assert "becomes `unknown`, the rest is planned again" in said[0]
    assert abandoned(office).ok, "its lease still runs"
    office.clock.advance(seconds=61)
    found = abandoned(office)
    assert (found.ok, found.said) == (None, "1")
    assert "`reminders deliver`" in found.advice
    answers.set()
    assert eventually(lambda: not clock.signs.running)
    assert abandoned(office).ok, "its own late answer settles it"
    app.hang_up()  # its connection came back after the clock had stopped


def test_f06_the_end_does_not_wait_for_a_database_that_another_program_keeps(office: Office) -> None:
    url, left = office.database.address, list[int]()
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as other:
        pace = Pace(grace_s=0.1, last_word_s=0.1)
        with clock_on(app_at(office), pace, left.append) as (clock, kept):
            assert eventually(lambda: clock.signs.ended >= 3)
            other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")
    assert left == [0], "it is left to the system: the database alone would be waited for for half a minute"
    assert "that the clock stopped could not be recorded" in kept.events()
    assert kept.events()[-1] == "the clock has stopped"


@pytest.mark.parametrize("how", ["stuck", "dead"])
def test_f40_a_clock_whose_threads_are_stuck_or_gone_ends_with_75_for_its_supervisor(
    installed_file: Path, tmp_path: Path, ledger: KillingServer, how: str
) -> None:
    url = f"sqlite:///{shutil.copy(installed_file, tmp_path / 'reminders.db')}"
    command = [sys.executable, "-m", "tests.support.ticking", json.dumps(order(url, ledger, how))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == EXIT, done.stderr
    assert "the clock died" in done.stderr
    assert "Traceback" not in done.stderr
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        assert connection.execute("SELECT count(stopped_at) FROM heartbeats").fetchone() == (0,)


def test_f40_a_clock_without_a_free_file_says_so_and_goes_on_when_there_is_one(
    installed_file: Path, tmp_path: Path, ledger: KillingServer
) -> None:
    url = with_due(installed_file, tmp_path, 3)
    office, left = Office(url, FakeClock(INVITED_AT)), list[int]()
    app = app_at(office, to(ledger), lease_s=10)
    with clock_on(app, leave=left.append) as (clock, kept):
        assert eventually(lambda: invitations(url)["sent"] == 3)
        office.database.close()
        before = clock.signs.ended
        path = Path(url.removeprefix("sqlite:///"))
        path.rename(path.with_suffix(".away"))  # what no file can be opened for: the database
        assert eventually(lambda: clock.signs.ended > before + 20)
        path.with_suffix(".away").rename(path)
        assert eventually(lambda: not clock.ticker.degraded_but(""))
    office.close()
    assert left == []
    assert {"a tick failed and is tried again", "a tick works again"} <= set(kept.events())


def test_f06_an_answer_is_recorded_however_long_the_database_was_busy(
    installed_file: Path, tmp_path: Path, ledger: KillingServer
) -> None:
    url = with_due(installed_file, tmp_path, 4)
    office = Office(url, FakeClock(INVITED_AT))
    office.database = type(office.database)(url, audit_key=office.keys.audit_key, busy_ms=50)
    other = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False)
    tried = itertools.count()

    def lock() -> None:
        other.execute("BEGIN IMMEDIATE")

    def beat() -> None:
        if other.in_transaction and next(tried) > 4:
            other.execute("ROLLBACK")

    ledger.arm("dot", 4, lock)
    outcome = app_at(office, to(ledger), round=4).deliver(beat=beat)
    assert (outcome.sent, outcome.unknown, len(ledger.accepted)) == (4, 0, 4)
    assert invitations(url) == {"sent": 4}
    other.close()
    office.close()


def test_f38_a_message_that_kills_its_worker_counts_against_itself_alone(
    installed_file: Path, tmp_path: Path, ledger: KillingServer
) -> None:
    url = with_due(installed_file, tmp_path, 8)
    clock = FakeClock(INVITED_AT)
    for _ in range(4):
        pid = os.fork()
        if pid == 0:
            _die_at_the_poison(url, clock, ledger)
        os.waitpid(pid, 0)
        clock.advance(seconds=61)
    office = Office(url, clock)
    app_at(office, to(ledger), round=4).deliver()
    rows = {row.patient: row for row in office.rows() if row.step == "invitation"}
    office.close()
    assert (rows["P2"].state, rows["P2"].reason) == (State.FAILED, Reason.TOO_MANY_ATTEMPTS)
    assert {row.state for ref, row in rows.items() if ref != "P2"} == {State.SENT}
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        assert connection.execute("SELECT max(rescues) FROM reminders WHERE state = 'sent'").fetchone() == (1,)


def _die_at_the_poison(url: str, clock: FakeClock, server: KillingServer) -> None:
    """Deliver in a copy of this process, which dies in the body of whatever round has patient P2's message."""
    office = Office(url, clock, seed=os.getpid())

    def observe(point: Point) -> None:
        if point is Point.BODY_WRITTEN:
            with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
                query = (
                    "SELECT count(*) FROM reminders JOIN patients ON patients.id = patient_id"
                    " WHERE state = 'claimed' AND patients.ref = 'P2'"
                )
                if connection.execute(query).fetchone()[0]:
                    os.kill(os.getpid(), signal.SIGKILL)

    try:
        app = app_at(office, to(server), round=4)
        object.__setattr__(app, "observe", observe)
        app.deliver()
    finally:
        os._exit(0)
