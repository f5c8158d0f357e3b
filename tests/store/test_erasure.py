"""Erasing a patient: nothing of them is left in any row, nor in SQLite's files after these were rewritten."""

import random
from pathlib import Path

from sqlalchemy import Column, select

from reminders.store import contacts, patients, schema, treatments
from reminders.store.database import Database, file_paths, quick_check, rewrite_files
from tests.store.clinic import NOW, a_clinic, a_link, a_message, a_patient, keep, planned

WORDS = ("Hildegard", "Rosenthal", "Hilde", "rosenthal@mail.test", "0301234567", "Gasse 9", "parent@mail.test", "1971")


NAME = b"Hildegard Rosenthal"
LETTER = b"".join(b"%d Dear Hildegard Rosenthal, %x\r\n" % (number, number**7) for number in range(900))


def _recorded(database: Database) -> int:
    """Record a patient with everything that can be known of one; return the id."""
    with database.write(NOW, "cli") as tx:
        clinic, patient, _ = planned(tx, "Rosenthal-1971")
        values = {
            "given_name": "Hildegard",
            "family_name": "Rosenthal",
            "known_as": "Hilde",
            "email": "rosenthal@mail.test",
            "phone": "0301234567",
            "postal_address": "Gasse 9",
            "representative_email": "parent@mail.test",
            "address_key": "key",
        }
        patients.change_patient(tx, patient.id, values)
        patients.add_note(tx, patient.id, "hold", "Hilde Rosenthal moves to Gasse 9")
        owner = (clinic.id, patient.id)
        message = a_message(tx, owner, "<1@mail.test>")
        keep(tx, message.id, LETTER, pattern=LETTER.replace(NAME, b""))
        a_link(tx, owner, message.id, "hash", "stop")
        contacts.add_hold(tx, patient, None, None, "asked")
    return patient.id


def _erase(database: Database, patient_id: int) -> None:
    with database.write(NOW, "cli") as tx:
        patients.erase_patient(tx, patient_id)


def _left(url: str, words: tuple[str, ...]) -> set[tuple[str, str]]:
    content = {path.name: path.read_bytes() for path in file_paths(url) if path.exists()}
    return {(name, word) for name, data in content.items() for word in words if word.encode() in data}


def test_no_row_of_any_table_tells_who_an_erased_patient_was(database: Database) -> None:
    patient_id = _recorded(database)
    _erase(database, patient_id)
    with database.read(NOW) as tx:
        for table in schema.metadata.sorted_tables:
            rows = str(tx.connection.execute(select(*_shown(list(table.c)))).all())
            assert [word for word in WORDS if word in rows] == [], table.name
        erased = patients.patient_by_id(tx, patient_id)
        assert (erased.ref, erased.recipient, erased.notes) == (f"erased-{patient_id}", None, ())
        assert erased.erased_at == NOW
        assert tx.connection.execute(select(schema.links)).all() == []
        assert tx.connection.execute(select(schema.messages.c.content)).scalars().all() == [None]


def test_what_promises_are_checked_by_stays(database: Database) -> None:
    patient_id = _recorded(database)
    _erase(database, patient_id)
    with database.read(NOW) as tx:
        (entry,) = treatments.treatments_of(tx, patient_id)
        assert (entry.ref, len(treatments.episodes_of(tx, patient_id))) == (None, 1)
        assert len(contacts.holds(tx, patient_id)) == 1
        count = tx.connection.execute(select(schema.reminders.c.id)).all()
    assert len(count) == 3


def test_no_byte_is_left_in_the_files(database: Database, sqlite_url: str) -> None:
    patient_id = _recorded(database)
    with database.read(NOW) as tx:
        packed = tx.connection.execute(select(schema.messages.c.content)).scalar_one()
    assert any(packed[:64] in path.read_bytes() for path in file_paths(sqlite_url) if path.exists())
    assert _left(sqlite_url, WORDS)
    _erase(database, patient_id)
    assert rewrite_files(database)
    assert _left(sqlite_url, WORDS) == set()
    pieces = {packed[at : at + 32] for at in range(0, len(packed) - 32, 16)}
    content = b"".join(path.read_bytes() for path in file_paths(sqlite_url) if path.exists())
    assert [piece for piece in pieces if piece in content] == []
    assert quick_check(sqlite_url) == ()


def test_no_byte_is_left_after_years_of_changes_either(database: Database, sqlite_url: str) -> None:
    """Rows that SQLite moved between pages left copies that zeroing deleted content does not reach."""
    chance = random.Random(3)
    with database.write(NOW, "cli") as tx:
        clinic = a_clinic(tx)
    names: dict[int, str] = {}
    for _ in range(12):
        with database.write(NOW, "cli") as tx:
            for _ in range(chance.randint(20, 40)):
                name = f"Name{len(names):04d}Ende"
                ref = f"{chance.random()}"
                patient = a_patient(tx, clinic, ref, given_name=name, family_name=name * chance.randint(1, 20))
                names[patient.id] = name
            for key in chance.sample(sorted(names), 20):
                patients.change_patient(tx, key, {"phone": names[key] * chance.randint(1, 40)})
    gone = chance.sample(sorted(names), 40)
    for key in gone:
        _erase(database, key)
    assert rewrite_files(database)
    assert _left(sqlite_url, tuple(names[key] for key in gone)) == set()


def test_the_log_is_not_emptied_under_a_reader_and_says_so(database: Database, database_path: Path) -> None:
    _recorded(database)
    with database.read(NOW) as tx:
        tx.connection.execute(select(schema.patients)).all()
        _erase(database, 1)
        assert not rewrite_files(database)
    assert rewrite_files(database)
    assert database_path.with_name("reminders.db-wal").stat().st_size == 0


def _shown(columns: list[Column[object]]) -> list[Column[object]]:
    return [column for column in columns if column.name not in ("created_at", "at", "updated_at")]
