"""Transactions on a real file: whole or not at all, one writer, one state for a reader, and no data in an error."""

import datetime as dt
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from reminders.store import clinics, patients
from reminders.store.columns import NaiveMoment
from reminders.store.database import Database, Transaction
from reminders.store.engine import BadDatabaseUrl
from reminders.store.faults import (
    DatabaseBusy,
    DatabaseCorrupt,
    DatabaseDamaged,
    DatabaseMissing,
    DatabaseUnwritable,
    DiskFull,
    EntryRefused,
)
from reminders.store.schema import transports
from tests.store.clinic import NOW, a_clinic, a_patient


def _slugs(database: Database) -> list[str]:
    with database.read(NOW) as tx:
        return [clinic.slug for clinic in clinics.all_clinics(tx)]


def test_what_a_block_wrote_is_there_when_it_ends(database: Database) -> None:
    with database.write(NOW, "cli") as tx:
        a_clinic(tx)
    assert _slugs(database) == ["linden"]


def test_a_block_that_raises_leaves_nothing(database: Database) -> None:
    with suppress(RuntimeError), database.write(NOW, "cli") as tx:
        a_clinic(tx)
        raise RuntimeError
    assert _slugs(database) == []


def test_a_reader_sees_one_state_while_another_writes(database: Database) -> None:
    with database.read(NOW) as tx:
        before = clinics.all_clinics(tx)
        with database.write(NOW, "cli") as writer:
            a_clinic(writer)
        assert clinics.all_clinics(tx) == before == []
    assert _slugs(database) == ["linden"]


def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises(DatabaseUnwritable), database.read(NOW) as tx:
        a_clinic(tx)
    with database.write(NOW, "cli") as tx:
        a_clinic(tx)


def test_a_second_writer_waits_and_then_says_that_the_database_is_busy(database: Database, database_url: str) -> None:
    impatient = Database(database_url, busy_ms=20)
    with database.write(NOW, "cli"), pytest.raises(DatabaseBusy), impatient.write(NOW, "deliver"):
        pass
    with impatient.write(NOW, "deliver") as tx:
        a_clinic(tx)
    impatient.close()


def test_the_moment_of_a_write_is_asked_once_the_database_is_ours(database: Database, database_url: str) -> None:
    """Who waited for another writer must not record a moment from before what the other did."""
    impatient = Database(database_url, busy_ms=1)
    held = []

    def now() -> dt.datetime:
        with pytest.raises(DatabaseBusy), impatient.write(NOW, "cli"):
            pass
        held.append(True)
        return NOW

    with database.write(now, "cli") as tx:
        assert (tx.now, held) == (NOW, [True])
    impatient.close()


def test_two_writers_that_read_before_they_write_lose_nothing(database: Database, database_url: str) -> None:
    with database.write(NOW, "cli") as tx:
        tx.connection.execute(insert(transports), {"name": "count", "faults": 0, "changed_at": NOW})

    def count() -> None:
        own = Database(database_url)
        for _ in range(50):
            with own.write(NOW, "deliver") as tx:
                seen = tx.connection.execute(select(transports.c.faults)).scalar_one()
                tx.connection.execute(transports.update().values(faults=seen + 1))
        own.close()

    threads = [threading.Thread(target=count) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read(NOW) as tx:
        assert tx.connection.execute(select(transports.c.faults)).scalar_one() == 150


def test_a_writer_killed_in_its_block_leaves_nothing(database: Database, database_url: str) -> None:
    program = (
        "import os, signal, sys\n"
        "from reminders.store.database import Database\n"
        "from tests.store.clinic import NOW, a_clinic, a_patient\n"
        "with Database(sys.argv[1]).write(NOW, 'cli') as tx:\n"
        "    clinic = a_clinic(tx)\n"
        "    for number in range(500):\n"
        "        a_patient(tx, clinic, str(number))\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, database_url], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert _slugs(database) == []
    with database.write(NOW, "cli") as tx:
        a_clinic(tx)


def test_a_moment_without_a_zone_is_refused(database: Database) -> None:
    naive = dt.datetime(2026, 3, 2, 9)  # noqa: DTZ001 - the mistake under test
    with pytest.raises(NaiveMoment), database.read(naive):
        pass
    with pytest.raises(NaiveMoment), database.write(naive, "cli"):
        pass
    with database.write(NOW, "cli") as tx:
        clinic = a_clinic(tx)
    with pytest.raises(Exception, match="NaiveMoment"), database.write(NOW, "cli") as tx:
        clinics.change_clinic(tx, clinic.id, {"paused_at": naive})


def test_a_moment_comes_back_in_utc_whatever_zone_it_was_given_in(database: Database) -> None:
    east = NOW.astimezone(dt.timezone(dt.timedelta(hours=9, minutes=30)))
    with database.write(east, "cli") as tx:
        clinic = a_clinic(tx)
        patient = a_patient(tx, clinic)
    with database.read(NOW) as tx:
        found = patients.patient_by_id(tx, patient.id)
    assert found.created_at == NOW == clinic.created_at == patient.created_at
    assert found.created_at.tzinfo is patient.created_at.tzinfo is dt.UTC


@pytest.mark.usefixtures("sqlite_url")  # which these settings are of
def test_every_connection_keeps_the_promises_of_the_file(database: Database) -> None:
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1, "trusted_schema": 0}
    with database.write(NOW, "cli") as first, database.read(NOW) as second:
        for tx in (first, second):
            found = {name: tx.connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in wanted}
            assert found == wanted


def test_an_error_shows_neither_a_value_nor_a_statement(database: Database) -> None:
    with database.write(NOW, "cli") as tx:
        a_patient(tx, a_clinic(tx), "1001", given_name="Hildegard")
    with pytest.raises(EntryRefused) as refused, database.write(NOW, "cli") as tx:
        a_patient(tx, clinics.all_clinics(tx)[0], "1001", given_name="Hildegard")
    said = str(refused.value)
    assert "Hildegard" not in said
    assert "1001" not in said
    assert "INSERT" not in said
    assert refused.value.__suppress_context__


@pytest.mark.usefixtures("sqlite_url")  # which alone can be told how large it may grow
def test_a_full_disk_is_said_and_leaves_what_was(database: Database) -> None:
    with pytest.raises(DiskFull), database.write(NOW, "cli") as tx:
        _fill_a_small_disk(tx)
    assert _slugs(database) == []


def _fill_a_small_disk(tx: Transaction) -> None:
    pages = tx.connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    tx.connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 5}")
    clinic = a_clinic(tx)
    for number in range(500):
        a_patient(tx, clinic, str(number), phone="0" * 200)


def test_a_damaged_page_is_said(database: Database, database_path: Path) -> None:
    database.close()
    content = bytearray(database_path.read_bytes())
    for start in range(8192, len(content), 4096):
        content[start : start + 100] = b"\xff" * 100
    database_path.write_bytes(content)
    with pytest.raises(DatabaseDamaged), database.write(NOW, "cli") as tx:
        a_clinic(tx)


def test_a_missing_file_is_never_created(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/nothing.db")
    with pytest.raises(DatabaseMissing), database.read(NOW):
        pass
    assert list(tmp_path.iterdir()) == []


def test_an_empty_file_stays_empty(tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()
    database = Database(f"sqlite:///{tmp_path}/empty.db")
    with pytest.raises(DatabaseCorrupt), database.write(NOW, "cli"):
        pass
    assert (tmp_path / "empty.db").read_bytes() == b""


def test_a_file_with_odd_characters_in_its_path_is_the_file_that_is_meant(migrated_file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "a b#c?%41"
    folder.mkdir()
    path = folder / "día.db"
    path.write_bytes(migrated_file.read_bytes())
    database = Database(f"sqlite:///{tmp_path}/a b#c%3F%2541/día.db")
    with database.write(NOW, "cli") as tx:
        a_clinic(tx)
    database.close()
    with sqlite3.connect(path) as plain:
        assert plain.execute("SELECT count(*) FROM clinics").fetchone() == (1,)
    plain.close()


@pytest.mark.parametrize("url", ["", "reminders.db", "sqlite://", "sqlite:///:memory:", "mysql://host/name"])
def test_a_url_that_names_no_database_of_ours_is_refused(url: str) -> None:
    with pytest.raises(BadDatabaseUrl):
        Database(url)


def test_the_shown_url_has_no_password() -> None:
    database = Database("postgresql://desk:secret@db.test:5432/clinic?password=other")
    assert database.url == "postgresql://desk:***@db.test:5432/clinic"
