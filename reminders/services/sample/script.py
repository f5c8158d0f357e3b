"""The script of the sample clinic: what happens on which day, as plain values that somebody else acts out.

Invariant: an event stands on a day between the first and the last of the script, never in the future of its own day.
"""

import datetime as dt
import itertools
import random
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from reminders.domain.facts import Outcome
from reminders.domain.lifecycle import Reason
from reminders.domain.protocol import Protocol
from reminders.domain.window import allowed_days, window_of
from reminders.errors import CannotDo
from reminders.services.answering.reply import Reply
from reminders.services.patient import PatientChange
from reminders.services.record import NewTreatment
from reminders.services.sample.people import Person, people

WILLOW, HARBOUR = "willow", "harbour"
"""The clinic whose days are acted out, and the branch that joined it two days ago."""

DOCTOR, COLLEAGUE, NURSE, LEAVING = "Dr Amara Osei", "Dr Lena Fischer", "Tom Hughes", "Dr Inês Duarte"
_SUNDAY = 6
_FARTHEST = 800


class OutOfScript(CannotDo):
    """The sample clinic has nothing to tell of {day}: this is a fault of the program, not of its user."""


@dataclass(frozen=True, slots=True)
class Enrol:
    """A patient of the clinic is enrolled."""

    ref: str
    given: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Treat:
    """A treatment is logged, on its day or long after it."""

    entry: NewTreatment


@dataclass(frozen=True, slots=True)
class Crash:
    """A treatment is logged, and the program dies three times while it writes that patient's message."""

    entry: NewTreatment
    recipient: str


@dataclass(frozen=True, slots=True)
class Void:
    """A treatment turns out to be entered in error."""

    ref: str
    protocol: str
    day: dt.date


@dataclass(frozen=True, slots=True)
class Amend:
    """Something about a patient changes."""

    ref: str
    change: PatientChange


@dataclass(frozen=True, slots=True)
class Book:
    """An appointment is made for a later day."""

    ref: str
    day: dt.date
    line: str | None


@dataclass(frozen=True, slots=True)
class Attend:
    """What became of the appointment of a day."""

    ref: str
    day: dt.date
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class PutOnHold:
    """The clinic keeps a patient's reminders back; `until` None is until it says otherwise."""

    ref: str
    until: dt.date | None
    code: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A patient replied, or asked for a consultation."""

    ref: str
    kind: Reason


@dataclass(frozen=True, slots=True)
class Ask:
    """A patient answers through the link of the last message that came to them."""

    recipient: str
    reply: Reply


@dataclass(frozen=True, slots=True)
class CameBack:
    """The last message to a patient came back, or its reader complained."""

    ref: str
    complaint: bool


@dataclass(frozen=True, slots=True)
class Review:
    """Somebody wants to look at a patient's next reminder before it goes."""

    ref: str


@dataclass(frozen=True, slots=True)
class Erase:
    """A patient asks to be erased."""

    ref: str


@dataclass(frozen=True, slots=True)
class Import:
    """A clinic's export is brought in; a row maps our columns to what stands there."""

    clinic: str
    rows: Sequence[Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class ReleaseAll:
    """Somebody looked at what a clinic's backlog held, and lets it go."""

    clinic: str


@dataclass(frozen=True, slots=True)
class Pause:
    """A clinic sends nothing until it is resumed."""

    clinic: str


@dataclass(frozen=True, slots=True)
class Leave:
    """A practitioner leaves the clinic."""

    practitioner: str


@dataclass(frozen=True, slots=True)
class Rule:
    """The clinic changes a protocol."""

    protocol: Protocol


Event = (
    Enrol
    | Treat
    | Crash
    | Void
    | Amend
    | Book
    | Attend
    | PutOnHold
    | Answer
    | Ask
    | CameBack
    | Review
    | Erase
    | Import
    | ReleaseAll
    | Pause
    | Leave
    | Rule
)


@dataclass(slots=True)
class Script:
    """What is being written: `first` and `last` day of the clinic's life with the product, and today."""

    first: dt.date
    last: dt.date
    today: dt.date
    catalogue: Mapping[str, Protocol]
    chance: random.Random
    days: dict[dt.date, list[Event]] = field(default_factory=lambda: defaultdict(list))
    people: Iterator[Person] = field(init=False)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1001))

    def __post_init__(self) -> None:
        """Begin to meet people."""
        self.people = people(self.chance, self.today)

    def ago(self, days: int) -> dt.date:
        """Return the day so many days before the last."""
        return self.last - dt.timedelta(days=days)

    def on(self, day: dt.date, *events: Event) -> None:
        """Let events happen on a day; what lies before the product was there happens on its first day."""
        if day > self.last:
            raise OutOfScript(day=day)
        self.days[max(day, self.first)].extend(events)

    def number(self) -> str:
        """Return the next patient's number."""
        return f"W-{next(self._numbers)}"

    def enrol(self, day: dt.date, given: Mapping[str, object] = MappingProxyType({})) -> str:
        """Enrol somebody new who agreed and has an address alone, unless `given` says otherwise; return their ref."""
        person, ref = next(person for person in self.people if not person.shares), self.number()
        usual = {
            "given_name": person.given_name,
            "family_name": person.family_name,
            "email": person.email,
            "phone": person.phone,
            "birth_date": person.born,
            "consent": "granted",
        }
        values = {name: value for name, value in {**usual, **given}.items() if value != ""}
        self.on(day, Enrol(ref, values))
        return ref

    def treat(self, ref: str, code: str, day: dt.date, practitioner: str = DOCTOR) -> None:
        """Log a treatment on its day, or on the first day of the script where it was done before."""
        self.on(day, Treat(NewTreatment(ref, code, day, practitioner)))

    def patient(self, code: str, day: dt.date, practitioner: str = DOCTOR, **given: object) -> str:
        """Enrol somebody new on the day of a first treatment; return their ref."""
        ref = self.enrol(day, given)
        self.treat(ref, code, day, practitioner)
        return ref

    def began(self, code: str, step: str, first_day: dt.date) -> dt.date:
        """Return the latest day of treatment for which a step's allowed days begin on `first_day` or just before."""
        protocol = self.catalogue[code]
        place = [known.name for known in protocol.steps].index(step)

        def in_time(days: int) -> bool:
            window = window_of(protocol, first_day - dt.timedelta(days=days))
            return allowed_days(protocol, window)[place].first <= first_day

        return first_day - dt.timedelta(days=bisect_left(range(_FARTHEST), x=True, key=in_time))

    def invited(
        self, days_ago: int, code: str = "botulinum-cosmetic", practitioner: str = DOCTOR, **given: object
    ) -> str:
        """Return somebody whose invitation goes out so many days before the last, or on the next sending day."""
        return self.patient(code, self.began(code, "invitation", self.ago(days_ago)), practitioner, **given)


def working_day(day: dt.date) -> dt.date:
    """Return `day`, or the Saturday before it where it is a Sunday."""
    return day - dt.timedelta(days=day.weekday() == _SUNDAY)
