"""Whole exports: the documented commands work, a second run changes nothing, a killed run is simply run again."""

import datetime as dt
import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from reminders.domain.facts import Kind
from reminders.mail.address import normalise
from reminders.services import record
from reminders.services.find import the_clinic
from reminders.services.importing import entries as import_entries
from reminders.services.keys import Keys
from reminders.services.record import Entry
from reminders.store import patients, treatments
from reminders.store.audit_trail import verify
from reminders.store.database import Database, Transaction
from tests.services.import_desk import FACE, PEPPER, Desk, counts, day_ago, starter, visit
from tests.services.import_exports import UK, US, Shape, documented_options, services_named, write_export

KILLED_AT = {"in the first thousand": ("keys", 40), "between": ("store", 1), "in the last": ("keys", 590)}


@pytest.mark.parametrize("shape", [UK, US], ids=["uk", "us"])
def test_the_documented_commands_bring_in_an_export_of_their_shape(desk: Desk, shape: Shape) -> None:
    path = write_export(desk.folder / "visits.csv", shape, rows=400, patients=150)
    options = documented_options(shape.values)
    report = desk.bring(path, **options, errors=desk.folder / "rejected.csv")
    assert (report.rows, report.rejected, report.ignored_columns) == (400, 0, ())
    assert set(report.new_practitioners) <= set(shape.staff)
    assert report.planned > 0
    assert report.unreachable["no_consent"] > 0
    assert counts(desk.bring(path, **options)) == (0, 0, 400, 0)


@pytest.mark.parametrize("shape", [UK, US], ids=["uk", "us"])
def test_without_a_values_file_every_service_is_listed_once(desk: Desk, shape: Shape) -> None:
    path = write_export(desk.folder / "visits.csv", shape, rows=100, patients=50)
    report = desk.bring(path, **(documented_options(shape.values) | {"values": None}), dry_run=True)
    assert report.rejected == report.rows == 100
    assert {name for name, _ in report.unmapped_services} == set(services_named(shape.values))


def test_a_dry_run_says_what_the_import_then_does(desk: Desk) -> None:
    path = write_export(desk.folder / "visits.csv", UK, rows=1500, patients=400)
    before = desk.everything()
    options = documented_options(UK.values)
    dry = desk.bring(path, **options, dry_run=True).as_plain()
    assert desk.everything() == before
    real = desk.bring(path, **options).as_plain()
    differ = {key for key in real if dry[key] != real[key]}
    assert differ == {"dry_run", "next_steps"}
    assert dry["held_as_backlog"]


def test_what_was_due_long_ago_is_held_whatever_part_of_the_file_it_stands_in(desk: Desk) -> None:
    old = [visit(f"{n}", days_ago=79, birth_date="1980-01-01") for n in range(60)]
    later = [visit(f"{n}", days_ago=2) for n in range(100, 1_100)]
    last = [visit(f"{n}", days_ago=79) for n in range(2_000, 2_010)]
    report = desk.rows(*last, *later, *old)
    assert report.held_as_backlog == 70
    assert ("invitation", "held", "backlog_hold") in desk.reminders("2005")


def test_f35_a_file_in_another_order_or_in_overlapping_parts_changes_nothing(desk: Desk) -> None:
    path = write_export(desk.folder / "visits.csv", UK, rows=300, patients=100)
    options = documented_options(UK.values)
    desk.bring(path, **options)
    before = desk.everything()
    header, *lines = path.read_bytes().split(b"\r\n")[:-1]
    random.Random(3).shuffle(lines)
    for part in (lines, lines[:200], lines[100:]):
        again = desk.bring(b"\r\n".join((header, *part, b"")), **options)
        assert (again.added, again.rejected) == (0, 0)
    assert desk.everything() == before


@pytest.mark.parametrize("where", KILLED_AT)
def test_f36_killed_half_way_and_run_again_it_is_as_if_it_had_never_been_killed(
    desk: Desk, migrated_file: Path, tmp_path: Path, where: str
) -> None:
    path = write_export(desk.folder / "visits.csv", UK, rows=2_300, patients=700)
    clean = tmp_path / "clean"
    clean.mkdir()
    other = Desk(Database(_copy(migrated_file, clean)), clean)
    other.bring(path, **documented_options(UK.values))
    child = [
        sys.executable,
        "-m",
        "tests.services.import_child",
        desk.database.address,
        str(path),
        *map(str, KILLED_AT[where]),
    ]
    done = subprocess.run(child, check=False, env=os.environ | {"TMPDIR": str(clean)}, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert [left.name for left in clean.iterdir() if left.name.startswith("reminders-")] == []
    assert desk.everything() != other.everything()
    report = desk.bring(path, **documented_options(UK.values))
    assert report.rejected == 0
    assert desk.everything() == other.everything()
    with desk.reading() as tx:
        assert verify(tx) is None


def _copy(source: Path, folder: Path) -> str:
    target = folder / "clean.db"
    with sqlite3.connect(source) as old, sqlite3.connect(target) as new:
        old.backup(new)
    old.close()
    new.close()
    return f"sqlite:///{target}"


def test_entering_many_finds_the_same_episodes_as_entering_one_by_one(desk: Desk) -> None:
    protocols = {protocol.code: protocol for protocol in starter()}
    codes = (FACE, "botulinum-cosmetic-long", "botulinum-migraine", "filler-lips")
    chance = random.Random(5)
    visits = [(chance.randrange(3), chance.choice(codes), day_ago(chance.randrange(6) * 40)) for _ in range(40)]
    with desk.writing() as tx:
        clinic = the_clinic(tx, "clinic")
        refs = [f"{way}{n}" for way in ("one", "many") for n in range(3)]
        ids = patients.add_patients(tx, clinic.id, [(ref, {}) for ref in refs])

    def entry(way: str, who: int, code: str, day: dt.date) -> Entry:
        return Entry(clinic.id, ids[f"{way}{who}"], protocols[code], day, Kind.TREATMENT, None, None)

    for part in (visits[:15], visits[15:30], visits[30:]):
        with desk.writing() as tx:
            for one in part:
                record.enter(tx, entry("one", *one))
            import_entries.enter_many(tx, clinic.id, [entry("many", *one) for one in part])
            _void_the_oldest(tx, ids.values())
    for n in range(3):
        assert _grouped(desk, f"one{n}") == _grouped(desk, f"many{n}")


def _void_the_oldest(tx: Transaction, patient_ids: Iterable[int]) -> None:
    """Withdraw the entries of everyone's oldest day, so that there are vacant episodes to be found."""
    for patient_id in patient_ids:
        rows = treatments.treatments_of(tx, patient_id)
        for row in rows:
            if row.day == rows[0].day:
                treatments.withdraw(tx, row.id)


def _grouped(desk: Desk, ref: str) -> list[list[tuple[str, dt.date]]]:
    """Return the entries of every episode, voided ones too."""
    episodes: dict[int | None, list[tuple[str, dt.date]]] = {}
    for row in desk.treatments(ref, withdrawn=True):
        episodes.setdefault(row.episode_id, []).append((row.protocol, row.day))
    return sorted(sorted(entries) for entries in episodes.values())


def test_an_address_is_suppressed_under_the_same_key_as_one_typed_in(desk: Desk) -> None:
    desk.rows({"patient_ref": "1", "email": "Ann.Moss@POST.Example"})
    found = desk.patient("1")
    assert found.address_key == Keys(PEPPER).address_key(normalise("Ann.Moss@POST.Example"))
    assert found.address_key == desk.add_patient("2", email="ann.moss@post.example").address_key
