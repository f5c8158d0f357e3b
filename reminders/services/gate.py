"""Says whose mail may go out now, and how much of it: what a way's breaker, its rate, and patients' servers allow.

Invariants: what one way must not carry keeps no other way's mail waiting. What a rate allows is taken in the
transaction of the claim, from a row that all workers share, so that all of them together keep to it.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from reminders.services.breaker import standing_of
from reminders.services.domains import domain_row
from reminders.services.keys import Keys
from reminders.services.ways import Way
from reminders.store import transports
from reminders.store.apart import ODD_DATA, apart
from reminders.store.database import Transaction, database_now
from reminders.store.patients import Patient, patients_by_ids
from reminders.store.rows import pieces
from reminders.store.transports import Breaker, Level

_ROUNDING = 1e-6
GATHERS = 6
"""A rate that was not used gathers a sixth of a minute's messages, and one at least; no more go at once."""


@dataclass(slots=True)
class Gate:
    """Whose mail one delivery may send; `usual` is how many messages a round has. Looked at afresh before each claim.

    `finished` are the clinics that send no more in this delivery: paused, outside their hours, at their limit, or their
    way rests. `resting` are the ways found at rest, with the end of it. `not_before` says of clinics that had something
    left for a rest when the first of that may go, None where that waits for a person. `short` tells that something was
    left because a rate allows no more just now.
    `aside` stand patients of a domain that rested, by their clinics' ids and their own, while one of them tries it.
    """

    way: Callable[[int], Way | None]
    keys: Keys
    usual: int
    finished: set[int] = field(default_factory=set)
    resting: dict[str, dt.datetime] = field(default_factory=dict)
    not_before: dict[int, dt.datetime | None] = field(default_factory=dict)
    short: bool = False
    aside: list[tuple[int, int]] = field(default_factory=list)
    _states: Mapping[str, Breaker] = field(default_factory=dict)
    _levels: Mapping[str, Level | None] = field(default_factory=dict)
    _room: dict[str, int] = field(default_factory=dict)
    _now: dt.datetime | None = None
    """Now by the database's clock, where a rate was read."""
    _held: dict[str, float] = field(default_factory=dict)
    _taken: Counter[str] = field(default_factory=Counter)
    _looked_at: dt.datetime = field(init=False)

    def look(self, tx: Transaction) -> None:
        """See what every way allows at this moment."""
        found = transports.limited(tx)
        self._states = {state.name: state for state, _ in found}
        self._levels = {state.name: level for state, level in found if level is not None}
        self._now = database_now(tx) if self._levels else None
        self._looked_at, self.short = tx.now, False
        self._room.clear()
        self._taken.clear()

    def room(self, way: Way) -> int:
        """Return how many messages a way may take now; none while it rests."""
        name = way.breakers.name
        if name not in self._room:
            until, most = self._standing(name)
            if until is not None:
                self.resting[name], most = until, 0
            elif way.rate is not None:
                most = min(most, int(_left(way.rate, self._levels.get(name), self._now)))
            self._room[name] = most
        return self._room[name] - self._taken[name]

    def _standing(self, name: str) -> tuple[dt.datetime | None, int]:
        return standing_of(self._states.get(name) or Breaker(name), self._looked_at, self.usual)

    def passes(self, clinic_id: int) -> bool:
        """Tell whether a clinic's mail may go now; where it may not in this delivery, the clinic is finished."""
        if clinic_id in self.finished:
            return False
        way = self.way(clinic_id)
        if way is not None and self.room(way) > 0:
            return True
        if way is not None and way.breakers.name not in self.resting:
            self.short = True
            return False
        self.not_before[clinic_id] = None if way is None else self.resting[way.breakers.name]
        self.finished.add(clinic_id)
        return False

    def enter(self, tx: Transaction, clinic_ids: Iterable[int]) -> None:
        """Begin a claim for these clinics: nobody else takes of the rates they go by until its transaction ends."""
        self._taken.clear()
        ways = [way for clinic_id in set(clinic_ids) if (way := self.way(clinic_id)) is not None]
        rates = {way.breakers.name: way.rate for way in ways if way.rate is not None}
        levels = transports.take_levels(tx, rates, rates.keys() - self._levels.keys()) if rates else {}
        self._now = database_now(tx) if rates else None
        self._held = {name: _left(rate, levels.get(name), self._now) for name, rate in rates.items()}
        for way in ways:
            name, _ = way.breakers.name, self.room(way)
            if name in self._held:
                self._room[name] = min(self._room[name], int(self._held[name]))

    def untake(self) -> None:
        """Forget what a claim took that did not come to be."""
        self._taken.clear()
        self.short = False

    def leave(self, tx: Transaction) -> None:
        """End a claim: what it took of the rates is noted."""
        if self._held and self._now is not None:
            now, taken = self._now, self._taken
            transports.keep_levels(
                tx, {name: Level(left - taken[name], now) for name, left in self._held.items() if taken[name]}
            )

    def reachable(self, people: Mapping[int, Patient], asked: Iterable[int]) -> dict[int, Patient]:
        """Return these patients in the order `asked`, without those whose mail servers are left alone just now.

        A domain that rested gets one message first; the others stand `aside` until it was answered.
        """
        found, tried = dict[int, Patient](), set[str]()
        for person in (people[key] for key in asked if key in people):
            domain = self._limited_domain(person)
            until = self._standing(domain)[0] if domain else None
            if until is not None:
                before = self.not_before.get(person.clinic_id)
                self.not_before[person.clinic_id] = until if before is None else min(before, until)
            elif domain in tried:
                self.aside.append((person.clinic_id, person.id))
            else:
                found[person.id] = person
                tried |= {domain} if domain else set()
        return found

    def without_resting(self, tx: Transaction, clinic_id: int, asked: Iterable[int]) -> Iterator[int]:
        """Yield these patients of a clinic without those whose domains rest; whoever cannot be read is left in."""
        if not self._domains_rest(clinic_id):
            yield from asked
            return
        for piece in pieces(asked):
            people: Mapping[int, Patient] = {}
            with suppress(*ODD_DATA), apart(tx):
                people = patients_by_ids(tx, piece)
            yield from (key for key in piece if key not in people or not self._rests(people[key]))

    def _domains_rest(self, clinic_id: int) -> bool:
        of_way = f"{self.name_of(clinic_id)} for "
        return any(name.startswith(of_way) for name in self._states)

    def _rests(self, person: Patient) -> bool:
        domain = self._limited_domain(person)
        return bool(domain) and self._standing(domain)[0] is not None

    def _limited_domain(self, person: Patient) -> str:
        """Return the row of a patient's domain, if that rests or rested before; else nothing."""
        way = self.way(person.clinic_id) if self._states and person.recipient else None
        if way is None or not person.recipient:
            return ""
        row = domain_row(self.keys, way.breakers.name, person.recipient)
        return row if row in self._states else ""

    def left_of(self, clinic_id: int, taken: Counter[str]) -> int:
        """Return how many messages the clinic's way allows yet besides those `taken`, by the names of ways."""
        name = self.name_of(clinic_id)
        return self._room.get(name, 0) - self._taken[name] - taken[name]

    def name_of(self, clinic_id: int) -> str:
        """Return the name of a clinic's way; nothing where it has none."""
        way = self.way(clinic_id)
        return way.breakers.name if way else ""

    def took(self, taken: Counter[str]) -> None:
        """Note what was claimed, by the names of ways."""
        self._taken.update(taken)


def _left(rate: int, level: Level | None, now: dt.datetime | None) -> float:
    """Return how many messages a rate allows now: what was left, and what has come since, up to what gathers."""
    most = max(1.0, rate / GATHERS)
    if level is None or now is None:
        return most
    since = (now - level.at).total_seconds()
    if since < -60 / GATHERS:  # written under a clock that was set back since
        return most
    since = max(since, 0.0)
    return min(most, level.messages + rate / 60 * since + _ROUNDING)
