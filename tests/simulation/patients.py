"""What patients do with the messages they got: every kind of answer, through the links in the letter.

Invariant: only tokens that the server really received are used, as a patient would.
"""

import datetime as dt
import random
from collections.abc import Iterable
from dataclasses import dataclass

from reminders.domain.answers import AnswerKind
from reminders.services.answering.answer import answer, request_page, stop
from reminders.services.answering.reply import Reply
from tests.simulation.books import Accepted, Books, Person
from tests.support.clinic import Office

KINDS = (
    *(AnswerKind.CONSULTATION_REQUESTED, AnswerKind.PHONE_ME, AnswerKind.BOOKED, AnswerKind.BOOKED),
    *(AnswerKind.TREATED_ELSEWHERE, AnswerKind.REMIND_LATER, AnswerKind.REMIND_LATER, AnswerKind.STOPPED),
    AnswerKind.WRONG_PERSON,
)


@dataclass(slots=True)
class Patients:
    """Everybody who got a message."""

    office: Office
    books: Books
    chance: random.Random

    def act(self) -> Iterable[Person]:
        """Let somebody answer a message of the last weeks."""
        since = self.office.clock.now() - dt.timedelta(days=40)
        recent = [one for one in self.books.ledger[-300:] if one.at >= since and one.tokens]
        if not recent:
            return []
        letter = self.chance.choice(recent)
        person = self.books.by_id.get(letter.patient_id)
        if person is None or (person.slug, person.address) != (letter.slug, letter.recipient):
            return []
        if person.erased or person.estranged:
            return []
        purpose, token = self.chance.choice(letter.tokens)
        return self._stop(person, letter, token) if purpose == "u" else self._answer(person, letter, token)

    def _stop(self, person: Person, letter: Accepted, token: str) -> Iterable[Person]:
        everything = self.chance.random() < 0.3
        with self.office.write() as tx:
            page = stop(tx, token, everything=everything)
        if page is None:
            return []
        return self._stopped(person, letter, "all" if everything else letter.class_name)

    def _stopped(self, person: Person, letter: Accepted, scope: str) -> Iterable[Person]:
        person.out_of.add(scope)
        self.books.suppressed[person.slug, letter.recipient].add(scope)
        return self._readers(person, letter)

    def _readers(self, person: Person, letter: Accepted) -> Iterable[Person]:
        return [one for one in self.books.people if one.slug == person.slug and one.address == letter.recipient]

    def _answer(self, person: Person, letter: Accepted, token: str) -> Iterable[Person]:
        kind = self.chance.choice(KINDS)
        with self.office.read() as tx:
            page = request_page(tx, token)
        if page is None:
            return []
        day: dt.date | None = None
        if kind is AnswerKind.BOOKED and self.chance.random() < 0.7:
            day = page.today + dt.timedelta(days=self.chance.randint(0, 30))
        if kind is AnswerKind.TREATED_ELSEWHERE:
            day = self.chance.choice(page.elsewhere_months) if page.elsewhere_months else None
        if kind is AnswerKind.REMIND_LATER:
            day = self.chance.choice(page.later_days) if page.later_days else None
        if kind in (AnswerKind.TREATED_ELSEWHERE, AnswerKind.REMIND_LATER) and day is None:
            return []
        everything = kind is AnswerKind.STOPPED and self.chance.random() < 0.3
        with self.office.write() as tx:
            answer(tx, token, Reply(kind, day=day, everything=everything))
        if kind is AnswerKind.STOPPED:
            return self._stopped(person, letter, "all" if everything else letter.class_name)
        if kind is AnswerKind.WRONG_PERSON:
            person.estranged = True
            self.books.suppressed[person.slug, letter.recipient].add("all")
        return self._readers(person, letter)
