"""Clinics, patients and treatments for tests of whole services: recorded by the real services on a real database.

Invariant: nothing is written past a service, time stands still until a test moves it, and chance is seeded.
"""

import datetime as dt
import functools
import itertools
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from reminders.domain.facts import Kind
from reminders.domain.lifecycle import Reason, State
from reminders.mail.render import Renderer
from reminders.mail.smtp import Security, SmtpTransport
from reminders.mail.smtp_session import Deadlines
from reminders.mail.transport import Transport
from reminders.services import book, catalogue, clinic, erase, patient, record
from reminders.services.breaker import Breakers
from reminders.services.deliver import DeliverOutcome, Progress, deliver
from reminders.services.find import the_clinic, the_protocol
from reminders.services.guarding.place import Place
from reminders.services.insist import Patience
from reminders.services.keys import Keys
from reminders.services.patient import PatientChange
from reminders.services.plan import PlanOutcome, plan_everyone, plan_patients
from reminders.services.points import Observer, Point, never, nobody, nothing
from reminders.services.rounds import Worker
from reminders.services.signing import Sign, unsigned
from reminders.services.ways import give_transport, own_ways
from reminders.store import reminders
from reminders.store.clinics import Clinic
from reminders.store.database import Database, Transaction, create_or_upgrade
from reminders.store.listing import ListedReminder
from reminders.store.patients import Patient
from reminders.store.treatments import TreatmentRow
from tests.support.facts import day, utc

PEPPER = b"a pepper that only tests know..."
TREATED = "2026-01-05"
"""A Monday. A cosmetic treatment on it opens on 5 April; the invitation's day is Sunday 22 March."""
LOGGED_AT = utc("2026-01-05 12:00")
INVITED_AT = utc("2026-03-23 10:00")
"""Monday: the first sending day after the invitation's own."""
FOLLOW_UP_AT = utc("2026-05-05 09:00")
LAST_CALL_AT = utc("2026-06-15 09:00")
SHORT = Deadlines(connect=5, banner=5, command=5, dot_reply=5, transaction=20, quit=1)
LEASE = dt.timedelta(minutes=1)
LINKS = "https://reminders.clinic.example"


class Listening(Protocol):
    """A server of a test."""

    host: str
    port: int


class FakeClock:
    """A clock that stands until it is moved."""

    def __init__(self, now: dt.datetime = LOGGED_AT) -> None:
        self._now = now

    def now(self) -> dt.datetime:
        return self._now

    def set(self, moment: dt.datetime) -> None:
        self._now = moment

    def advance(self, **length: float) -> None:
        self._now += dt.timedelta(**length)


def to(server: Listening, deadlines: Deadlines = SHORT) -> SmtpTransport:
    """Return the way to a server that listens on this machine."""
    return SmtpTransport(server.host, server.port, Security.NEVER, deadlines=deadlines)


@functools.cache
def renderer_of_all() -> Renderer:
    """Return the one renderer of this process: each would read and compile the product's templates anew."""
    return Renderer()


def install(url: str) -> None:
    """Make a database with the starter catalogue, to be copied by whoever needs many."""
    create_or_upgrade(url)
    office = Office(url, FakeClock())
    office.install()
    office.close()  # which brings everything from the log into an SQLite file


def with_one_treated(url: str) -> None:
    """Make a database with a clinic and one treated patient, to be copied; its tokens are nobody else's."""
    install(url)
    office = Office(url, FakeClock(), seed=0)
    office.add_clinic()
    office.add_patient()
    office.treat()
    office.close()


class Office:
    """What stands on one database: clinics and their patients, and the delivery that serves them."""

    def __init__(self, url: str, clock: FakeClock, *, seed: int = 1) -> None:
        self.keys = Keys(PEPPER, _tokens(seed))
        self.database = Database(
            url, audit_key=self.keys.audit_key, busy_ms=20_000, lease_clock=lambda _: self.clock.now()
        )
        self.clock = clock
        self.renderer = renderer_of_all()
        self.chance = random.Random(seed)
        self.place: Place | None = None
        self.patience = Patience()
        self._names = itertools.count(1)

    def install(self) -> None:
        with self.write() as tx:
            catalogue.install_starter(tx)

    def close(self) -> None:
        self.database.close()

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        with self.database.write(self.clock.now(), "test") as tx:
            yield tx

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        with self.database.read(self.clock.now()) as tx:
            yield tx

    # what is recorded
    def add_clinic(self, slug: str = "riverside", **given: str | dt.date | None) -> Clinic:
        values = {
            "name": f"Clinic {slug.title()}",
            "timezone": "Europe/London",
            "email": f"hello@{slug}.example",
            "phone": "+44 20 7946 0000",
            "address": "1 River Street, London",
            "booking_url": f"https://{slug}.example/book",
            "jurisdiction": "uk",
        }
        with self.write() as tx:
            return clinic.add_clinic(tx, slug, values | given, ["Dr Jane Hart"])

    def change_clinic(self, slug: str = "riverside", **given: str | dt.date | None) -> None:
        with self.write() as tx:
            clinic.change_clinic(tx, slug, given)

    def pause(self, slug: str = "riverside", *, paused: bool = True) -> None:
        with self.write() as tx:
            clinic.set_paused(tx, slug, paused=paused)

    def add_patient(self, ref: str = "P1", slug: str = "riverside", **given: str | dt.date | None) -> Patient:
        values = {
            "given_name": f"Ada{ref}",
            "family_name": "Lovelace",
            "email": f"{ref.lower()}@{slug}-patients.example",
            "phone": "+44 20 7946 0999",
            "consent": "granted",
        }
        typed = {name: value for name, value in (values | given).items() if value is not None}
        with self.write() as tx:
            return patient.add_patient(tx, self.keys, the_clinic(tx, slug), ref, typed)

    def change_patient(self, ref: str = "P1", slug: str = "riverside", **given: str | dt.date | None) -> None:
        opt_out, opt_in, due = (str(given.pop(name, None) or "") or None for name in ("opt_out", "opt_in", "due"))
        change = PatientChange(given, opt_out=opt_out, opt_in=opt_in, due=due)
        with self.write() as tx:
            patient.change_patient(tx, self.keys, the_clinic(tx, slug), ref, change)

    def hold(self, until: dt.date | None = None, ref: str = "P1", line: str | None = None) -> None:
        with self.write() as tx:
            patient.hold_patient(tx, the_clinic(tx, "riverside"), ref, line, until, "away")

    def answer(self, kind: Reason, ref: str = "P1", slug: str = "riverside") -> None:
        with self.write() as tx:
            patient.log_answer(tx, the_clinic(tx, slug), ref, kind)

    def treat(
        self,
        ref: str = "P1",
        on: str = TREATED,
        protocol: str = "botulinum-cosmetic",
        slug: str = "riverside",
        entry: str | None = None,
        replaces: str | None = None,
        kind: Kind = Kind.TREATMENT,
        practitioner: str | None = None,
    ) -> TreatmentRow:
        """Log a treatment; `entry` is its own number, `replaces` that of the one it corrects."""
        logged = record.NewTreatment(ref, protocol, day(on), practitioner, entry, kind, replaces)
        with self.write() as tx:
            return record.add_treatment(tx, the_clinic(tx, slug), logged)

    def void(self, treatment_ref: str, slug: str = "riverside") -> None:
        with self.write() as tx:
            found = the_clinic(tx, slug)
            record.void_treatment(tx, found, record.treatment_by(tx, found, ref=treatment_ref), "wrong patient")

    def book(self, on: str, ref: str = "P1", slug: str = "riverside", line: str | None = None) -> int:
        with self.write() as tx:
            return book.add_appointment(tx, the_clinic(tx, slug), ref, day(on), line)

    def add_due(self, count: int, slug: str = "riverside", on: str = TREATED, prefix: str = "P") -> None:
        """Enrol and treat so many patients, `P1` to `Pn`, in one transaction."""
        with self.write() as tx:
            found, protocol = the_clinic(tx, slug), the_protocol(tx, "botulinum-cosmetic")
            made: list[int] = []
            for number in range(1, count + 1):
                ref = f"{prefix}{number}"
                given = {"given_name": f"Ada{ref}", "email": f"{ref.lower()}@{slug}-patients.example"}
                made.append(patient.add_patient(tx, self.keys, found, ref, given | {"consent": "granted"}).id)
                treated = record.Entry(found.id, made[-1], protocol, day(on), Kind.TREATMENT, None, None)
                record.enter(tx, treated)
            plan_patients(tx, found, made)

    def plan(self) -> PlanOutcome:
        return plan_everyone(self.database, self.clock, patience=self.patience)

    def give_transport(self, server: Listening, slug: str = "riverside", options: str = "") -> str:
        """Let a clinic send by a server of its own; return the name of its breaker."""
        url = f"smtp://{server.host}:{server.port}?tls=never{options}"
        with self.write() as tx:
            return f"{give_transport(tx, self.keys, slug, url)} of {slug}"

    def erase(self, ref: str = "P1", slug: str = "riverside") -> None:
        erase.erase(self.database, self.clock, slug, ref)

    # delivery
    def deliver(
        self,
        transport: Transport | None,
        round_size: int = 1,
        *,
        rate: int | None = None,
        stop: Callable[[], bool] = never,
        observe: Observer = nobody,
        lease: dt.timedelta = LEASE,
        link_base: str | None = LINKS,
        renderer: Renderer | None = None,
        sign: Sign = unsigned,
        beat: Callable[[], None] = nothing,
        progress: Progress | None = None,
    ) -> DeliverOutcome:
        """Deliver once, as a worker of its own name."""
        with self.read() as tx:
            own = own_ways(tx, self.keys)
        worker = Worker(
            database=self.database,
            clock=self.clock,
            keys=self.keys,
            renderer=renderer or self.renderer,
            transport=transport,
            breakers=Breakers(transport.name if transport else ""),
            rate=rate,
            own=own,
            stop=stop,
            lease=lease,
            link_base=link_base,
            observe=observe,
            chance=self.chance,
            sign=sign,
            place=self.place,
            beat=beat,
            patience=self.patience,
        )
        return deliver(worker, f"deliver-{next(self._names)}", round_size, progress)

    # what is seen
    def rows(self, ref: str | None = None, slug: str | None = None) -> list[ListedReminder]:
        """Return the stored reminders by moment, of one patient or of all."""
        with self.read() as tx:
            found = reminders.listing(tx)
            return [row for row in found if ref in (None, row.patient) and slug in (None, row.clinic)]

    def row(self, step: str = "invitation", ref: str = "P1", slug: str = "riverside") -> ListedReminder:
        """Return one patient's reminder of a step."""
        [found] = [row for row in self.rows(ref, slug) if row.step == step]
        return found

    def states(self, ref: str | None = None) -> dict[str, int]:
        """Count the reminders by state, and reason where there is one."""
        counted: dict[str, int] = {}
        for row in self.rows(ref):
            name = f"{row.state} {row.reason}" if row.reason else str(row.state)
            counted[name] = counted.get(name, 0) + 1
        return counted

    def ids(self, state: State) -> list[int]:
        return [row.id for row in self.rows() if row.state is state]


def _tokens(seed: int) -> Callable[[], str]:
    counter = itertools.count(1)
    return lambda: f"token-{seed}-{next(counter):05d}-abcdefghijklmnopqrstuvwxyz"


class Once:
    """An observer that does something the first time a point of a delivery is passed."""

    def __init__(self, point: Point, act: Callable[[], object]) -> None:
        self._point, self._act, self.done = point, act, False

    def __call__(self, point: Point) -> None:
        if point is self._point and not self.done:
            self.done = True
            self._act()
