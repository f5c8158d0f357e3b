"""Compares each message's last moment to be stopped with what forbade it by then (promise 4).

Invariant: only what was recorded before the message was handed over counts, and only as far as the time of its
recording is known: facts that were overwritten since prove nothing either way.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace

from reminders.domain.answers import Answer, AnswerKind
from reminders.domain.eligibility import BOOKING_LASTS, HELD_BACK_BY, is_minor
from reminders.domain.facts import OPT_OUT_ALL, Consent, Status
from reminders.domain.protocol import TreatmentClass, names_clock
from reminders.domain.sending_hours import local_day
from reminders.services.auditing.lives import GONE
from reminders.store.answers import StoredAnswer
from reminders.store.evidence import Booking, EntryRow, Evidence, ReminderRow


def forbidden(known: Evidence, zone: str) -> Iterator[tuple[ReminderRow, str]]:
    """Yield the messages that went out although something recorded before forbade it, with what it was."""
    for row in known.reminders:
        if row.state in GONE and row.handed_over_at is not None:
            at = row.handed_over_at
            told = next(_reasons(known, row, at, zone), None)
            if told is not None and not _clock_went_back(known, row, at):
                yield row, told


_OF_APPOINTMENTS = frozenset({"outcome", "reopen"})


def _clock_went_back(known: Evidence, row: ReminderRow, at: dt.datetime) -> bool:
    """Tell whether something recorded after the handing over bears an earlier moment: then moments prove nothing.

    The numbers of the trail still tell what was first. What became of an appointment is asked for by `_stood` alone.
    """
    mine = (entry for entry in known.trail if entry.subject == "reminder" and entry.subject_id == row.id)
    handed = [entry.id for entry in mine if entry.action == "handed_over"]
    if not handed:
        return False
    later = (entry for entry in known.trail if entry.id > handed[-1] and entry.action not in _OF_APPOINTMENTS)
    return any(entry.at < at for entry in later)


def _reasons(known: Evidence, row: ReminderRow, at: dt.datetime, zone: str) -> Iterator[str]:
    today = local_day(zone, at)
    yield from _of_the_person(known, row, at, today)
    scopes = {OPT_OUT_ALL, row.class_name}
    key = known.address_keys.get(row.message_pk or 0)
    for ban in known.bans:
        if ban.scope in scopes and ban.at < at and (ban.address_key is None or ban.address_key == key):
            yield "the patient had opted out" if ban.address_key is None else "the address was suppressed"
    line = known.lines.get(row.episode_id, "")
    for pause in known.pauses:
        lasting = (pause.ended_at is None or pause.ended_at > at) and (pause.until is None or today < pause.until)
        if names_clock(pause.line, line) and pause.at < at and lasting:
            yield "there was a hold"
    yield from _of_the_answers(known, row, at, zone)
    yield from _of_the_line(known, row, at, today, line)


def _of_the_person(known: Evidence, row: ReminderRow, at: dt.datetime, today: dt.date) -> Iterator[str]:
    person = known.person
    if person.erased_at is not None and person.erased_at < at:
        yield "the patient was erased"
    if person.status != Status.ACTIVE and _was_so(known, "status", at):
        yield f"the patient was {person.status}"
    if person.consent == Consent.DENIED and _was_so(known, "consent", at):
        yield "the patient's consent was denied"
    cosmetic = row.class_name == TreatmentClass.COSMETIC
    if cosmetic and is_minor(person.birth_date, today) and _was_so(known, "birth_date", at):
        yield "the patient was under age"


def _was_so(known: Evidence, field: str, at: dt.datetime) -> bool:
    """Tell whether a field of the patient has had today's value since before `at`."""
    changes = [entry.at for entry in known.trail if entry.subject == "patient" and field in _fields(entry.told)]
    return bool(changes) and max(changes) < at


def _fields(details: object) -> list[object]:
    fields = details.get("fields") if isinstance(details, dict) else None
    return fields if isinstance(fields, list) else []


def _of_the_line(known: Evidence, row: ReminderRow, at: dt.datetime, today: dt.date, line: str) -> Iterator[str]:
    own = next((entry for entry in known.entries if entry.id == row.treatment_id), None)
    mine = [entry for entry in known.entries if entry.episode_id == row.episode_id]
    if mine and all(entry.withdrawn_at is not None and entry.withdrawn_at < at for entry in mine):
        yield "the treatment was entered in error"
    if own is None:
        return
    if any(_ended(entry, own, row, at) for entry in known.entries if entry.line == line):
        yield "the patient had been treated again"
    for booking in known.bookings:
        if names_clock(booking.line or None, line) and booking.day > own.day and _stood(known, booking, at, today):
            yield "an appointment was booked"


def _of_the_answers(known: Evidence, row: ReminderRow, at: dt.datetime, zone: str) -> Iterator[str]:
    """Yield what the patient had answered by then about this line, and had not taken back."""
    line, today = known.lines.get(row.episode_id, ""), local_day(zone, at)
    own = next((entry.day for entry in known.entries if entry.id == row.treatment_id), None)
    said = [fact for answer in known.answers if (fact := _then(answer, at)) is not None and fact.concerns(line)]
    if any(fact.kind in HELD_BACK_BY for fact in said):
        yield "the patient had answered"
    later = [(fact.at, fact.day) for fact in said if fact.kind is AnswerKind.REMIND_LATER and fact.day]
    if later and today < max(later)[1]:
        yield "the patient had asked to be reminded later"
    if own is None:
        return
    if any(fact.kind is AnswerKind.BOOKED and _covers(fact, own, today, zone) for fact in said):
        yield "the patient had booked"
    if any(fact.ends_on(own, zone) is not None for fact in said):
        yield "the patient had been treated elsewhere"


def _then(answer: StoredAnswer, at: dt.datetime) -> Answer | None:
    """Return the answer as it stood at a moment; what came of it since is not looked at."""
    withdrawn = answer.withdrawn_at if answer.withdrawn_at is not None and answer.withdrawn_at <= at else None
    closed = answer.closed_at if answer.closed_at is not None and answer.closed_at <= at else None
    return replace(answer, withdrawn_at=withdrawn, closed_at=closed).fact if answer.at < at else None


def _covers(booked: Answer, own: dt.date, today: dt.date, zone: str) -> bool:
    if booked.day is None:
        return own < local_day(zone, booked.at)
    return own < booked.day and today < booked.day + BOOKING_LASTS


def _ended(other: EntryRow, own: EntryRow, row: ReminderRow, at: dt.datetime) -> bool:
    """Tell whether another episode of the line had begun after this one by then."""
    live = other.entered_at < at and (other.withdrawn_at is None or other.withdrawn_at > at)
    return live and other.episode_id not in (None, row.episode_id) and other.day > own.day


def _stood(known: Evidence, booking: Booking, at: dt.datetime, today: dt.date) -> bool:
    """Tell whether a booking stopped its line by then.

    While an outcome stood that cannot be said; once it was taken back (`reopen`) the day was booked again.
    """
    told = [
        entry
        for entry in known.trail
        if entry.subject == "appointment" and entry.subject_id == booking.id and entry.action in ("outcome", "reopen")
        if entry.at <= at
    ]
    opened_at = booking.created_at if not told else told[-1].at
    is_open = not told or told[-1].action == "reopen"
    return is_open and opened_at < at and today < booking.day + BOOKING_LASTS
