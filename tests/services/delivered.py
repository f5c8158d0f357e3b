"""A clinic that works: patients treated, planned and written to by the product itself, for the audit to look at.

Invariant: `House` does everything through services; only `tamper` writes rows behind the product's back.
"""

import datetime as dt
import random
from pathlib import Path
from typing import Self

from reminders.mail.folder import FolderTransport
from reminders.mail.render import Renderer
from reminders.mail.transport import Transport
from reminders.services import record
from reminders.services.audit import AuditReport, audit
from reminders.services.breaker import Breakers
from reminders.services.deliver import DeliverOutcome, deliver
from reminders.services.find import the_clinic
from reminders.services.keys import Keys
from reminders.services.patient import add_patient
from reminders.services.points import Observer, nobody
from reminders.services.record import NewTreatment
from reminders.services.rounds import Worker
from reminders.store import clinics, patients, protocols
from reminders.store.database import Database
from tests.support.facts import CATALOGUE, day, utc
from tests.support.tampering import past_the_rules

START = utc("2026-03-02 09:00")
TREATED = "2026-03-02"
INVITED = utc("2026-05-19 09:10")  # opens on 2 June, two weeks before is Tuesday 19 May, 10:00 in London


class SetClock:
    """A clock that shows what it is set to."""

    def __init__(self, now: dt.datetime) -> None:
        self.at = now

    def now(self) -> dt.datetime:
        return self.at


class House:
    """One clinic, `linden`, with its deliveries into a folder, or to the mail server of `transport`."""

    def __init__(self, url: str, folder: Path, transport: Transport | None = None) -> None:
        self.tokens: list[str] = []
        self.keys = Keys(b"the pepper of a test", self._new_token)
        self.database = Database(url, audit_key=self.keys.audit_key, busy_ms=5000)
        self.clock = SetClock(START)
        self._transport = transport or FolderTransport(folder)

    def _new_token(self) -> str:
        self.tokens.append(f"token-{len(self.tokens):05d}-of-a-link")
        return self.tokens[-1]

    def found(self) -> Self:
        """Save the catalogue and add the clinic."""
        with self.database.write(START, "init") as tx:
            for protocol in CATALOGUE.values():
                protocols.save_protocol(tx, protocol)
        self.add_clinic("linden")
        return self

    def add_clinic(self, slug: str) -> None:
        with self.database.write(self.clock.at, "cli") as tx:
            clinics.add_clinic(
                tx,
                slug=slug,
                name=slug.title(),
                timezone="Europe/London",
                email=f"desk@{slug}.test",
                phone="+44 20 7946 0018",
                address="1 Quay Street, London",
            )

    def treat(self, ref: str, on: str = TREATED, protocol: str = "botulinum-cosmetic", clinic: str = "linden") -> None:
        """Enrol a patient where they are new, and record a treatment."""
        with self.database.write(self.clock.at, "cli") as tx:
            place = the_clinic(tx, clinic)
            if patients.patient_by_ref(tx, place.id, ref) is None:
                given = {
                    "given_name": "Odile",
                    "family_name": "Nowak",
                    "email": f"{ref}@home.test",
                    "consent": "granted",
                }
                add_patient(tx, self.keys, place, ref, given)
            record.add_treatment(tx, place, NewTreatment(patient=ref, protocol=protocol, day=day(on)))

    def deliver(self, at: dt.datetime = INVITED, observe: Observer = nobody) -> DeliverOutcome:
        self.clock.at = at
        worker = Worker(
            database=self.database,
            clock=self.clock,
            keys=self.keys,
            renderer=Renderer(),
            transport=self._transport,
            breakers=Breakers(self._transport.name),
            lease=dt.timedelta(seconds=60),
            link_base="https://reminders.linden.test",
            observe=observe,
            chance=random.Random(1),
        )
        return deliver(worker, "one", 1)

    def audit(self, after: dt.timedelta = dt.timedelta(minutes=10)) -> AuditReport:
        self.clock.at += after
        return audit(self.database, self.clock, self.keys)

    def tamper(self, *statements: str, drop_triggers: bool = False) -> None:
        """Write to the database as somebody with SQL would, without any constraint."""
        past_the_rules(self.database, statements, triggers=not drop_triggers)

    def broken(self, promise: int, after: dt.timedelta = dt.timedelta(minutes=10)) -> list[str]:
        """Return the problems that an audit finds with one promise."""
        return [finding.problem for finding in self.audit(after).findings if finding.promise == promise]

    def accused(self) -> list[str]:
        """Return what messages went out against, as an audit finds it."""
        return [problem for problem in self.broken(4) if problem.startswith("it went out ")]
