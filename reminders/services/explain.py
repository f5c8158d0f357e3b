"""Says in plain words, for every step, when it was sent, when it will be, or why not and what would change that.

Invariant: each state and each reason has its sentence; a sentence holds days and codes, never a name or an address.
"""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from reminders.domain.episode import own_interval
from reminders.domain.facts import Reminder
from reminders.domain.grouping import COSMETIC_DISTANCE, MEDICAL_DISTANCE, Past, earliest_day, history
from reminders.domain.lifecycle import Reason, State
from reminders.domain.protocol import TreatmentClass
from reminders.domain.sending_hours import local_day
from reminders.domain.window import window_of
from reminders.mail.outcome import Blame, Phase, Trouble
from reminders.services.explain_peace import PASSED_OVER, peace, told_of_booking
from reminders.services.overview import (
    EpisodeView,
    Fate,
    PatientView,
    ReminderView,
    followed_day,
    foresee,
    patient_view,
)
from reminders.store import reminders
from reminders.store.clinics import Clinic
from reminders.store.database import Transaction
from reminders.store.listing import ListedReminder

WHY: dict[Reason, str] = {
    Reason.NO_EMAIL: "there is no address to write to; `reminders patient set … --email` brings it back.",
    Reason.NO_CONSENT: "the patient has not agreed to be written to; `patient set … --consent granted` records it.",
    Reason.OPTED_OUT: "the patient, or somebody with the same address, asked not to be written to.",
    Reason.BOUNCED_ADDRESS: "its address bounced or refused mail; a new one by `patient set … --email` brings it back.",
    Reason.COMPLAINED: "the reader of this address complained about a message.",
    Reason.DECEASED: "the patient is recorded as deceased.",
    Reason.INACTIVE: "the patient is recorded as inactive.",
    Reason.UNDER_AGE: "the patient is under 18, and a cosmetic message never goes to a minor.",
    Reason.NO_REPRESENTATIVE: "the patient is a minor without a representative to write to.",
    Reason.TREATED_AGAIN: "the line was treated again by {ended}, here or elsewhere, which ended this episode.",
    Reason.ENTERED_IN_ERROR: "its treatment was marked as entered in error.",
    Reason.BOOKED: "a visit is booked, or the patient says so; it returns if nothing comes of it or that is closed.",
    Reason.CONSULTATION_REQUESTED: "the patient asked for a consultation or a call; it returns when that is closed.",
    Reason.REPLIED: "the patient replied; it returns when the reply is closed.",
    Reason.ON_HOLD: "the clinic put the patient on hold; it returns when the hold ends, while its days last.",
    Reason.PATIENT_ERASED: "the patient was erased.",
    Reason.PROTOCOL_CHANGED: "the protocol no longer has this step, or was switched off.",
    Reason.TOO_LATE: "its allowed days passed (until {last}) before it could go out.",
    Reason.TOO_SOON: "it would have followed another message too closely, and its days did not reach on.",
    Reason.HELD_FOR_REVIEW: "it waits for a person: `reminders release {id}` lets it go.",
    Reason.BACKLOG_HOLD: "it belongs to a backlog and waits for a person: `reminders release {id}` lets it go.",
    Reason.TEMPLATE_BROKEN: "its wording, or a detail in it, is refused: `preview` says what; mended, it goes itself.",
    Reason.REJECTED_BY_SERVER: "the mail server would not take it ({fault}); `reminders retry {id}` tries again.",
    Reason.TOO_MANY_ATTEMPTS: "sending it failed again and again part-way; `reminders retry {id}` tries again.",
    Reason.SNOOZED: "it keeps its distance from a message or a missed appointment, or the patient asked to wait.",
    Reason.WAITING_TO_MERGE: "it waits for another reminder so that both go out as one message.",
    Reason.CLINIC_PAUSED: "the clinic is paused; `reminders clinic resume` lets it go.",
}

NO_MAILBOX = (
    "there is no mailbox at its address ({fault}): it needs a new address first, by `reminders patient set … --email`; "
    "then `reminders retry {id}` plans it again."
)
TROUBLES: dict[str, str] = {
    f"{Phase.STARTTLS}: {Trouble.TLS}": "the server offers no verified TLS, so nothing was handed to it",
    Trouble.TLS: "the connection to the server cannot be made safe by verified TLS, so nothing was handed to it",
    Trouble.AUTH: "the server refuses the user or the password",
    Trouble.REFUSED: "the server refuses the connection",
    Trouble.BUSY: "the server answers that it is busy and takes nobody just now",
    Trouble.DNS: "the name of the server is not known",
    Trouble.TIMEOUT: "the server does not answer in time",
    Trouble.PROTOCOL: "what answers does not speak as a mail server",
    Trouble.DISCONNECTED: "the server closes the connection",
}
BLAMES: dict[str, str] = {
    Blame.ADDRESS: "the server knows no such mailbox",
    Blame.POLICY: "the server's rules forbid it",
    Blame.TRANSPORT: "the server takes no mail from here at present",
    Blame.MESSAGE: "the server did not take this message",
}
_SUMMARY = re.compile(r"(?P<verdict>\w+) at \w+ \((?P<said>[^,)]*)(?:, (?P<blame>\w+))?\)")


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


@dataclass(frozen=True, slots=True)
class _Known:
    """What the sentences about one patient rest on; `stored` and `fates` by the reminders' ids."""

    view: PatientView
    now: dt.datetime
    history: Sequence[Past]
    stored: Mapping[int, Reminder]
    fates: Mapping[int, Fate]


def why(tx: Transaction, clinic: Clinic, ref: str) -> Explanation:
    """Explain every step of every episode of one patient, newest episode first."""
    view = patient_view(tx, clinic, ref)
    stored = {reminder.id: reminder for reminder in reminders.stored(tx, [view.known.id])[view.known.id]}
    past = history(stored.values(), clinic.timezone)
    planned = (reminder for reminder in stored.values() if reminder.state is State.PLANNED)
    known = _Known(view, tx.now, past, stored, foresee(planned, past, view.rules.calendar, tx.now))
    ordered = sorted(view.episodes, key=lambda e: e.run.day or e.run.episode.first_day, reverse=True)
    explained = tuple(_episode(known, episode) for episode in ordered)
    return Explanation(view, _person_notes(view, past, tx.now), explained)


def _person_notes(view: PatientView, history: Sequence[Past], now: dt.datetime) -> tuple[str, ...]:
    notes = []
    if view.clinic.paused_at is not None:
        notes.append("The clinic is paused: nothing goes out.")
    if history:
        notes.append(f"The last message went out on {day_words(max(past.day for past in history))}.")
        earliest = earliest_day(TreatmentClass.COSMETIC, history)
        if earliest and earliest > local_day(view.clinic.timezone, now):
            notes.append(f"A cosmetic message keeps 14 days from it: none before {day_words(earliest)}.")
    return tuple(notes)


def _episode(known: _Known, episode: EpisodeView) -> EpisodeReason:
    run, view = episode.run, known.view
    notes = []
    if run.day is None:
        notes.append("Its treatment was marked as entered in error.")
    elif run.protocol is None:
        notes.append("Its protocol is gone or switched off.")
    if run.ended_on is not None:
        where = "elsewhere, as the patient says" if run.elsewhere else "again"
        notes.append(f"It ended on {day_words(run.ended_on)}, when the line was treated {where}.")
    own = own_interval(view.known, run.episode.line)
    if own is not None:
        notes.append(f"The patient has an interval of their own: {own}.")
    if run.day and run.protocol and run.window and run.window.opens > window_of(run.protocol, run.day, own).opens:
        notes.append("Its opening moved behind a later treatment of another line of the same group.")
    if run.episode.counts_as_sent:
        names = ", ".join(sorted(run.episode.counts_as_sent))
        notes.append(f"Sent before the entry was corrected, and counted as sent: {names}.")
    steps = tuple(_step(known, episode, step) for step in episode.steps)
    return EpisodeReason(episode, tuple(notes), steps)


def _step(known: _Known, episode: EpisodeView, step: ReminderView) -> StepReason:
    zone = known.view.clinic.timezone
    if step.state is State.PLANNED:
        return _planned(known, episode, step)
    told = told_of_booking(episode.run, known.view.known, zone, local_day(zone, known.now))
    because = told if told and step.reason is Reason.BOOKED else reason_words(step, zone, episode.run.ended_on)
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


def _planned(known: _Known, episode: EpisodeView, step: ReminderView) -> StepReason:
    zone = known.view.clinic.timezone
    fate = known.fates.get(step.id or 0, Fate(ends=Reason.TOO_LATE))
    if known.view.clinic.paused_at is not None:
        return StepReason(step, f"Planned, but {WHY[Reason.CLINIC_PAUSED]}")
    if (stored := known.stored.get(step.id or 0)) and stored.oversleeps:
        return StepReason(step, f"Planned for {moment_words(step.wake_at, zone)}, but its row {PASSED_OVER}")
    tried = f" (last try: {fault_words(step.last_fault)})" if step.last_fault else ""
    due_now = step.wake_at <= known.now
    begins = "Due now" if due_now else f"Planned for {moment_words(step.wake_at, zone)}"
    if fate.ends is Reason.TOO_SOON:
        why_not = f"{_distance(step, fate.follows)}, and its days end on {day_words(_last_day(step, zone))}"
        return StepReason(step, f"{begins}, but will expire: {why_not}{tried}.")
    others = _others(step, fate)
    because = "" if due_now else _put_off(known, episode, step, others)
    if fate.goes_out_at is None:
        return StepReason(step, f"Planned, but no sending day is left in its days, so it will expire{because}{tried}.")
    goes = moment_words(fate.goes_out_at, zone)
    if fate.waits:
        causes = " and ".join(_wait_words(step, fate, reason) for reason in dict.fromkeys(fate.waits))
        return StepReason(step, f"{begins}, but will wait until {goes} {causes}{tried}.", fate.goes_out_at)
    lead = f"Due now; goes out with the next delivery in sending hours, from {goes} on" if due_now else ""
    together = f", together with {others}" if others else ""
    return StepReason(step, f"{lead or f'Will be sent on {goes}'}{together}{because}{tried}.", fate.goes_out_at)


def _wait_words(step: ReminderView, fate: Fate, reason: Reason) -> str:
    if reason is Reason.WAITING_TO_MERGE:
        return f"to go out together with {_others(step, fate) or 'another reminder'}"
    return f"because {_distance(step, fate.follows)}"


def _others(step: ReminderView, fate: Fate) -> str:
    """Return the reminders of the same message in words, such as "filler-lips' invitation"."""
    return " and ".join(
        f"{other.protocol}'{'' if other.protocol.endswith('s') else 's'} {other.step.replace('_', ' ')}"
        for other in fate.together
        if other.id != step.id
    )


def _distance(step: ReminderView, follows: dt.date | None) -> str:
    kept = COSMETIC_DISTANCE if step.class_name == TreatmentClass.COSMETIC else MEDICAL_DISTANCE
    return f"it keeps {kept.days} days from the message of {day_words(follows) if follows else 'an earlier day'}"


def _put_off(known: _Known, episode: EpisodeView, step: ReminderView, others: str) -> str:
    """Return why a step that was put off before waits now, from the colon on; empty for any other."""
    stored = known.stored.get(step.id or 0)
    if step.reason is Reason.WAITING_TO_MERGE and not others:
        return ": it waits for another reminder to go out as one message"
    if step.reason is not Reason.SNOOZED or stored is None:
        return ""
    cause = peace(episode.run, known.view.known)
    if cause and stored.snoozed_until == step.wake_at:
        return f": {cause[0]} {day_words(cause[1])}"
    follows = followed_day(TreatmentClass(step.class_name), known.history)
    return f": {_distance(step, follows)}"


def reason_words(row: ReminderView | ListedReminder, zone: str, ended: dt.date | None = None) -> str:
    """Return why a reminder is in its state and what would change that; `ended` is when its line was treated again."""
    if row.reason is None:
        return "no reason was recorded."
    words = WHY[row.reason]
    if row.reason is Reason.REJECTED_BY_SERVER and row.last_fault and Blame.ADDRESS in row.last_fault:
        words = NO_MAILBOX
    return words.format(
        id=row.id,
        fault=fault_words(row.last_fault) if row.last_fault else "no details",
        last=day_words(_last_day(row, zone)),
        ended=day_words(ended) if ended else "a later day",
    )


def fault_words(fault: str) -> str:
    """Return what was wrong at the mail server in words, from the short code that is kept and shown in JSON.

    The code is a trouble ("refused"), a phase and a trouble ("auth: auth"), or the summary of an answer
    ("never at rcpt (550 5.1.1, address)"), whose number stays, since it is what a server's owner asks for.
    """
    found = _SUMMARY.fullmatch(fault)
    if found is None:
        return TROUBLES.get(fault) or TROUBLES.get(fault.rpartition(": ")[2], fault)
    if not found["said"][:1].isdigit():
        return "the connection broke off before the server answered"
    done = "refused" if found["verdict"] == "never" else "put off"
    return f"{done}: {BLAMES.get(found['blame'] or '', 'the server did not say why')}, {found['said']}"


def _last_day(row: ReminderView | ListedReminder, zone: str) -> dt.date:
    return local_day(zone, row.not_after - dt.timedelta(seconds=1))


def day_words(day: dt.date) -> str:
    """Return a day such as "Tue 3 Nov 2026"."""
    return f"{day:%a} {day.day} {day:%b %Y}"


def moment_words(moment: dt.datetime | None, zone: str) -> str:
    """Return a moment in the clinic's own time, such as "Tue 3 Nov 2026 at 10:00"."""
    if moment is None:
        return "an unknown day"
    local = moment.astimezone(ZoneInfo(zone))
    return f"{day_words(local.date())} at {local:%H:%M}"
