"""What people at the clinics do: log, correct, book, import, change their minds; all by chance, all through services.

Invariant: a deed is entered in the books once the product has taken it; what it refuses changes nothing there.
"""

import datetime as dt
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from reminders.domain.facts import Kind, Outcome
from reminders.domain.interval import Interval
from reminders.domain.lifecycle import Reason, State
from reminders.services import book, catalogue, clinic, decide, patient
from reminders.services.find import the_clinic
from reminders.services.importing.bring_in import bring_in
from reminders.services.importing.report import ImportRequest
from reminders.store import patients, protocols, reminders
from tests.simulation.books import Books, Entry, Person
from tests.simulation.checks import local
from tests.simulation.options import CODES, HOURS, WEEKS, ZONES, Options
from tests.support.clinic import Office

DAY = dt.timedelta(days=1)
Touched = Iterable[Person]


@dataclass(slots=True)
class Staff:
    """The staff of every clinic."""

    office: Office
    books: Books
    options: Options
    chance: random.Random
    numbers: int = 0
    just_erased: Person | None = None
    files: list[tuple[str, str, list[str]]] = field(default_factory=list)
    later: random.Random = field(init=False)
    """For what came later to this world, so that worlds without it stay what they were."""

    def __post_init__(self) -> None:
        """Begin the other chance."""
        self.later = random.Random(f"staff {self.options.seed}")

    def deed(self) -> tuple[str, Callable[[], Touched]]:
        """Choose what to do next."""
        deeds: list[tuple[float, Callable[[], Touched]]] = [
            *((8, self.book), (6, self.outcome), (4, self.replace), (3, self.void), (3, self.address)),
            *((4, self.hold), (3, self.end_holds), (2, self.own_due), (2, self.opt_out), (1, self.erase)),
            *((2, self.status), (2, self.consent), (1.5, self.calendar), (1, self.limit), (2, self.closed_days)),
            *((1.5, self.pause), (2, self.resume), (1, self.protocol), (2, self.hold_reminders), (3, self.release)),
            *((6, self.settle), (4, self.retry), (2, self.came_back), (3, self.replied), (3, self.close_answers)),
            *((1.5, self.enrol), (2, self.bring_in), (1, self.plan)),
        ]
        chosen = self.chance.choices([one for _, one in deeds], [weight for weight, _ in deeds])[0]
        return chosen.__name__, chosen

    # who
    def someone(self) -> Person:
        return self.chance.choice([one for one in self.books.people if not one.erased])

    def today(self, slug: str) -> dt.date:
        with self.office.read() as tx:
            return local(the_clinic(tx, slug).timezone, tx.now)

    def a_place(self) -> str:
        return self.chance.choice(self.options.places).slug

    def of(self, slug: str, most: int = 20) -> Touched:
        """Return some patients of a clinic, to be looked at after a change that touched them all."""
        mine = [one for one in self.books.people if one.slug == slug]
        return self.chance.sample(mine, min(len(mine), most))

    def _number(self) -> int:
        self.numbers += 1
        return self.numbers

    # people
    def enrol(self) -> Touched:
        return [self.new_patient(self.a_place())]

    def new_patient(self, slug: str) -> Person:
        number, chance = self._number(), self.chance
        mates = [one.address for one in self.books.people if one.slug == slug and not one.erased]
        shares = bool(mates) and chance.random() < 0.05
        address = chance.choice(mates) if shares else f"p{number}@{slug}-patients.example"
        if self.later.random() < 0.1:  # a patient of two clinics
            others = [one.address for one in self.books.people if one.slug != slug and not one.erased]
            address = self.later.choice(others) if others else address
        consent = chance.choice(["granted"] * 6 + ["unknown", "existing_customer"])
        language = chance.choice([None, None, None, "de", "fr"])
        ref = f"R{number}"
        made = self.office.add_patient(
            ref, slug, email=address, consent=consent, language=language, phone="020 7946 0999"
        )
        person = Person(made.id, slug, ref, address, consent)
        self.books.add(person)
        return person

    def address(self) -> Touched:
        person = self.someone()
        new = f"new{self._number()}@{person.slug}-patients.example"
        self.office.change_patient(person.ref, person.slug, email=new)
        person.address = new
        person.addresses.add(new)
        return [person]

    def status(self) -> Touched:
        person = self.someone()
        if person.status == "deceased":
            return []
        status = self.chance.choice(["inactive", "active", "active", "deceased"])
        self.office.change_patient(person.ref, person.slug, status=status)
        person.status = status
        return [person]

    def consent(self) -> Touched:
        person = self.someone()
        consent = self.chance.choice(["denied", "granted", "granted", "unknown"])
        self.office.change_patient(person.ref, person.slug, consent=consent)
        person.consent = consent
        return [person]

    def opt_out(self) -> Touched:
        person = self.someone()
        scope = self.chance.choice(["all", "cosmetic", "medical"])
        self.office.change_patient(person.ref, person.slug, opt_out=scope)
        person.out_of.add(scope)
        return [person, *self.at(person.slug, person.address)]

    def at(self, slug: str, address: str) -> Touched:
        return [one for one in self.books.people if (one.slug, one.address) == (slug, address)]

    def own_due(self) -> Touched:
        person = self.someone()
        self.office.change_patient(person.ref, person.slug, due=self.chance.choice(["14w", "5m", "7m", "10w"]))
        return [person]

    def erase(self) -> Touched:
        person = self.someone()
        mates = list(self.at(person.slug, person.address))
        self.office.erase(person.ref, person.slug)
        self.erased(person)
        self.just_erased = person
        return [person, *mates]

    def erased(self, person: Person) -> None:
        person.erased = True
        self.books.suppressed[person.slug, person.address].add("all")
        person.ref = f"erased-{person.id}"

    def hold(self) -> Touched:
        person = self.someone()
        until = self.today(person.slug) + self.chance.randint(1, 60) * DAY if self.chance.random() < 0.7 else None
        with self.office.write() as tx:
            patient.hold_patient(tx, the_clinic(tx, person.slug), person.ref, None, until, "away")
        return [person]

    def end_holds(self) -> Touched:
        person = self.someone()
        with self.office.write() as tx:
            patient.end_holds(tx, the_clinic(tx, person.slug), person.ref, None)
        return [person]

    def replied(self) -> Touched:
        person = self.someone()
        self.office.answer(self.chance.choice([Reason.REPLIED, Reason.CONSULTATION_REQUESTED]), person.ref, person.slug)
        return [person]

    def close_answers(self) -> Touched:
        person = self.someone()
        with self.office.write() as tx:
            patient.close_answers(tx, the_clinic(tx, person.slug), person.ref)
        return [person]

    # visits
    def treat(self, person: Person | None = None, back: int | None = None) -> Touched:
        person = person or self.someone()
        ago = back if back is not None else self.chance.choice([0, 0, 0, 1, 2, 10, 100])
        day, code = self.today(person.slug) - ago * DAY, self.chance.choice(CODES)
        kind = self.chance.choice([Kind.TREATMENT] * 8 + [Kind.TOUCH_UP, Kind.REVIEW])
        ref = f"T{self._number()}"
        self.office.treat(person.ref, str(day), code, person.slug, entry=ref, kind=kind)
        person.entries.append(Entry(ref, code, day))
        return [person]

    def replace(self) -> Touched:
        person = self.someone()
        live = [one for one in person.entries if one.live]
        if not live:
            return []
        old = self.chance.choice(live)
        day = min(old.day + self.chance.choice([-7, -1, 0, 1, 14]) * DAY, self.today(person.slug))
        code = self.chance.choice([old.protocol, old.protocol, *CODES])
        ref = f"T{self._number()}"
        self.office.treat(person.ref, str(day), code, person.slug, entry=ref, replaces=old.ref)
        old.live = False
        person.entries.append(Entry(ref, code, day))
        return [person]

    def void(self) -> Touched:
        person = self.someone()
        live = [one for one in person.entries if one.live]
        if not live:
            return []
        wrong = self.chance.choice(live)
        self.office.void(wrong.ref, person.slug)
        wrong.live = False
        return [person]

    def book(self) -> Touched:
        person = self.someone()
        day = self.today(person.slug) + self.chance.randint(0, 45) * DAY
        line = self.chance.choice([None, None, "face", "migraine"])
        booked = self.office.book(str(day), person.ref, person.slug, line)
        person.bookings[booked] = day
        return [person]

    def outcome(self) -> Touched:
        person = self.someone()
        if not person.bookings:
            return []
        key = self.chance.choice(sorted(person.bookings))
        past = person.bookings[key] <= self.today(person.slug)
        told = self.chance.choice(list(Outcome) if past else [Outcome.CANCELLED])
        with self.office.write() as tx:
            book.set_outcome(tx, key, told)
        return [person]

    def bring_in(self) -> Touched:
        """Import a small file; sometimes one that was imported before."""
        if not self.files or self.chance.random() < 0.6:
            self.files.append(self._written())
        slug, name, refs = self.chance.choice(self.files)
        path = self.office_folder / name
        bring_in(self.office.database, self.office.clock, self.office.keys, ImportRequest(path, slug))
        return self._by_refs(slug, refs)

    def _by_refs(self, slug: str, refs: Iterable[str]) -> Touched:
        known = {one.ref: one for one in self.books.people if one.slug == slug and not one.erased}
        return [known[ref] for ref in refs if ref in known]

    def forget(self) -> None:
        """Throw away files that name people of whom a database that was put back does not know."""
        known = {(one.slug, one.ref) for one in self.books.people}
        self.files = [one for one in self.files if all((one[0], ref) in known for ref in one[2])]

    @property
    def office_folder(self) -> Path:
        return Path(self.office.database.address.removeprefix("sqlite:///")).parent

    def _written(self) -> tuple[str, str, list[str]]:
        slug = self.a_place()
        today = self.today(slug)
        mine = [one for one in self.books.people if one.slug == slug and not one.erased]
        people = self.chance.sample(mine, min(len(mine), 4))
        lines = ["patient_ref,treatment_ref,protocol,treated_on,visit_status"]
        for person in people:
            day = today + self.chance.randint(-150, 20) * DAY
            status = "completed" if day <= today else self.chance.choice(["booked", "cancelled"])
            lines.append(f"{person.ref},I{self._number()},{self.chance.choice(CODES)},{day},{status}")
        name = f"visits-{self._number()}.csv"
        (self.office_folder / name).write_text("\n".join(lines) + "\n")
        return slug, name, [one.ref for one in people]

    def crowd(self, least: int, most: int) -> Touched:
        """Import dozens of new patients of one clinic, all treated so many days ago."""
        slug = self.later.choice(self.options.places).slug
        today, refs = self.today(slug), [f"C{self._number()}" for _ in range(self.options.crowd_size)]
        lines = ["patient_ref,given_name,family_name,email,consent,treatment_ref,protocol,treated_on"]
        for ref in refs:
            day = today - self.later.randint(least, most) * DAY
            email = f"{ref.lower()}@{slug}-patients.example"
            lines.append(f"{ref},Ada{ref},Lovelace,{email},granted,T{ref},botulinum-cosmetic,{day}")
        path = self.office_folder / f"crowd-{self._number()}.csv"
        path.write_text("\n".join(lines) + "\n")
        bring_in(self.office.database, self.office.clock, self.office.keys, ImportRequest(path, slug))
        with self.office.read() as tx:
            found = patients.patients_by_refs(tx, the_clinic(tx, slug).id, refs)
        people = [Person(one.id, slug, one.ref, one.email or "") for one in found.values()]
        for person in people:
            self.books.add(person)
        return people

    # clinics
    def _change(self, slug: str, **given: str) -> Touched:
        self.office.change_clinic(slug, **given)
        return self.of(slug)

    def calendar(self) -> Touched:
        days, hours = self.chance.choice(WEEKS), self.chance.choice(HOURS)
        return self._change(self.a_place(), sending_days=days, sending_hours=hours)

    def limit(self) -> Touched:
        return self._change(self.a_place(), daily_limit=self.chance.choice(["", "", "1", "5"]))

    def closed_days(self) -> Touched:
        slug = self.a_place()
        first = self.today(slug) + self.chance.randint(0, 10) * DAY
        days = [first + n * DAY for n in range(self.chance.choice([1, 3, 10]))]
        shuts = self.chance.random() < 0.7
        with self.office.write() as tx:
            clinic.change_clinic(tx, slug, {}, closed=days if shuts else (), opened=() if shuts else days)
        return self.of(slug)

    def zone(self) -> Touched:
        return self._change(self.later.choice(self.options.places).slug, timezone=self.later.choice(ZONES))

    def pause(self) -> Touched:
        slug = self.a_place()
        self.office.pause(slug)
        return self.of(slug, 5)

    def resume(self) -> Touched:
        slug = self.a_place()
        self.office.pause(slug, paused=False)
        return self.of(slug, 5)

    def protocol(self) -> Touched:
        code = self.chance.choice(CODES)
        due = self.chance.choice(["4m", "5m", "18w", "6m"])
        with self.office.write() as tx:
            known = protocols.current(tx)[code]
            changed = replace(known, due=Interval.parse(due), verified="2026-01-01" if known.verified else "")
            catalogue.import_catalogue(tx, [changed])
        mine = [one for one in self.books.people if any(entry.protocol == code for entry in one.entries)]
        return self.chance.sample(mine, min(len(mine), 20))

    def plan(self) -> Touched:
        self.office.plan()
        return self.of(self.a_place(), 50)

    # reminders
    def _some(self, state: State) -> list[int]:
        with self.office.read() as tx:
            found = [row.id for row in reminders.listing(tx, states=[state])]
        return self.chance.sample(found, min(len(found), self.chance.randint(1, 3)))

    def _owners(self, ids: Iterable[int]) -> Touched:
        with self.office.read() as tx:
            return [self.books.by_id[row.patient_id] for row in reminders.reminders_by_ids(tx, ids).values()]

    def hold_reminders(self) -> Touched:
        ids = self._some(State.PLANNED)
        with self.office.write() as tx:
            decide.hold(tx, ids, "look at it")
        return self._owners(ids)

    def release(self) -> Touched:
        if self.chance.random() < 0.5:
            slug = self.a_place()
            with self.office.write() as tx:
                decide.release_all(tx, the_clinic(tx, slug))
            return self.of(slug)
        ids = self._some(State.HELD)
        with self.office.write() as tx:
            decide.release(tx, ids)
        return self._owners(ids)

    def retry(self) -> Touched:
        ids = self._some(State.FAILED)
        with self.office.write() as tx:
            decide.retry(tx, ids)
        return self._owners(ids)

    def settle(self) -> Touched:
        """Decide an unknown one; staff are sometimes wrong, and then it is their word that sends it twice."""
        ids = self._some(State.UNKNOWN)[:1]
        if not ids:
            return []
        taken = self.books.was_accepted(ids[0])
        right = self.chance.random() < 0.9
        state = State.SENT if taken == right else State.PLANNED
        with self.office.write() as tx:
            decided = [row.id for row in decide.settle(tx, ids[0], state, "asked the patient").reminders]
        for key in decided:
            if state is State.SENT:
                self.books.settled_sent.add(key)
            elif self.books.accepted[key]:
                self.books.by_hand[key] += 1
        if state is State.PLANNED:
            mine = (place for place, one in enumerate(self.books.ledger) if set(one.reminders) & set(decided))
            self.books.disowned.update(mine)
        return self._owners(decided)

    def came_back(self) -> Touched:
        ids = self._some(State.SENT)[:1]
        if not ids:
            return []
        [person] = self._owners(ids)
        entries = [one for one in self.books.ledger if ids[0] in one.reminders]
        with self.office.write() as tx:
            decide.came_back(tx, ids[0], complaint=self.chance.random() < 0.3)
        if not entries:
            return [person]
        address = entries[-1].recipient
        self.books.suppressed[person.slug, address].add("all")
        return [person, *self.at(person.slug, address)]
