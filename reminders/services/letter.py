"""Gathers what one message shows from the clinic's and the patient's facts; delivery and preview share it.

Invariant: a preview shows exactly what delivery would send, because both read their facts here.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, cast

from reminders.domain.facts import Reminder
from reminders.domain.grouping import stage
from reminders.domain.lifecycle import COUNTS_AS_SENT
from reminders.domain.protocol import Protocol as TreatmentProtocol
from reminders.domain.sending_hours import local_day
from reminders.domain.window import Window
from reminders.mail.message import Jurisdiction, MessageClass, MessageFacts, MessageLinks, Stage
from reminders.mail.words import language_of, words, written
from reminders.services.keys import Keys
from reminders.services.subjects import Subject, template_for
from reminders.store.clinics import Clinic, Location, Practitioner
from reminders.store.patients import Patient


@dataclass(frozen=True, slots=True)
class MintedLinks:
    """A message's links and the tokens in them; no tokens where the product has no https address."""

    links: MessageLinks
    request_token: str | None = None
    stop_token: str | None = None


def message_facts(subject: Subject, chosen: Sequence[Reminder], now: dt.datetime) -> MessageFacts:
    """Return what a message about the `chosen` reminders (of one class) shows at the moment `now`."""
    room, patient = subject.room, subject.person
    clinic = room.clinic
    today = local_day(clinic.timezone, now)
    place = _location(room.locations, patient)
    protocol = room.rules.protocols[chosen[0].protocol]
    opens, closes = offered([reminder.window for reminder in chosen])
    practitioner = practitioner_for(patient, room.practitioners, subject.known.treatments, today)
    language = language_of(patient.language, clinic.language)
    class_name, stage_now = str(chosen[0].class_name), message_stage(chosen, subject)
    codes = {reminder.protocol for reminder in chosen}
    return MessageFacts(
        clinic_name=clinic.name,
        sender_name=clinic.sender_name or clinic.name,
        sender_address=clinic.email,
        reply_to=clinic.reply_to or clinic.email,
        phone=(place.phone if place else None) or clinic.phone,
        booking_url=(place.booking_url if place else None) or clinic.booking_url,
        postal_address=(place.address if place else None) or clinic.address,
        language=language,
        jurisdiction=cast("Jurisdiction | None", clinic.jurisdiction),
        class_name=cast("MessageClass", class_name),
        stage=cast("Stage", stage_now),
        recipient=patient.recipient or "",
        recipient_is_representative=bool(patient.representative_email),
        patient_name=patient.known_as or patient.given_name or "",
        practitioner=practitioner.name if practitioner else None,
        label=label_in(protocol, language, patient.language),
        opens=opens,
        closes=closes,
        window_is_open=opens <= today,
        reminder_keys=tuple(identity(clinic, patient.id, reminder) for reminder in chosen),
        country=clinic.country,
        colour=clinic.colour,
        logo=room.logo,
        own=template_for(room, class_name, stage_now, codes, language),
    )


def label_in(protocol: TreatmentProtocol, language: str, variety: str | None = None) -> str:
    """Return what a protocol is called towards the patient in a language, best in their own variety of it ("pt-BR").

    Where the protocol has no words in that language, the product's own stand there: a message is in one language.
    """
    fitting = (protocol.label[tag] for tag in sorted(protocol.label) if written(tag) == language)
    exact = protocol.label.get(variety or "") if written(variety) == language else None
    usual = words("mail", language)[f"label_{protocol.class_name}"]
    return exact or protocol.label.get(language) or next(fitting, usual)


def offered(windows: Sequence[Window]) -> tuple[dt.date, dt.date]:
    """Return the days a message about these windows offers: from the latest `opens` to the first `closes` from it on.

    The end is always the real one of some window: windows that went apart must not read as one that ends on the day
    it opens.
    """
    opens = max(window.opens for window in windows)
    return opens, min(window.closes for window in windows if window.closes >= opens)


def identity(clinic: Clinic, patient_id: int, reminder: Reminder) -> str:
    """Return a reminder's identity (clinic, patient, episode, step, copy) as one text."""
    return f"{clinic.id}:{patient_id}:{reminder.episode_id}:{reminder.step}:{reminder.copy}"


def message_stage(chosen: Sequence[Reminder], subject: Subject) -> str:
    """Return the wording: an episode's first message is an invitation, a merged one takes the earliest stage."""
    before = {reminder.episode_id for reminder in subject.stored if reminder.state in COUNTS_AS_SENT}
    before |= {episode.id for episode in subject.known.episodes if episode.counts_as_sent}
    return stage((reminder.step, reminder.episode_id in before) for reminder in chosen)


class Visit(Protocol):
    """An entry that stands: when, and by whom."""

    @property
    def id(self) -> int:
        """Its number."""
        ...

    @property
    def day(self) -> dt.date:
        """Its local day."""
        ...

    @property
    def practitioner_id(self) -> int | None:
        """Who treated, where that is known."""
        ...


def practitioner_for(
    patient: Patient, team: Sequence[Practitioner], visits: Sequence[Visit], today: dt.date
) -> Practitioner | None:
    """Return the patient's preferred practitioner, else the last treating one, if active today; None is "our team".

    `team` is all of the clinic, `visits` all of the patient's that stand.
    """
    known = {practitioner.id: practitioner for practitioner in team}
    newest = sorted(visits, key=lambda visit: (visit.day, visit.id), reverse=True)
    last = next((visit.practitioner_id for visit in newest if visit.practitioner_id), None)
    for candidate in (patient.practitioner_id, last):
        found = known.get(candidate) if candidate else None
        if found and (found.left_on is None or today < found.left_on):
            return found
    return None


def mint_links(keys: Keys, base: str | None) -> MintedLinks:
    """Make the links of one message under the installation's https address; none without."""
    if base is None:
        return MintedLinks(MessageLinks())
    request, stop = keys.new_token(), keys.new_token()
    return MintedLinks(MessageLinks(f"{base}/p/{request}", f"{base}/u/{stop}"), request, stop)


def _location(places: Sequence[Location], patient: Patient) -> Location | None:
    if patient.location_id is None:
        return None
    return next((place for place in places if place.id == patient.location_id), None)
