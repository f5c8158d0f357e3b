"""The clock for tests: counters that stand until they are moved, a log that is kept, and a pace that suits a test.

Started as a program it keeps clocks that a test may kill: one for each order on standard input (see `forking`), or the
one that its argument tells of.
"""

import dataclasses
import datetime as dt
import io
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from reminders.app import App
from reminders.log import Log, opened_log
from reminders.settings import Settings
from reminders.stopping import Stop, on_signals
from reminders.worker.clockwork import Clockwork, Pace, ticking
from reminders.worker.ticks import EndsNow
from tests.support.clinic import LINKS, FakeClock, Office, to
from tests.support.forking import obey

FAST = Pace(deliver_s=0.1, rescue_s=0.5, heartbeat_s=0.5, plan_after_s=0, retention_after_s=0)
KEY = "a key that only the tests of the clock know"
_SILENT = {"silence_s": 3, "delivery_silence_s": 2, "database_silence_s": 3, "look_s": 0.1}
_PACES = {"plain": FAST, "watched": dataclasses.replace(FAST, **_SILENT)}


class FakeTime:
    """Counters that stand until they are moved; a machine that sleeps moves only one of them."""

    def __init__(self) -> None:
        self._awake = self._asleep = 0.0

    def monotonic(self) -> float:
        return self._awake

    def boottime(self) -> float:
        return self._awake + self._asleep

    def advance(self, seconds: float) -> None:
        self._awake += seconds

    def sleep(self, seconds: float) -> None:
        self._asleep += seconds


class Kept:
    """A log whose lines can be read."""

    def __init__(self) -> None:
        self.stream = io.StringIO()
        self.log = Log("json", FakeClock(), self.stream)

    def lines(self) -> list[dict[str, object]]:
        """Close the log and return what it said."""
        self.log.close()
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def events(self) -> list[object]:
        return [line["event"] for line in self.lines()]


def app_at(office: Office, transport: object = None, **settings: object) -> App:
    """Return the product over an office's database, sending by `transport`."""
    given = {"base_url": LINKS, "secret_key": KEY, **settings}
    return App(Settings(**given), office.database, office.keys, office.clock, transport)  # type: ignore[arg-type]  # pydantic checks them


@contextmanager
def clock_on(
    app: App, pace: Pace = FAST, leave: Callable[[int], object] = os._exit
) -> Iterator[tuple[Clockwork, Kept]]:
    """Keep a clock in this process; its log can be read afterwards."""
    kept = Kept()
    try:
        with ticking(app, kept.log, Stop(leave), pace, leave=leave) as clock:
            yield clock, kept
    finally:
        app.hang_up()  # a delivery that was left at work would take its connections along with the process


def eventually(true: Callable[[], bool], seconds: float = 20) -> bool:
    """Wait until something has become true; False when it did not in time."""
    never = threading.Event()
    for _ in range(int(seconds / 0.01)):
        if true():
            return True
        never.wait(0.01)
    return bool(true())


@dataclass
class _Place:
    """Where a server of another process listens."""

    host: str
    port: int


def keep(order: Mapping[str, Any]) -> dict[str, Any]:
    """Keep a clock on a database until the process is asked to end.

    `how` is "plain", "watched" (a silence of seconds is its death), "stuck" (every tick hangs) or "dead" (the
    scheduler's thread ends after a moment).
    """
    office = Office(order["url"], FakeClock(dt.datetime.fromisoformat(order["now"])), seed=os.getpid())
    app = app_at(office, to(_Place(order["host"], order["port"])), lease_s=10, round=2)
    pace = _PACES.get(order["how"], Pace(heartbeat_s=0.1, deliver_s=0.1, silence_s=1, look_s=0.1))
    stop = Stop()
    with (
        suppress(EndsNow),
        on_signals(stop),
        opened_log("json", office.clock) as log,
        ticking(app, log, stop, pace) as clock,
    ):
        if order["how"] == "stuck":
            for name in ("beat", "deliver", "rescue", "plan", "tidy"):
                setattr(type(app), name, lambda *_, **__: threading.Event().wait())
        if order["how"] == "dead":
            clock.scheduler._process_jobs = sys.exit  # noqa: SLF001 - as a job store that fails ends the thread
            clock.scheduler.wakeup()
        stop.wait()
    office.close()
    return {}


if __name__ == "__main__":
    obey(keep) if len(sys.argv) == 1 else keep(json.loads(sys.argv[1]))
