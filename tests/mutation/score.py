"""Counts which mutants the tests noticed, and fails when one survived that `docs/mutants.md` does not explain.

Run by `make mutants` after mutmut. Invariant: what is explained and no longer survives is complained about as well,
so that the page never grows stale.
"""

import json
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.stats import status_by_exit_code
from mutmut.utils.format_utils import orig_function_and_class_names_from_key

from tests.mutation.beyond import Mutant, mutants_beyond_functions
from tests.mutation.trial import survivors

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "mutants.md"
NOTICED = {"killed", "timeout", "caught by type check"}
Survivor = tuple[str, tuple[str, ...]]
"""Where it stands (module, or module and function), and the lines that differ."""


def explained(page: str) -> set[Survivor]:
    """Read the survivors that a page explains: a heading names the place, each block of differences one or several."""
    found: set[Survivor] = set()
    for section in re.split(r"^### ", page, flags=re.MULTILINE)[1:]:
        place = re.match(r"`([\w.]+)`", section)
        blocks = re.findall(r"^```diff\n(.*?)^```\n\n(?!```|#)(?=\S)", section, re.MULTILINE | re.DOTALL)
        if place is None or not blocks:
            raise ValueError(f"This section names no place, or lacks a difference with its reason: {section[:80]}")
        for block in blocks:
            found |= {(place[1], tuple(change.splitlines())) for change in block.strip().split("\n\n")}
    return found


def _of_functions(path: Path, tally: Counter[str]) -> Iterator[Survivor]:
    """Yield what mutmut's run left alive in one file, and count into `tally`."""
    stored = json.loads((ROOT / "mutants" / f"{path}.meta").read_text(encoding="utf-8"))
    for name, code in stored["exit_code_by_key"].items():
        noticed = status_by_exit_code[code] in NOTICED
        tally.update([f"{path} noticed"] if noticed else [str(path)])
        if not noticed:
            function, of_class = orig_function_and_class_names_from_key(name)
            module = ".".join(path.with_suffix("").parts)
            lines = get_diff_for_mutant(name, path=path).splitlines()
            shown = [line for line in lines if line[:1] in ("+", "-") and line[:3] not in ("+++", "---")]
            place = ".".join(part for part in (module, of_class, function) if part)
            yield place, tuple(f"{line[0]} {line[1:].strip()}" for line in shown)


def _beyond_functions(path: Path, settings: dict[str, list[str]], tally: Counter[str]) -> Iterator[Survivor]:
    """Yield what survives of the damage to the tables of one file, and count into `tally`."""
    mutants = list(mutants_beyond_functions(ROOT, path))
    unharmed = Mutant(".".join(path.with_suffix("").parts), (), (ROOT / path).read_text(encoding="utf-8"))
    alive = survivors(
        mutants, unharmed, settings["pytest_add_cli_args"], settings["pytest_add_cli_args_test_selection"]
    )
    tally[str(path)] += len(alive)
    tally[f"{path} noticed"] += len(mutants) - len(alive)
    for mutant in alive:
        yield mutant.module, mutant.change


def main() -> int:
    """Print the score of each file and every survivor without an explanation; 1 when there is one."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mutmut"]
    tally: Counter[str] = Counter()
    alive: set[Survivor] = set()
    for path in (Path(name) for name in settings["only_mutate"]):
        alive |= {*_of_functions(path, tally), *_beyond_functions(path, settings, tally)}
        noticed, missed = tally[f"{path} noticed"], tally[str(path)]
        print(f"{path.as_posix():42} {noticed:5} of {noticed + missed:5} noticed", flush=True)  # noqa: T201 - its purpose
    noticed = sum(count for name, count in tally.items() if name.endswith(" noticed"))
    print(f"{'together':42} {noticed:5} of {tally.total():5} noticed: {noticed / tally.total():.1%}")  # noqa: T201 - its purpose
    known = explained(PAGE.read_text(encoding="utf-8"))
    for title, places in (("Survives unexplained", alive - known), ("Explained, and no longer there", known - alive)):
        for place, change in sorted(places):
            print("\n".join([f"\n{title}: {place}", *change]))  # noqa: T201 - its purpose
    return 1 if alive != known else 0


if __name__ == "__main__":
    sys.exit(main())
