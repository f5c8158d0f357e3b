"""Runs deliveries in processes that may be killed at any instant: started as a program, it forks one for each order.

An order is a line of JSON on standard input (see `Order`). For each, it says {"pid": …}, waits for a line "go", lets
the delivery run, and says {"status": …} once it is over, whatever ended it; a delivery that came to its end says its
outcome before. Forking spares every delivery the time that imports take.

Invariant: between the order and "go" nothing happens, so that who gives orders knows whom a kill will hit.
"""

import dataclasses
import datetime as dt
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Self

from reminders.services.points import Observer, Point
from tests.support.clinic import FakeClock, Listening, Office, to

CRASHED = 70


@dataclasses.dataclass(frozen=True, slots=True)
class Order:
    """One delivery: on which database, at which moment, to which server; `kill_at` its `nth` passing of a point."""

    url: str
    now: str
    host: str
    port: int
    seed: int
    round_size: int = 1
    lease_s: int = 10
    kill_at: str | None = None
    nth: int = 1


class Deliveries:
    """The program, started; starts deliveries and learns what became of them."""

    def __init__(self) -> None:
        root = Path(__file__).resolve().parents[2]
        self._program = subprocess.Popen(
            [sys.executable, "-m", "tests.support.killable_deliver"],
            cwd=root,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._program.stdin and self._program.stdout:
            self._program.stdin.close()
            self._program.wait(timeout=30)
            self._program.stdout.close()

    def start(self, order: Order) -> int:
        """Begin a delivery, which waits for `go`; return the id of its process."""
        self._say(json.dumps(dataclasses.asdict(order)))
        return int(self._heard()["pid"])

    def go(self) -> None:
        """Let the delivery run."""
        self._say("go")

    def finished(self) -> dict[str, int] | None:
        """Wait until the delivery is over; return its counts, None when it was killed. Raises when it crashed."""
        outcome = None
        while "status" not in (heard := self._heard()):
            outcome = heard
        if heard["status"] not in (0, -signal.SIGKILL):
            raise AssertionError(f"the delivery ended with {heard['status']}: see its standard error")
        assert (heard["status"] == 0) == (outcome is not None)
        return outcome

    def run(self, order: Order) -> dict[str, int] | None:
        """Run a delivery from its beginning to whatever ends it."""
        self.start(order)
        self.go()
        return self.finished()

    def _say(self, line: str) -> None:
        assert self._program.stdin is not None
        self._program.stdin.write(line + "\n")
        self._program.stdin.flush()

    def _heard(self) -> dict[str, int]:
        assert self._program.stdout is not None
        line = self._program.stdout.readline()
        if not line:
            raise AssertionError("the program that starts deliveries has ended")
        heard: dict[str, int] = json.loads(line)
        return heard


class Suicide:
    """An observer that kills its own process the `nth` time a point is passed; without a point, any."""

    def __init__(self, point: str, nth: int) -> None:
        self._point, self._left = point, nth

    def __call__(self, point: Point) -> None:
        if self._point in ("any", point):
            self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


@dataclasses.dataclass(frozen=True, slots=True)
class _Place:
    host: str
    port: int


def _deliver(order: Order) -> None:
    office = Office(order.url, FakeClock(dt.datetime.fromisoformat(order.now)), seed=order.seed)
    server: Listening = _Place(order.host, order.port)  # type: ignore[assignment] # frozen, and only read
    lease = dt.timedelta(seconds=order.lease_s)
    if order.kill_at is None:
        outcome = office.deliver(to(server), order.round_size, lease=lease)
    else:
        observe: Observer = Suicide(order.kill_at, order.nth)
        outcome = office.deliver(to(server), order.round_size, lease=lease, observe=observe)
    counts = {name: getattr(outcome, name) for name in ("sent", "unknown", "failed", "deferred", "held")}
    sys.stdout.write(json.dumps(counts) + "\n")
    sys.stdout.flush()


def _say(**said: int) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


def _obey(line: str) -> None:
    """Fork a delivery, say its id, let it go when told, and say how it ended."""
    order = Order(**json.loads(line))
    wait_here, let_go = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = CRASHED
        try:
            os.close(let_go)
            os.read(wait_here, 1)
            _deliver(order)
            status = 0
        except BaseException:  # noqa: BLE001 - a copy of this program must end here, whatever happened
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(status)
    os.close(wait_here)
    _say(pid=pid)
    sys.stdin.readline()
    os.write(let_go, b"!")
    os.close(let_go)
    _, status = os.waitpid(pid, 0)
    _say(status=os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    for given in iter(sys.stdin.readline, ""):
        _obey(given)
