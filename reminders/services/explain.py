"""Says in plain words, for every step, when it was sent, when it will be, or why not and what would change that.

Invariant: each state and each reason has its sentence; a sentence holds days and codes, never a name or an address.
"""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from reminders.domain.episode import own_interval
from reminders.domain.grouping import Past, earliest_day
from reminders.domain.lifecycle import Reason, State
from reminders.domain.protocol import TreatmentClass
from reminders.domain.sending_hours import local_day, next_open
from reminders.domain.window import window_of
from reminders.services.overview import EpisodeView, PatientView, ReminderView, patient_view
from reminders.store import queue
from reminders.store.clinics import Clinic
from reminders.store.database import Transaction

WHY: dict[Reason, str] = {
    Reason.NO_EMAIL: "there is no address to write to; `reminders patient set … --email` brings it back.",
    Reason.NO_CONSENT: "the patient has not agreed to be written to; `patient set … --consent granted` records it.",
    Reason.OPTED_OUT: "the patient asked not to be written to.",
    Reason.BOUNCED_ADDRESS: "mail to this address came back or was refused; a new address brings it back.",
    Reason.COMPLAINED: "the reader of this address complained about a message.",
    Reason.DECEASED: "the patient is recorded as deceased.",
    Reason.INACTIVE: "the patient is recorded as inactive.",
    Reason.UNDER_AGE: "the patient is under 18, and a cosmetic message never goes to a minor.",
    Reason.NO_REPRESENTATIVE: "the patient is a minor without a representative to write to.",
    Reason.TREATED_AGAIN: "the line was treated again on {ended}, which started a new episode.",
    Reason.ENTERED_IN_ERROR: "its treatment was marked as entered in error.",
    Reason.BOOKED: "an appointment is booked; it returns if nothing comes of it while its days last.",
    Reason.CONSULTATION_REQUESTED: "the patient asked for a consultation; it returns when that is closed.",
    Reason.REPLIED: "the patient replied; it returns when the reply is closed.",
    Reason.ON_HOLD: "the clinic put the patient on hold; it returns when the hold ends, while its days last.",
    Reason.PATIENT_ERASED: "the patient was erased.",
    Reason.PROTOCOL_CHANGED: "the protocol no longer has this step, or was switched off.",
    Reason.TOO_LATE: "its allowed days passed (until {last}) before it could go out.",
    Reason.TOO_SOON: "it would have followed another message too closely, and its days did not reach on.",
    Reason.HELD_FOR_REVIEW: "it waits for a person: `reminders release {id}` lets it go.",
    Reason.BACKLOG_HOLD: "it belongs to a backlog and waits for a person: `reminders release {id}` lets it go.",
    Reason.TEMPLATE_BROKEN: "its template is broken; it goes out once that is mended and it is released.",
    Reason.REJECTED_BY_SERVER: "the mail server refused it ({fault}); `reminders retry {id}` tries again.",
    Reason.TOO_MANY_ATTEMPTS: "sending it failed again and again part-way; `reminders retry {id}` tries again.",
    Reason.SNOOZED: "it keeps its distance from an earlier message or a missed appointment.",
    Reason.WAITING_TO_MERGE: "it waits for another reminder so that both go out as one message.",
    Reason.CLINIC_PAUSED: "the clinic is paused; `reminders clinic resume` lets it go.",
}


@dataclass(frozen=True, slots=True)
class StepReason:
    """One step with what there is to say about it, and when it goes out if it does."""

    view: ReminderView
    sentence: str
    goes_out_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class EpisodeReason:
    """One episode with what moved its window, and its steps."""

    view: EpisodeView
    notes: tuple[str, ...]
    steps: tuple[StepReason, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer to "why, or why not" for one patient."""

    patient: PatientView
    notes: tuple[str, ...]
    episodes: tuple[EpisodeReason, ...]


def why(tx: Transaction, clinic: Clinic, ref: str) -> Explanation:
    """Explain every step of every episode of one patient, newest episode first."""
    view = patient_view(tx, clinic, ref)
    history = [Past(kind, local_day(clinic.timezone, at)) for kind, at in queue.past_messages(tx, view.known.id)]
    ordered = sorted(view.episodes, key=lambda e: e.run.day or e.run.episode.first_day, reverse=True)
    explained = tuple(_episode(tx, view, episode, history) for episode in ordered)
    return Explanation(view, _person_notes(view, history, tx.now), explained)


def _person_notes(view: PatientView, history: list[Past], now: dt.datetime) -> tuple[str, ...]:
    notes = []
    if view.clinic.paused_at is not None:
        notes.append("The clinic is paused: nothing goes out.")
    if history:
        last = max(past.day for past in history)
        notes.append(f"The last message went out on {day_words(last)}.")
        earliest = earliest_day(TreatmentClass.COSMETIC, history)
        if earliest and earliest > local_day(view.clinic.timezone, now):
            notes.append(f"A cosmetic message keeps 14 days from it: none before {day_words(earliest)}.")
    return tuple(notes)


def _episode(tx: Transaction, view: PatientView, episode: EpisodeView, history: list[Past]) -> EpisodeReason:
    run = episode.run
    notes = []
    if run.day is None:
        notes.append("Its treatment was marked as entered in error.")
    elif run.protocol is None:
        notes.append("Its protocol is gone or switched off.")
    if run.ended_on is not None:
        notes.append(f"It ended on {day_words(run.ended_on)}, when the line was treated again.")
    own = own_interval(view.known, run.episode.line)
    if own is not None:
        notes.append(f"The patient has an interval of their own: {own}.")
    if run.day and run.protocol and run.window and run.window.opens > window_of(run.protocol, run.day, own).opens:
        notes.append("Its opening moved behind a later treatment of another line of the same group.")
    if run.episode.counts_as_sent:
        names = ", ".join(sorted(run.episode.counts_as_sent))
        notes.append(f"Sent before the entry was corrected, and counted as sent: {names}.")
    steps = tuple(_step(tx, view, episode, step, history) for step in episode.steps)
    return EpisodeReason(episode, tuple(notes), steps)


def _step(
    tx: Transaction, view: PatientView, episode: EpisodeView, step: ReminderView, history: list[Past]
) -> StepReason:
    zone = view.clinic.timezone
    if step.state is State.PLANNED:
        return _planned(tx, view, step, history)
    because = _because(view, episode, step)
    handed = moment_words(step.handed_over_at or step.sent_at, zone)
    sentences = {
        State.SENT: f"Sent on {moment_words(step.sent_at, zone)}: the receiving server accepted it.",
        State.BOUNCED: f"Sent on {moment_words(step.sent_at, zone)}, and came back.",
        State.UNKNOWN: f"Nobody can tell whether the message of {handed} was accepted. It is not sent again by itself: "
        f"`reminders settle {step.id} --as sent` or `--as planned` decides it.",
        State.CLAIMED: "On its way right now.",
        State.HANDED_OVER: "On its way right now: the server's answer is awaited.",
        State.HELD: f"Held: {because}",
        State.FAILED: f"Failed: {because}",
        State.CANCELLED: f"Not sent: {because}",
        State.EXPIRED: f"Not sent: {because}",
    }
    return StepReason(step, sentences[step.state])


def _planned(tx: Transaction, view: PatientView, step: ReminderView, history: list[Past]) -> StepReason:
    calendar = view.rules.calendar
    goes = next_open(calendar, max(step.wake_at, tx.now))
    earliest = earliest_day(TreatmentClass(step.class_name), history)
    if goes and earliest and local_day(calendar.zone, goes) < earliest:
        goes = next_open(calendar, max(goes, dt.datetime.combine(earliest, dt.time(), ZoneInfo(calendar.zone))))
    if view.clinic.paused_at is not None:
        return StepReason(step, f"Planned, but {WHY[Reason.CLINIC_PAUSED]}")
    if goes is None or goes >= step.not_after:
        return StepReason(step, "Planned, but no sending day is left in its allowed days: it will expire.")
    words = f"Will be sent on {moment_words(goes, calendar.zone)}"
    if step.wake_at <= tx.now:
        words = (
            f"Due now; goes out with the next delivery in sending hours, from {moment_words(goes, calendar.zone)} on"
        )
    because = f": {WHY[step.reason]}" if step.reason in (Reason.SNOOZED, Reason.WAITING_TO_MERGE) else "."
    if step.last_fault:
        because = f"{because[:-1]} (last try: {step.last_fault})."
    return StepReason(step, words + because, goes)


def _because(view: PatientView, episode: EpisodeView, step: ReminderView) -> str:
    if step.reason is None:
        return "no reason was recorded."
    last = local_day(view.clinic.timezone, step.not_after - dt.timedelta(seconds=1))
    ended = episode.run.ended_on
    return WHY[step.reason].format(
        id=step.id,
        fault=step.last_fault or "no details",
        last=day_words(last),
        ended=day_words(ended) if ended else "a later day",
    )


def day_words(day: dt.date) -> str:
    """Return a day such as "Tue 3 Nov 2026"."""
    return f"{day:%a} {day.day} {day:%b %Y}"


def moment_words(moment: dt.datetime | None, zone: str) -> str:
    """Return a moment in the clinic's own time, such as "Tue 3 Nov 2026 at 10:00"."""
    if moment is None:
        return "an unknown day"
    local = moment.astimezone(ZoneInfo(zone))
    return f"{day_words(local.date())} at {local:%H:%M}"
