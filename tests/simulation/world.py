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
from reminders.services.insist import Patience
from reminders.services.points import Point
from reminders.store.clinic_copy import next_replanning
from reminders.store.faults import PASSING
from tests.simulation.books import Books, Person
from tests.simulation.checks import Broken, Checks
from tests.simulation.faults import Crash, FragileDatabase, Misfortune
from tests.simulation.options import Options
from tests.simulation.patients import Patients
from tests.simulation.server import Server
from tests.simulation.staff import Staff
from tests.support.clinic import LINKS, FakeClock, Office

DAY = dt.timedelta(days=1)
QUIET = 16 * DAY
"""How long the world goes on when all faults have stopped, before nothing may be left (promise 11)."""
ROUTINE = dt.timedelta(hours=24)
"""The longest a delivery waits for its next turn."""
TRIES = 200
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
            self._pass_time,
            lambda: self.clock.now() < self.outage,
        )
        self.outage = options.start
        self.staff = Staff(self.office, self.books, options, self.chance)
        self.patients = Patients(self.office, self.books, self.chance)
        self.renderer = Renderer() if options.in_earnest else cast("Renderer", OncePerKind())
        self.hours = Hours()
        self.depth = 0
        self.died = False
        self.workers = 0
        self._restart()

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
        with self._calm():
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
            "outage": (rates.outages / 365, self._begin_outage),
            "downtime": (rates.downtimes / 365, self._downtime),
            "jump": (rates.jumps / 365, self._jump),
            "audit": (1 / 60, self._audit),
        }
        due = {name: self._next(rate) for name, (rate, _) in rhythms.items() if rate}
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
            due[name] = self._next(rate)
            delivery = min(delivery, self._wake())
        self._calm_down(end, delivery)

    def _calm_down(self, end: dt.datetime, delivery: dt.datetime) -> None:
        self.misfortune.calm = self.server.calm = True
        self.outage = self.options.start
        quiet_since = self.clock.now()
        while self.clock.now() < end:
            self._go_to(delivery)
            delivery = self._deliver()
        if self.clock.now() - quiet_since > 10 * DAY:
            self.checks.nothing_waits(self.clock.now() - DAY)
        everyone = [one.id for one in self.books.people]
        self.office.plan()
        self.checks.patients(everyone)

    def _found(self) -> Found:
        told = [f"{one.at} {one.message_id} {one.recipient} {one.reminders}" for one in self.books.ledger]
        self.counts["accepted"] = len(self.books.ledger)
        self.counts["looked at the fence"] = self.checks.looked
        return Found(self.counts, hashlib.sha256("\n".join(told).encode()).hexdigest())

    # time
    def _go_to(self, moment: dt.datetime) -> None:
        before = self.clock.now()
        self.clock.set(max(moment, before))
        self.lived((self.clock.now() - before) / DAY * self.options.size.patients)

    def _pass_time(self, length: dt.timedelta) -> None:
        self.clock.set(self.clock.now() + length)

    def _next(self, a_day: float) -> dt.datetime:
        return self.clock.now() + dt.timedelta(days=self.chance.expovariate(a_day))

    def _wake(self) -> dt.datetime:
        """Return when there is something to deliver, as a worker that ticks every minute would find it."""
        with self._calm(), self.office.read() as tx:
            moments = (delivering.next_delivery(tx), next_replanning(tx))
        now = self.clock.now()
        coming = min((at for at in moments if at is not None), default=now + ROUTINE)
        return min(max(coming, now) + dt.timedelta(seconds=self.chance.randint(1, 60)), now + ROUTINE)

    # what happens
    def _deed(self) -> None:
        self._do(*self.staff.deed())

    def _treat(self) -> None:
        self._do("treat", self.staff.treat)

    def _answer(self) -> None:
        self._do("answer", self.patients.act)

    def _do(self, name: str, act: Callable[[], Iterable[Person]]) -> None:
        """Let somebody do something, again if the database would not; then look at whom it touched."""
        for _ in range(TRIES):
            crash, self.misfortune.crash = self.misfortune.crash, 0.0
            try:
                touched = list(act())
            except PASSING as fault:
                self._note(f"{name}: {type(fault).__name__}")
                continue
            except (BadInput, CannotDo) as refused:
                self._note(f"{name} refused: {type(refused).__name__}")
                return
            finally:
                self.misfortune.crash = crash
            self._note(f"{name} {' '.join(f'{one.slug}/{one.ref}' for one in touched[:3])}")
            with self._calm():
                self.checks.patients(one.id for one in touched)
            return
        raise Broken(f"promise 11: {name} could not be done in {TRIES} tries")

    def _begin_outage(self) -> None:
        self.outage = self.clock.now() + self.chance.choice([0.1, 1.0, 30.0, 100.0]) * dt.timedelta(hours=1)
        self._note(f"the mail server is down until {self.outage:%F %R}")

    def _downtime(self) -> None:
        length = self.chance.random() ** 3 * self.options.longest_downtime
        self._note(f"nothing runs for {length}")
        self._pass_time(length)

    def _jump(self) -> None:
        length = dt.timedelta(minutes=self.chance.choice([-120, -61, -3, 3, 61, 26 * 60]))
        self._note(f"the clock jumps by {length}")
        self._pass_time(length)

    def _audit(self) -> None:
        with self._calm():
            report = audit(self.office.database, self.clock, self.office.keys)
        jumped = self.counts["the clock jumps"] > 0
        findings = [one for one in report.findings if not (jumped and one.promise in (3, 4))]
        if self.died:  # then there may be work for a delivery, and the audit says so
            findings = [one for one in findings if not one.advice.startswith("run `reminders deliver`")]
        if findings:
            raise Broken(f"promise {findings[0].promise}: the audit says {findings[0]}")

    # delivery
    def _deliver(self) -> dt.datetime:
        """Let a worker deliver once; return when the next one comes."""
        began = self.clock.now()
        self.died = True
        try:
            outcome = self._delivery()
            self.died = False
        except Crash:
            self._note("crash")
            self._restart()
            coming = self.clock.now() + dt.timedelta(seconds=self.chance.choice([5, 61, 120, 4000]))
        except RemindersError as fault:
            self._note(f"delivery: {type(fault).__name__}")
            coming = self.clock.now() + dt.timedelta(minutes=1)
        else:
            self.counts["sent"] += outcome.sent
            coming = min(outcome.next_at or began + ROUTINE, self.clock.now() + ROUTINE)
            coming += dt.timedelta(seconds=self.chance.randint(1, 60))
            if outcome.open_until is not None:
                coming = max(coming, min(outcome.open_until, self.clock.now() + ROUTINE))
        with self._calm():
            self.checks.after_a_delivery(began)
        return max(coming, self.clock.now() + dt.timedelta(seconds=1))

    def _delivery(self) -> delivering.DeliverOutcome:
        self.workers += 1
        worker = Worker(
            database=self.office.database,
            clock=self.clock,
            keys=self.office.keys,
            renderer=self.renderer,
            transport=self.server,
            breakers=Breakers(self.server.name),
            lease=dt.timedelta(minutes=1),
            link_base=LINKS if self.options.has_pages else None,
            observe=self.observe,
            chance=self.office.chance,
            patience=Patience(self.hours, self.hours.wait, limit_s=120),
        )
        return delivering.deliver(worker, f"worker-{self.workers}", self.options.round_size)

    def accept(self, sender: str, recipient: str, name: str, content: bytes) -> None:
        """Take a message for the ledger; notices to clinics are none."""
        if recipient.startswith("hello@"):
            return
        with self._calm():
            self.checks.accepted(sender, recipient, name, content)
        self.trace(f"{self.clock.now():%F %T}   accepted {name} to {recipient}")

    def observe(self, point: Point) -> None:
        """Look at the fence; then let things happen at this very instant, or the process die."""
        if point is Point.FENCED:
            with self._calm():
                self.checks.at_the_fence()
        if self.misfortune.calm:
            return
        if self.depth == 0 and self.chance.random() < self.options.rates.meanwhile:
            self._meanwhile(point)
        if self.chance.random() < self.options.rates.crash_at_point:
            self._note(f"dies at {point}")
            raise Crash(committed=True)

    def _meanwhile(self, point: Point) -> None:
        """Let somebody do something, or another worker deliver, while this one stands still at a point."""
        self.depth += 1
        self._note(f"meanwhile, at {point}")
        try:
            if self.chance.random() < 0.3:
                self._pass_time(dt.timedelta(seconds=self.chance.choice([1, 59, 61, 600])))
                self._another_worker()
            else:
                self.chance.choice([self._deed, self._treat, self._answer])()
        finally:
            self.depth -= 1

    def _another_worker(self) -> None:
        try:
            self._delivery()
        except (Crash, RemindersError) as fault:
            self._note(f"the other worker: {type(fault).__name__}")

    # the process
    def _restart(self) -> None:
        """Begin anew with nothing but the file."""
        self.office.close()
        url = self.office.database.address
        self.office.database = FragileDatabase(url, self.office.keys.audit_key, self.misfortune)
        self.misfortune.calm = False

    @contextmanager
    def _calm(self) -> Iterator[None]:
        before, self.misfortune.calm = self.misfortune.calm, True
        try:
            yield
        finally:
            self.misfortune.calm = before

    def _note(self, what: str) -> None:
        self.counts[what.split(" ", maxsplit=1)[0] if "jumps" not in what else "the clock jumps"] += 1
        self.trace(f"{self.clock.now():%F %T} {what}")
