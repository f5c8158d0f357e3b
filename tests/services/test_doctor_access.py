"""The doctor finds files that others may read: the database with patients' names, and settings with passwords."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from reminders.services.checkup.access import access_checks
from reminders.services.checkup.check import Check, Examined
from reminders.services.checkup.doctor import doctor
from reminders.services.install import install
from reminders.settings import Settings, load_settings
from tests.services.delivered import INVITED, START, SetClock

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes tell nothing here")
SECRETS = (
    'smtp_url = "smtp://clinic:password@mail.example:587"',
    'secret_key = "a secret key of a test that is long enough"',
    'ping_url = "https://ping.example/s3cret"',
)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Return a folder with an installation of `reminders init`, in use by another program."""
    tmp_path.chmod(0o700)
    install(settings(tmp_path), SetClock(START))
    with closing(sqlite3.connect(tmp_path / "reminders.db")) as other:
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM clinics").fetchone()
        yield tmp_path


def settings(folder: Path, *lines: str) -> Settings:
    file = folder / "reminders.toml"
    file.write_text("\n".join(lines), encoding="utf-8")
    given = {"database_url": f"sqlite:///{folder / 'reminders.db'}", "secret_key_file": folder / "reminders.key"}
    return load_settings(file, **given)


def found(read: Settings) -> dict[str, Check]:
    return {check.name: check for check in access_checks(Examined(read, INVITED))}


def test_what_init_made_is_its_owners_alone(folder: Path) -> None:
    checks = {check.name: check for check in doctor(settings(folder), SetClock(INVITED))}
    assert checks["database access"].ok is True
    assert {"database folder", "settings file"} & checks.keys() == set()


@pytest.mark.parametrize("suffix", ["", "-shm"])
@pytest.mark.parametrize(("mode", "ok"), [(0o640, None), (0o604, False)])
def test_a_database_that_others_may_read_is_wrong_and_one_of_a_group_is_doubtful(
    folder: Path,
    suffix: str,
    mode: int,
    ok: bool | None,  # noqa: FBT001 - what is expected
) -> None:
    path = folder / f"reminders.db{suffix}"
    path.chmod(mode)
    check = found(settings(folder))["database access"]
    assert check.ok is ok
    assert f"{path} (mode {mode:04o})" in check.said
    assert f"run `chmod 600 {path}`" in check.advice


@pytest.mark.parametrize(
    ("mode", "ok"),
    [(0o755, None), (0o750, None), (0o770, None), (0o775, None), (0o777, False), (0o1777, None)],
)
def test_a_folder_that_others_may_look_into_or_change_is_told(folder: Path, mode: int, ok: bool | None) -> None:  # noqa: FBT001 - what is expected
    folder.chmod(mode)
    check = found(settings(folder))["database folder"]
    assert check.ok is ok
    assert f"`chmod 700 {folder}`" in check.advice


@pytest.mark.parametrize("line", SECRETS)
def test_settings_with_a_secret_that_others_may_read_are_wrong(folder: Path, line: str) -> None:
    read = settings(folder, line)
    file = folder / "reminders.toml"
    file.chmod(0o644)
    check = found(read)["settings file"]
    assert (check.ok, check.advice) == (False, f"run `chmod 600 {file}`")
    file.chmod(0o640)
    assert found(read)["settings file"].ok is None, "a service's own group reads what root keeps"
    file.chmod(0o600)
    assert found(read)["settings file"].ok is True


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root gives files away")
def test_settings_of_another_user_are_not_taken_from_who_runs_the_program(folder: Path) -> None:
    read = settings(folder, SECRETS[0])
    file = folder / "reminders.toml"
    file.chmod(0o644)
    os.chown(file, 12_345, -1)
    assert f"chown USER {file}" in found(read)["settings file"].advice


def test_settings_without_a_secret_are_anybodys_to_read(folder: Path) -> None:
    read = settings(folder, 'base_url = "https://reminders.clinic.example"', 'smtp_url = "file:outbox"')
    (folder / "reminders.toml").chmod(0o644)
    assert "settings file" not in found(read)
