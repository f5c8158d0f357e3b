"""Finds whom a link of a message belongs to, and what the message was about.

Invariants: a token is looked up by its hash in one query, whatever it is; a request link works for 60 days, a stop
link as long as its message is kept, and neither once the patient was erased.
"""

import datetime as dt
from dataclasses import dataclass, replace

from reminders.domain.answers import AnswerKind
from reminders.domain.episode import Run, runs
from reminders.domain.facts import PatientFacts, Rules
from reminders.services.calendar import rules_for
from reminders.services.find import clinic_of
from reminders.services.keys import token_hash
from reminders.store import answers, clinics, facts, links, patients
from reminders.store.answers import ABOUT_WRITING, StoredAnswer
from reminders.store.clinics import Clinic, Practitioner
from reminders.store.database import Transaction
from reminders.store.links import Link
from reminders.store.patients import Patient

WORKS_FOR = {links.REQUEST: dt.timedelta(days=60), links.STOP: dt.timedelta(days=100 * 366)}


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose link was opened, and what was answered through messages to them and not taken back, oldest first."""

    link: Link
    clinic: Clinic
    patient: Patient
    standing: tuple[StoredAnswer, ...]

    @property
    def former(self) -> bool:
        """Tell whether the message went to an address that is not the patient's any more; it speaks for itself."""
        return self.link.address_key != self.patient.address_key

    @property
    def through_link(self) -> tuple[StoredAnswer, ...]:
        """Return what was answered through this message, oldest first; at a former address only about writing to it."""
        mine = (answer for answer in self.standing if answer.message_pk == self.link.message_pk)
        return tuple(answer for answer in mine if not self.former or answer.kind in ABOUT_WRITING)

    def said_here(self, answer: StoredAnswer) -> bool:
        """Tell whether an answer was given at the address that this message went to, through whichever message."""
        same_address = answer.address_key is not None and answer.address_key == self.link.address_key
        return same_address or answer.message_pk == self.link.message_pk


@dataclass(frozen=True, slots=True)
class About:
    """What the message was about: the patient's facts, and the runs of its lines."""

    rules: Rules
    known: PatientFacts
    mine: tuple[Run, ...]

    @property
    def lines(self) -> frozenset[str]:
        """Return the keys of the message's lines."""
        return frozenset(run.episode.line for run in self.mine)


def asked(tx: Transaction, token: str, purpose: str) -> Asked | None:
    """Return whose link this is; None where it is unknown, of another purpose, too old or erased."""
    readable = token.encode("utf-8", "replace").decode()  # half a character in an address is an unknown token too
    link = links.find_link(tx, token_hash(readable), purpose, tx.now - WORKS_FOR[purpose])
    if link is None:
        return None
    patient = patients.patient_by_id(tx, link.patient_id)
    return Asked(link, clinic_of(tx, link.clinic_id), patient, tuple(answers.standing(tx, link.patient_id)))


def about(tx: Transaction, found: Asked) -> About:
    """Return what the message was about, as if nothing had been answered through it yet.

    A message whose reminders went out anew with another one is about all lines of its class.
    """
    rules = rules_for(tx, found.clinic)
    others = (answer.fact for answer in found.standing if answer.message_pk != found.link.message_pk)
    kept = tuple(fact for fact in others if fact is not None and fact.kind is not AnswerKind.REMIND_LATER)
    known = replace(facts.facts(tx, [found.patient.id])[found.patient.id], answers=kept)
    every = runs(known, rules)
    told = links.lines_of(tx, found.link.message_pk)
    of_message = [run for run in every if run.episode.id in told]
    of_class = [run for run in every if run.protocol and run.protocol.class_name is found.link.class_name]
    return About(rules, known, tuple(of_message or of_class))


def active_practitioners(tx: Transaction, clinic: Clinic, today: dt.date) -> list[Practitioner]:
    """Return whom a patient may ask for on a day."""
    everyone = clinics.practitioners(tx, clinic.id)
    return [one for one in everyone if one.left_on is None or today < one.left_on]
