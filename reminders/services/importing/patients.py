"""Brings a file's rows together by patient and judges a patient's values over the whole file.

Invariants: an empty cell changes nothing and the last value in the file rules, but a denied consent and a death beat
whatever stands beside them; one patient's rows never exceed what memory holds.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

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


class Value(NamedTuple):
    """A patient's value and the row that it comes from."""

    text: str
    row: int


def patients_in(lines: Iterable[str], read: Callable[[str], VisitRow] = from_line) -> Iterator[tuple[str, PatientRows]]:
    """Yield (sorting key, patient) from sorted lines of rows, each read by `read`.

    Rows beyond the most that one patient may have follow in pieces of their own, so that no number fills the memory.
    """
    for key, group in groupby(lines, key=patient_of):
        rows: list[VisitRow] = []
        rejected: list[RowProblem] = []
        ref = ""
        for count, line in enumerate(group, start=1):
            row = read(line)
            ref = row.ref
            if count <= MOST_ROWS:
                rows.append(row)
                continue
            rejected.append(RowProblem(row.number, "patient_ref", _TOO_MANY))
            if len(rejected) == PIECE:
                yield key, PatientRows(row.ref, tuple(rows), tuple(rejected))
                rows, rejected = [], []
        if rows or rejected:
            yield key, PatientRows(ref, tuple(rows), tuple(rejected))


def merged(rows: Sequence[VisitRow]) -> dict[str, Value]:
    """Return a patient's values, by column."""
    found: dict[str, Value] = {}
    for row in reversed(rows):
        for column, text in row.values.items():
            if column not in found:
                found[column] = Value(text, row.number)
        if row.prefers and "practitioner" not in found:
            found["practitioner"] = Value(row.practitioner, row.number)
    for column, winner in _WINS.items():
        if column in found:
            said = (row.number for row in rows if row.values.get(column) == winner)
            if (first := next(said, None)) is not None:
                found[column] = Value(winner, first)
    return found


def texts(rows: Iterable[VisitRow]) -> dict[str, str]:
    """Return the last of a patient's values by column, for those columns in which nothing beats what comes later."""
    found: dict[str, str] = {}
    for row in rows:
        found.update(row.values)
    return {column: text for column, text in found.items() if column not in _WINS}
