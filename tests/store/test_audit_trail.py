"""The audit trail: every change to it is found, and it never holds a person's data."""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
import pytest

from reminders.domain.lifecycle import State
from reminders.store import audit_trail, patients, reminders
from reminders.store.audit_trail import Event
from reminders.store.database import Database, create_or_upgrade
from tests.store.clinic import NOW, a_clinic, a_patient, planned
from tests.support.database import AUDIT_KEY, Copies
from tests.support.tampering import asked, past_the_rules


def _fill(database: Database, entries: int = 20) -> None:
    with database.write(NOW, "cli") as tx:
        for number in range(entries):
            audit_trail.record(tx, "change", "patient", number, patient_id=number, details={"fields": ["name"]})


def _verify(database: Database) -> int | None:
    with database.read(NOW) as tx:
        return audit_trail.verify(tx)


def test_a_trail_nobody_touched_verifies(database: Database) -> None:
    assert _verify(database) is None
    _fill(database)
    with database.write(NOW, "deliver") as tx:
        audit_trail.record_many(tx, [Event("sent", "reminder", number) for number in range(3000)])
    assert _verify(database) is None


def test_an_entry_is_signed_as_it_is_read_whatever_its_words(database: Database) -> None:
    with database.write(NOW.astimezone(ZoneInfo("Asia/Kolkata")), 'Zoë "the" \\ desk\n\x7f\u2028') as tx:
        audit_trail.record(tx, 'an "odd"\tact', "subject ñ", None, details={"b": [1, None, "é"], "a": {"y": 1, "x": 2}})
        audit_trail.record(tx, State.SENT, "reminder", 5, clinic_id=1, patient_id=2, details={})
    assert _verify(database) is None


@pytest.mark.parametrize(
    ("broken", "tamper"),
    [
        (7, "UPDATE audit SET actor = 'someone' WHERE id = 7"),
        (7, "UPDATE audit SET at = '2026-03-02 09:00:01.000000' WHERE id = 7"),
        (7, "UPDATE audit SET details = '{}' WHERE id = 7"),
        (7, "UPDATE audit SET details = NULL WHERE id = 7"),
        (7, "UPDATE audit SET subject_id = 99, patient_id = NULL WHERE id = 7"),
        (1, "UPDATE audit SET mac = 'x' WHERE id = 1"),
        (1, "DELETE FROM audit WHERE id = 1"),
        (5, "DELETE FROM audit WHERE id BETWEEN 5 AND 9"),
        (5, "UPDATE audit SET id = -11 + id WHERE id IN (5, 6); UPDATE audit SET id = -id WHERE id < 0"),
        (
            21,
            "INSERT INTO audit SELECT 21, at, NULL, 1, actor, 'x', 'y', 1, NULL, mac FROM audit LIMIT 1",
        ),
        (
            1,
            "INSERT INTO audit SELECT 0, at, NULL, 1, actor, 'x', 'y', 1, NULL, mac FROM audit LIMIT 1",
        ),
    ],
    ids=["actor", "moment", "details", "no details", "subject", "code", "first", "middle", "order", "end", "front"],
)
def test_a_change_past_the_database_is_found(database: Database, broken: int, tamper: str) -> None:
    _fill(database)
    past_the_rules(database, tamper.split("; "), triggers=False)
    assert _verify(database) == broken


def test_entries_cut_out_and_closed_up_are_found(database: Database) -> None:
    _fill(database)
    closed_up = [f"UPDATE audit SET id = {number - 2} WHERE id = {number}" for number in range(7, 21)]  # noqa: S608
    past_the_rules(database, ["DELETE FROM audit WHERE id IN (5, 6)", *closed_up], triggers=False)
    assert _verify(database) == 5


def test_an_entry_of_another_history_with_the_same_key_is_found(database: Database, copies: Copies) -> None:
    other = Database(copies.copy(create_or_upgrade, "other"), audit_key=AUDIT_KEY)
    for each, actor in ((database, "cli"), (other, "import")):
        for number in range(5):
            with each.write(NOW, actor) as tx:
                audit_trail.record(tx, "change", "patient", number)
    [(mac,)] = asked(other, "SELECT mac FROM audit WHERE id = 3")
    other.close()
    other_entry = f"UPDATE audit SET actor = 'import', mac = '{mac}' WHERE id = 3"  # noqa: S608
    past_the_rules(database, [other_entry], triggers=False)
    assert _verify(database) == 3


@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'x'", "DELETE FROM audit WHERE id = 20"])
def test_the_database_itself_refuses_to_change_or_delete_an_entry(database: Database, statement: str) -> None:
    _fill(database)
    with pytest.raises((sqlite3.Error, psycopg.Error), match="the audit trail only grows"):
        past_the_rules(database, [statement])
    assert _verify(database) is None


def test_the_file_refuses_to_put_another_entry_in_the_place_of_one(database: Database, database_path: Path) -> None:
    _fill(database)
    with closing(sqlite3.connect(database_path)) as connection, pytest.raises(sqlite3.Error):
        connection.execute("REPLACE INTO audit SELECT 1")
    assert _verify(database) is None


def test_the_server_refuses_to_empty_the_trail(postgres_url: str) -> None:
    database = Database(postgres_url, audit_key=AUDIT_KEY)
    _fill(database)
    with pytest.raises(psycopg.Error, match="the audit trail only grows"):
        past_the_rules(database, ["TRUNCATE audit"])
    assert _verify(database) is None
    database.close()


def test_another_key_does_not_verify_unless_it_is_named_as_an_older_one(database: Database, database_url: str) -> None:
    _fill(database)
    renewed = Database(database_url, audit_key=b"another key")
    with renewed.write(NOW, "cli") as tx:
        audit_trail.record(tx, "rotate", "installation", 1)
    assert _verify(renewed) == 1
    with renewed.read(NOW) as tx, database.read(NOW) as old:
        assert audit_trail.verify(tx, [old.audit_key]) is None
    renewed.close()


def test_a_transaction_undone_leaves_no_gap(database: Database) -> None:
    _fill(database, 3)
    with suppress(RuntimeError), database.write(NOW, "cli") as tx:
        audit_trail.record(tx, "change", "patient", 1)
        raise RuntimeError
    _fill(database, 3)
    assert _verify(database) is None


def test_what_happened_to_a_patient_is_found_by_patient_and_by_subject(database: Database) -> None:
    with database.write(NOW, "cli") as tx:
        _, patient, ids = planned(tx)
        mine = audit_trail.entries(tx, patient_id=patient.id)
        assert [entry.action for entry in mine] == ["add", "add", "plan"]
        assert {entry.actor for entry in mine} == {"cli"}
        (plan,) = audit_trail.entries(tx, subject="patient", subject_id=patient.id)[1:]
        rows = {row.id: [row.episode_id, row.step, row.copy] for row in reminders.stored(tx, [patient.id])[patient.id]}
        assert plan.details == {"changes": [[number, "insert", "planned", None, rows[number]] for number in ids]}


def test_an_entry_names_the_changed_fields_and_not_their_values(database: Database) -> None:
    with database.write(NOW, "cli") as tx:
        patient = a_patient(tx, a_clinic(tx), given_name="Hildegard", phone="+49 30 1234567")
        patients.change_patient(tx, patient.id, {"family_name": "Rosenthal", "email": "h.rosenthal@mail.test"})
        patients.add_note(tx, patient.id, "hold", "Her sister Mathilde called")
        patients.erase_patient(tx, patient.id)
        details = [entry.details for entry in audit_trail.entries(tx, patient_id=patient.id)]
    assert {"fields": ["email", "family_name"]} in details
    trail = str(asked(database, "SELECT * FROM audit"))
    for secret in ("Hildegard", "Rosenthal", "rosenthal@", "1234567", "Mathilde"):
        assert secret not in trail
