"""`reminders audit` with checkpoints: written, compared, refused, and the exit code of each."""

import json
import re
from pathlib import Path

from tests.cli.desk import Desk


def test_a_checkpoint_is_written_and_the_trail_goes_on_from_it(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "trail.checkpoint"
    said = desk.run("audit", "--checkpoint", str(path))
    assert f"Wrote a checkpoint to {path}: keep it on another machine." in said
    looked = said.splitlines()[0]
    assert re.search(r"\b\d+ entries of the trail\b", looked)
    assert re.search(r"\b1 clinic, .*1 patient, 3 reminders, no messages\.", looked)
    document = json.loads(desk.run("audit", "--against", str(path), "--checkpoint", str(path), "--json"))
    assert document["sound"] is True
    assert document["checkpoint"] == str(path)


def test_a_file_of_ones_own_is_never_overwritten(desk: Desk, tmp_path: Path) -> None:
    mine = tmp_path / "notes.txt"
    mine.write_text("mine")
    done = desk.type("audit", "--checkpoint", str(mine))
    assert done.exit_code == 3
    assert "is no checkpoint of an audit trail" in done.stderr
    assert mine.read_text() == "mine"


def test_an_edited_checkpoint_is_bad_input(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "trail.checkpoint"
    desk.run("audit", "--checkpoint", str(path))
    path.write_text(path.read_text().replace('"entry": ', '"entry": 1'))
    done = desk.type("audit", "--against", str(path))
    assert done.exit_code == 3
    assert "was changed since it was written" in done.stderr
    path.unlink()
    assert f"There is no file {path}" in desk.fails(3, "audit", "--against", str(path))
