"""Decides which of a patient's visits and appointments are new, given what is stored and what else the file says.

Invariants: the decision is pure, and made again after it was stored it finds nothing new; an entry marked as entered in
error keeps its key; a visit of one line within 28 days of a treatment does not restart the clock.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from reminders.domain.facts import Kind, Outcome
from reminders.domain.protocol import line_of
from reminders.services.importing.report import RowProblem
from reminders.services.importing.rows import BOOKED, CANCELLED, KEPT, MISSED, Booking, VisitRow
from reminders.services.record import TOUCH_UP_DAYS
from reminders.store.appointments import AppointmentRow
from reminders.store.treatments import TreatmentRow

_OUTCOMES = {KEPT: Outcome.KEPT, MISSED: Outcome.MISSED, CANCELLED: Outcome.CANCELLED}


@dataclass(slots=True)
class Known:
    """An entry as it is stored, or about to be: `row` is the file's row it comes from, None when it was stored."""

    protocol: str
    day: dt.date
    kind: Kind
    ref: str | None
    practitioner: str = ""
    live: bool = True
    row: int | None = None
    claimed: bool = False


@dataclass(slots=True)
class Bookings:
    """Appointments to add, as (line, day, outcome); outcomes to set, by appointment; appointments to open again.

    `added_by` and `changed_by` are the numbers of the rows that do so; a row that is in both added something.
    """

    add: list[tuple[str, dt.date, Outcome | None]] = field(default_factory=list)
    outcomes: list[tuple[int, Outcome]] = field(default_factory=list)
    reopen: list[int] = field(default_factory=list)
    added_by: set[int] = field(default_factory=set)
    changed_by: set[int] = field(default_factory=set)


class Ledger:
    """One patient's entries: the stored ones, then the file's, which find their own or are added."""

    def __init__(self, stored: Iterable[TreatmentRow], lines: Mapping[str, str]) -> None:
        """Begin with what is stored, withdrawn entries too; `lines` maps protocols to their lines."""
        self._lines = lines
        self._entries = [Known(e.protocol, e.day, e.kind, e.ref, live=e.withdrawn_at is None) for e in stored]
        self._by_ref = {entry.ref: entry for entry in self._entries if entry.ref}
        self.touch_ups: list[int] = []
        self.warnings: list[RowProblem] = []

    def take(self, rows: Sequence[VisitRow]) -> list[Known]:
        """Return the new entries of these rows, oldest first; of one day and protocol a treatment before a review."""
        for row in sorted(rows, key=lambda row: (row.day or dt.date.min, _rank(row), row.number)):
            if row.day is not None and row.visits:
                self._take_row(row, row.day)
        return [entry for entry in self._entries if entry.row is not None]

    def _take_row(self, row: VisitRow, day: dt.date) -> None:
        ref = row.treatment_ref or None
        own = self._by_ref.get(ref) if ref else None
        if own is not None and (own.day != day or own.protocol not in {visit.protocol for visit in row.visits}):
            self.warnings.append(RowProblem(row.number, "treatment_ref", _OTHER_VISIT))
            return
        for visit in sorted(row.visits, key=lambda visit: visit.kind is Kind.REVIEW):
            if own is not None and own.protocol == visit.protocol:
                continue
            if self._find(visit.protocol, day, visit.kind, ref if own is None else None):
                continue
            kind = visit.kind
            if kind is Kind.TREATMENT and not visit.said and self._treated_before(visit.protocol, day):
                kind = Kind.TOUCH_UP
                self.touch_ups.append(row.number)
                self.warnings.append(RowProblem(row.number, "kind", _TOUCH_UP))
            entry = Known(visit.protocol, day, kind, ref if own is None else None, row.practitioner, row=row.number)
            self._entries.append(entry)
            if own is None and ref is not None:
                own = self._by_ref[ref] = entry

    def _find(self, protocol: str, day: dt.date, kind: Kind, ref: str | None) -> bool:
        """Tell whether the visit is there already; a review that is there does not stand for a treatment.

        A visit with a number of its own may be one that was entered without, but each such entry is one visit only.
        """
        for entry in self._entries:
            if (entry.protocol, entry.day) != (protocol, day):
                continue
            if entry.kind is Kind.REVIEW and kind is not Kind.REVIEW:
                continue
            if ref is None:
                return True
            if entry.ref is None and entry.row is None and not entry.claimed:
                entry.claimed = True
                return True
        return False

    def _treated_before(self, protocol: str, day: dt.date) -> bool:
        line = self._lines.get(protocol)
        return any(
            entry.live
            and entry.kind is Kind.TREATMENT
            and self._lines.get(entry.protocol) == line
            and 0 < (day - entry.day).days < TOUCH_UP_DAYS
            for entry in self._entries
        )


_TOUCH_UP = f"counts as a touch-up: its line was treated under {TOUCH_UP_DAYS} days before, and that clock goes on"
_OTHER_VISIT = "is recorded for another visit, which stays: correct it with `reminders treatment add --replaces`"


def _rank(row: VisitRow) -> int:
    return int(all(visit.kind is Kind.REVIEW for visit in row.visits))


def bookings_of(rows: Sequence[VisitRow], stored: Iterable[AppointmentRow]) -> Bookings:
    """Return what these rows change about a patient's appointments.

    Only a booked row makes one, or opens one again that was cancelled or missed. What became of it is said by a
    completed row of its key, else by the last cancelled or no-show one; where there is such a row, wherever it stands,
    a booked one says nothing, so that a file which tells both is read alike every time.
    """
    known = {(row.line or "", row.day): row for row in stored}
    found = Bookings()
    said: dict[tuple[str, dt.date], list[tuple[int, str]]] = {}
    for row in rows:
        for booking in row.bookings:
            said.setdefault(_key(booking, known), []).append((row.number, booking.state))
    for key, events in said.items():
        _decide(key, events, known.get(key), found)
    return found


def _key(booking: Booking, known: Collection[tuple[str, dt.date]]) -> tuple[str, dt.date]:
    """Return the line and day of the appointment that is meant."""
    by_name = line_of(booking.line), booking.day  # booked by hand, where a line's name did not say of which group
    exact = booking.line, booking.day
    return by_name if by_name in known and exact not in known else exact


def _decide(
    key: tuple[str, dt.date], events: Sequence[tuple[int, str]], stored: AppointmentRow | None, found: Bookings
) -> None:
    booked_by = next((number for number, state in events if state == BOOKED), None)
    told = [(number, _OUTCOMES.get(state)) for number, state in events if state == BOOKED or state in _OUTCOMES]
    if not told:
        return
    number, outcome = next((one for one in told if one[1] is Outcome.KEPT), told[-1])
    if stored is None:
        if booked_by is None:
            return
        found.add.append((*key, outcome))
        found.added_by.add(booked_by)
    elif outcome is not None and stored.outcome is not outcome:
        found.outcomes.append((stored.id, outcome))
    elif outcome is None and stored.outcome in (Outcome.CANCELLED, Outcome.MISSED):
        found.reopen.append(stored.id)
    else:
        return
    found.changed_by.add(number)
