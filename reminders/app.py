"""The composition root: settings become one `App` with one short method per verb. It decides nothing.

Invariant: every verb is one service; the faces know this class and nothing below it but values.
"""

import datetime as dt
import os
import random
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from reminders.clock import Clock, SystemClock
from reminders.domain.facts import Outcome
from reminders.domain.lifecycle import Reason, State
from reminders.domain.protocol import Protocol
from reminders.mail.render import Renderer
from reminders.mail.transport import Transport
from reminders.services import (
    audit,
    book,
    bring_in,
    catalogue,
    catalogue_file,
    clinic,
    decide,
    deliver,
    doctor,
    dossier,
    erase,
    explain,
    install,
    overview,
    patient,
    plan,
    preview,
    record,
)
from reminders.services.breaker import Breakers
from reminders.services.configured import configured_transport
from reminders.services.find import the_clinic
from reminders.services.keys import Keys
from reminders.services.log_treatment import NamedTreatment, TreatmentLogged, log_treatment, take_back
from reminders.services.plan import Progress
from reminders.services.points import Observer, nobody
from reminders.services.rounds import Worker
from reminders.settings import Settings
from reminders.store import clinics, protocols
from reminders.store.clinics import Clinic, Practitioner
from reminders.store.database import Database, Transaction
from reminders.store.treatments import TreatmentRow


@dataclass(frozen=True)
class App:
    """The product, opened on one database; `transport` stands in for the configured one, `chance` makes jitter."""

    settings: Settings
    database: Database
    keys: Keys
    clock: Clock
    transport: Transport | None = None
    observe: Observer = nobody
    chance: random.Random = field(default_factory=random.SystemRandom)

    def __enter__(self) -> Self:
        """Use the app as a context that closes its database."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the database."""
        self.database.close()

    @contextmanager
    def _reading(self) -> Iterator[Transaction]:
        with self.database.read(self.clock.now()) as tx:
            yield tx

    @contextmanager
    def _writing(self, actor: str = "cli") -> Iterator[Transaction]:
        with self.database.write(self.clock.now(), actor) as tx:
            yield tx

    # clinics
    def add_clinic(self, slug: str, given: Mapping[str, Any], practitioners: Sequence[str]) -> Clinic:
        """Enrol a clinic."""
        with self._writing() as tx:
            return clinic.add_clinic(tx, slug, given, practitioners)

    def change_clinic(
        self,
        slug: str,
        given: Mapping[str, Any],
        practitioners: Sequence[str] = (),
        left: Sequence[str] = (),
        closed: Sequence[dt.date] = (),
        opened: Sequence[dt.date] = (),
    ) -> tuple[Clinic, plan.PlanOutcome]:
        """Change a clinic's settings and replan it."""
        with self._writing() as tx:
            return clinic.change_clinic(tx, slug, given, practitioners, left, closed, opened)

    def pause_clinic(self, slug: str, *, paused: bool) -> tuple[Clinic, plan.PlanOutcome]:
        """Pause or resume a clinic."""
        with self._writing() as tx:
            return clinic.set_paused(tx, slug, paused=paused)

    def add_location(self, slug: str, name: str, given: Mapping[str, Any]) -> Clinic:
        """Add or change a place of a clinic."""
        with self._writing() as tx:
            return clinic.add_location(tx, slug, name, given)

    def clinics(self) -> list[tuple[Clinic, list[Practitioner]]]:
        """Return every clinic with its practitioners."""
        with self._reading() as tx:
            return [(found, clinics.practitioners(tx, found.id)) for found in clinics.all_clinics(tx)]

    # the catalogue
    def protocols(self) -> list[Protocol]:
        """Return the catalogue's current versions, by code."""
        with self._reading() as tx:
            return sorted(protocols.current(tx).values(), key=lambda protocol: protocol.code)

    def import_protocols(self, path: Path) -> catalogue.CatalogueOutcome:
        """Take a catalogue file in, as a whole or not at all, and replan whom it touches."""
        found = catalogue_file.read_catalogue(path)
        with self._writing() as tx:
            return catalogue.import_catalogue(tx, found)

    def export_protocols(self) -> str:
        """Return the catalogue as a file that people can read and edit."""
        return catalogue_file.write_catalogue(self.protocols())

    # patients
    def add_patient(self, slug: str, ref: str, given: Mapping[str, Any]) -> dossier.Dossier:
        """Enrol a patient."""
        with self._writing() as tx:
            patient.add_patient(tx, self.keys, the_clinic(tx, slug), ref, given)
            return dossier.dossier(tx, the_clinic(tx, slug), ref.strip())

    def change_patient(self, slug: str, ref: str, change: patient.PatientChange) -> dossier.Dossier:
        """Change a patient and replan them."""
        with self._writing() as tx:
            patient.change_patient(tx, self.keys, the_clinic(tx, slug), ref, change)
            return dossier.dossier(tx, the_clinic(tx, slug), ref)

    def hold_patient(self, slug: str, ref: str, line: str | None, until: dt.date | None, code: str) -> dossier.Dossier:
        """Put a patient on hold; `until` None is until a person ends it."""
        with self._writing() as tx:
            patient.hold_patient(tx, the_clinic(tx, slug), ref, line, until, code)
            return dossier.dossier(tx, the_clinic(tx, slug), ref)

    def end_holds(self, slug: str, ref: str, line: str | None) -> dossier.Dossier:
        """End a patient's holds."""
        with self._writing() as tx:
            patient.end_holds(tx, the_clinic(tx, slug), ref, line)
            return dossier.dossier(tx, the_clinic(tx, slug), ref)

    def log_answer(self, slug: str, ref: str, kind: Reason | None) -> dossier.Dossier:
        """Record a reply or a request, or with None close them all."""
        with self._writing() as tx:
            patient.answer(tx, the_clinic(tx, slug), ref, kind)
            return dossier.dossier(tx, the_clinic(tx, slug), ref)

    def show_patient(self, slug: str, ref: str) -> dossier.Dossier:
        """Return what is kept of a patient."""
        with self._reading() as tx:
            return dossier.dossier(tx, the_clinic(tx, slug), ref)

    def export_patient(self, slug: str, ref: str) -> dict[str, Any]:
        """Return everything kept of a patient, messages and audit extract included."""
        with self._reading() as tx:
            return dossier.export(tx, the_clinic(tx, slug), ref)

    def erase_patient(self, slug: str, ref: str) -> erase.Erased:
        """Erase a patient, from the rows and from the files."""
        return erase.erase(self.database, self.clock, slug, ref)

    # what the clinic did
    def add_treatment(self, slug: str, entry: record.NewTreatment) -> TreatmentLogged:
        """Log a treatment; returns its window and reminders, also of an ended episode."""
        with self._writing() as tx:
            return log_treatment(tx, the_clinic(tx, slug), entry)

    def void_treatment(self, slug: str, named: NamedTreatment, why: str) -> tuple[TreatmentRow, str]:
        """Mark a treatment as entered in error; returns the entry and its patient's ref."""
        with self._writing() as tx:
            return take_back(tx, the_clinic(tx, slug), named, why)

    def add_appointment(self, slug: str, patient_ref: str, day: dt.date, line: str | None) -> int:
        """Book a day; returns the appointment's id."""
        with self._writing() as tx:
            return book.add_appointment(tx, the_clinic(tx, slug), patient_ref, day, line)

    def set_outcome(self, appointment_id: int, outcome: Outcome) -> dt.date | None:
        """Record what became of an appointment; returns the day on which the peace after a missed one ends."""
        with self._writing() as tx:
            return book.set_outcome(tx, appointment_id, outcome)

    def bring_in(
        self, request: bring_in.ImportRequest, progress: bring_in.Progress | None = None
    ) -> bring_in.ImportReport:
        """Import a clinic's export."""
        return bring_in.bring_in(self.database, self.clock, self.keys, request, progress)

    # the plan and what comes of it
    def plan(self, progress: Progress | None = None) -> plan.PlanOutcome:
        """Make the stored reminders agree with the facts."""
        return plan.plan_everyone(self.database, self.clock, progress)

    def deliver(self, progress: Progress | None = None) -> deliver.DeliverOutcome:
        """Send everything that is due now."""
        transport = self.transport or configured_transport(self.settings)
        worker = Worker(
            database=self.database,
            clock=self.clock,
            keys=self.keys,
            renderer=Renderer(),
            transport=transport,
            breakers=Breakers(transport.name),
            lease=dt.timedelta(seconds=self.settings.lease_s),
            link_base=self.settings.link_base,
            observe=self.observe,
            chance=self.chance,
        )
        name = f"deliver-{os.getpid()}-{secrets.token_hex(4)}"
        return deliver.deliver(worker, name, self.settings.round, progress)

    @contextmanager
    def list(self, wanted: overview.Filter) -> Iterator[Iterator[overview.ReminderView]]:
        """Open a stream of the reminders that fit; read it inside the context."""
        with self._reading() as tx, closing(overview.list_reminders(tx, wanted)) as found:
            yield found

    def why(self, slug: str, ref: str) -> explain.Explanation:
        """Explain every step of one patient."""
        with self._reading() as tx:
            return explain.why(tx, the_clinic(tx, slug), ref)

    def preview(self, slug: str, ref: str, step: str | None) -> preview.Preview:
        """Return exactly what would be sent."""
        with self._reading() as tx:
            found, base = the_clinic(tx, slug), self.settings.link_base
            return preview.preview(tx, self.keys, Renderer(), base, found, ref, step)

    # decisions
    def release(self, ids: Sequence[int]) -> decide.Decision:
        """Let held reminders go."""
        with self._writing() as tx:
            return decide.release(tx, ids)

    def release_all(self, slug: str) -> decide.Decision:
        """Let everything held at a clinic go."""
        with self._writing() as tx:
            return decide.release_all(tx, the_clinic(tx, slug))

    def hold(self, ids: Sequence[int], why: str) -> decide.Decision:
        """Hold planned reminders for a person."""
        with self._writing() as tx:
            return decide.hold(tx, ids, why)

    def settle(self, reminder_id: int, state: State, why: str) -> decide.Decision:
        """Decide what became of an unknown message."""
        with self._writing() as tx:
            return decide.settle(tx, reminder_id, state, why)

    def retry(self, ids: Sequence[int]) -> decide.Decision:
        """Plan failed reminders again."""
        with self._writing() as tx:
            return decide.retry(tx, ids)

    def came_back(self, reminder_id: int, *, complaint: bool) -> decide.Decision:
        """Record a bounce or a complaint."""
        with self._writing() as tx:
            return decide.came_back(tx, reminder_id, complaint=complaint)

    # checks
    def audit(self, progress: Progress | None = None) -> audit.AuditReport:
        """Verify the promises on the live database."""
        return audit.audit(self.database, self.clock, self.keys, progress)


def init(settings: Settings, clock: Clock | None = None) -> install.Installed:
    """Create or upgrade the installation."""
    return install.install(settings, clock or SystemClock())


def examine(settings: Settings, mail_to: str | None = None, clock: Clock | None = None) -> tuple[doctor.Check, ...]:
    """Say what is wrong with the installation and how to mend it, whatever state it is in."""
    return doctor.doctor(settings, clock or SystemClock(), mail_to)


def open_app(settings: Settings, clock: Clock | None = None, **given: Any) -> App:  # noqa: ANN401 - handed to `App` as they are
    """Open the product; raises `DatabaseNotReady` where `reminders init` is needed."""
    clock = clock or SystemClock()
    database, keys = install.open_installation(settings, clock)
    return App(settings, database, keys, clock, **given)
