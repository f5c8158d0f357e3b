"""What a large table costs: an idle tick, a message, and single questions, with many planned reminders and with few.

An idle tick is what the clock does when nothing is due: a sign of life, a rescue and a delivery, in one process that
stays. A message's cost is the time of two processes from the first message sent to the last. A question is what a
person asks: the next fifty reminders, why one patient is written to, and one more treatment with its plan.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.bench import Bench, Part
from benchmarks.databases import Databases
from benchmarks.fill import fill
from benchmarks.parts.delivery import PROCESSES, delivered
from benchmarks.rounds import Contestant, Sample, Turn, interleaved, say
from benchmarks.seed import KEY, PROTOCOLS, add_due, seeded, slug, state_of
from reminders.app import App, open_app
from reminders.clock import SystemClock
from reminders.services.overview import Filter
from reminders.services.record import NewTreatment
from reminders.settings import Settings

CLINICS = 2
LISTED = 50


@dataclass(frozen=True, slots=True)
class Table:
    """A filled database; `size` is "few" or "many", `rows` how many reminders are planned in it."""

    kind: str
    size: str
    url: str
    rows: int

    @property
    def key(self) -> str:
        """Return what its figures are kept under."""
        return f"{self.kind}-{self.size}"


def measure(bench: Bench) -> Part:
    """Fill two databases of each kind, and let all of them tick, answer and deliver by turns."""
    part = Part("growth")
    tables = [_filled(bench, databases, size) for databases in bench.databases for size in ("few", "many")]
    timed = [
        Contestant(f"{key}-{one.key}", f"{label}, {one.kind}, {one.rows:,} planned", _timed(bench, one, act))
        for key, label, act in ACTS
        for one in tables
    ]
    costs = [
        Contestant(f"cost-{one.key}", f"messages, {one.kind}, {one.rows:,} planned", _delivering(bench, one))
        for one in tables
    ]
    rounds = interleaved([*timed, *costs], bench.sizes.rounds, bench.folder)
    part.heard(rounds)
    for one in timed:
        part.add(one.key, one.label, "ms", [1000 / rate for rate in rounds.rates(one.key)])
    for one in costs:
        part.add(one.key, one.label, "messages/s", rounds.rates(one.key))
    for databases in bench.databases:
        few, many = f"{databases.kind}-few", f"{databases.kind}-many"
        part.ratio("idle_tick", databases.kind, rounds.ratios(f"tick-{few}", f"tick-{many}"))
        part.ratio("message_cost", databases.kind, rounds.ratios(f"cost-{few}", f"cost-{many}"))
        for table in (one for one in tables if one.kind == databases.kind):
            databases.drop(table.url)
    return part


def _filled(bench: Bench, databases: Databases, size: str) -> Table:
    wanted = bench.sizes.few_rows if size == "few" else bench.sizes.rows
    say(f"  filling {databases.kind} with {wanted:,} planned reminders")
    url = seeded(databases.fresh(), bench.folder, 0, CLINICS)
    rows = fill(url, wanted, CLINICS)
    databases.settle(url)
    return Table(databases.kind, size, url, rows)


def _timed(bench: Bench, table: Table, act: Callable[[App, int], None]) -> Turn:
    """Return a turn that does something a few times, and whose time is the median of them."""

    def turn(number: int) -> Sample:
        state = state_of(table.url, bench.folder)
        given = Settings(database_url=table.url, secret_key=KEY, smtp_url=bench.sink.url, state=state)
        took, first = [], number * bench.sizes.ticks
        with open_app(given) as app:
            for once in range(first, first + bench.sizes.ticks):
                began = time.perf_counter()
                act(app, once)
                took.append(time.perf_counter() - began)
        return Sample(1, statistics.median(took))

    return turn


def _tick(app: App, _: int) -> None:
    app.beat("benchmark")
    app.rescue()
    app.deliver()


def _list(app: App, _: int) -> None:
    with app.list(Filter(limit=LISTED)) as found:
        list(found)


def _why(app: App, once: int) -> None:
    app.why(slug(once % CLINICS), f"B{once}")


def _treat(app: App, once: int) -> None:
    entry = NewTreatment(f"B{once}", PROTOCOLS[0], SystemClock().now().date(), ref=f"again-{once}")
    app.add_treatment(slug(once % CLINICS), entry)


ACTS: tuple[tuple[str, str, Callable[[App, int], None]], ...] = (
    ("tick", "idle tick", _tick),
    ("list", f"list --limit {LISTED}", _list),
    ("why", "why", _why),
    ("treat", "treatment add", _treat),
)


def _delivering(bench: Bench, table: Table) -> Turn:
    def turn(number: int) -> Sample:
        add_due(table.url, bench.folder, bench.sizes.each_round, CLINICS, f"R{number}-")
        sample = delivered(bench, table.url, bench.sizes.each_round, PROCESSES, bench.sink.url)
        return Sample(sample.count, sample.facts["working_s"])

    return turn
