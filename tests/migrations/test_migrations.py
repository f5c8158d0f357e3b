"""Migrations: they build exactly the tables the code names, and touch nothing that is not an older version of ours."""

import datetime as dt
import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from reminders.store import answers
from reminders.store.database import (
    Database,
    check_ready,
    create_or_upgrade,
    current_revision,
    head_revision,
    quick_check,
)
from reminders.store.engine import WRITES, open_engine
from reminders.store.facts import facts
from reminders.store.faults import (
    DatabaseCorrupt,
    DatabaseDamaged,
    DatabaseMissing,
    DatabaseNewer,
    DatabaseOlder,
    NotOurDatabase,
)
from reminders.store.migrating import NoSuchFolder, alembic_config
from reminders.store.schema import metadata
from tests.support.revisions import bring_to


def _run(path: Path, *statements: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    with connection:
        found = [connection.execute(statement).fetchall() for statement in statements]
    connection.close()
    return found[-1] if found else []


def _at_revision(path: Path, revision: str) -> str:
    """Make a database as the version of `revision` left it; return its URL."""
    _run(path, "PRAGMA user_version = 0", "CREATE TABLE x (y)", "DROP TABLE x")
    url = f"sqlite:///{path}"
    bring_to(url, revision)
    return url


def test_the_migrations_build_what_the_code_names(database_url: str) -> None:
    engine = open_engine(database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_the_conditions_of_the_indexes_are_those_the_code_names(database_path: Path, tmp_path: Path) -> None:
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name"
    plain = tmp_path / "plain.db"
    _run(plain, "CREATE TABLE x (y)", "DROP TABLE x")
    engine = open_engine(f"sqlite:///{plain}")
    with engine.connect() as connection:
        writer = connection.execution_options(**{WRITES: True})
        with writer.begin():
            metadata.create_all(writer)
    engine.dispose()
    assert _run(database_path, query) == _run(plain, query)


def test_a_new_database_is_ready_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/reminders.db"
    assert create_or_upgrade(url) is None
    check_ready(url)
    assert current_revision(url) == head_revision()
    assert [path.name for path in tmp_path.iterdir()] == ["reminders.db"]
    assert stat.S_IMODE((tmp_path / "reminders.db").stat().st_mode) == 0o600


def test_a_database_that_is_ready_stays_as_it_is(database_url: str, database_path: Path) -> None:
    before = database_path.read_bytes()
    assert create_or_upgrade(database_url) == head_revision()
    assert database_path.read_bytes() == before
    assert list(database_path.parent.glob("*before*")) == []


@pytest.mark.parametrize("revision", ["0001", "0002", "0003"])
def test_an_older_database_is_refused_until_it_is_upgraded_and_a_copy_is_kept(tmp_path: Path, revision: str) -> None:
    path = tmp_path / "reminders.db"
    url = _at_revision(path, revision)
    _run(path, "INSERT INTO protocols VALUES ('face', 1, '{}', '2026-01-01', '2026-01-01 00:00:00.000000')")
    with pytest.raises(DatabaseOlder):
        check_ready(url)
    assert create_or_upgrade(url) == revision
    check_ready(url)
    copy = tmp_path / f"reminders.db.before-{head_revision()}"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert _run(copy, "SELECT version_num FROM alembic_version") == [(revision,)]
    for each in (path, copy):
        assert _run(each, "SELECT code FROM protocols") == [("face",)]
    assert quick_check(url) == ()


def test_answers_that_staff_entered_before_need_to_be_announced_to_nobody(tmp_path: Path) -> None:
    path = tmp_path / "reminders.db"
    url = _at_revision(path, "0003")
    _run(
        path,
        "INSERT INTO clinics (id, slug, name, timezone, email, language, sending_days, opens_at, closes_at, created_at)"
        " VALUES (1, 'north', 'North', 'UTC', 'desk@north.test', 'en', '0', 0, 1440, '2026-05-01 09:00:00.000000')",
        "INSERT INTO patients (id, clinic_id, ref, consent, status, created_at)"
        " VALUES (1, 1, '1', 'granted', 'active', '2026-05-01 09:00:00.000000')",
        "INSERT INTO answers (clinic_id, patient_id, kind, at, closed_at) VALUES"
        " (1, 1, 'replied', '2026-05-01 09:00:00.000000', NULL),"
        " (1, 1, 'replied', '2026-05-01 09:00:00.000000', '2026-05-02 09:00:00.000000')",
    )
    assert create_or_upgrade(url) == "0003"
    query = "SELECT announced_at, withdrawn_at, message_pk, lines FROM answers"
    assert _run(path, query) == [("2026-05-01 09:00:00.000000", None, None, None)] * 2
    database = Database(url)
    with database.read(dt.datetime(2026, 6, 1, tzinfo=dt.UTC)) as tx:
        assert answers.unannounced(tx) == {}
        assert [one.kind for one in answers.open_answers(tx, 1)] == ["replied"]
        assert [one.lines for one in facts(tx, [1])[1].answers] == [None]
    database.close()


def test_an_upgrade_remembers_the_latest_moment_that_was_recorded(tmp_path: Path) -> None:
    """A clock that is wrong at the first delivery after it is then found out."""
    path = tmp_path / "reminders.db"
    url = _at_revision(path, "0004")
    _run(
        path,
        "INSERT INTO installation VALUES (1, 'an id', x'00', '2026-01-05 09:00:00.000000')",
        "INSERT INTO audit (id, at, actor, action, subject, mac)"
        " VALUES (1, '2026-02-05 09:00:00.000000', 'cli', 'add', 'clinic', '')",
    )
    assert create_or_upgrade(url) == "0004"
    assert _run(path, "SELECT seen_at FROM installation") == [("2026-02-05 09:00:00.000000",)]


def test_a_newer_database_is_refused_and_stays_as_it_is(database_url: str, database_path: Path) -> None:
    _run(database_path, "UPDATE alembic_version SET version_num = '9999'")
    before = database_path.read_bytes()
    with pytest.raises(DatabaseNewer):
        check_ready(database_url)
    with pytest.raises(DatabaseNewer):
        create_or_upgrade(database_url)
    assert database_path.read_bytes() == before


def test_a_missing_database_is_said_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(DatabaseMissing):
        check_ready(f"sqlite:///{tmp_path}/reminders.db")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(NoSuchFolder):
        create_or_upgrade(f"sqlite:///{tmp_path}/nowhere/reminders.db")


@pytest.mark.parametrize("content", [b"", b"name,email\n", b"SQLite format 3\x00" + b"\xff" * 5000], ids=len)
def test_a_file_that_is_no_database_is_refused_and_stays_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "reminders.db"
    path.write_bytes(content)
    for look in (check_ready, create_or_upgrade):
        with pytest.raises(DatabaseCorrupt):
            look(f"sqlite:///{path}")
    assert path.read_bytes() == content


def test_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "reminders.db").mkdir()
    with pytest.raises(DatabaseCorrupt):
        create_or_upgrade(f"sqlite:///{tmp_path}/reminders.db")


@pytest.mark.parametrize("table", ["patients", "alembic_version"])
def test_a_database_of_something_else_is_refused_and_stays_as_it_is(tmp_path: Path, table: str) -> None:
    path = tmp_path / "reminders.db"
    _run(path, f"CREATE TABLE {table} AS SELECT '0001' AS version_num")
    for look in (check_ready, create_or_upgrade):
        with pytest.raises(NotOurDatabase):
            look(f"sqlite:///{path}")
    assert _run(path, "SELECT name FROM sqlite_master") == [(table,)]


@pytest.mark.parametrize("page", [0, 1, 2])
def test_a_damaged_database_is_found(database_url: str, database_path: Path, page: int) -> None:
    content = bytearray(database_path.read_bytes())
    start = page * 4096 + (100 if page == 0 else 0)
    content[start : start + 60] = b"\xff" * 60
    database_path.write_bytes(content)
    try:
        check_ready(database_url)
    except (DatabaseCorrupt, DatabaseDamaged):
        pass
    else:
        assert quick_check(database_url) != ()


def test_an_init_killed_at_any_moment_leaves_a_whole_database_or_none(tmp_path: Path) -> None:
    path = tmp_path / "reminders.db"
    program = (
        "import os, signal, sys\n"
        "from reminders.store import migrating\n"
        "from sqlalchemy import event\n"
        "from sqlalchemy.engine import Engine\n"
        "seen = []\n"
        "def count(*_):\n"
        "    seen.append(1)\n"
        "    if len(seen) == int(sys.argv[2]):\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "event.listen(Engine, 'before_cursor_execute', count)\n"
        "event.listen(Engine, 'commit', count)\n"
        "migrating.create_or_upgrade(sys.argv[1])\n"
    )
    for moment in ("1", "3", "30", "60", "68"):
        arguments = [sys.executable, "-c", program, f"sqlite:///{path}", moment]
        done = subprocess.run(arguments, check=False, timeout=60)
        assert done.returncode in (-signal.SIGKILL, 0)
        if done.returncode == 0:
            break
        assert not path.exists()
    if not path.exists():
        assert create_or_upgrade(f"sqlite:///{path}") is None
    check_ready(f"sqlite:///{path}")


def test_there_is_one_line_of_revisions_and_none_goes_back_on_its_own() -> None:
    script = ScriptDirectory.from_config(alembic_config())
    assert script.get_heads() == [head_revision()]
    assert [one.revision for one in script.walk_revisions()] == ["0007", "0006", "0005", "0004", "0003", "0002", "0001"]
    named = [Path(one.path).name.partition("_")[0] for one in script.walk_revisions()]
    assert named == [one.revision for one in script.walk_revisions()], (
        "a database's revision is known by the files' names"
    )


def test_two_that_make_the_same_database_end_with_one(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/reminders.db"
    program = "import sys; from reminders.store.database import create_or_upgrade; create_or_upgrade(sys.argv[1])"
    both = [subprocess.Popen([sys.executable, "-c", program, url], stderr=subprocess.PIPE) for _ in range(2)]
    said = [one.communicate(timeout=60)[1] for one in both]
    assert 0 in [one.returncode for one in both], said
    check_ready(url)
    assert [path.name for path in tmp_path.iterdir()] == ["reminders.db"]
    database = Database(url)
    database.close()
