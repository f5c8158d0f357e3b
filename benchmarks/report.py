"""Writes what was measured into docs/performance.md, between its marks, and draws the charts beside it.

Invariant: nothing outside the marks is touched, and what was not measured is said to be so, not left out.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks.charts import Bar, drawn, shown
from benchmarks.noise import Noise, marks
from benchmarks.rounds import Spread, spread
from benchmarks.targets import TARGETS, Target

NOT_YET = "not measured yet"
PARTS = {
    "delivery": "Messages a second, everything due at one moment",
    "builder": "Processor time to make one message",
    "planning": "Plans stored a second",
    "growth": "Few planned reminders behind, and many",
    "workers": "Processes against a server that answers in 20 ms",
    "importing": "A large import",
    "startup": "Until the command line has answered",
}
"""The parts in the page's order, and the titles of their charts."""
CHARTED = ("messages/s", "reminders/s", "rows/s", "ms", "µs")
"""The units that are drawn; figures of another stand in a table alone."""

Results = Mapping[str, Mapping[str, Any]]


def filled(page: str, results: Results) -> str:
    """Return the page with every block between its marks written anew."""
    blocks = {"targets": targets_table(results), "machine": _machine(results), "noise": _noise(results)}
    blocks |= {part: _figures(results.get(part), part) for part in PARTS}
    for name, words in blocks.items():
        found = re.compile(rf"(<!-- bench:{name} -->\n).*?(<!-- /bench:{name} -->)", re.DOTALL)
        page = found.sub(lambda match, words=words: f"{match[1]}{words.strip()}\n{match[2]}", page)  # type: ignore[misc]
    return page


def charts(results: Results) -> dict[str, str]:
    """Return the charts by the names of their files; a part has one for each unit of its figures."""
    made = {}
    for part, result in results.items():
        for number, unit in enumerate(filter(CHARTED.__contains__, _units(result))):
            bars = [_as_bar(key, one) for key, one in _of(result, unit)]
            made[chart_name(part, number)] = drawn(PARTS[part], unit, bars)
    return made


def chart_name(part: str, number: int) -> str:
    """Return the name of a part's chart in docs/images."""
    return f"performance-{part}{f'-{number + 1}' if number else ''}.svg"


def targets_table(results: Results) -> str:
    """Return the table of the targets, the rows of `targets.TARGETS` in their order."""
    rows = []
    for target in TARGETS:
        by_variant = {
            variant: spread(values)
            for result in results.values()
            for variant, values in result["ratios"].get(target.key, {}).items()
        }
        rows.append((target.what, target.floor_words, target.goal_words, *_judged(target, by_variant)))
    return _table(("what", "floor", "goal", "measured: median (lowest–highest)", "reached"), rows)


def _judged(target: Target, found: Mapping[str, Spread]) -> tuple[str, str]:
    if not found:
        return NOT_YET, "–"
    verdicts = [target.verdict(one.median) for one in found.values()]
    worst = max(verdicts, key=("goal", "floor", "missed").index)
    said = [
        f"{variant} **{target.shown(one.median)}** ({target.shown(one.low)}–{target.shown(one.high)})".strip()
        for variant, one in found.items()
    ]
    return " · ".join(said), {"goal": "goal", "floor": "floor", "missed": "**not reached**"}[worst]


def _figures(result: Mapping[str, Any] | None, part: str) -> str:
    if result is None or not result["figures"]:
        return f"*{PARTS[part]}: {NOT_YET}.*"
    lines = []
    for number, unit in enumerate(_units(result)):
        if unit in CHARTED:
            lines.append(f"![{PARTS[part]}, in {unit}](images/{chart_name(part, number)})\n")
        rows = []
        for _, one in _of(result, unit):
            found = spread(one["values"])
            rows.append((one["label"], shown(found.median), f"{shown(found.low)}–{shown(found.high)}"))
        lines.append(_table(("what", f"{unit}, median", "lowest–highest"), rows) + "\n")
    lines += [f"* {note}" for note in result["notes"]]
    lines += [f"* **{label} failed** and took no further part." for label in result["gave_up"]]
    return "\n".join([*lines, f"* {_made(result)}"])


def _made(result: Mapping[str, Any]) -> str:
    rounds = len(result["noises"])
    size = result["sizes"]["name"]
    return f"{rounds} round{'s' * (rounds != 1)} on {result['at']}, version {result['commit']}, sizes “{size}”."


def _units(result: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys(one["unit"] for one in result["figures"].values()))


def _of(result: Mapping[str, Any], unit: str) -> list[tuple[str, Mapping[str, Any]]]:
    return [(key, one) for key, one in result["figures"].items() if one["unit"] == unit]


def _as_bar(key: str, one: Mapping[str, Any]) -> Bar:
    found = spread(one["values"])
    theirs = ("post_office", "source", "prebuilt", "queued", "scheduled", "jobs", "email", "raw", "bare", "typer")
    return Bar(one["label"], found.median, found.low, found.high, ours=not key.startswith(theirs))


def _machine(results: Results) -> str:
    if not results:
        return f"*{NOT_YET}*"
    newest = max(results.values(), key=lambda result: str(result["at"]))
    return _table(("what", "which"), list(newest["machine"].items()))


def _noise(results: Results) -> str:
    rows = []
    for part, result in results.items():
        noises = [Noise(**noise) for noise in result["noises"]]
        for number, (noise, loud) in enumerate(zip(noises, marks(noises), strict=True), start=1):
            figures = (f"{noise.loop_ms:.1f}", f"{noise.flush_ms:.2f}", f"{noise.load:.1f}", f"{noise.stolen:.1%}")
            rows.append((part, str(number), *figures, loud or "–"))
    if not rows:
        return f"*{NOT_YET}*"
    return _table(("part", "round", "loop, ms", "flush, ms", "load before", "stolen", "noisy"), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])
