"""Interleaved rounds: everybody once, then everybody again, so that a machine's moods meet all alike.

Invariant: a ratio is taken within one round, never of figures from different rounds.
"""

import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks import noise
from benchmarks.noise import Noise
from benchmarks.programs import ProgramFailed


@dataclass(frozen=True, slots=True)
class Sample:
    """What one turn did: `count` things in `seconds`; `facts` are figures beside it."""

    count: float
    seconds: float
    facts: Mapping[str, float] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Return things per second."""
        return self.count / self.seconds if self.seconds else 0.0


Turn = Callable[[int], Sample]
"""Is handed the number of the round, and runs it once, whole."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """Somebody who takes part."""

    key: str
    label: str
    turn: Turn


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some figures, and the lowest and highest of them."""

    median: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Rounds:
    """What all rounds gave: the samples of each contestant in the order of the rounds, and each round's noise."""

    samples: Mapping[str, Sequence[Sample]]
    noises: Sequence[Noise]
    gave_up: Sequence[str] = ()
    """Who did not come to an end, and took no further part."""

    def rates(self, key: str) -> list[float]:
        """Return the rates of one contestant; empty when it did not take part."""
        return [sample.rate for sample in self.samples.get(key, ())]

    def ratios(self, ours: str, theirs: str) -> list[float]:
        """Return our rate by theirs, round by round; empty when one of the two did not take part."""
        return [mine / other for mine, other in zip(self.rates(ours), self.rates(theirs), strict=False) if other]

    def facts(self, key: str, name: str) -> list[float]:
        """Return one figure of a contestant, round by round."""
        return [sample.facts[name] for sample in self.samples.get(key, ()) if name in sample.facts]


def spread(values: Sequence[float]) -> Spread:
    """Return median, lowest and highest of at least one value."""
    return Spread(statistics.median(values), min(values), max(values))


def interleaved(contestants: Sequence[Contestant], rounds: int, folder: Path) -> Rounds:
    """Let everybody take a turn, `rounds` times over; the machine's noise is taken before each round.

    Who fails is left out from then on, so that hours of others' figures are not lost with them.
    """
    samples: dict[str, list[Sample]] = {one.key: [] for one in contestants}
    noises, gave_up = [], dict[str, str]()
    for number in range(rounds):
        before, quiet = noise.processor_time(), noise.measured(folder)
        for one in contestants:
            if one.key in gave_up:
                continue
            try:
                sample = one.turn(number)
            except ProgramFailed as failure:
                gave_up[one.key] = one.label
                say(f"  {one.label} failed: {failure}")
                continue
            samples[one.key].append(sample)
            say(f"  round {number + 1} of {rounds}: {one.label}: {sample.rate:,.0f}/s")
        noises.append(replace(quiet, stolen=noise.stolen_since(before)))
    return Rounds(samples, noises, tuple(gave_up.values()))


def say(text: str) -> None:
    """Tell the person who waits how far it is."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
