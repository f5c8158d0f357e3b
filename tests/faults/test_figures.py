"""The page of figures has a row for every long run that there is."""

import re
from pathlib import Path

from tests.support.fault_page import PAGE

ROOT = Path(__file__).resolve().parents[2]
LONG = frozenset({"storm", "chaos", "syscalls", "machine", "scanner", "nodes", "simulate", "zoo", "mutants"})


def test_every_long_run_has_its_figures_and_no_figure_is_without_its_run() -> None:
    figures = PAGE.read_text(encoding="utf-8").partition("## The figures")[2].partition("## The matrix")[0]
    rows = [line for line in figures.splitlines() if line.startswith("| ") and not line.startswith("| what")]
    named = [re.search(r"`(?:MINUTES=\d+ )?make (\w+)`[^`]*\|$", row) for row in rows]
    assert {found[1] for found in named if found} == LONG
    assert all(named)


def test_every_long_run_is_a_target_that_says_how_long_it_takes() -> None:
    targets = re.findall(r"^(\w+): setup ## .*\((.*)\)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    long = {name: said for name, said in targets if name in LONG}
    assert long.keys() == LONG
    assert [name for name, said in long.items() if not re.search("minute|hour|days", said)] == []
