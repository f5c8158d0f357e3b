"""Faults: a database of a version that knew of no places is upgraded, or an old copy of one is."""

import datetime as dt
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from reminders.store.packing import unpack
from tests.cli.desk import Desk, assert_a_sentence
from tests.support.clinic import FOLLOW_UP_AT, INVITED_AT

BEFORE = "0004"
ADDED = ("home", "seen_at", "seen_boot", "locked_at", "locked_because", "doubtful_before")


@pytest.fixture
def older(desk: Desk) -> Desk:
    """Return an installation that sent an invitation under a version that knew of no places."""
    desk.clock.set(INVITED_AT)
    assert desk.json("deliver")["sent"] == 1
    _forget_places(desk.database)
    _state_file(desk).unlink()
    return desk


def _forget_places(database: Path) -> None:
    """Leave the tables as the version before made them, with what it recorded."""
    with closing(sqlite3.connect(database)) as connection:
        for key, packed in connection.execute("SELECT id, content FROM messages WHERE packed").fetchall():
            connection.execute("UPDATE messages SET content = ? WHERE id = ?", (unpack(packed, None), key))
        connection.commit()
        for table in ("places", "heartbeats", "clinic_transports"):
            connection.execute(f"DROP TABLE {table}")
        for column in ("ramp", "level", "level_at"):
            connection.execute(f"ALTER TABLE transports DROP COLUMN {column}")
        connection.executescript("ALTER TABLE messages DROP COLUMN pattern_id; ALTER TABLE messages DROP COLUMN packed")
        connection.executescript("DROP TABLE patterns")
        for column in ADDED:
            connection.execute(f"ALTER TABLE installation DROP COLUMN {column}")
        connection.execute("UPDATE alembic_version SET version_num = ?", (BEFORE,))
        connection.commit()


def _state_file(desk: Desk) -> Path:
    return desk.folder / ".reminders.db.place"


def _copied(desk: Desk) -> Path:
    with closing(sqlite3.connect(desk.database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return Path(shutil.copyfile(desk.database, desk.folder / "kept.db"))


def refused(desk: Desk) -> str:
    """Return the sentence with which a delivery ends 1."""
    done = desk.type("deliver")
    assert done.exit_code == 1, done.output
    assert_a_sentence(done)
    return done.stderr


def test_an_upgrade_of_the_database_in_use_is_trusted(older: Desk) -> None:
    older.clock.advance(hours=20)
    assert "in use within a day" in older.run("init")
    assert _state_file(older).exists()
    older.clock.set(FOLLOW_UP_AT)
    assert older.json("deliver")["sent"] == 1


def test_an_old_copy_that_init_upgrades_is_locked(older: Desk) -> None:
    older.clock.advance(days=2)
    said = older.run("init")
    assert "Look at this first: sending: locked since" in said
    assert "`reminders unlock --as moved --why CODE`" in said
    assert "in use within a day" not in said
    assert "--as restored" in refused(older)
    older.run("unlock", "--as", "moved", "--why", "after-the-holidays")
    older.clock.set(FOLLOW_UP_AT)
    assert older.json("deliver")["sent"] == 1


def test_an_old_copy_put_back_over_the_upgraded_one_is_locked(older: Desk) -> None:
    copy = _copied(older)
    older.run("init")
    older.clock.advance(hours=1)
    older.run("deliver")
    shutil.copyfile(copy, older.database)
    older.clock.advance(hours=1)
    assert "messages went out that this database does not know of" in older.run("init")
    assert "--as restored" in refused(older)


def test_only_the_init_that_upgrades_is_a_word_for_it(older: Desk) -> None:
    """A crash between the upgrade and its last step leaves what a copy looks like."""
    older.run("init")
    with closing(sqlite3.connect(older.database)) as connection:
        connection.executescript("DELETE FROM places; UPDATE installation SET home = NULL")
    _state_file(older).unlink()
    assert "sending: the next delivery will lock it" in older.run("init")
    assert "--as moved" in refused(older)


def test_an_upgrade_of_what_never_sent_is_at_home_where_it_delivers_first(desk: Desk) -> None:
    _forget_places(desk.database)
    desk.clock.set(INVITED_AT + dt.timedelta(minutes=1))
    desk.run("init")
    assert desk.json("deliver")["sent"] == 1
