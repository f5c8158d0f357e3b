"""How soon the command line answers: `reminders --help`, and `list` on a small database, beside importing typer."""

import sys

from benchmarks.bench import Bench, Part
from benchmarks.programs import together
from benchmarks.rounds import Contestant, Sample, interleaved
from benchmarks.seed import REMINDERS, seeded, settings


def measure(bench: Bench) -> Part:
    """Start each of them by turns, as whole processes."""
    part = Part("startup")
    url = seeded(bench.sqlite.fresh(), bench.folder, 10, 1)
    env = settings(url, bench.folder)

    def started(command: list[str]) -> Sample:
        times = [together([command], env, bench.folder)[0] for _ in range(bench.sizes.starts)]
        return Sample(1, sorted(times)[len(times) // 2])

    commands = {
        "typer": ("python -c 'import typer'", [sys.executable, "-c", "import typer"]),
        "help": ("reminders --help", [*REMINDERS, "--help"]),
        "list": ("reminders list, 10 patients", [*REMINDERS, "list"]),
    }
    contestants = [
        Contestant(key, label, lambda _, command=command: started(command))  # type: ignore[misc]
        for key, (label, command) in commands.items()
    ]
    rounds = interleaved(contestants, bench.sizes.rounds, bench.folder)
    part.heard(rounds)
    for key, (label, _) in commands.items():
        part.add(key, label, "ms", [1000 / rate for rate in rounds.rates(key)])
    part.ratio("startup", "", rounds.ratios("typer", "help"))
    return part
