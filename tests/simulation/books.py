"""What the simulation itself knows of the people in it, apart from anything the product stores.

Invariant: an entry is made when the product has said that the deed is done, never before.
"""

import datetime as dt
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field

TOKENS = re.compile(rb"/(p|u)/([A-Za-z0-9_\-=\r\n]+)")


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


@dataclass(frozen=True, slots=True)
class Accepted:
    """One message that the server really took, with the reminders it carried then."""

    at: dt.datetime
    message_id: str
    recipient: str
    patient_id: int
    class_name: str
    day: dt.date
    reminders: tuple[int, ...]
    tokens: tuple[tuple[str, str], ...]


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
    """Places in the ledger of messages that a person declared never sent."""

    def add(self, person: Person) -> None:
        """Enter a patient."""
        self.people.append(person)
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
