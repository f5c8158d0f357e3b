"""Logs a treatment as a person types it, or takes one back, and shows what comes of it: window, reminders, doubts.

Invariant: what is shown is read in the transaction that recorded it.
"""

import datetime as dt
from dataclasses import dataclass

from reminders.services import record
from reminders.services.overview import EpisodeView, episode_of, patient_view
from reminders.store import patients
from reminders.store.clinics import Clinic
from reminders.store.database import Transaction
from reminders.store.treatments import TreatmentRow


@dataclass(frozen=True, slots=True)
class TreatmentLogged:
    """A recorded entry, its episode (a touch-up or a review has none of its own), and what to look at twice."""

    row: TreatmentRow
    episode: EpisodeView | None
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NamedTreatment:
    """An entry as a person names it: by its ref, or by patient, protocol and day."""

    ref: str | None = None
    patient: str | None = None
    protocol: str | None = None
    day: dt.date | None = None


def log_treatment(tx: Transaction, clinic: Clinic, entry: record.NewTreatment) -> TreatmentLogged:
    """Record an entry and plan its patient; return its window and reminders, also of an ended episode."""
    row = record.add_treatment(tx, clinic, entry)
    episode = episode_of(patient_view(tx, clinic, entry.patient), row.episode_id)
    return TreatmentLogged(row, episode, record.spacing_warnings(tx, row))


def take_back(tx: Transaction, clinic: Clinic, named: NamedTreatment, why: str) -> tuple[TreatmentRow, str]:
    """Mark an entry as entered in error; return it and its patient's ref."""
    row = record.treatment_by(tx, clinic, ref=named.ref, patient=named.patient, protocol=named.protocol, day=named.day)
    record.void_treatment(tx, clinic, row, why)
    return row, patients.refs_of(tx, [row.patient_id])[row.patient_id]
