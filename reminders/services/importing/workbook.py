"""Reads the first sheet of an XLSX workbook as the same numbered rows of text that a CSV file gives.

Invariant: a cell that the workbook holds as a day arrives as a `TypedDay`, never as a text that could be misread; a
workbook that would not fit into memory is refused before it is unpacked.
"""

import datetime as dt
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from reminders.errors import BadInput
from reminders.services.importing.days import TypedDay
from reminders.services.importing.file import MAX_COLUMNS, NoHeader, Row, UnreadableHeader

MAX_UNPACKED = 96 << 20
"""Bytes of XML; about 100,000 rows of visits. A longer export is read as CSV, without a limit."""


class BadWorkbook(BadInput):
    """The workbook cannot be read: it is damaged, locked with a password, or no XLSX. Save it anew as XLSX or CSV."""


class HugeWorkbook(BadInput):
    """The workbook is larger than {limit} MB when unpacked: save the sheet as CSV UTF-8, which may have any length."""


class Workbook:
    """An XLSX file: the header of its first sheet, and the rows below it. Blank rows are left out."""

    delimiter = ","
    """What an error file made from a workbook uses, for it is written as CSV."""

    def __init__(self, path: Path) -> None:
        """Open the workbook; raises `BadWorkbook`, `HugeWorkbook`, `NoHeader` or `UnreadableHeader`."""
        _check_size(path)
        from python_calamine import CalamineError, CalamineWorkbook  # noqa: PLC0415 - needed for this kind of file alone

        try:
            self._book = CalamineWorkbook.from_path(path)
            self._sheet = self._book.get_sheet_by_index(0)
        except (CalamineError, OSError, IndexError):
            raise BadWorkbook from None
        header = next((row for row in self._all() if not row.is_blank), None)
        if header is None:
            raise NoHeader
        if len(header.cells) > MAX_COLUMNS:
            raise UnreadableHeader(problem=f"more than {MAX_COLUMNS} columns")
        self.header: tuple[str, ...] = tuple(cell.strip() for cell in header.cells)
        self._header_number = header.number

    def __enter__(self) -> Self:
        """Return the workbook itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Let go of the workbook."""
        self._book.close()

    def rows(self) -> Iterator[Row]:
        """Yield the rows below the header, numbered as the spreadsheet shows them."""
        return (row for row in self._all() if row.number > self._header_number and not row.is_blank)

    def _all(self) -> Iterator[Row]:
        for number, cells in enumerate(self._sheet.iter_rows(), start=1):
            yield Row(number, [_text(cell) for cell in cells])


def _check_size(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as packed:
            size = sum(part.file_size for part in packed.infolist())
    except (OSError, ValueError, zipfile.BadZipFile):
        raise BadWorkbook from None
    if size > MAX_UNPACKED:
        raise HugeWorkbook(limit=MAX_UNPACKED >> 20)


def _text(cell: object) -> str:
    """Return a cell as one would type it: whole numbers without a point, days in ISO, a tick as 1 or 0."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return str(int(cell))
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, dt.date):  # a datetime is a date
        return TypedDay(cell.isoformat())
    return str(cell)
