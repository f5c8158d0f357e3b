"""Locking, unlocking and backing up, as they are typed."""

import datetime as dt
import json
import shutil
import sqlite3
from contextlib import closing

import pytest

from tests.cli.desk import Desk, assert_a_sentence
from tests.support.clinic import INVITED_AT


@pytest.fixture
def restored(desk: Desk) -> Desk:
    """Return an installation that sent an invitation, and whose backup from before was put back."""
    desk.run("backup", str(desk.folder / "kept.db"))
    desk.clock.set(INVITED_AT)
    assert desk.json("deliver")["sent"] == 1
    shutil.copyfile(desk.folder / "kept.db", desk.database)
    return desk


def refused(desk: Desk, *args: str) -> str:
    """Return the sentence with which a command ends 1."""
    done = desk.type(*args)
    assert done.exit_code == 1, done.output
    assert_a_sentence(done)
    return done.stderr


def test_a_restored_backup_is_locked_and_unlocked_by_the_sentences_it_prints(restored: Desk) -> None:
    assert "reminders unlock --as restored" in refused(restored, "deliver")
    said = restored.run("unlock", "--as", "restored", "--why", "disk-crash")
    assert "1 reminder held" in said
    assert "opt-outs first" in said
    assert restored.json("deliver")["sent"] == 0
    assert len(restored.outbox()) == 1
    assert restored.json("audit")["sound"] is True


def test_facts_are_still_recorded_while_sending_is_locked(restored: Desk) -> None:
    refused(restored, "deliver")
    restored.run("patient", "set", "--clinic", "north", "--patient", "1001", "--opt-out", "all")
    assert {row["state"] for row in restored.json("list")} == {"cancelled"}


def test_the_doctor_foresees_a_lock_and_tells_of_it(restored: Desk) -> None:
    def sending() -> dict[str, object]:
        done = restored.type("doctor", "--json")
        return next(check for check in json.loads(done.stdout)["checks"] if check["name"] == "sending")

    before = restored.content()
    foreseen = sending()
    assert foreseen["ok"] is False
    assert "next delivery will lock it" in str(foreseen["said"])
    assert restored.content() == before
    refused(restored, "deliver")
    told = sending()
    assert (told["ok"], "locked since 2026-03-23" in str(told["said"])) == (False, True)
    assert str(told["advice"]).startswith("Run `reminders unlock --as restored --why CODE`")
    restored.run("unlock", "--as", "restored", "--why", "seen")
    assert sending()["ok"] is True


def test_unlocking_prints_json_and_refuses_what_does_not_fit(restored: Desk) -> None:
    said = restored.fails(1, "unlock", "--as", "moved", "--why", "x")
    assert "another reason: messages went out that this database does not know of" in said
    refused(restored, "deliver")
    assert "--as restored" in restored.fails(1, "unlock", "--as", "clock", "--why", "x")
    restored.fails(3, "unlock", "--as", "restored", "--why", "a long story")
    restored.fails(2, "unlock", "--as", "somehow", "--why", "x")
    told = restored.json("unlock", "--as", "restored", "--why", "disk-crash")
    assert told == {"because": "restored", "as": "restored", "held": 1}


def test_plan_and_deliver_end_1_under_a_clock_that_jumped(desk: Desk) -> None:
    desk.run("deliver")
    desk.clock.advance(days=5000)
    for command in ("plan", "deliver"):
        assert "reminders unlock --as clock" in refused(desk, command)
    assert {row["state"] for row in desk.json("list")} == {"planned"}
    desk.clock.set(INVITED_AT)
    desk.run("unlock", "--as", "clock", "--why", "battery")
    assert desk.json("deliver")["sent"] == 1


def test_a_state_folder_of_its_own_is_used_and_must_be_usable(desk: Desk) -> None:
    desk.env["REMINDERS_STATE"] = str(desk.folder / "state")
    desk.run("deliver")
    assert sorted(path.suffix for path in (desk.folder / "state").iterdir()) == [".place", ".sound"]
    (desk.folder / "file").touch()
    desk.env["REMINDERS_STATE"] = str(desk.folder / "file" / "state")
    assert "REMINDERS_STATE" in refused(desk, "deliver")


def test_a_backup_is_whole_private_and_says_how_it_is_put_back(desk: Desk) -> None:
    copy = desk.folder / "kept.db"
    said = desk.run("backup", str(copy))
    assert "To put it back" in said
    assert "kB" in said
    assert copy.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(copy)) as kept:
        assert kept.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert kept.execute("SELECT count(*) FROM reminders").fetchone() == (3,)
    assert [path.name for path in desk.folder.glob("*kept*")] == ["kept.db"]
    assert [path.name for path in desk.folder.glob(".kept*")] == []


def test_a_backup_replaces_nothing_and_needs_its_folder(desk: Desk) -> None:
    there = desk.folder / "there.db"
    there.write_text("something else")
    desk.fails(3, "backup", str(there))
    assert there.read_text() == "something else"
    desk.fails(3, "backup", str(desk.folder / "nowhere" / "kept.db"))
    desk.fails(3, "backup", str(desk.database))


def test_a_backup_tells_its_place_and_size_in_json(desk: Desk) -> None:
    copy = desk.folder / "kept.db"
    assert desk.json("backup", str(copy)) == {"file": str(copy), "bytes": copy.stat().st_size}


def test_a_moved_folder_is_unlocked_once(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> None:
    desk.run("deliver")
    there = tmp_path_factory.mktemp("moved") / "there"
    shutil.copytree(desk.folder, there)
    moved = Desk(there, clock=desk.clock)
    moved.clock.advance(days=1)
    assert "--as moved" in refused(moved, "deliver")
    moved.run("unlock", "--as", "moved", "--why", "new-disk")
    moved.clock.set(INVITED_AT + dt.timedelta(minutes=1))
    assert moved.json("deliver")["sent"] == 1


def test_who_begins_anew_after_a_lost_key_writes_to_nobody_a_second_time(new_desk: Desk) -> None:
    new_desk.clock.set(INVITED_AT)
    new_desk.run("unlock", "--as", "restored", "--why", "key-lost")
    new_desk.open_for_business()
    assert new_desk.json("deliver")["sent"] == 0
    states = {one["step"]: one["state"] for one in new_desk.json("list")}
    assert states == {"invitation": "held", "follow_up": "planned", "last_call": "planned"}
