"""The long simulation, `make simulate`: ten years of a chain of clinics, and a thousand seeds of a year each.

Invariant: what it prints was run; cut short (Ctrl-C, or MINUTES=30) it says what was and what was not.
"""

import multiprocessing
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.simulation.options import Size
from tests.simulation.seeds import SeedBroken, run_seed

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import SynchronizedArray

PROCESSES = 2
CHAIN = Size(days=3652, patients=10_000, clinics=20)
YEAR = Size(days=365, patients=200, clinics=3)
SIZES = (CHAIN, YEAR)
SEEDS = 1000
FIRST_WORD_S, NEXT_WORDS_S = 60, 300

Job = tuple[int, Size]
Outcome = tuple[Job, Counter[str], str, float]


@dataclass(slots=True)
class Tale:
    """What was covered so far."""

    began: float = field(default_factory=time.monotonic)
    done: Counter[Size] = field(default_factory=Counter)
    counts: dict[Size, Counter[str]] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    begun: Counter[Size] = field(default_factory=Counter)
    days: dict[Size, float] = field(default_factory=dict)
    """Days of patients by the size of their world, those of unfinished worlds included."""

    @property
    def lived(self) -> float:
        """Return the days of patients that were lived in all worlds."""
        return sum(self.days.values())

    def look(self, shared: "SynchronizedArray[float]") -> None:
        """Read what the processes have begun and lived so far."""
        for size, begun, days in zip(SIZES, shared[0::2], shared[1::2], strict=True):
            self.begun[size], self.days[size] = int(begun), days

    def add(self, outcome: Outcome) -> None:
        """Enter what became of a seed."""
        (_, size), counts, broken, _ = outcome
        self.done[size] += 1
        self.counts.setdefault(size, Counter()).update(counts)
        if broken:
            self.broken.append(broken)
            say(broken)

    def minutes(self) -> float:
        """Return the minutes since it began."""
        return (time.monotonic() - self.began) / 60


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def work(job: Job) -> Outcome:
    """Run one seed in a process of its own."""
    began, (_, size) = time.monotonic(), job
    _more(size, 0, 1)
    try:
        found = run_seed(*job, lived=lambda days: _more(size, 1, days))
    except SeedBroken as broken:
        return job, Counter(), str(broken), time.monotonic() - began
    return job, found.counts, "", time.monotonic() - began


_shared: "list[SynchronizedArray[float]]" = []
"""Of a worker's process: for each size the worlds begun and the days lived, which all processes share."""


def _ready(counters: "SynchronizedArray[float]") -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to hear
    _shared.append(counters)  # a pool hands it over only as it starts


def _more(size: Size, which: int, number: float) -> None:
    for counters in _shared:
        with counters.get_lock():
            counters[2 * SIZES.index(size) + which] += number


def _as_they_come(jobs: list[Job], tale: Tale, minutes: float) -> Iterator[Outcome]:
    """Yield outcomes until all jobs are done or the time is up; say how far it is now and then."""
    word_at = FIRST_WORD_S / 60
    context = multiprocessing.get_context("spawn")
    counters = context.Array("d", 2 * len(SIZES))
    with context.Pool(PROCESSES, _ready, (counters,)) as pool:
        coming = pool.imap_unordered(work, jobs)
        while tale.minutes() < minutes:
            try:
                yield coming.next(timeout=5)
            except multiprocessing.TimeoutError:
                pass
            except StopIteration:
                return
            finally:
                tale.look(counters)
            if tale.minutes() >= word_at:
                word_at = tale.minutes() + (NEXT_WORDS_S if tale.lived else FIRST_WORD_S) / 60
                say(_so_far(jobs, tale))


def _so_far(jobs: list[Job], tale: Tale) -> str:
    """Reckon the rest from the days of patients that were lived so far: that is what it costs by."""
    if not tale.lived:
        return f"{tale.minutes():.0f} min: the clinics of the first worlds are still being founded."
    wanted = sum(size.days * size.patients for _, size in jobs)
    hours = tale.minutes() / 60 * (wanted - tale.lived) / max(tale.lived, 1.0)
    done = sum(tale.done.values())
    return (
        f"{tale.minutes():.0f} min: {done:,} of {len(jobs):,} worlds done, {tale.lived / 365:,.0f} of "
        f"{wanted / 365:,.0f} years of patients lived; the rest takes about {hours:,.0f} h."
    )


def report(tale: Tale, wanted: Counter[Size]) -> str:
    """Return the table of what was covered; what was counted in a world is known once it is finished."""
    names = ("accepted", "crash", "looked at the fence", "meanwhile,", "delivery:")
    lines = [
        "| world | wanted | begun | lived | finished | accepted | crashes | at the fence | interleaved | broken |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for size, total in wanted.items():
        counts = tale.counts.get(size)
        shown = f"{size.days} days × {size.patients:,} patients × {size.clinics} clinics"
        numbers = " | ".join(f"{counts[name]:,}" if counts else "not known" for name in names[:4])
        lived = f"{tale.begun[size]:,} | {tale.days.get(size, 0.0) / 365:,.1f} y | {tale.done[size]:,}"
        broken = sum(f"Size(days={size.days}," in one for one in tale.broken)
        lines.append(f"| {shown} | {total:,} | {lived} | {numbers} | {broken} |")
    return "\n".join(lines)


def exercised(tale: Tale) -> str:
    """Return how often each promise was put to the test: something stood ready to break it."""
    counts = sum(tale.counts.values(), Counter[str]())
    numbers = sorted(int(name.split()[1]) for name in counts if name.startswith("promise "))
    told = ", ".join(f"{number}: {counts[f'promise {number}']:,}" for number in numbers)
    return f"How often each promise was put to the test: {told or 'not known before a world is finished'}."


def main() -> int:
    """Run it; the number returned is the exit code."""
    minutes = float(os.environ.get("MINUTES") or "inf")
    first = int(os.environ.get("SEED") or 1)
    years = [(seed, YEAR) for seed in range(first, first + SEEDS)]
    jobs: list[Job] = [years[0], (first, CHAIN), *years[1:]]
    wanted = Counter(size for _, size in jobs)
    tale = Tale()
    say(f"{len(jobs):,} worlds; after a minute it says how long all of them take. Ctrl-C ends it with what it has.")
    try:
        for outcome in _as_they_come(jobs, tale, minutes):
            tale.add(outcome)
    except KeyboardInterrupt:
        say("Interrupted.")
    say(report(tale, wanted))
    say(exercised(tale))
    left = sum(wanted.values()) - sum(tale.done.values())
    speed = tale.lived / 60 / max(tale.minutes(), 0.01)
    say(f"{tale.lived / 365:,.0f} years of patients were lived, {speed:,.0f} days of them a second.")
    say(f"{tale.minutes():.0f} min. " + ("Everything was covered." if not left else f"Not covered: {left:,} worlds."))
    return 1 if tale.broken else 0


if __name__ == "__main__":
    sys.exit(main())
