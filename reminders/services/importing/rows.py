"""What one row of a file says, once it is read: a patient's values, visits, bookings; and its short form on disk.

Invariant: `from_line(to_line(row)) == row`, and lines sort by patient, then by row.
"""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from reminders.domain.facts import Kind

BOOKED, KEPT, MISSED, CANCELLED = "booked", "kept", "missed", "cancelled"
"""What a row says of an appointment; the last three are outcomes."""


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))  # making one for each row takes half the time
_DECODER = json.JSONDecoder()
_KINDS = {kind.value: kind for kind in Kind}
_day = dt.date.fromordinal


class Visit(NamedTuple):
    """One service of a completed visit; `said` when the row itself names the kind, which then is not judged."""

    protocol: str
    kind: Kind
    said: bool = False


class Booking(NamedTuple):
    """What a row says of the appointment of a line (empty: of every line) on a day."""

    line: str
    day: dt.date
    state: str


class VisitRow(NamedTuple):
    """A row that was read: `values` are a patient's columns as texts, empty ones left out.

    `prefers` says that the practitioner is the patient's own, because the row is about no visit; `placeholder` that the
    address was none of the patient's.
    """

    number: int
    ref: str
    values: Mapping[str, str] = MappingProxyType({})
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
    number, ref, values, practitioner, prefers, treatment_ref, day, visits, bookings, placeholder = _parts(line)
    return VisitRow(
        number,
        ref,
        values,
        practitioner,
        bool(prefers),
        treatment_ref,
        _day(day) if day else None,
        tuple([Visit(protocol, _KINDS[kind], bool(said)) for protocol, kind, said in visits]),
        tuple([Booking(name, _day(on), state) for name, on, state in bookings]),
        bool(placeholder),
    )


def about_the_patient(line: str) -> VisitRow:
    """Return the row that `to_line` wrote without its visits and bookings, which take as long as the rest."""
    number, ref, values, practitioner, prefers, treatment_ref, _, _, _, placeholder = _parts(line)
    return VisitRow(number, ref, values, practitioner, bool(prefers), treatment_ref, placeholder=bool(placeholder))


def _parts(line: str) -> Sequence[Any]:
    begin = line.index("\t", line.index("\t") + 1) + 1
    found: Sequence[Any] = _DECODER.raw_decode(line, begin)[0]
    return found
