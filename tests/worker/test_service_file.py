"""The unit for systemd: it is one, it is careful, and it waits as long as an end in order takes."""

import configparser
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reminders import paths
from reminders.stopping import GRACE_S

UNIT = paths.service_unit()
ANALYZE = shutil.which("systemd-analyze")
MOST_EXPOSED = 3.0


def service(section: str = "Service") -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign] # names of systemd's options have capitals
    parser.read_string(UNIT.read_text(encoding="utf-8"))
    return parser[section]


def test_it_waits_longer_for_the_end_than_the_end_takes_and_starts_a_dead_clock_anew() -> None:
    found = service()
    assert float(found["TimeoutStopSec"]) > GRACE_S
    assert (found["Restart"], found["Type"]) == ("always", "exec")


def test_systemd_never_gives_it_up() -> None:
    """By default five ends in ten seconds are the last (systemd.unit(5)), and nothing would be sent any more."""
    assert (service("Unit")["StartLimitIntervalSec"], service()["RestartSec"]) == ("0", "5")


def test_it_remembers_in_the_folder_that_systemd_keeps_for_it() -> None:
    found = service()
    assert found["Environment"] == f"REMINDERS_STATE=/var/lib/{found['StateDirectory']}"


@pytest.mark.skipif(ANALYZE is None, reason="systemd is not here")
def test_systemd_finds_nothing_wrong_with_it(tmp_path: Path) -> None:
    copy = tmp_path / "reminders.service"
    command = service()["ExecStart"].split()[0]
    copy.write_text(UNIT.read_text(encoding="utf-8").replace(command, sys.executable), encoding="utf-8")
    done = subprocess.run([str(ANALYZE), "verify", copy], capture_output=True, text=True, check=False)
    ours = [line for line in done.stderr.splitlines() if "reminders.service" in line]
    assert (done.returncode, ours) == (0, [])


@pytest.mark.skipif(ANALYZE is None, reason="systemd is not here")
def test_it_may_do_little(tmp_path: Path) -> None:
    copy = Path(shutil.copy(UNIT, tmp_path))
    command = [str(ANALYZE), "security", "--offline=true", f"--threshold={int(MOST_EXPOSED * 10)}", str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-300:]
