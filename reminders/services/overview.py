"""Shows reminders as people and scripts read them: the stored ones, and beside them the steps that facts alone tell of.

Invariant: every step of every episode of a patient is shown once, stored or not, so that nothing is silently missing.
"""

import datetime as dt
from collections.abc import Generator, Sequence
from dataclasses import dataclass

from reminders.domain.episode import Run, runs
from reminders.domain.facts import PatientFacts, Rules
from reminders.domain.lifecycle import Reason, State
from reminders.domain.planner import Wanted, wanted
from reminders.domain.window import Window
from reminders.services.calendar import rules_for
from reminders.services.find import the_clinic, the_patient
from reminders.store import facts, reminders, treatments
from reminders.store.clinics import Clinic
from reminders.store.database import Transaction
from reminders.store.listing import ListedReminder


@dataclass(frozen=True, slots=True)
class ReminderView:
    """One step as it is shown; `id` is None where it is not stored."""

    id: int | None
    clinic: str
    patient: str
    treatment: str | None
    treatment_id: int | None
    protocol: str
    class_name: str
    episode_id: int
    step: str
    copy: int
    state: State
    reason: Reason | None
    due_at: dt.datetime
    not_after: dt.datetime
    wake_at: dt.datetime
    window: Window
    sent_at: dt.datetime | None = None
    handed_over_at: dt.datetime | None = None
    message_id: str | None = None
    attempts: int = 0
    last_fault: str | None = None


@dataclass(frozen=True, slots=True)
class EpisodeView:
    """One run of a patient's clock with its steps; without a window when its protocol or its entry is gone."""

    run: Run
    steps: tuple[ReminderView, ...]


@dataclass(frozen=True, slots=True)
class PatientView:
    """Everything about one patient's reminders at one moment."""

    clinic: Clinic
    ref: str
    rules: Rules
    known: PatientFacts
    episodes: tuple[EpisodeView, ...]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which reminders to list; None is any."""

    clinic: str | None = None
    patient: str | None = None
    states: tuple[State, ...] | None = None
    due_from: dt.datetime | None = None
    due_to: dt.datetime | None = None
    limit: int | None = None


def list_reminders(tx: Transaction, wanted_rows: Filter) -> Generator[ReminderView]:
    """Yield the stored reminders that fit, in the order of their moments; nothing is kept in memory. To be closed."""
    clinic = the_clinic(tx, wanted_rows.clinic) if wanted_rows.clinic else None
    patient_id = None
    if wanted_rows.patient is not None and clinic is not None:
        patient_id = the_patient(tx, clinic, wanted_rows.patient).id
    rows = reminders.listing(
        tx,
        clinic_id=clinic.id if clinic else None,
        patient_id=patient_id,
        states=wanted_rows.states,
        due_from=wanted_rows.due_from,
        due_to=wanted_rows.due_to,
        limit=wanted_rows.limit,
    )
    return (from_stored(row) for row in rows)


def patient_view(tx: Transaction, clinic: Clinic, ref: str) -> PatientView:
    """Return every episode and every step of one patient, stored or told by the facts."""
    patient = the_patient(tx, clinic, ref)
    rules = rules_for(tx, clinic)
    known = facts.facts(tx, [patient.id])[patient.id]
    stored = [from_stored(row) for row in reminders.listing(tx, patient_id=patient.id)]
    refs = {row.id: row.ref for row in treatments.treatments_of(tx, [patient.id], include_withdrawn=True)}
    steps = wanted(known, rules, tx.now).steps
    episodes = []
    for run in runs(known, rules):
        mine = [view for view in stored if view.episode_id == run.episode.id]
        shown = {view.step for view in mine if view.copy == 0}
        virtual = [
            from_wanted(want, clinic.slug, ref, refs)
            for want in steps
            if want.episode_id == run.episode.id and want.step not in shown
        ]
        episodes.append(EpisodeView(run, tuple(sorted([*mine, *virtual], key=lambda view: (view.due_at, view.copy)))))
    return PatientView(clinic, ref, rules, known, tuple(episodes))


def episode_of(view: PatientView, episode_id: int | None) -> EpisodeView | None:
    """Return one episode of the view."""
    return next((episode for episode in view.episodes if episode.run.episode.id == episode_id), None)


def from_stored(row: ListedReminder) -> ReminderView:
    """Return a stored reminder as it is shown."""
    return ReminderView(
        id=row.id,
        clinic=row.clinic,
        patient=row.patient,
        treatment=row.treatment,
        treatment_id=row.treatment_id,
        protocol=row.protocol,
        class_name=row.class_name,
        episode_id=row.episode_id,
        step=row.step,
        copy=row.copy,
        state=row.state,
        reason=row.reason,
        due_at=row.due_at,
        not_after=row.not_after,
        wake_at=row.wake_at,
        window=row.window,
        sent_at=row.sent_at,
        handed_over_at=row.handed_over_at,
        message_id=row.message_id,
        attempts=row.attempts,
        last_fault=row.last_fault,
    )


def from_wanted(want: Wanted, clinic: str, ref: str, refs: dict[int, str | None]) -> ReminderView:
    """Return a step that is not stored: its days had passed, or its episode had ended, when it was entered."""
    return ReminderView(
        id=None,
        clinic=clinic,
        patient=ref,
        treatment=refs.get(want.treatment_id) if want.treatment_id is not None else None,
        treatment_id=want.treatment_id,
        protocol=want.protocol,
        class_name=want.class_name,
        episode_id=want.episode_id,
        step=want.step,
        copy=0,
        state=want.state,
        reason=want.reason,
        due_at=want.due_at,
        not_after=want.not_after,
        wake_at=max(want.due_at, want.snoozed_until or want.due_at),
        window=want.window,
    )


def steps_of(views: Sequence[EpisodeView]) -> tuple[ReminderView, ...]:
    """Return all steps of some episodes, in the order of their moments."""
    return tuple(sorted((step for view in views for step in view.steps), key=lambda step: step.due_at))
