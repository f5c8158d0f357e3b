"""Memory does not grow with the file: what is read waits on disk, sorted, and vanishes with the program."""

import itertools
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from reminders.services.importing.spool import OPEN_RUNS, Spool
from reminders.store.database import Database
from tests.services.import_desk import Desk
from tests.services.import_exports import UK, write_export

LIMIT_MB = 200


@pytest.mark.timeout(600)
def test_sixty_thousand_rows_stay_within_the_limit(database: Database, tmp_path: Path) -> None:
    desk = Desk(database, tmp_path)
    path = _consultations(tmp_path / "visits.csv", 60_000)
    child = [sys.executable, "-m", "tests.services.import_child", desk.database.address, str(path), "nowhere", "0"]
    done = subprocess.run(child, check=True, capture_output=True)
    assert int(done.stdout) < LIMIT_MB


def _consultations(path: Path, rows: int) -> Path:
    """Write an export of mostly ignored services, which is read, sorted and judged like any other."""
    header, *lines = write_export(path, UK, rows=2_000, patients=400).read_bytes().split(b"\r\n")[:-1]
    patterns = [line.split(b";") for line in lines]
    with path.open("wb") as file:
        file.write(header + b"\r\n")
        for number, cells in zip(range(rows), itertools.cycle(patterns), strict=False):
            service = cells[7] if number < len(patterns) else b"Consultation"
            file.write(b";".join((*cells[:7], service, *cells[8:])) + b"\r\n")
    return path


@pytest.mark.parametrize("lines", [0, 1, 7, 1_000, 20_000])
def test_a_spool_gives_back_every_line_sorted_as_often_as_asked(lines: int) -> None:
    chance = random.Random(lines)
    given = [f"{chance.randrange(500):03}\tlíne {chance.random()}" for _ in range(lines)]
    with Spool(run_characters=5_000) as spool:
        for line in given:
            spool.add(line)
        assert list(spool) == list(spool) == sorted(given)


def test_a_spool_of_many_runs_keeps_few_files_open() -> None:
    with Spool(run_characters=100, unique=True) as spool:
        before = _open_files()
        for number in range(2_000):
            spool.add(f"{number % 700:04}")
        assert _open_files() - before <= OPEN_RUNS + 1
        assert list(spool) == [f"{number:04}" for number in range(700)]
    assert _open_files() <= before


def test_what_waits_on_disk_has_no_name_and_is_gone_afterwards() -> None:
    before, there = _open_files(), _temporary_files()
    with Spool(run_characters=100) as spool:
        for number in range(1_000):
            spool.add(str(number))
        assert _open_files() > before
        assert _temporary_files() <= there
    assert _open_files() == before


def _temporary_files() -> set[Path]:
    """Return the program's files in the folder for temporary ones; other tests have folders there."""
    return {path for path in Path(tempfile.gettempdir()).glob("reminders-*") if path.is_file()}


def _open_files() -> int:
    return sum(1 for _ in Path("/dev/fd").iterdir())
