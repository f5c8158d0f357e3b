"""The harness runs a tiny round from end to end; nothing here takes a time."""

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks import report
from benchmarks.main import MEASURES
from benchmarks.noise import Noise, marks
from benchmarks.targets import TARGETS
from tests.architecture.checkout import ROOT

PAGE = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")


def test_a_tiny_round_fills_a_page_and_draws_its_charts(tmp_path: Path) -> None:
    few = ("--size", "tiny", "--sqlite-only", "--own-sink", "--only", "delivery", "--out", str(tmp_path))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("REMINDERS_")}
    command = [sys.executable, "-m", "benchmarks.main", *few]
    done = subprocess.run(command, cwd=ROOT, env=kept, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "benchmarks" / "results" / "delivery.json").read_text(encoding="utf-8"))
    assert found["ratios"]["lost"] == {"SQLite": [0.0]}
    assert set(found["ratios"]) == {"lost", "prebuilt"}
    page = (tmp_path / "docs" / "performance.md").read_text(encoding="utf-8")
    assert "| Reminders on SQLite, 2 processes |" in page
    assert "| reminders lost of those due at one moment | 0 | 0 | SQLite **0** (0–0) | goal |" in page
    for name in ("performance-delivery.svg", "performance-builder.svg"):
        drawn = tmp_path / "docs" / "images" / name
        assert drawn.exists() == (name in page)
        assert not drawn.exists() or ET.parse(drawn).getroot().tag.endswith("svg")  # noqa: S314 - our own drawing


def test_the_page_holds_every_target_with_its_floor_and_goal() -> None:
    table = PAGE.partition("<!-- bench:targets -->")[2].partition("<!-- /bench:targets -->")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")][:3] for line in table.strip().splitlines()[2:]]
    assert rows == [[target.what, target.floor_words, target.goal_words] for target in TARGETS]


def test_the_page_has_a_place_for_every_part() -> None:
    assert list(report.PARTS) == list(MEASURES)
    for name in ("targets", "machine", "noise", *MEASURES):
        assert PAGE.count(f"<!-- bench:{name} -->") == PAGE.count(f"<!-- /bench:{name} -->") == 1


def test_the_page_is_what_the_kept_figures_say() -> None:
    kept = ROOT / "benchmarks" / "results"
    results = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(kept.glob("*.json"))}
    in_order = {part: results[part] for part in report.PARTS if part in results}
    assert report.filled(PAGE, in_order) == PAGE
    for name, drawing in report.charts(in_order).items():
        assert (ROOT / "docs" / "images" / name).read_text(encoding="utf-8") == drawing


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.key)
def test_a_goal_is_no_easier_than_its_floor(target: object) -> None:
    (found,) = (one for one in TARGETS if one is target)
    assert found.goal >= found.floor if found.at_least else found.goal <= found.floor
    assert found.verdict(found.goal) == "goal"


def test_a_ratio_below_its_floor_is_said_to_be_missed() -> None:
    found = {target.key: target for target in TARGETS}
    assert found["post_office"].verdict(5.9) == "missed"
    assert found["post_office"].verdict(6) == "floor"
    assert found["builder"].verdict(0.11) == "missed"
    assert found["builder"].verdict(0.1) == "floor"
    assert found["lost"].verdict(1) == "missed"


def test_the_worse_database_decides_what_is_reached() -> None:
    result = {"ratios": {"post_office": {"SQLite": [13.0, 14.0, 12.5], "PostgreSQL": [6.0, 7.0, 5.0]}}}
    (row,) = (line for line in report.targets_table({"delivery": result}).splitlines() if "post_office" in line)
    assert row.endswith("| SQLite **13×** (12.5×–14×) · PostgreSQL **6×** (5×–7×) | floor |")


def test_a_noisy_round_is_marked_and_kept() -> None:
    quiet, busy = Noise(loop_ms=10, flush_ms=0.3, load=0), Noise(loop_ms=14, flush_ms=0.9, load=2, stolen=0.2)
    assert marks([quiet, busy, quiet]) == ["", "processor 1.40×, disk 3.0×, 20% stolen", ""]
