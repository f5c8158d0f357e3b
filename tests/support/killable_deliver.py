"""Runs deliveries and other verbs in processes that may be killed, or refused by the system, at any instant.

Invariant: what an order leaves out is the same in every process, so that two runs differ by the kill alone.
"""

import dataclasses
import datetime as dt
import os
import resource
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from reminders.errors import RemindersError
from reminders.mail.message import MessageFacts, MessageLinks, RenderedMessage
from reminders.mail.render import Renderer
from reminders.services.importing.bring_in import ImportRequest, bring_in
from reminders.services.insist import Patience
from reminders.services.points import Observer, Point
from reminders.store.copying import copy_database
from reminders.store.database import create_or_upgrade
from tests.mail import letters
from tests.support.clinic import FakeClock, Listening, Office, to
from tests.support.forking import Program, obey
from tests.support.statements import share_compiled


@dataclasses.dataclass(frozen=True, slots=True)
class Order:
    """One piece of work: on which database, at which moment, to which server.

    `kill_at` is the point whose `nth` passing kills it ("any": any point, "statement": any statement or commit of the
    database, "system": any file or program that is opened, removed or given a name, "bytes": the `nth` byte of any
    file); `given` is what the verb takes: a file, a patient, or for a delivery the name of a patient whose message
    kills whoever writes it. `marks` is a file to which each point is written.
    `may_fail` lets it end with one of the product's own errors, whose name is then the outcome.
    """

    url: str
    now: str
    host: str = ""
    port: int = 0
    seed: int = 1
    round_size: int = 1
    lease_s: int = 10
    kill_at: str | None = None
    nth: int = 1
    verb: str = "deliver"
    given: str = ""
    marks: str = ""
    may_fail: bool = False


class Deliveries(Program):
    """The program, started."""

    def __init__(self, *within: str) -> None:
        super().__init__("tests.support.killable_deliver", within)

    def start(self, order: Order) -> int:
        """Begin an order, which waits for `go`; return the id of its process."""
        return self.begin(dataclasses.asdict(order))

    def rehearse(self, order: Order) -> None:
        """Carry an order out in the program itself, so that what is forked later finds everything loaded."""
        self.do_here(dataclasses.asdict(order))

    def run(self, order: Order) -> dict[str, Any] | None:
        """Carry an order out from its beginning to whatever ends it."""
        self.start(order)
        self.go()
        return self.finished()


class Suicide:
    """Kills its own process the `nth` time something happens, and counts it until then."""

    def __init__(self, nth: int) -> None:
        self._nth, self.seen = nth, 0

    def happens(self, *_: object) -> None:
        self.seen += 1
        if self.seen == self._nth:
            os.kill(os.getpid(), signal.SIGKILL)


class Deadly(Renderer):
    """Is killed by one patient's message, as by one that takes all the memory."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def render(self, facts: MessageFacts, links: MessageLinks) -> RenderedMessage:
        if facts.patient_name == self._name:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().render(facts, links)


_OF_THE_SYSTEM = ("open", "os.", "sqlite3.", "subprocess.")
"""Python's own names of what it asks of the system (docs.python.org, audit events)."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Place:
    host: str
    port: int


def _observer(order: Order, suicide: Suicide) -> Observer:
    """Return what watches a delivery's points: it marks them, and dies at those the order names."""
    marks = os.open(order.marks, os.O_WRONLY | os.O_APPEND) if order.marks else None

    def observe(point: Point) -> None:
        if marks is not None:
            os.write(marks, f"{point}\n".encode())
        if order.kill_at in ("any", point):
            suicide.happens()

    return observe


def _deliver(office: Office, order: Order, suicide: Suicide) -> dict[str, Any]:
    server: Listening = _Place(order.host, order.port)  # type: ignore[assignment] # frozen, and only read
    lease = dt.timedelta(seconds=order.lease_s)
    renderer = Deadly(order.given) if order.given else letters.RENDERER
    observe = _observer(order, suicide)
    outcome = office.deliver(to(server), order.round_size, lease=lease, observe=observe, renderer=renderer)
    return {name: getattr(outcome, name) for name in ("sent", "unknown", "failed", "deferred", "held")}


def _plan(office: Office, _: Order, __: Suicide) -> dict[str, Any]:
    return {"planned": office.plan().patients}


def _erase(office: Office, order: Order, _: Suicide) -> dict[str, Any]:
    office.erase(order.given)
    return {}


def _import(office: Office, order: Order, _: Suicide) -> dict[str, Any]:
    report = bring_in(office.database, office.clock, office.keys, ImportRequest(Path(order.given), "riverside"))
    return {"rows": report.rows, "rejected": report.rejected}


def _back_up(_: Office, order: Order, __: Suicide) -> dict[str, Any]:
    return {"size": copy_database(order.url, Path(order.given))}


def _migrate(_: Office, order: Order, __: Suicide) -> dict[str, Any]:
    return {"from": create_or_upgrade(order.url)}


_VERBS: dict[str, Callable[[Office, Order, Suicide], dict[str, Any]]] = {
    "deliver": _deliver,
    "plan": _plan,
    "erase": _erase,
    "import": _import,
    "migrate": _migrate,
    "backup": _back_up,
}


def _act(given: Mapping[str, Any]) -> dict[str, Any]:
    order = Order(**given)
    suicide = Suicide(order.nth if order.kill_at else 0)
    if order.kill_at == "system":
        sys.addaudithook(lambda event, _: suicide.happens() if event.startswith(_OF_THE_SYSTEM) else None)
    if order.kill_at == "bytes":
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_FSIZE, (order.nth, order.nth))
    if order.kill_at == "statement":
        for name in ("before_cursor_execute", "after_cursor_execute", "commit"):
            event.listen(Engine, name, suicide.happens)
    office = Office(order.url, FakeClock(dt.datetime.fromisoformat(order.now)), seed=order.seed)
    office.patience = Patience(wait=lambda _: None, limit_s=0.05)
    try:
        outcome = _VERBS[order.verb](office, order, suicide)
        office.close()
    except RemindersError as error:
        if not order.may_fail:
            raise
        return {"trouble": type(error).__name__, "said": str(error)}
    return outcome | ({"seen": suicide.seen} if order.kill_at in ("statement", "system") else {})


if __name__ == "__main__":
    share_compiled()
    obey(_act)
