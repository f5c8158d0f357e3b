"""Takes a CSV file apart into numbered rows, whatever its encoding, delimiter, quoting or damage.

Invariants: memory is bounded by the longest row allowed, never by the file; a line that cannot be taken apart is a bad
row of its own and leaves the lines after it unharmed; a file that is no table at all is refused before anything else.
"""

import csv
import io
import re
from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from reminders.errors import BadInput
from reminders.services.importing.encoding import Encoding, encoding_of

MAX_RECORD = 65_536
"""The most characters of one row; a row of visits has a few hundred."""

MAX_COLUMNS = 1_000
DELIMITERS = (",", ";", "\t")
_CUT_SHORT = "the file ends in the middle of this line: export it again"
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
_END_OF_DOS_FILE = "\x1a"


class NoHeader(BadInput):
    """The file cannot be read: it has no header row that names its columns."""


class UnreadableHeader(BadInput):
    """The file cannot be read: its header row cannot be taken apart ({problem}). Save it as CSV UTF-8 and try again."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number as a spreadsheet counts (the header is 1), and its cells.

    `problem` says why a line could not be taken apart; its text then stands whole in the first cell.
    """

    number: int
    cells: list[str]
    problem: str | None = None

    @property
    def is_blank(self) -> bool:
        """Tell whether nothing stands in it."""
        return not any(cell and not cell.isspace() for cell in self.cells) or self.cells == [_END_OF_DOS_FILE]


class CsvTable:
    """A CSV file, held open: its header, and its data rows as often as wanted. Blank rows are left out."""

    def __init__(self, path: Path, wanted: Collection[str]) -> None:
        """Open `path`; of the delimiters the one is taken whose header names most of the `wanted` columns."""
        self._file: BinaryIO = path.open("rb")
        try:
            self._encoding: Encoding = encoding_of(self._file)
            declared = self._declared_delimiter()
            self._skip = 1 if declared else 0
            headers = {mark: self._header(mark) for mark in ([declared] if declared else DELIMITERS)}
        except BaseException:
            self._file.close()
            raise
        names = {name.casefold() for name in wanted}
        self.delimiter = max(headers, key=lambda mark: _fitness(headers[mark], names))
        self.header: tuple[str, ...] = tuple(headers[self.delimiter].cells)
        self._header_number = headers[self.delimiter].number

    def __enter__(self) -> Self:
        """Return the table itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the file."""
        self._file.close()

    def rows(self) -> Iterator[Row]:
        """Yield the rows below the header; only one such reading at a time."""
        width = len(self.header)
        for row, ended in self._records(self.delimiter):
            if row.number <= self._header_number or row.is_blank:
                continue
            problem = row.problem or _shape_problem(row.cells, width, ended=ended)
            yield Row(row.number, row.cells, problem) if problem else row

    def _records(self, delimiter: str) -> Iterator[tuple[Row, bool]]:
        text = self._encoding.open(self._file)
        try:
            for _ in range(self._skip):
                text.readline(MAX_RECORD)
            yield from records(text, delimiter)
        finally:
            text.detach()

    def _declared_delimiter(self) -> str | None:
        """Return the delimiter that a spreadsheet's own first line (`sep=;`) declares, if there is such a line."""
        text = self._encoding.open(self._file)
        try:
            declared = _SEPARATOR_LINE.fullmatch(text.readline(20))
        finally:
            text.detach()
        return declared[1] if declared else None

    def _header(self, delimiter: str) -> Row:
        found = self._records(delimiter)
        try:
            header = next((row for row, _ in found if not row.is_blank), None)
        finally:
            found.close()  # type: ignore[attr-defined]
        if header is None:
            raise NoHeader
        if header.problem:
            raise UnreadableHeader(problem=header.problem)
        if len(header.cells) > MAX_COLUMNS:
            raise UnreadableHeader(problem=f"more than {MAX_COLUMNS} columns")
        if "\0" in "".join(header.cells):
            raise UnreadableHeader(problem="NUL bytes: it is no text, or UTF-16 without its mark")
        return Row(header.number, [cell.strip(" \t\u00a0") for cell in header.cells])


def _fitness(header: Row, wanted: Collection[str]) -> tuple[int, int]:
    return sum(cell.casefold() in wanted for cell in header.cells), len(header.cells)


def _shape_problem(cells: list[str], width: int, *, ended: bool) -> str | None:
    if len(cells) > width and any(cells[width:]):
        return f"the row has {len(cells)} cells where the header has {width}: quote the cell that holds a delimiter"
    if len(cells) < width and not ended:
        return _CUT_SHORT
    return None


def records(text: io.TextIOBase, delimiter: str) -> Iterator[tuple[Row, bool]]:
    """Yield every row from 1 on, and whether its last line was ended.

    Quoting is read strictly: a quotation mark in the wrong place would else swallow the lines after it unseen.
    """
    lines = _Lines(text)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    number = 0
    while True:
        number += 1
        lines.begin()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (csv.Error, _TooLong) as fault:
            yield Row(number, [lines.first], _quoting_problem(fault)), True
            lines.give_back()
        else:
            yield Row(number, cells), lines.ended


class _TooLong(Exception):
    """The row in hand is longer than a row may be."""


def _quoting_problem(fault: Exception) -> str:
    if isinstance(fault, _TooLong):
        return f"the row is longer than {MAX_RECORD} characters, or opens a quotation mark that is not closed"
    if "unexpected end" in str(fault):
        return "the row opens a quotation mark that is not closed"
    return "the row has a quotation mark in the wrong place: double it inside a quoted cell"


class _Lines:
    """Hands lines to the parser and remembers those of the row in hand, so that a bad row costs one line only."""

    def __init__(self, text: io.TextIOBase) -> None:
        self._text = text
        self._back: deque[str] = deque()
        self._record: list[str] = []
        self._characters = 0

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        line = self._back.popleft() if self._back else self._text.readline(MAX_RECORD + 1)
        if not line:
            raise StopIteration
        self._record.append(line)
        self._characters += len(line)
        if self._characters > MAX_RECORD:
            raise _TooLong
        return line

    @property
    def first(self) -> str:
        """Return the first line of the row in hand, without its end."""
        return self._record[0].rstrip("\r\n")

    @property
    def ended(self) -> bool:
        """Tell whether the last line of the row in hand has a line end."""
        return bool(self._record) and self._record[-1].endswith(("\n", "\r"))

    def begin(self) -> None:
        """Forget the previous row."""
        self._record.clear()
        self._characters = 0

    def give_back(self) -> None:
        """Offer again every line of the row in hand but its first, of which an overlong rest is thrown away."""
        self._back.extendleft(reversed(self._record[1:]))
        line = self._record[0]
        while len(line) > MAX_RECORD and not line.endswith(("\n", "\r")):
            line = self._text.readline(MAX_RECORD + 1)
            if len(line) <= MAX_RECORD:
                break
