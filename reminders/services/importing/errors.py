"""Keeps what is wrong with a file's rows in the rows' order, and writes the file of rejected rows to be mended.

Invariants: the error file holds every rejected row as it was, in its own columns, so that mending and importing it
works; no cell of it is computed by a spreadsheet; it appears whole or not at all, readable by its owner alone.
"""

import csv
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from pathlib import Path
from types import TracebackType
from typing import IO, Protocol, Self

from reminders.errors import BadInput, CannotDo
from reminders.services.importing.columns import PROBLEM_COLUMN
from reminders.services.importing.days import Days, TypedDay
from reminders.services.importing.file import Row
from reminders.services.importing.report import RowProblem
from reminders.services.importing.spool import Spool
from reminders.services.importing.values import is_formula

MOST_LISTED = 20_000
"""The most errors, and the most warnings, that a report lists; the error file has no such limit."""

_HEADER_ROOM = 65536


class ErrorFileUnwritable(BadInput):
    """The error file {path} cannot be written ({problem}): name another with --errors."""


class ErrorFileLost(CannotDo):
    """The file was imported, but the error file {path} could not be written: {problem}. Import it again to get one."""


class Table(Protocol):
    """A file of rows, whatever its kind."""

    header: tuple[str, ...]
    delimiter: str

    def rows(self) -> Iterator[Row]:
        """Yield the rows below the header."""
        ...


class Findings:
    """Errors and warnings, sorted by row however they come. To be closed."""

    def __init__(self) -> None:
        """Start with none."""
        self._errors, self._warnings = Spool(), Spool()
        self.errors_count = self.warnings_count = 0

    def close(self) -> None:
        """Remove the temporary files."""
        self._errors.close()
        self._warnings.close()

    def error(self, found: RowProblem) -> None:
        """Keep a reason why a row was rejected."""
        self._errors.add(_line(found))
        self.errors_count += 1

    def warn(self, found: RowProblem) -> None:
        """Keep what was left out of a row."""
        self._warnings.add(_line(found))
        self.warnings_count += 1

    def errors(self) -> Iterator[RowProblem]:
        """Yield the errors by row."""
        return map(_found, self._errors)

    def first_errors(self) -> tuple[RowProblem, ...]:
        """Return as many errors as a report lists."""
        return tuple(islice(self.errors(), MOST_LISTED))

    def first_warnings(self) -> tuple[RowProblem, ...]:
        """Return as many warnings as a report lists."""
        return tuple(islice(map(_found, self._warnings), MOST_LISTED))


def _line(found: RowProblem) -> str:
    return f"{found.row:09}\t{found.column}\t{' '.join(found.problem.split())}"


def _found(line: str) -> RowProblem:
    row, column, problem = line.split("\t", 2)
    return RowProblem(int(row), column, problem)


def _refuse_what_is_no_error_file(path: Path, source: Path) -> None:
    """Raise unless nothing is lost when `path` is replaced: it is new, empty, or an error file of an earlier import.

    Else a slip of the hand replaces the database, or the key that alone opens it.
    """
    if not path.exists():
        return
    if path.samefile(source):
        raise ErrorFileUnwritable(path=path, problem="it is the file being imported")
    if not path.is_file() or path.is_symlink():
        raise ErrorFileUnwritable(path=path, problem="something that is no plain file has that name")
    if path.stat().st_size == 0:
        return
    with path.open("rb") as file:
        ours = PROBLEM_COLUMN.encode() in file.read(_HEADER_ROOM).lower()
    if not ours:
        raise ErrorFileUnwritable(path=path, problem="there is another file of that name; choose a new one")


class ErrorFile:
    """The file of rejected rows: tried before anything is stored, put in its place when everything is."""

    def __init__(self, path: Path, source: Path) -> None:
        """Open a file beside `path`; raises `ErrorFileUnwritable`, also when `path` is the imported file itself."""
        _refuse_what_is_no_error_file(path, source)
        self._path = path
        self._days: Days | None = None
        try:
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
        except OSError as fault:
            raise ErrorFileUnwritable(path=path, problem=fault.strerror or "refused") from None
        self._part = Path(name)
        self._file: IO[str] = os.fdopen(handle, "w", encoding="utf-8-sig", newline="")

    def __enter__(self) -> Self:
        """Return the file itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Remove what was not put in its place."""
        self._file.close()
        self._part.unlink(missing_ok=True)

    def write(self, table: Table, problems: Iterable[RowProblem], days: Days) -> None:
        """Write the header and every row that has a problem, then put the file in its place."""
        try:
            self._write(table, problems, days)
            self._file.close()
            self._part.replace(self._path)
        except OSError as fault:
            raise ErrorFileLost(path=self._path, problem=fault.strerror or "refused") from None

    def _write(self, table: Table, problems: Iterable[RowProblem], days: Days) -> None:
        writer = csv.writer(self._file, delimiter=table.delimiter, lineterminator="\r\n")
        folded = [name.casefold() for name in table.header]
        place = folded.index(PROBLEM_COLUMN) if PROBLEM_COLUMN in folded else len(folded)
        writer.writerow([*table.header[:place], PROBLEM_COLUMN, *table.header[place + 1 :]])
        waiting = groupby(problems, key=lambda found: found.row)
        number, found = next(waiting, (0, iter(())))
        for row in table.rows():
            if row.number != number:
                continue
            if len(row.cells) == 1 and row.problem:
                self._file.write(row.cells[0] + "\r\n")  # as it was: no quoting of ours would bring it back
            else:
                writer.writerow(_cells(row.cells, place, len(table.header), _said(found), days))
            number, found = next(waiting, (0, iter(())))


def _said(problems: Iterable[RowProblem]) -> str:
    return "; ".join(f"{found.column}: {found.problem}" if found.column else found.problem for found in problems)


def _cells(cells: Sequence[str], place: int, width: int, said: str, days: Days) -> list[str]:
    """Return the row's own cells with what is wrong at `place`, or behind them where there are too many."""
    texts = [days.written(cell) if isinstance(cell, TypedDay) else _guarded(cell) for cell in cells]
    texts += [""] * (place - len(texts))
    if len(texts) > width:
        return [*texts, said]
    return [*texts[:place], said, *texts[place + 1 :]]


def _guarded(cell: str) -> str:
    """Return a cell that no spreadsheet computes; the apostrophe is dropped again when the cell is read."""
    text = cell.strip()
    return f"'{text}" if is_formula(text) else cell
