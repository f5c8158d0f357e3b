"""What one row of a file says, once it is read: a patient's values, visits, bookings; and its short form on disk.

Invariant: `from_line(to_line(row)) == row`, and lines sort by patient, then by row.
"""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from reminders.domain.facts import Kind

BOOKED, KEPT, MISSED, CANCELLED = "booked", "kept", "missed", "cancelled"
"""What a row says of an appointment; the last three are outcomes."""


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))  # making one for each row takes half the time


@dataclass(frozen=True, slots=True)
class Visit:
    """One service of a completed visit; `said` when the row itself names the kind, which then is not judged."""

    protocol: str
    kind: Kind
    said: bool = False


@dataclass(frozen=True, slots=True)
class Booking:
    """What a row says of the appointment of a line (empty: of every line) on a day."""

    line: str
    day: dt.date
    state: str


@dataclass(frozen=True, slots=True)
class VisitRow:
    """A row that was read: `values` are a patient's columns as texts, empty ones left out.

    `prefers` says that the practitioner is the patient's own, because the row is about no visit; `placeholder` that the
    address was none of the patient's.
    """

    number: int
    ref: str
    values: Mapping[str, str] = field(default_factory=dict)
    practitioner: str = ""
    prefers: bool = False
    treatment_ref: str = ""
    day: dt.date | None = None
    visits: tuple[Visit, ...] = ()
    bookings: tuple[Booking, ...] = ()
    placeholder: bool = False


def order(ref: str) -> str:
    """Return what patients are sorted by: shorter refs first, so that 999 comes before 1000."""
    return f"{len(ref):03}{ref}"


def patient_of(line: str) -> str:
    """Return the sorting key of a line's patient."""
    return line.partition("\t")[0]


def to_line(row: VisitRow) -> str:
    """Return the row as one line of text."""
    parts = [
        row.number,
        row.ref,
        row.values,
        row.practitioner,
        int(row.prefers),
        row.treatment_ref,
        row.day.toordinal() if row.day else 0,
        [[visit.protocol, visit.kind.value, int(visit.said)] for visit in row.visits],
        [[booking.line, booking.day.toordinal(), booking.state] for booking in row.bookings],
        int(row.placeholder),
    ]
    return f"{order(row.ref)}\t{row.number:09}\t{_ENCODER.encode(parts)}"


def from_line(line: str) -> VisitRow:
    """Return the row that `to_line` wrote."""
    number, ref, values, practitioner, prefers, treatment_ref, day, visits, bookings, placeholder = json.loads(
        line.split("\t", 2)[2]
    )
    return VisitRow(
        number,
        ref,
        values,
        practitioner,
        bool(prefers),
        treatment_ref,
        dt.date.fromordinal(day) if day else None,
        tuple(Visit(protocol, Kind(kind), bool(said)) for protocol, kind, said in visits),
        tuple(Booking(name, dt.date.fromordinal(on), state) for name, on, state in bookings),
        bool(placeholder),
    )
