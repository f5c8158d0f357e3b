"""Acts the sample clinic's script out: every event is a verb of the product, every day ends with a delivery.

Invariant: nothing is written past the product; what the sample shows, the product did.
"""

import csv
import datetime as dt
import random
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import singledispatchmethod
from pathlib import Path

from reminders.app import App, open_app
from reminders.domain.lifecycle import PENDING, State
from reminders.domain.sending_hours import moment
from reminders.mail.compose import parts
from reminders.services.catalogue_file import write_catalogue
from reminders.services.importing.report import ImportRequest
from reminders.services.log_treatment import NamedTreatment
from reminders.services.overview import Filter
from reminders.services.points import Point
from reminders.services.sample import script
from reminders.services.sample.clinic import DELIVERS, OPENS, ZONE, Sample
from reminders.settings import Settings

_LEASE_AND_MORE = dt.timedelta(minutes=3)
_SAME_DAY = dt.timedelta(hours=3)
_AFTERNOON = 15 * 60
_DEATHS = 3
_SEED = 7
Told = Callable[[int, int | None], None]


_REQUEST_LINK = re.compile(r"/p/([A-Za-z0-9_-]+)")


class NothingReceived(Exception):
    """A patient of the script answers a message that never came: the script is wrong."""


class ProgramDied(BaseException):
    """Stands for a process that was killed: nothing handles that, and so no `except Exception` may."""


class MovableClock:
    """A clock that stands where it was put."""

    def __init__(self, at: dt.datetime) -> None:
        """Put it at a moment."""
        self._at = at

    def now(self) -> dt.datetime:
        """Return where it stands."""
        return self._at

    def put(self, at: dt.datetime) -> None:
        """Put it at another moment."""
        self._at = at


@dataclass(slots=True)
class Counts:
    """What was entered."""

    patients: int = 0
    treatments: int = 0


@dataclass(slots=True)
class Actor:
    """Who types the script in: the open product, its clock, its folder, and the present, which is never passed."""

    app: App
    clock: MovableClock
    folder: Path
    present: dt.datetime
    counts: Counts = field(default_factory=Counts)
    booked: dict[tuple[str, dt.date], int] = field(default_factory=dict)
    """The appointments made, by patient and day."""

    def play(self, sample: Sample, told: Told | None) -> None:
        """Enrol the clinics and live through every day; `told` hears how many days are over."""
        first, last = sample.days[0][0], sample.days[-1][0]
        days, total = dict(sample.days), (last - first).days + 1
        self.clock.put(moment(ZONE, first, OPENS))
        for clinic in sample.clinics:
            self.app.add_clinic(clinic.slug, clinic.given, clinic.practitioners)
            for name, place in clinic.locations.items():
                self.app.add_location(clinic.slug, name, place)
        for number in range(total):
            self._live(first + dt.timedelta(days=number), days)
            if told:
                told(number + 1, total)
        self.clock.put(self.present)

    def _live(self, day: dt.date, days: Mapping[dt.date, Sequence[script.Event]]) -> None:
        events = days.get(day, ())
        self.clock.put(moment(ZONE, day, OPENS))
        for event in events:
            if not isinstance(event, script.Crash):
                self.act(event)
        self.clock.put(moment(ZONE, day, DELIVERS))
        self._deliver()
        for event in events:
            if isinstance(event, script.Crash):
                self.clock.put(moment(ZONE, day, _AFTERNOON))
                self._crash(event)

    def _deliver(self) -> None:
        """Deliver, and again when a server asked to be tried a little later."""
        while True:
            outcome = self.app.deliver()
            soon = min(self.clock.now() + _SAME_DAY, self.present)
            if outcome.next_at is None or not self.clock.now() < outcome.next_at <= soon:
                return
            self.clock.put(outcome.next_at)

    def _crash(self, event: script.Crash) -> None:
        """Log a treatment whose message is due at once, and let the program die while it writes it, three times."""
        self.act(script.Treat(event.entry))
        with tempfile.TemporaryDirectory() as scratch:
            given: Settings = self.app.settings.model_copy(update={"smtp_url": f"file:{scratch}", "round": 1})
            for _ in range(_DEATHS + 1):
                with open_app(given, self.clock, observe=_die, chance=random.Random(_SEED)) as app:  # noqa: S311 - no secret
                    try:
                        app.deliver()
                    except ProgramDied:
                        self.clock.put(self.clock.now() + _LEASE_AND_MORE)

    @singledispatchmethod
    def act(self, event: object) -> None:
        """Do what an event says."""
        raise NotImplementedError(type(event).__name__)

    @act.register
    def _(self, event: script.Enrol) -> None:
        self.app.add_patient(script.WILLOW, event.ref, event.given)
        self.counts.patients += 1

    @act.register
    def _(self, event: script.Treat) -> None:
        self.app.add_treatment(script.WILLOW, event.entry)
        self.counts.treatments += event.entry.replaces is None

    @act.register
    def _(self, event: script.Void) -> None:
        named = NamedTreatment(patient=event.ref, protocol=event.protocol, day=event.day)
        self.app.void_treatment(script.WILLOW, named, "logged for the wrong person")

    @act.register
    def _(self, event: script.Amend) -> None:
        self.app.change_patient(script.WILLOW, event.ref, event.change)

    @act.register
    def _(self, event: script.Book) -> None:
        booked = self.app.add_appointment(script.WILLOW, event.ref, event.day, event.line)
        self.booked[event.ref, event.day] = booked

    @act.register
    def _(self, event: script.Attend) -> None:
        self.app.set_outcome(self.booked[event.ref, event.day], event.outcome)

    @act.register
    def _(self, event: script.PutOnHold) -> None:
        self.app.hold_patient(script.WILLOW, event.ref, None, event.until, event.code)

    @act.register
    def _(self, event: script.Answer) -> None:
        self.app.log_answer(script.WILLOW, event.ref, event.kind)

    @act.register
    def _(self, event: script.Ask) -> None:
        self.app.answer(self._token_of(event.recipient), event.reply)

    @act.register
    def _(self, event: script.CameBack) -> None:
        sent = self.of_patient(event.ref, State.SENT)
        self.app.came_back(sent[-1], complaint=event.complaint)

    @act.register
    def _(self, event: script.Review) -> None:
        self.app.hold([self.of_patient(event.ref, *PENDING)[0]], "let me see it first")

    @act.register
    def _(self, event: script.Erase) -> None:
        self.app.erase_patient(script.WILLOW, event.ref)

    @act.register
    def _(self, event: script.Import) -> None:
        path = self.folder / f"{event.clinic}.csv"
        columns = list(dict.fromkeys(column for row in event.rows for column in row))
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(event.rows)
        report = self.app.bring_in(ImportRequest(path, event.clinic))
        self.counts.patients += report.patients_added
        self.counts.treatments += report.treatments_added

    @act.register
    def _(self, event: script.ReleaseAll) -> None:
        self.app.release_all(event.clinic)

    @act.register
    def _(self, event: script.Pause) -> None:
        self.app.pause_clinic(event.clinic, paused=True)

    @act.register
    def _(self, event: script.Leave) -> None:
        self.app.change_clinic(script.WILLOW, {}, left=[event.practitioner])

    @act.register
    def _(self, event: script.Rule) -> None:
        path = self.folder / f"{event.protocol.code}.yaml"
        path.write_text(write_catalogue([event.protocol]), encoding="utf-8")
        self.app.import_protocols(path)

    def _token_of(self, recipient: str) -> str:
        """Return what the link to the patient's page holds in the last message that this mailbox received."""
        for path in sorted((self.folder / "inbox").glob("*.eml"), reverse=True):
            message = parts(path.read_bytes())
            if dict(message.headers)["To"] == recipient and (link := _REQUEST_LINK.search(message.text)):
                return link[1]
        raise NothingReceived(recipient)

    def of_patient(self, ref: str, *states: State) -> list[int]:
        """Return the ids of a patient's reminders in these states, in the order of their moments."""
        with self.app.list(Filter(clinic=script.WILLOW, patient=ref, states=states)) as found:
            return [view.id for view in found if view.id is not None]


def _die(point: Point) -> None:
    if point is Point.BODY_WRITTEN:
        raise ProgramDied
