"""What the constraints alone refuse: rows that cross clinics or patients, and a second reminder of one identity."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import insert, select, update

from reminders.domain.facts import Kind
from reminders.store import appointments, clinics, contacts, patients, schema, treatments
from reminders.store import reminders as store
from reminders.store.database import Database, Transaction
from reminders.store.faults import EntryRefused
from tests.store.clinic import FACE, NOW, a_clinic, a_link, a_message, a_patient, plan, planned, treat

DAY = dt.date(2026, 3, 1)


@pytest.fixture
def two_clinics(database: Database) -> Database:
    """Record, in two clinics, a patient each with the ids 1 and 2, an episode, a treatment and reminders."""
    with database.write(NOW, "cli") as tx:
        for slug in ("linden", "ahorn"):
            clinic = a_clinic(tx, slug)
            clinics.add_practitioner(tx, clinic.id, "Dr. Weiss")
            clinics.add_location(tx, clinic.id, "Mitte")
            patient = a_patient(tx, clinic, slug)
            treat(tx, patient)
            plan(tx, clinic, patient)
            a_message(tx, (clinic.id, patient.id), f"<{slug}@mail.test>")
    return database


@contextmanager
def _refused(database: Database) -> Iterator[Transaction]:
    with pytest.raises(EntryRefused), database.write(NOW, "cli") as tx:
        yield tx


def test_a_patients_practitioner_and_location_are_of_the_same_clinic(two_clinics: Database) -> None:
    with _refused(two_clinics) as tx:
        patients.change_patient(tx, 1, {"practitioner_id": 2})
    with _refused(two_clinics) as tx:
        patients.change_patient(tx, 1, {"location_id": 2})
    with two_clinics.write(NOW, "cli") as tx:
        patients.change_patient(tx, 1, {"practitioner_id": 1, "location_id": 1})


def test_no_fact_is_recorded_under_another_clinic(two_clinics: Database) -> None:
    with two_clinics.read(NOW) as tx:
        stranger = replace(patients.patient_by_id(tx, 1), clinic_id=2)
    with _refused(two_clinics) as tx:
        contacts.add_hold(tx, stranger, None, None, "asked")
    with _refused(two_clinics) as tx:
        appointments.add_appointment(tx, stranger, None, DAY)
    with _refused(two_clinics) as tx:
        treatments.add_episode(tx, 2, 1, "face", DAY)


def test_a_treatments_episode_is_its_patients(two_clinics: Database) -> None:
    with _refused(two_clinics) as tx:
        treatments.add_treatment(tx, 1, 1, 2, FACE, DAY, Kind.TREATMENT)
    with _refused(two_clinics) as tx:
        treatments.add_treatment(tx, 1, 1, 1, FACE, DAY, Kind.TREATMENT, 2)
    with _refused(two_clinics) as tx:
        treatments.add_episode(tx, 1, 1, "face", DAY, continues_id=2)
    with _refused(two_clinics) as tx:
        treatments.withdraw(tx, 1, replaced_by=2)


def test_a_reminders_episode_treatment_and_message_are_its_own(two_clinics: Database) -> None:
    for column in ("episode_id", "treatment_id", "message_pk"):
        with _refused(two_clinics) as tx:
            tx.connection.execute(
                update(schema.reminders).where(schema.reminders.c.patient_id == 1).values({column: 2})
            )
    with _refused(two_clinics) as tx:
        a_link(tx, (1, 1), 2, "hash", "stop")


def test_there_is_one_reminder_per_step_of_an_episode(database: Database) -> None:
    with database.write(NOW, "cli") as tx:
        planned(tx)
    c = schema.reminders.c
    with database.read(NOW) as tx:
        columns = [column for column in c if column.name != "id"]
        row = dict(tx.connection.execute(select(*columns).limit(1)).mappings().one())
    with _refused(database) as tx:
        tx.connection.execute(insert(schema.reminders), row)
    with database.write(NOW, "cli") as tx:
        tx.connection.execute(insert(schema.reminders), row | {"copy": 1})
        assert sum(store.counts_by_state(tx).values()) == 4


def test_a_message_id_belongs_to_one_message(two_clinics: Database) -> None:
    with _refused(two_clinics) as tx:
        a_message(tx, (1, 1), "<ahorn@mail.test>")
