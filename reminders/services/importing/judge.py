"""Judges one row at a time: what it says of a patient, a treatment or an appointment, or why it cannot be taken.

Invariants: only a completed visit of today or earlier becomes a treatment; a row is taken whole or not at all; what is
said about a row never repeats a name or an address.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from reminders.domain.facts import Kind
from reminders.domain.protocol import Protocol
from reminders.services.importing import values
from reminders.services.importing.columns import PATIENT_COLUMNS, Columns
from reminders.services.importing.days import Days, TypedDay, Unreadable
from reminders.services.importing.file import Row
from reminders.services.importing.placeholders import is_placeholder
from reminders.services.importing.rows import BOOKED, CANCELLED, KEPT, MISSED, Booking, Visit, VisitRow
from reminders.services.importing.services import Meaning, Service, Services
from reminders.services.importing.shown_names import ShownNames
from reminders.services.record import EARLIEST_YEAR

MOST_SAID = 20
"""The most unmapped names that are said of one row."""

OLDEST = dt.timedelta(days=130 * 366)
FARTHEST_BOOKING = dt.timedelta(days=5 * 366)
_OUTCOMES = {values.COMPLETED: KEPT, values.CANCELLED: CANCELLED, values.NO_SHOW: MISSED, values.BOOKED: BOOKED}
_ADDRESSES = ("email", "representative_email")
_DAYS = frozenset(("birth_date", "treated_on", "booked_for"))
Said = tuple[str, str]
"""A column's name and what is said about it."""


@dataclass(slots=True)
class Judged:
    """What became of a row: the row as read, or the problems for which it is rejected."""

    row: VisitRow | None = None
    errors: list[Said] = field(default_factory=list)
    warnings: list[Said] = field(default_factory=list)
    unmapped: tuple[str, ...] = ()


@dataclass(slots=True)
class _Reading:
    """A row while it is read: its cells by our names (plain, but for those of days), and what is found wrong."""

    cells: Mapping[str, str]
    judged: Judged

    def text(self, column: str) -> str:
        return self.cells.get(column, "")

    def wrong(self, column: str, problem: str) -> None:
        self.judged.errors.append((column, problem))


class Judge:
    """Knows a file's columns and a clinic's rules; `today` is its day, `own` its own addresses (casefolded).

    `shown` judges the names that its messages would show.
    """

    def __init__(
        self,
        columns: Columns,
        days: Days,
        services: Services,
        protocols: Mapping[str, Protocol],
        today: dt.date,
        own: Collection[str] = (),
        shown: ShownNames | None = None,
    ) -> None:
        """Keep what every row is judged by."""
        self._places = columns.places
        self._days = days
        self._services = services
        self._lines = {code: protocol.clock for code, protocol in protocols.items()}
        self._today = today
        self._own = own
        self._shown = shown or ShownNames(None)
        self._has_status = "visit_status" in columns.places
        self._patient_columns = [column for column in PATIENT_COLUMNS if column in columns.places]
        self._width = max(columns.places.values(), default=-1) + 1

    def judge(self, row: Row) -> Judged:
        """Return what a row says."""
        judged = Judged()
        if row.problem:
            judged.errors.append(("", row.problem))
            return judged
        given = row.cells
        if len(given) < self._width:
            given = [*given, *[""] * (self._width - len(given))]
        cells = {
            column: given[place] if column in _DAYS else values.plain(given[place])
            for column, place in self._places.items()
        }
        reading = _Reading(cells, judged)
        ref = self._key(reading, "patient_ref")
        if not ref and not judged.errors:
            reading.wrong("patient_ref", "is empty")
        found, placeholder = self._patient(reading)
        practitioner = self._practitioner(reading)
        treatment_ref = self._key(reading, "treatment_ref")
        day, visits, bookings = self._visit(reading)
        if not judged.errors:
            about_no_visit = not (day or bookings or reading.text("protocol"))
            judged.row = VisitRow(
                row.number,
                ref,
                found,
                practitioner,
                about_no_visit and bool(practitioner),
                treatment_ref if visits else "",
                day if visits else None,
                visits,
                bookings,
                placeholder,
            )
        return judged

    def _key(self, reading: _Reading, column: str) -> str:
        text = reading.text(column)
        if not text:
            return ""
        try:
            return values.key(text)
        except Unreadable as fault:
            reading.wrong(column, str(fault))
            return ""

    def _optional(self, reading: _Reading, column: str) -> str:
        text = reading.cells.get(column)
        if not text:
            return ""
        try:
            return values.READERS[column](text)
        except Unreadable as fault:
            reading.judged.warnings.append((column, f"{fault}: left out"))
            return ""

    def _practitioner(self, reading: _Reading) -> str:
        """Return who treated; a new name that no message may show is left out, and the row is taken without it."""
        name = self._optional(reading, "practitioner")
        if problem := self._shown.about_practitioner(name):
            reading.judged.warnings.append(("practitioner", problem))
            return ""
        return name

    def _patient(self, reading: _Reading) -> tuple[dict[str, str], bool]:
        """Return a patient's values, and whether an address was nobody's."""
        found = {}
        placeholder = False
        for column in self._patient_columns:
            value = self._birth_date(reading) if column == "birth_date" else self._optional(reading, column)
            if value and column in _ADDRESSES and is_placeholder(value, self._own):
                reading.judged.warnings.append((column, "is a placeholder, not the patient's own address: left out"))
                placeholder, value = True, ""
            if value:
                found[column] = value
        greeted = "known_as" if "known_as" in found else "given_name"
        if problem := self._shown.about_patient(found.get(greeted, "")):
            reading.judged.warnings.append((greeted, problem))
        return found, placeholder

    def _birth_date(self, reading: _Reading) -> str:
        try:
            day = self._day(reading, "birth_date")
        except Unreadable as fault:
            reading.judged.warnings.append(("birth_date", f"{fault}: left out"))
            return ""
        if day is None:
            return ""
        if not self._today - OLDEST < day <= self._today:
            reading.judged.warnings.append(("birth_date", "lies in the future, or more than 130 years back: left out"))
            return ""
        return day.isoformat()

    def _day(self, reading: _Reading, column: str) -> dt.date | None:
        cell = reading.cells.get(column, "")
        if isinstance(cell, TypedDay):
            return self._days.typed(cell)
        text = values.plain(cell)
        return self._days.read(text) if text else None

    def _visit(self, reading: _Reading) -> tuple[dt.date | None, tuple[Visit, ...], tuple[Booking, ...]]:
        """Return the day of the visit, the treatments of a completed one, and what it says of appointments."""
        service_cell = reading.text("protocol")
        meaning = self._meaning(reading, service_cell)
        for name in meaning.unmapped[:MOST_SAID]:
            reading.wrong("protocol", f"{name!r} is not mapped: name it in the values file (--values)")
        reading.judged.unmapped = meaning.unmapped
        kind = self._kind(reading)
        day, booked_for = self._visit_day(reading, "treated_on"), self._visit_day(reading, "booked_for")
        status = self._status(reading, day, booked_for, matters=bool(meaning.services))
        if status == values.COMPLETED and day and day > self._today:
            reading.wrong("treated_on", f"{day} lies in the future, but the visit is said to be completed")
        ignored = bool(service_cell) and not meaning.services
        if reading.judged.errors or ignored:
            return day, (), ()
        self._check_whole(reading, status, day, booked_for, meaning.services)
        visits: tuple[Visit, ...] = ()
        if status == values.COMPLETED and day:
            visits = tuple(
                Visit(service.protocol, kind or service.kind, kind is not None) for service in meaning.services
            )
        return day, visits, self._bookings(status, day, booked_for, meaning.services)

    def _meaning(self, reading: _Reading, cell: str) -> Meaning:
        try:
            return self._services.read(cell) if cell else Meaning()
        except Unreadable as fault:
            reading.wrong("protocol", str(fault))
            return Meaning()

    def _kind(self, reading: _Reading) -> Kind | None:
        text = reading.text("kind")
        try:
            return Kind(values.kind(text)) if text else None
        except Unreadable as fault:
            reading.wrong("kind", str(fault))
            return None

    def _visit_day(self, reading: _Reading, column: str) -> dt.date | None:
        try:
            day = self._day(reading, column)
        except Unreadable as fault:
            reading.wrong(column, str(fault))
            return None
        if day and day.year < EARLIEST_YEAR:
            reading.wrong(column, f"{day} lies before {EARLIEST_YEAR}: check the year")
        elif day and day > self._today + FARTHEST_BOOKING:
            reading.wrong(column, f"{day} lies more than five years ahead: check the year")
        return day

    def _status(self, reading: _Reading, day: dt.date | None, booked_for: dt.date | None, *, matters: bool) -> str:
        """Return what became of the visit, empty where the row is about none; it `matters` for a service to record."""
        word = reading.text("visit_status")
        if word:
            try:
                return values.visit_status(word)
            except Unreadable as fault:
                reading.wrong("visit_status", str(fault))
                return ""
        if day and day > self._today:
            return values.BOOKED
        if not self._has_status:
            return values.COMPLETED if day or (reading.text("protocol") and not booked_for) else ""
        if day and matters:
            reading.wrong("visit_status", "is empty for a past visit: say whether it was completed")
        return ""

    def _check_whole(
        self,
        reading: _Reading,
        status: str,
        day: dt.date | None,
        booked_for: dt.date | None,
        services: Sequence[Service],
    ) -> None:
        """Refuse a visit that lacks a part."""
        if status == values.COMPLETED and day and not services:
            reading.wrong("protocol", "is empty: a completed visit needs one")
        if status == values.COMPLETED and not day and services:
            reading.wrong("treated_on", "is empty: a completed visit needs its day")
        if status == values.BOOKED and not day and not booked_for:
            reading.wrong("booked_for", "is empty, and so is treated_on: a booked visit needs its day")

    def _bookings(
        self, status: str, day: dt.date | None, booked_for: dt.date | None, services: Sequence[Service]
    ) -> tuple[Booking, ...]:
        """Return what the row says of appointments; a booking of a past day says nothing, nor does a future no-show."""
        said: list[tuple[dt.date, str]] = []
        if day and status:
            said.append((day, _OUTCOMES[status]))
        if booked_for:
            about_it = not day and status in (values.CANCELLED, values.NO_SHOW)
            said.append((booked_for, _OUTCOMES[status] if about_it else BOOKED))
        lines = sorted({self._lines[service.protocol] for service in services}) or [""]
        return tuple(
            Booking(line, on, state)
            for on, state in dict.fromkeys(said)
            for line in lines
            if not (state == BOOKED and on < self._today) and not (state == MISSED and on > self._today)
        )
