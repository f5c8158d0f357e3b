"""Gathers what the pages behind a message's links show: the clinic as its mails do, of the patient next to nothing.

Invariants: a page names no treatment, window or note, and the first name only where the message went to the patient's
own present address; a day is offered only if a step still to come may really go out on it.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from reminders.domain.answers import AnswerKind
from reminders.domain.facts import Status
from reminders.domain.grouping import earliest_day, history
from reminders.domain.lifecycle import State
from reminders.domain.planner import Wanted, wanted
from reminders.domain.sending_hours import local_day
from reminders.mail.words import language_of
from reminders.services.answering.asked import About, Asked, about, active_practitioners
from reminders.services.answering.reply import Offered
from reminders.services.answering.stopping import stopped_scopes, to_lift
from reminders.services.letter import practitioner_for
from reminders.store import clinics, reminders, treatments
from reminders.store.answers import StoredAnswer, Words, words_of
from reminders.store.database import Transaction

MOST_LATER_DAYS = 8
PACE = dt.timedelta(days=7)
LONGEST_NAME = 40
NOT_STAFFS = frozenset({AnswerKind.REMIND_LATER, AnswerKind.STOPPED})
NOTHING_OF_THE_PATIENT: Mapping[str, Any] = {
    "for_representative": False,
    "phone_known": False,
    "practitioners": (),
    "later_days": (),
    "elsewhere_months": (),
}
STILL_TO_COME = (None, State.PLANNED, State.CANCELLED, State.CLAIMED)


@dataclass(frozen=True, slots=True)
class Answered:
    """What was answered through this link last and still stands, stops apart; `closed`: staff have dealt with it."""

    kind: AnswerKind
    on: dt.date
    practitioner_id: int | None
    practitioner: str | None
    contact_by: str | None
    contact_when: str | None
    day: dt.date | None
    has_note: bool
    has_phone: bool
    closed: bool


@dataclass(frozen=True, slots=True)
class PatientPage:
    """All that a patient's page may show: of the patient nothing but the first name.

    `today` is the clinic's local day; `phone_known` says whether there is a number to call, and never which;
    `suggested` is the practitioner whom the message names, if on offer. `later_days` and `elsewhere_months` (first days
    of months, newest first) are what may be chosen; `stopped` are the scopes ("all", "cosmetic", "medical") that are
    not written about any more, `stopped_on` the day on which the patient said so, None where it is not theirs to lift.
    `former`: the message went to an address that is the patient's no more; only "stop" and "not me" are offered.
    """

    clinic_name: str
    phone: str | None
    booking_url: str | None
    reply_to: str
    language: str
    jurisdiction: str | None
    country: str | None
    colour: str | None
    class_name: str
    first_name: str
    for_representative: bool
    today: dt.date
    phone_known: bool
    practitioners: tuple[tuple[int, str], ...]
    suggested: int | None
    later_days: tuple[dt.date, ...]
    elsewhere_months: tuple[dt.date, ...]
    answered: Answered | None
    stopped: frozenset[str]
    stopped_on: dt.date | None
    former: bool


@dataclass(frozen=True, slots=True)
class StopPage:
    """All that the page behind a stop link may show."""

    clinic_name: str
    phone: str | None
    reply_to: str
    language: str
    jurisdiction: str | None
    country: str | None
    colour: str | None
    class_name: str
    stopped: frozenset[str]


def stop_page_of(tx: Transaction, found: Asked) -> StopPage:
    """Return what the page behind this stop link shows."""
    clinic = found.clinic
    return StopPage(
        clinic_name=clinic.name,
        phone=_place(tx, found)[0],
        reply_to=clinic.reply_to or clinic.email,
        language=language_of(found.patient.language, clinic.language),
        jurisdiction=clinic.jurisdiction,
        country=clinic.country,
        colour=clinic.colour,
        class_name=found.link.class_name.value,
        stopped=stopped_scopes(tx, found),
    )


def page_of(tx: Transaction, found: Asked) -> PatientPage:
    """Return what the page behind this request link shows."""
    clinic, patient = found.clinic, found.patient
    phone, booking_url = _place(tx, found)
    today = local_day(clinic.timezone, tx.now)
    topic, staff = about(tx, found), active_practitioners(tx, clinic, today)
    page = PatientPage(
        clinic_name=clinic.name,
        phone=phone,
        booking_url=booking_url,
        reply_to=clinic.reply_to or clinic.email,
        language=language_of(patient.language, clinic.language),
        jurisdiction=clinic.jurisdiction,
        country=clinic.country,
        colour=clinic.colour,
        class_name=found.link.class_name.value,
        first_name=_first_name(found),
        for_representative=bool(patient.representative_email),
        today=today,
        phone_known=_phone_known(found),
        practitioners=tuple((one.id, one.name) for one in staff),
        suggested=_suggested(tx, found, today),
        later_days=paced(fitting_days(tx, found, topic)),
        elsewhere_months=months_of(topic, today),
        answered=_answered(tx, found),
        stopped=stopped_scopes(tx, found),
        stopped_on=_stopped_on(found),
        former=found.former,
    )
    return replace(page, **NOTHING_OF_THE_PATIENT) if found.former else page


def offered(tx: Transaction, found: Asked, topic: About) -> Offered:
    """Return what a reply is checked against.

    Every day that fits is accepted: the page may have been opened yesterday, when the weekly pace began a day earlier.
    """
    today = local_day(found.clinic.timezone, tx.now)
    staff = frozenset(one.id for one in active_practitioners(tx, found.clinic, today))
    months = frozenset(months_of(topic, today))
    return Offered(today, staff, fitting_days(tx, found, topic), months, phone_known=_phone_known(found))


def last_answer(found: Asked) -> StoredAnswer | None:
    """Return what was answered last through this link and stands; a stop is no answer to the others."""
    return next((said for said in reversed(found.through_link) if said.kind is not AnswerKind.STOPPED), None)


def words_to_keep(found: Asked) -> Words:
    """Return the words of the last answer, as long as staff have not dealt with it: an empty field leaves them be."""
    last = last_answer(found)
    if last is None or _dealt_with(last):
        return Words()
    return words_of(found.patient.notes).get(last.id, Words())


def paced(days: frozenset[dt.date]) -> tuple[dt.date, ...]:
    """Return at most eight of the days, each a week or more after the one before."""
    chosen: list[dt.date] = []
    for day in sorted(days):
        if not chosen or day >= chosen[-1] + PACE:
            chosen.append(day)
    return tuple(chosen[:MOST_LATER_DAYS])


def fitting_days(tx: Transaction, found: Asked, topic: About) -> frozenset[dt.date]:
    """Return the days after today on which a step still to come of the message's episodes may really go out."""
    zone, patient_id = found.clinic.timezone, found.patient.id
    past = history(reminders.stored(tx, [patient_id])[patient_id], zone)
    tomorrow = local_day(zone, tx.now) + dt.timedelta(days=1)
    earliest = max(tomorrow, earliest_day(found.link.class_name, past) or tomorrow)
    days: set[dt.date] = set()
    for want in _to_come(tx, patient_id, topic):
        quiet = local_day(zone, want.snoozed_until) if want.snoozed_until else earliest
        first = max(earliest, quiet, want.days.first)
        span = (first + dt.timedelta(days=n) for n in range((want.days.last - first).days + 1))
        days.update(day for day in span if topic.rules.calendar.sends_on(day))
    return frozenset(days)


def _to_come(tx: Transaction, patient_id: int, topic: About) -> Iterator[Wanted]:
    """Yield the message's episodes' steps that the facts want planned, and that nobody holds or has had."""
    episodes = {run.episode.id for run in topic.mine}
    stored = {(r.episode_id, r.step): r.state for r in reminders.stored(tx, [patient_id])[patient_id] if r.copy == 0}
    for want in wanted(topic.known, topic.rules, tx.now).steps:
        to_come = stored.get((want.episode_id, want.step)) in STILL_TO_COME
        if to_come and want.episode_id in episodes and want.state is State.PLANNED:
            yield want


def months_of(topic: About, today: dt.date) -> tuple[dt.date, ...]:
    """Return the first days of the months from the treatment's to the present one, newest first."""
    treated = min((run.day for run in topic.mine if run.day), default=None)
    if treated is None:
        return ()
    count = (today.year - treated.year) * 12 + today.month - treated.month
    numbers = (today.year * 12 + today.month - 1 - back for back in range(count + 1))
    return tuple(dt.date(number // 12, number % 12 + 1, 1) for number in numbers)


def _answered(tx: Transaction, found: Asked) -> Answered | None:
    last = last_answer(found)
    if last is None:
        return None
    words = words_of(found.patient.notes).get(last.id)
    return Answered(
        kind=last.kind,
        on=local_day(found.clinic.timezone, last.at),
        practitioner_id=last.practitioner_id,
        practitioner=_name(tx, found, last),
        contact_by=last.contact_by,
        contact_when=last.contact_when,
        day=last.day,
        has_note=bool(words and words.note),
        has_phone=bool(words and words.phone),
        closed=_dealt_with(last),
    )


def _dealt_with(answer: StoredAnswer) -> bool:
    return answer.closed_at is not None and answer.kind not in NOT_STAFFS


def _stopped_on(found: Asked) -> dt.date | None:
    """Return the day of the patient's own stop that stands and that this link can lift."""
    last = next(reversed(to_lift(found, AnswerKind.STOPPED)), None)
    return local_day(found.clinic.timezone, last.at) if last else None


def _phone_known(found: Asked) -> bool:
    return bool(found.patient.phone or words_to_keep(found).phone)


def _suggested(tx: Transaction, found: Asked, today: dt.date) -> int | None:
    """Return whom the message names, by the rule it was written by; at a former address nothing new is told."""
    if found.former:
        return None
    team = clinics.practitioners(tx, found.clinic.id)
    named = practitioner_for(found.patient, team, treatments.treatments_of(tx, found.patient.id), today)
    return named.id if named else None


def _name(tx: Transaction, found: Asked, answer: StoredAnswer) -> str | None:
    if answer.practitioner_id is None:
        return None
    everyone = clinics.practitioners(tx, found.clinic.id)
    return next((one.name for one in everyone if one.id == answer.practitioner_id), None)


def _first_name(found: Asked) -> str:
    """Return the first word of what the patient is called.

    Nothing for a representative, at a former address, for whoever said that they are not this person, or of the dead.
    """
    patient, last = found.patient, last_answer(found)
    stranger = last is not None and last.kind is AnswerKind.WRONG_PERSON
    if patient.representative_email or stranger or found.former or patient.status is Status.DECEASED:
        return ""
    words = (patient.known_as or patient.given_name or "").split()
    return "".join(letter for letter in words[0] if letter.isprintable())[:LONGEST_NAME] if words else ""


def _place(tx: Transaction, found: Asked) -> tuple[str | None, str | None]:
    """Return phone and booking link: the patient's location's, else the clinic's."""
    clinic = found.clinic
    places = clinics.locations(tx, clinic.id) if found.patient.location_id else []
    place = next((one for one in places if one.id == found.patient.location_id), None)
    phone, booking_url = (place.phone, place.booking_url) if place else (None, None)
    return phone or clinic.phone, booking_url or clinic.booking_url
