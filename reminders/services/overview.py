"""Shows reminders as people and scripts read them: the stored ones, and beside them the steps that facts alone tell of.

Invariants: every step of every episode of a patient is shown once, stored or not, so that nothing is silently missing;
what is foreseen of the planned ones comes from the same decision that delivery takes when it claims.
"""

import datetime as dt
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field, replace

from reminders.domain.episode import Run, runs
from reminders.domain.facts import PatientFacts, Reminder, Rules
from reminders.domain.grouping import Grouping, Past, earliest_day, group
from reminders.domain.lifecycle import Reason, State
from reminders.domain.planner import Wanted, wanted
from reminders.domain.protocol import TreatmentClass
from reminders.domain.sending_hours import SendingCalendar, local_day, next_open
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


@dataclass(slots=True)
class Fate:
    """What will become of a planned reminder if the facts stay as they are and every delivery runs in time.

    It goes out at `goes_out_at` in one message with `together` (itself among them), or it expires for the reason
    `ends`. On the way it waits for the reasons `waits`; `follows` is the day of the message it keeps its distance from.
    """

    goes_out_at: dt.datetime | None = None
    together: tuple[Reminder, ...] = ()
    waits: list[Reason] = field(default_factory=list)
    follows: dt.date | None = None
    ends: Reason | None = None


def followed_day(class_name: TreatmentClass, history: Sequence[Past]) -> dt.date | None:
    """Return the day of the message that one of this class keeps its distance from; None when there is none."""
    return max((past.day for past in history if earliest_day(class_name, [past]) is not None), default=None)


def foresee(
    planned: Iterable[Reminder], history: Iterable[Past], calendar: SendingCalendar, now: dt.datetime
) -> dict[int, Fate]:
    """Return the fate of each of one patient's `planned` reminders, by id.

    What goes out before a reminder decides on it too, so all are followed from `now` until the last has come to its
    end. Each turn sends, ends or puts off the one that wakes first, and waiting ends within its days.
    """
    waiting = {reminder.id: reminder for reminder in planned}
    fates = {number: Fate() for number in waiting}
    past = list(history)
    while waiting:
        at = next_open(calendar, max(now, min(reminder.wake_at for reminder in waiting.values())))
        for number in [n for n, reminder in waiting.items() if at is None or reminder.not_after <= at]:
            fates[number].ends = Reason.TOO_LATE
            del waiting[number]
        if at is not None and waiting:
            _take(group(list(waiting.values()), past, calendar, at), waiting, fates, past, at, calendar.zone)
    return fates


def _take(
    found: Grouping,
    waiting: dict[int, Reminder],
    fates: dict[int, Fate],
    past: list[Past],
    at: dt.datetime,
    zone: str,
) -> None:
    """Carry out one decision. As in delivery, what comes too soon ends only once the message before it has gone."""
    for wait in found.waits:
        one, fate = wait.reminder, fates[wait.reminder.id]
        merging = wait.reason is Reason.WAITING_TO_MERGE
        waiting[one.id] = replace(one, next_attempt_at=wait.until, reason=wait.reason, waited=one.waited or merging)
        fate.waits.append(wait.reason)
        # a medical message of this very moment is not in `past` yet, and a cosmetic one keeps its distance from it
        sent_now = [Past(other.class_name, local_day(zone, at)) for other in found.send]
        fate.follows = fate.follows if merging else followed_day(one.class_name, [*past, *sent_now])
    for one in found.send:
        fates[one.id].goes_out_at, fates[one.id].together = at, found.send
        del waiting[one.id]
    if found.send:
        past.append(Past(found.send[0].class_name, local_day(zone, at)))
        return
    for one in found.too_soon:
        fates[one.id].ends, fates[one.id].follows = Reason.TOO_SOON, followed_day(one.class_name, past)
        del waiting[one.id]
