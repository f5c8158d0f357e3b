"""What the simulation itself knows of the people in it, apart from anything the product stores.

Invariant: an entry is made when the product has said that the deed is done, never before.
"""

import datetime as dt
import pickle
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

TOKENS = re.compile(rb"/(p|u)/([A-Za-z0-9_\-=\r\n]+)")


class Identity(NamedTuple):
    """What a reminder is, whatever number its row has: rows written anew after a backup was put back have others."""

    slug: str
    ref: str
    line: str
    first_day: str
    step: str
    copy: int


@dataclass(slots=True)
class Entry:
    """A logged treatment, by its ref."""

    ref: str
    protocol: str
    day: dt.date
    live: bool = True


@dataclass(slots=True)
class Person:
    """A patient, and all that forbids a message to them."""

    id: int
    slug: str
    ref: str
    address: str
    consent: str = "granted"
    status: str = "active"
    erased: bool = False
    out_of: set[str] = field(default_factory=set)
    entries: list[Entry] = field(default_factory=list)
    bookings: dict[int, dt.date] = field(default_factory=dict)
    estranged: bool = False
    given_ref: str = ""
    """Their number here before they were erased; their given name ends in it."""
    addresses: set[str] = field(default_factory=set)
    """Every address they ever had here."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """One message that the server really took, with the reminders it carried then."""

    at: dt.datetime
    message_id: str
    recipient: str
    patient_id: int
    slug: str
    class_name: str
    reminders: tuple[int, ...]
    identities: tuple[Identity, ...]
    tokens: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Page:
    """The books as they stood when a backup was made, and the highest number of a reminder in it."""

    content: bytes
    length: int
    newest: int


@dataclass(slots=True)
class Books:
    """People, suppressed addresses, and what was accepted."""

    people: list[Person] = field(default_factory=list)
    by_id: dict[int, Person] = field(default_factory=dict)
    suppressed: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    ledger: list[Accepted] = field(default_factory=list)
    places: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    """Where in the ledger each patient's messages stand."""
    accepted: Counter[int] = field(default_factory=Counter)
    by_hand: Counter[int] = field(default_factory=Counter)
    """How often a person had a reminder sent again although it had been accepted."""
    settled_sent: set[int] = field(default_factory=set)
    disowned: set[int] = field(default_factory=set)
    """Places in the ledger of messages that a person declared never sent, or that the database knows nothing of."""
    gone: set[Identity] = field(default_factory=set)
    """What went out after a backup that was put back: the database knows nothing of it, and nobody let it go again."""
    gone_ids: set[int] = field(default_factory=set)
    """Of those, the numbers of the rows that were in the backup already."""
    unrecorded: set[Identity] = field(default_factory=set)
    """Of those, what the backup had no row for when sending was unlocked."""
    doubtful: bool = False
    """Whether such a backup was put back, and nobody has said so yet."""
    doubted_at: dt.datetime | None = None

    def page(self, newest: int) -> Page:
        """Keep what the database knows now; `newest` is its highest number of a reminder."""
        content = pickle.dumps((self.people, self.suppressed, self.settled_sent))
        return Page(content, len(self.ledger), newest)

    def go_back(self, page: Page) -> list[tuple[Person, Entry]]:
        """Forget what the database forgot, and keep what the world knows; return the treatments that were lost."""
        before = {(one.slug, one.ref): one for one in self.people}
        self.people, self.suppressed, self.settled_sent = pickle.loads(page.content)  # noqa: S301 - our own
        self.by_id = {one.id: one for one in self.people}
        for place, one in enumerate(self.ledger[page.length :], page.length):
            self.accepted.subtract(one.reminders)
            self.gone.update(one.identities)
            self.gone_ids.update(key for key in one.reminders if key <= page.newest)
            self.disowned.add(place)
            self.doubtful = True
        for places in self.places.values():
            places[:] = [place for place in places if place < page.length]
        for counter in (self.accepted, self.by_hand):
            for key in [key for key in counter if key > page.newest]:
                del counter[key]
        return list(self._lost_entries(before))

    def _lost_entries(self, before: Mapping[tuple[str, str], Person]) -> Iterator[tuple[Person, Entry]]:
        for person in self.people:
            known = {entry.ref for entry in person.entries}
            was = before.get((person.slug, person.ref))
            yield from ((person, entry) for entry in (was.entries if was else []) if entry.ref not in known)

    def unlocked(self, now: dt.datetime, due: Mapping[Identity, dt.datetime]) -> None:
        """Note that a person has said so; `due` is when the rows that the database has are due.

        What it puts later than now went out because of a fact that is lost too: nothing could tell the database.
        """
        self.doubtful, self.doubted_at = False, now
        self.gone = {one for one in self.gone if due.get(one, now) <= now}
        self.unrecorded = self.gone - due.keys()

    def was_accepted(self, key: int) -> bool:
        """Tell whether the message of a reminder was taken by the server, as its reader would know."""
        return self.accepted[key] > 0 or key in self.gone_ids

    def known_to_others(self, person: Person) -> set[str]:
        """Return the addresses of a person that somebody else has or had."""
        others = (one.addresses for one in self.people if one is not person)
        return person.addresses & set().union(*others)

    def add(self, person: Person) -> None:
        """Enter a patient."""
        self.people.append(person)
        person.addresses.add(person.address)
        person.given_ref = person.ref
        self.by_id[person.id] = person

    def forbids(self, person: Person, class_name: str) -> str | None:
        """Return why nothing of a class may go to a person, None where it may."""
        scopes = {"all", class_name}
        reasons = {
            "they were erased": person.erased,
            f"they are {person.status}": person.status != "active",
            "consent was denied": person.consent == "denied",
            "they opted out": bool(person.out_of & scopes),
            "the address is suppressed": bool(self.suppressed[person.slug, person.address] & scopes),
        }
        return next((reason for reason, holds in reasons.items() if holds), None)
