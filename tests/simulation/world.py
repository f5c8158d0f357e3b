"""The simulated years: a clock that jumps from event to event, and everything that happens on the way.

Invariants: chance comes from the seed alone; a fault strikes the product, never a check; what crashed is started again
as a new process would be, with nothing but the file.
"""

import datetime as dt
import hashlib
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from reminders.errors import BadInput, CannotDo, RemindersError
from reminders.mail.render import Renderer
from reminders.services import deliver as delivering
from reminders.services.audit import audit
from reminders.services.breaker import Breakers
from reminders.services.envelope import Worker
from reminders.services.foresight.rehearsal import OncePerKind
from reminders.services.guarding.lock import OF_THE_CLOCK, SendingLocked
from reminders.services.guarding.place import Place
from reminders.services.insist import Patience
from reminders.services.points import Point, nobody
from reminders.store.clinic_copy import next_replanning
from reminders.store.faults import PASSING
from reminders.store.files import file_paths
from reminders.store.installation import save_installation
from tests.simulation.books import Books, Person
from tests.simulation.checks import Broken, Checks
from tests.simulation.copies import Copies
from tests.simulation.faults import Crash, FragileDatabase, Misfortune
from tests.simulation.misadventures import Misadventures
from tests.simulation.options import Options
from tests.simulation.patients import Patients
from tests.simulation.server import Server
from tests.simulation.staff import Staff
from tests.support.clinic import LINKS, FakeClock, Office

DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
QUIET = 16 * DAY
"""How long the world goes on when all faults have stopped, before nothing may be left (promise 11)."""
ROUTINE = dt.timedelta(hours=24)
"""The longest a delivery waits for its next turn."""
TRIES = 200
TRIES_IN_VAIN = 8
"""How often an outage is run into in earnest: a worker that tries every quarter of an hour then shows no more."""
Trace = Callable[[str], None]
Lived = Callable[[float], None]
"""Told of every stretch of time that has passed, in days of one patient each."""


@dataclass(slots=True)
class Hours:
    """A counter of seconds that goes on by waiting alone."""

    seconds: float = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def boottime(self) -> float:
        return self.seconds

    def wait(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass(slots=True)
class Found:
    """What a world came to: how often what happened, and the sum over everything that was accepted."""

    counts: Counter[str]
    digest: str


class World:
    """One simulated installation."""

    def __init__(
        self, options: Options, database: Path, trace: Trace | None = None, lived: Lived | None = None
    ) -> None:
        self.options = options
        self.lived = lived or (lambda _: None)
        self.trace = trace or (lambda _: None)
        self.clock = FakeClock(options.start)
        self.chance = random.Random(f"world {options.seed}")
        rates = options.rates
        self.misfortune = Misfortune(random.Random(f"faults {options.seed}"), rates.statement, rates.crash_at_commit)
        self.office = Office(f"sqlite:///{database}", self.clock, seed=options.seed)
        self.counts: Counter[str] = Counter()
        self.books = Books()
        self.checks = Checks(self.office, self.books)
        self.server = Server(
            random.Random(f"server {options.seed}"),
            rates,
            self.accept,
            self.pass_time,
            lambda: self.clock.now() < self.outage,
        )
        self.outage = options.start
        self.staff = Staff(self.office, self.books, options, self.chance)
        self.patients = Patients(self.office, self.books, self.chance)
        self.later = random.Random(f"later {options.seed}")
        self.copies = Copies(self.office, self.books, self.later, self.restart)
        self.misadventures = Misadventures(self)
        self.renderer = Renderer() if options.in_earnest else cast("Renderer", OncePerKind())
        self.hours = Hours()
        self.in_vain = 0
        self.depth = 0
        self.behind = False
        """Whether there may be work that a delivery in good time would have done."""
        self.workers = 0
        self.restart()

    # the whole story
    def run(self) -> Found:
        """Let the years pass; raises `Broken` at the first broken promise."""
        try:
            self._begin()
            end = self.options.start + self.options.size.days * DAY
            self._live(end)
            self._audit()
            return self._found()
        finally:
            self.office.close()

    def _begin(self) -> None:
        with self.calm():
            with self.office.write() as tx:
                save_installation(tx, f"{self.options.seed:032x}", b"wrapped")
            for place in self.options.places:
                given = {"timezone": place.zone, "sending_days": place.sending_days, "sending_hours": place.hours}
                given |= {"language": place.language} | ({"country": place.country} if place.country else {})
                given |= {"daily_limit": str(place.limit)} if place.limit else {}
                given |= {"unknown_consent": "existing_customer"} if place.unknown_is_customer else {}
                self.office.add_clinic(place.slug, **given)
            for number in range(self.options.size.patients):
                slug = self.options.places[number % len(self.options.places)].slug
                person = self.staff.new_patient(slug)
                if self.chance.random() < 0.04:
                    self.server.dead_mailboxes.add(person.address)
                for _ in range(self.chance.choice([0, 1, 1, 2])):
                    self.staff.treat(person, self.chance.randint(60, 170))

    def _live(self, end: dt.datetime) -> None:
        """Go from event to event until `end`; the last weeks are without faults and without deeds."""
        rates, size = self.options.rates, self.options.size
        faults_end = end - min(QUIET, (end - self.options.start) / 3)
        rhythms: dict[str, tuple[float, Callable[[], None]]] = {
            "staff": (self.options.staff_a_day, self._deed),
            "treat": (self.options.treated_a_year * size.patients / 365, self._treat),
            "answer": (self.options.answers_a_day, self._answer),
            "outage": (rates.outages / 365, self.misadventures.begin_outage),
            "downtime": (rates.downtimes / 365, self.misadventures.downtime),
            "jump": (rates.jumps / 365, self.misadventures.jump),
            "audit": (1 / 60, self._audit),
        }
        due = {name: self._next(rate) for name, (rate, _) in rhythms.items() if rate}
        later = self.misadventures.rhythms()
        due |= {name: self._next(rate, self.later) for name, (rate, _) in later.items() if rate}
        rhythms |= later
        if self.options.crowd:
            due["crowd"], rhythms["crowd"] = self.clock.now() + 3 * DAY, (0.0, self.misadventures.crowd)
        delivery = self.clock.now()
        while self.clock.now() < faults_end:
            name = min(due, key=lambda one: due[one])
            if delivery <= due[name]:
                self._go_to(delivery)
                delivery = self._deliver()
                continue
            self._go_to(due[name])
            rate, act = rhythms[name]
            act()
            due[name] = self._next(rate, self.later if name in later else self.chance) if rate else end
            delivery = min(delivery, self._wake())
        self._calm_down(end, delivery)

    def _calm_down(self, end: dt.datetime, delivery: dt.datetime) -> None:
        self.misfortune.calm = self.server.calm = True
        self.outage = self.options.start
        self.misadventures.unlock()
        quiet_since = self.clock.now()
        while self.clock.now() < end:
            self._go_to(delivery)
            delivery = self._deliver()
        if self.clock.now() - quiet_since > 10 * DAY:
            self.checks.nothing_waits(quiet_since)
            self.checks.exercised[11] += any(one.at > quiet_since for one in self.books.ledger[-100:])
        self.look_at_everyone()

    def look_at_everyone(self) -> None:
        with self.calm():
            if self.copies.because() in OF_THE_CLOCK:
                return
            self.office.plan()
            self.checks.patients(one.id for one in self.books.people)

    def _found(self) -> Found:
        told = [f"{one.at} {one.message_id} {one.recipient} {one.reminders}" for one in self.books.ledger]
        self.counts["accepted"] = len(self.books.ledger)
        self.counts |= {"looked at the fence": self.checks.looked, "accepted late": self.checks.late}
        self.counts.update({f"promise {one}": count for one, count in self.checks.exercised.items()})
        return Found(self.counts, hashlib.sha256("\n".join(told).encode()).hexdigest())

    # time
    def _go_to(self, moment: dt.datetime) -> None:
        before = self.clock.now()
        self.clock.set(max(moment, before))
        self.lived((self.clock.now() - before) / DAY * self.options.size.patients)

    def pass_time(self, length: dt.timedelta) -> None:
        self.clock.set(self.clock.now() + length)

    def _next(self, a_day: float, chance: random.Random | None = None) -> dt.datetime:
        return self.clock.now() + dt.timedelta(days=(chance or self.chance).expovariate(a_day))

    def _wake(self) -> dt.datetime:
        """Return when there is something to deliver, as a worker that ticks every minute would find it."""
        with self.calm(), self.office.read() as tx:
            moments = (delivering.next_delivery(tx), next_replanning(tx))
        now = self.clock.now()
        coming = min((at for at in moments if at is not None), default=now + ROUTINE)
        return min(max(coming, now) + dt.timedelta(seconds=self.chance.randint(1, 60)), now + ROUTINE)

    def _deed(self) -> None:
        self.do(*self.staff.deed())

    def _treat(self) -> None:
        self.do("treat", self.staff.treat)

    def _answer(self) -> None:
        self.do("answer", self.patients.act)

    def do(self, name: str, act: Callable[[], Iterable[Person]]) -> None:
        """Let somebody do something, again if the database would not; then look at whom it touched."""
        for _ in range(TRIES):
            crash, self.misfortune.crash = self.misfortune.crash, 0.0
            try:
                touched = list(act())
            except PASSING as fault:
                self.note(f"{name}: {type(fault).__name__}")
                self.checks.exercised[2] += 1
                continue
            except (BadInput, CannotDo) as refused:
                self.note(f"{name} refused: {type(refused).__name__}")
                return
            finally:
                self.misfortune.crash = crash
            self.note(f"{name} {' '.join(f'{one.slug}/{one.ref}' for one in touched[:3])}")
            with self.calm():
                self.checks.patients((one.id for one in touched), planned_now=False)
                if (erased := self.staff.just_erased) is not None:
                    self.staff.just_erased = None
                    self.checks.no_byte_is_left(erased, file_paths(self.office.database.address))
            return
        raise Broken(f"promise 11: {name} could not be done in {TRIES} tries")

    def _audit(self) -> None:
        """Audit just after a delivery, which a worker that ticks every minute would not have left out."""
        self._deliver()
        with self.calm():
            report = audit(self.office.database, self.clock, self.office.keys)
        jumped = self.counts["the clock jumps"] > 0
        findings = [one for one in report.findings if not (jumped and one.promise in (3, 4))]
        self.checks.exercised[10] += 1
        if self.behind:  # then there may be work for a delivery, and the audit says so
            findings = [one for one in findings if not one.advice.startswith("run `reminders deliver`")]
        if findings:
            raise Broken(f"promise {findings[0].promise}: the audit says {findings[0]}")

    # delivery
    def _deliver(self) -> dt.datetime:
        """Let a worker deliver once; return when the next one comes."""
        self.misadventures.unlock_in_time()
        began = self.clock.now()
        self.behind = True
        try:
            outcome = self._delivery()
            self.behind = False
        except Crash:
            self.note("crash")
            self.checks.exercised[2] += 1
            self.restart()
            coming = self.clock.now() + dt.timedelta(seconds=self.chance.choice([5, 61, 120, 4000]))
        except SendingLocked as locked:
            self.note(f"delivery: {type(locked).__name__}")
            coming = self.misadventures.look_into_it()
        except RemindersError as fault:
            self.note(f"delivery: {type(fault).__name__}")
            coming = self.clock.now() + dt.timedelta(minutes=1)
        else:
            if outcome.held:
                with self.calm():
                    self.checks.look_for_a_backlog()
            coming = min(outcome.next_at or began + ROUTINE, self.clock.now() + ROUTINE)
            coming += dt.timedelta(seconds=self.chance.randint(1, 60))
            coming = self._not_in_vain(coming, outcome)
        with self.calm():
            self.checks.after_a_delivery(began, ended_well=not self.behind)
        return max(coming, self.clock.now() + dt.timedelta(seconds=1))

    def _not_in_vain(self, coming: dt.datetime, outcome: delivering.DeliverOutcome) -> dt.datetime:
        """Put the next delivery off while the transport rests; most of the same tries of a long outage are left out."""
        now = self.clock.now()
        self.in_vain = self.in_vain + 1 if outcome.stopped else 0
        if outcome.open_until is not None:
            coming = max(coming, min(outcome.open_until, now + ROUTINE))
        if self.in_vain > TRIES_IN_VAIN and now < self.outage:
            coming = max(coming, min(self.outage, now + 8 * HOUR))
        return coming

    def _delivery(self) -> delivering.DeliverOutcome:
        self.workers += 1
        with self.calm():
            place = self.copies.place()
        worker = self.worker_on(self.office, self.server, place)
        return delivering.deliver(worker, f"worker-{self.workers}", self.options.round_size)

    def worker_on(self, office: Office, server: Server, place: Place | None) -> Worker:
        return Worker(
            database=office.database,
            clock=self.clock,
            keys=office.keys,
            renderer=self.renderer,
            transport=server,
            breakers=Breakers(server.name),
            place=place,
            lease=dt.timedelta(minutes=1),
            link_base=LINKS if self.options.has_pages else None,
            observe=self.observe if office is self.office else nobody,
            chance=self.office.chance,
            patience=Patience(self.hours, self.hours.wait, limit_s=120),
        )

    def accept(self, sender: str, recipient: str, name: str, content: bytes) -> None:
        """Take a message for the ledger; notices to clinics are none."""
        if recipient.startswith("hello@"):
            return
        with self.calm():
            self.checks.accepted(sender, recipient, name, content)
        self.trace(f"{self.clock.now():%F %T}   accepted {name} to {recipient}")

    def observe(self, point: Point) -> None:
        """Look at the fence; then let things happen at this very instant, or the process die."""
        if point is Point.FENCED:
            with self.calm():
                self.checks.at_the_fence()
        if self.misfortune.calm:
            return
        if self.depth == 0 and self.chance.random() < self.options.rates.meanwhile:
            self._meanwhile(point)
        if self.chance.random() < self.options.rates.crash_at_point:
            self.note(f"dies at {point}")
            raise Crash(committed=True)

    def _meanwhile(self, point: Point) -> None:
        """Let somebody do something, or another worker deliver, while this one stands still at a point."""
        self.depth += 1
        self.note(f"meanwhile, at {point}")
        try:
            if self.chance.random() < 0.3:
                self.pass_time(dt.timedelta(seconds=self.chance.choice([1, 59, 61, 600])))
                self._another_worker()
            else:
                self.chance.choice([self._deed, self._treat, self._answer])()
        finally:
            self.depth -= 1

    def _another_worker(self) -> None:
        try:
            self._delivery()
        except (Crash, RemindersError) as fault:
            self.note(f"the other worker: {type(fault).__name__}")

    def restart(self) -> None:
        """Begin anew with nothing but the file, and the statements that are prepared for any."""
        self.office.close()
        if isinstance(self.office.database, FragileDatabase):
            self.office.database.close()
        else:
            url = self.office.database.address
            self.office.database = FragileDatabase(url, self.office.keys.audit_key, self.misfortune)
        self.misfortune.calm = False

    @contextmanager
    def calm(self) -> Iterator[None]:
        before, self.misfortune.calm = self.misfortune.calm, True
        try:
            yield
        finally:
            self.misfortune.calm = before

    def note(self, what: str) -> None:
        self.counts[what.split(" ", maxsplit=1)[0] if "jumps" not in what else "the clock jumps"] += 1
        self.trace(f"{self.clock.now():%F %T} {what}")
