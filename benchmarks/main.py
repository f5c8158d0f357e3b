"""Runs the benchmark, part after part, keeps the raw figures as JSON and writes the page and its charts from them.

Usage: python -m benchmarks.main [--size full|short|tiny] [--only PART …] [--rows N] [--messages N] [--rounds N]. A run
of the size full fills docs/performance.md; any other one a copy of it in build/bench. Parts that were left out keep the
figures of an earlier run, and the page says from which each comes.
"""

import argparse
import json
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from benchmarks import machine, report
from benchmarks.bench import SIZES, Bench, Part, Sizes, opened
from benchmarks.parts import builder, delivery, growth, importing, planning, startup, workers
from benchmarks.programs import ROOT, ProgramFailed
from benchmarks.rounds import say
from reminders.clock import SystemClock

PAGE = ROOT / "docs" / "performance.md"
MEASURES: Mapping[str, Callable[[Bench], Part]] = {
    "delivery": delivery.measure,
    "builder": builder.measure,
    "planning": planning.measure,
    "growth": growth.measure,
    "workers": workers.measure,
    "importing": importing.measure,
    "startup": startup.measure,
}


def main(arguments: list[str] | None = None) -> int:
    """Run what the command line asks for; 1 when a part failed, after writing what the others found."""
    given = _asked(arguments)
    sizes = _sizes(given)
    out: Path = given.out or (ROOT if sizes.name == "full" else ROOT / "build" / "bench")
    results = out / "benchmarks" / "results"
    results.mkdir(parents=True, exist_ok=True)
    failed = False
    with opened(sizes, postgres=not given.sqlite_only, own_sink=given.own_sink) as bench:
        about = {"commit": machine.commit(), "machine": machine.described(bench), "sizes": asdict(sizes)}
        for name in given.only:
            say(f"{name}:")
            try:
                found = MEASURES[name](bench)
            except ProgramFailed as failure:
                say(f"  {name} failed: {failure}")
                failed = True
                continue
            failed = failed or bool(found.gave_up)
            at = SystemClock().now().isoformat(timespec="minutes")
            _keep(results / f"{name}.json", {"at": at, **about, **found.as_json()})
    write_page(results, out / "docs")
    say(f"Written: {out / 'docs' / PAGE.name}")
    return int(failed)


def write_page(results: Path, docs: Path) -> None:
    """Write the page and its charts from the figures that are kept."""
    kept = {name: results / f"{name}.json" for name in MEASURES}
    found: dict[str, Mapping[str, Any]] = {
        name: json.loads(path.read_text(encoding="utf-8")) for name, path in kept.items() if path.exists()
    }
    images = docs / "images"
    images.mkdir(parents=True, exist_ok=True)
    (docs / PAGE.name).write_text(report.filled(PAGE.read_text(encoding="utf-8"), found), encoding="utf-8")
    for name, drawing in report.charts(found).items():
        (images / name).write_text(drawing, encoding="utf-8")


def _keep(path: Path, result: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _sizes(given: argparse.Namespace) -> Sizes:
    wanted = {"rounds": given.rounds, "rows": given.rows, "messages": given.messages}
    return replace(SIZES[given.size], **{name: value for name, value in wanted.items() if value})


def _asked(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.main", description="Measures, and writes the page.")
    parser.add_argument("--size", choices=SIZES, default="full")
    parser.add_argument("--only", nargs="+", choices=MEASURES, default=list(MEASURES), metavar="PART")
    for name in ("--rows", "--messages", "--rounds"):
        parser.add_argument(name, type=int)
    parser.add_argument("--sqlite-only", action="store_true", help="start no PostgreSQL")
    parser.add_argument("--own-sink", action="store_true", help="use our own sink even where postfix is")
    parser.add_argument("--out", type=Path, help="where benchmarks/results and docs are written")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # everything started ends with us then too
    sys.exit(main())
