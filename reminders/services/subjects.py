"""Looks up whom messages are about: many patients of many clinics at once, with a fixed number of statements.

Invariant: two subjects that are equal show the same message on the same day, since whatever a message shows, or rests
on, is part of them.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from reminders.domain.facts import PatientFacts, Reminder, Rules
from reminders.mail.message import Logo, OwnTemplate
from reminders.services.calendar import rules_from
from reminders.store import clinics, facts, logos, patients, protocols, reminders, templates
from reminders.store.clinics import Clinic, Location, Practitioner
from reminders.store.database import Transaction
from reminders.store.patients import Patient
from reminders.store.templates import Place


@dataclass(frozen=True, slots=True)
class Room:
    """A clinic as its messages need it: what it goes by, its people and places, its picture, and its own words."""

    clinic: Clinic
    rules: Rules
    practitioners: tuple[Practitioner, ...]
    locations: tuple[Location, ...]
    logo: Logo | None
    own: Mapping[Place, OwnTemplate]


@dataclass(frozen=True, slots=True)
class Subject:
    """One patient of one clinic, with everything decided and stored about them so far."""

    room: Room
    person: Patient
    known: PatientFacts
    stored: tuple[Reminder, ...]


@dataclass(frozen=True, slots=True)
class Lookup:
    """Looks up; remembers what never changes once it is stored: a version's words, a picture by its digest."""

    _words: dict[int, OwnTemplate] = field(default_factory=dict)
    _logos: dict[tuple[int, str], Logo] = field(default_factory=dict)

    def rooms(self, tx: Transaction, clinic_ids: Collection[int]) -> dict[int, Room]:
        """Return these clinics by id; one that is not there is left out."""
        known = protocols.current(tx)
        people = clinics.practitioners_of(tx, clinic_ids)
        places = clinics.locations_of(tx, clinic_ids)
        pictures = self._pictures(tx, clinic_ids)
        own = self._own_words(tx, clinic_ids)
        return {
            clinic.id: Room(
                clinic,
                rules_from(clinic, known, tx.now),
                people.get(clinic.id, ()),
                places.get(clinic.id, ()),
                pictures.get(clinic.id),
                own.get(clinic.id, {}),
            )
            for clinic in clinics.clinics_by_ids(tx, clinic_ids)
        }

    def subjects(self, tx: Transaction, rooms: Mapping[int, Room], people: Mapping[int, Patient]) -> dict[int, Subject]:
        """Return these patients by id, as they stand now; each one's clinic must be in `rooms`."""
        known, stored = facts.facts_of(tx, people), reminders.stored(tx, people)
        return {
            key: Subject(rooms[person.clinic_id], person, known[key], tuple(stored[key]))
            for key, person in people.items()
        }

    def all_of(self, tx: Transaction, patient_ids: Collection[int]) -> dict[int, Subject]:
        """Return these patients by id, with their clinics; who is not there is left out."""
        people = patients.patients_by_ids(tx, patient_ids)
        rooms = self.rooms(tx, {person.clinic_id for person in people.values()})
        return self.subjects(tx, rooms, people)

    def _pictures(self, tx: Transaction, clinic_ids: Collection[int]) -> dict[int, Logo]:
        found = logos.digests(tx, clinic_ids)
        for clinic_id, digest in found.items():
            if (clinic_id, digest) not in self._logos and (stored := logos.logo_of(tx, clinic_id)) is not None:
                values = (stored.digest, stored.media_type, stored.width, stored.height, stored.content)
                self._logos[clinic_id, digest] = Logo(*values)
        return {key: self._logos[key, digest] for key, digest in found.items() if (key, digest) in self._logos}

    def _own_words(self, tx: Transaction, clinic_ids: Collection[int]) -> dict[int, dict[Place, OwnTemplate]]:
        named = templates.named_in_force(tx, clinic_ids)
        fresh = [one.id for one in named if one.id not in self._words]
        for key, version, source in templates.sources(tx, fresh):
            self._words[key] = OwnTemplate(key, version, source)
        found: dict[int, dict[Place, OwnTemplate]] = {}
        for one in named:
            found.setdefault(one.clinic_id, {})[one.place] = self._words[one.id]
        return found


def subject_of(tx: Transaction, patient_id: int) -> Subject:
    """Return one patient as they stand now."""
    return Lookup().all_of(tx, [patient_id])[patient_id]


def template_for(room: Room, class_name: str, stage: str, codes: Collection[str], language: str) -> OwnTemplate | None:
    """Return the clinic's own template for a message about these protocols; None is the shipped one.

    Its own for the protocol, else its own for the step. A template of another language is never used; a message about
    several protocols takes the step's.
    """
    here: Sequence[str] = (*codes, "") if len(codes) == 1 else ("",)
    found = (room.own.get(Place(class_name, stage, language, code)) for code in here)
    return next((one for one in found if one is not None), None)
