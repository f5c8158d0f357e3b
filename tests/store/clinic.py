"""A clinic with patients and treatments, recorded through the store as the product records them.

Invariant: everything is written by the store's own functions; `plan` stores exactly what the planner wants.
"""

import datetime as dt

from reminders.domain.facts import Consent, Kind, Rules
from reminders.domain.planner import reconcile, wanted
from reminders.domain.sending_hours import SendingCalendar
from reminders.store import clinics, messages, patients, protocols, treatments
from reminders.store import reminders as store
from reminders.store.clinics import Clinic
from reminders.store.database import Transaction
from reminders.store.facts import facts
from reminders.store.messages import Kept, NewLink, NewMessage, StoredMessage, Versions
from reminders.store.patients import Patient
from tests.support.facts import CATALOGUE, COSMETIC, day

NOW = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
FACE = "botulinum-cosmetic"


def a_clinic(tx: Transaction, slug: str = "linden") -> Clinic:
    """Add a clinic, and the catalogue where there is none yet."""
    for protocol in CATALOGUE.values():
        protocols.save_protocol(tx, protocol)
    return clinics.add_clinic(
        tx, slug=slug, name="Linden", timezone="Europe/London", email="desk@linden.test", send_at=600
    )


def a_patient(tx: Transaction, clinic: Clinic, ref: str = "1001", **values: object) -> Patient:
    """Add a patient who may be written to."""
    usual = {"given_name": "Ann", "email": f"{ref}@mail.test", "consent": Consent.GRANTED}
    return patients.add_patient(tx, clinic.id, ref, usual | values)


def treat(tx: Transaction, patient: Patient, on: str = "2026-03-01", protocol: str = FACE, **more: str) -> int:
    """Record a treatment with an episode of its own; return the episode's id."""
    line = CATALOGUE[protocol].line
    episode = treatments.add_episode(tx, patient.clinic_id, patient.id, line, day(on))
    ref = more.get("ref")
    treatments.add_treatment(tx, patient.clinic_id, patient.id, episode, protocol, day(on), Kind.TREATMENT, None, ref)
    return episode


def plan(tx: Transaction, clinic: Clinic, *of: Patient) -> list[int]:
    """Make the patients' stored reminders agree with the facts; return the ids of the new ones."""
    calendar = SendingCalendar(
        clinic.timezone, clinic.sending_days, clinic.opens_at, clinic.closes_at, clinic.send_at, clinic.closed_days
    )
    rules = Rules(protocols.current(tx), calendar)
    ids = [patient.id for patient in of]
    known, kept = facts(tx, ids), store.stored(tx, ids)
    plans = [(clinic.id, key, reconcile(kept[key], wanted(known[key], rules, tx.now), tx.now)) for key in ids]
    return [new for added in store.apply_many(tx, plans).values() for new in added]


def planned(tx: Transaction, ref: str = "1001") -> tuple[Clinic, Patient, list[int]]:
    """Add a clinic with one treated patient and the plan; return them and the reminders' ids."""
    clinic = a_clinic(tx)
    patient = a_patient(tx, clinic, ref)
    treat(tx, patient, ref=f"visit-{ref}")
    return clinic, patient, plan(tx, clinic, patient)


def a_message(tx: Transaction, owner: tuple[int, int], name: str = "<a@b>") -> StoredMessage:
    """Begin a message of a patient (clinic's id, patient's id)."""
    return messages.add_messages(tx, [NewMessage(*owner, name, COSMETIC, "invitation")])[0]


def keep(
    tx: Transaction, message_pk: int, content: bytes = b"", key: str = "key", pattern: bytes | None = None
) -> None:
    """Keep a message's bytes, sent to the address of that key."""
    messages.keep_bytes(tx, [Kept(message_pk, content, pattern, "print", Versions("v", "c"), "invitation", key)])


def a_link(tx: Transaction, owner: tuple[int, int], message_pk: int, name: str, purpose: str) -> None:
    """Keep a link of a message, by the hash of its token."""
    messages.add_links(tx, [NewLink(name, *owner, message_pk, purpose, COSMETIC)])
