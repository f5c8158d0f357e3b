"""Brings a file's rows together by patient and judges a patient's values over the whole file.

Invariants: an empty cell changes nothing and the last value in the file rules, but a denied consent and a death beat
whatever stands beside them; one patient's rows never exceed what memory holds.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from reminders.domain.facts import Consent, Status
from reminders.services.importing.report import RowProblem
from reminders.services.importing.rows import VisitRow, from_line, patient_of

MOST_ROWS = 5_000
"""A daily visit for thirteen years; more rows under one number are not one person's."""

PIECE = 1_000
_TOO_MANY = f"is the number of more than {MOST_ROWS} rows: is this the column of the patients' numbers?"
_WINS = {"consent": Consent.DENIED.value, "status": Status.DECEASED.value}


@dataclass(frozen=True, slots=True)
class PatientRows:
    """The rows of one patient in the file's order, those that were turned away, and what is left out of others."""

    ref: str
    rows: tuple[VisitRow, ...]
    rejected: tuple[RowProblem, ...] = ()
    warnings: tuple[RowProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class Value:
    """A patient's value and the row that it comes from."""

    text: str
    row: int


def patients_in(lines: Iterable[str]) -> Iterator[tuple[str, PatientRows]]:
    """Yield (sorting key, patient) from sorted lines of rows.

    Rows beyond the most that one patient may have follow in pieces of their own, so that no number fills the memory.
    """
    for key, group in groupby(lines, key=patient_of):
        rows: list[VisitRow] = []
        rejected: list[RowProblem] = []
        for count, line in enumerate(group, start=1):
            row = from_line(line)
            if count <= MOST_ROWS:
                rows.append(row)
                continue
            rejected.append(RowProblem(row.number, "patient_ref", _TOO_MANY))
            if len(rejected) == PIECE:
                yield key, PatientRows(row.ref, tuple(rows), tuple(rejected))
                rows, rejected = [], []
        if rows or rejected:
            yield key, PatientRows(from_line(line).ref, tuple(rows), tuple(rejected))


def merged(rows: Sequence[VisitRow]) -> dict[str, Value]:
    """Return a patient's values, by column."""
    found: dict[str, Value] = {}
    for row in rows:
        for column, text in row.values.items():
            before = found.get(column)
            if before is None or before.text != _WINS.get(column):
                found[column] = Value(text, row.number)
        if row.prefers:
            found["practitioner"] = Value(row.practitioner, row.number)
    return found
