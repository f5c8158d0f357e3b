"""Many rows at once go past SQLAlchemy's statements, and are stored as these would have stored them."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select
from sqlalchemy.dialects import sqlite

from reminders.domain.facts import Outcome
from reminders.store import appointments, patients, schema
from reminders.store.audit_trail import entries, verify
from reminders.store.columns import Moment, NaiveMoment
from reminders.store.database import Database, Transaction
from reminders.store.faults import EntryRefused
from reminders.store.rows import WORTH_COPYING, add_rows
from tests.store.clinic import NOW, a_clinic, a_patient
from tests.support.facts import day

LONDON = ZoneInfo("Europe/London")
SEVERAL = 2 * WORTH_COPYING
TWICE = dt.datetime(2026, 10, 25, 1, 30, tzinfo=LONDON)
"""A local time that comes twice: both of its moments are equal, to Python."""


def _entry(number: int) -> dict[str, object]:
    moments = (NOW, NOW.astimezone(LONDON), TWICE, TWICE.replace(fold=1), NOW.replace(microsecond=number))
    return {
        "id": number,
        "at": moments[number % len(moments)],
        "clinic_id": None,
        "patient_id": number if number % 2 else None,
        "actor": 'Zoë\'s "desk"',
        "action": "add",
        "subject": "a\tb",
        "subject_id": None,
        "details": {"days": [number, None, "ñ"]} if number % 3 else None,
        "mac": "m",
    }


def _stored(tx: Transaction, first: int) -> list[tuple[object, ...]]:
    columns = "at, clinic_id, patient_id, actor, subject, CAST(details AS TEXT), mac"
    query = f"SELECT id - {first}, {columns} FROM audit WHERE id >= {first} ORDER BY id"  # noqa: S608 - a number
    return [tuple(row) for row in tx.connection.exec_driver_sql(query)]


@pytest.mark.parametrize("many", [1, SEVERAL])
def test_rows_added_at_once_are_those_of_statements(database: Database, many: int) -> None:
    rows = [_entry(number) for number in range(many)]
    with database.write(NOW, "cli") as tx:
        connection = tx.connection
        connection.execute(insert(schema.audit), [row | {"id": 1000 + place} for place, row in enumerate(rows)])
        by_statement = _stored(tx, 1000)
        add_rows(connection, schema.audit, [row | {"id": 2000 + place} for place, row in enumerate(rows)])
        assert _stored(tx, 2000) == by_statement[:many]
    assert len(by_statement) == many


@given(st.datetimes(timezones=st.timezones() | st.just(dt.UTC)))
def test_the_text_of_a_moment_is_that_of_its_statement(moment: dt.datetime) -> None:
    dialect = sqlite.dialect()
    kind = Moment()
    naive = kind.process_bind_param(moment, dialect)
    by_library = kind.impl_instance.dialect_impl(dialect).bind_processor(dialect)
    make = kind.bind_processor(dialect)
    assert make is not None
    assert by_library is not None
    assert make(moment) == by_library(naive)


def test_a_naive_moment_is_refused_among_many_rows(database: Database) -> None:
    rows = [_entry(1000 + number) | {"at": NOW.replace(tzinfo=None)} for number in range(SEVERAL)]
    with pytest.raises(NaiveMoment), database.write(NOW, "cli") as tx:
        add_rows(tx.connection, schema.audit, rows)


def test_appointments_booked_at_once_are_as_if_booked_one_by_one(database: Database) -> None:
    booked = [("face", "2026-04-01", None), ("", "2026-04-02", Outcome.MISSED), ("sweat", "2026-02-02", Outcome.KEPT)]
    with database.write(NOW, "cli") as tx:
        clinic = a_clinic(tx)
        one, many = a_patient(tx, clinic, "1"), a_patient(tx, clinic, "2")
        for line, on, outcome in booked:
            made = appointments.add_appointment(tx, one, line or None, day(on))
            if outcome:
                appointments.set_outcome(tx, made, outcome, day("2026-03-02"))
        rows = [(many.id, line, day(on), outcome) for line, on, outcome in booked]
        appointments.add_appointments(tx, clinic.id, rows, day("2026-03-02"))
        found = appointments.appointments_of(tx, [one.id, many.id])
        told = [entries(tx, patient_id=patient.id, subject="appointment") for patient in (one, many)]
        assert verify(tx) is None
    same = [(row.line, row.day, row.outcome, row.noted_on) for row in found]
    assert same[:3] == same[3:]
    assert [entry.action for entry in told[0]] == ["add", "add", "outcome", "add", "outcome"]
    first, second = ([(entry.action, sorted(entry.told)) for entry in which] for which in told)
    assert first == second


def test_a_day_that_is_booked_already_is_not_booked_again_with_others(database: Database) -> None:
    with database.write(NOW, "cli") as tx:
        clinic = a_clinic(tx)
        patient = a_patient(tx, clinic)
        appointments.add_appointment(tx, patient, "face", day("2026-04-01"))
    rows = [(patient.id, "face", day("2026-04-02"), None), (patient.id, "face", day("2026-04-01"), None)]
    with pytest.raises(EntryRefused), database.write(NOW, "cli") as tx:
        appointments.add_appointments(tx, clinic.id, rows, NOW.date())
    with database.read(NOW) as tx:
        assert len(appointments.appointments_of(tx, patient.id)) == 1


@pytest.mark.parametrize("asked", [[], ["1001"], ["none", "'; --", 'q"', "ñ", "1001", "[1]", "1001"]])
def test_keys_are_found_whatever_stands_in_them(database: Database, asked: list[str]) -> None:
    with database.write(NOW, "cli") as tx:
        clinic = a_clinic(tx)
        known = {ref: a_patient(tx, clinic, ref).id for ref in ("1001", "'; --", "ñ", "[1]", "other")}
        found = {ref: one.id for ref, one in patients.patients_by_refs(tx, clinic.id, asked).items()}
        assert found == {ref: key for ref, key in known.items() if ref in asked}
        assert patients.refs_of(tx, found.values()) == {key: ref for ref, key in found.items()}
        assert tx.connection.execute(select(schema.patients.c.id)).scalars().all() == sorted(known.values())
