"""Records appointments and what became of them; a booked line's reminders stop, and return when nothing came of it.

Invariants: an appointment's identity is (patient, line, day), and booked again it is open again; its outcome is a fact
that the plan obeys at once.
"""

import datetime as dt

from reminders.domain.eligibility import quiet_until
from reminders.domain.facts import Outcome
from reminders.domain.sending_hours import local_day
from reminders.errors import BadInput
from reminders.services.find import clinic_of, the_line, the_patient
from reminders.services.plan import plan_patients
from reminders.store import appointments
from reminders.store.clinics import Clinic
from reminders.store.database import Transaction

PAST, AHEAD = dt.timedelta(days=366), dt.timedelta(days=3 * 366)


class NoSuchAppointment(BadInput):
    """There is no appointment {id}: `reminders patient show` lists a patient's appointments."""


class AppointmentOutOfReach(BadInput):
    """The day {day} is not one to book: an appointment lies between a year ago and three years ahead."""


class NotYetOver(BadInput):
    """Appointment {id} is on {day}, still to come: it can only be cancelled."""


def add_appointment(tx: Transaction, clinic: Clinic, patient: str, day: dt.date, line: str | None) -> int:
    """Book a day for a line (None: for every line), plan the patient, and return the appointment's id.

    It is open afterwards, also where it had been cancelled, missed or kept.
    """
    person = the_patient(tx, clinic, patient)
    today = local_day(clinic.timezone, tx.now)
    if not today - PAST <= day <= today + AHEAD:
        raise AppointmentOutOfReach(day=day)
    booked = appointments.add_appointment(tx, person, the_line(tx, person, line), day)
    plan_patients(tx, clinic, [person.id])
    return booked


def set_outcome(tx: Transaction, appointment_id: int, outcome: Outcome) -> dt.date | None:
    """Record what became of an appointment and plan its patient; raises `NoSuchAppointment` or `NotYetOver`.

    Returns, of a missed one, the day before which nothing that it stopped goes out.
    """
    booked = appointments.appointment_by_id(tx, appointment_id)
    if booked is None:
        raise NoSuchAppointment(id=appointment_id)
    clinic = clinic_of(tx, booked.clinic_id)
    today = local_day(clinic.timezone, tx.now)
    if outcome is not Outcome.CANCELLED and booked.day > today:
        raise NotYetOver(id=appointment_id, day=booked.day)
    noted_on = today if appointments.set_outcome(tx, appointment_id, outcome, today) else booked.noted_on
    plan_patients(tx, clinic, [booked.patient_id])
    return quiet_until(booked.day, noted_on) if outcome is Outcome.MISSED else None
