"""Decides how a file's bytes become text: UTF-8 (with or without its mark), UTF-16 by its mark, else Windows-1252.

Invariant: nothing is guessed from the letters; UTF-8 is taken only when the whole file is valid UTF-8.
"""

import codecs
import io
from dataclasses import dataclass
from typing import BinaryIO

from reminders.errors import BadInput

CHUNK = 1 << 20
_ZIP, _OLD_EXCEL, _PDF = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF"


class EmptyFile(BadInput):
    """The file is empty: there is nothing to import."""


class DamagedText(BadInput):
    """The file cannot be read: it begins as {encoding}, but byte {position} is none. Export it again."""


class NoText(BadInput):
    """The file cannot be read: it is neither CSV text nor an XLSX workbook. Save it as CSV UTF-8 or XLSX."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """A codec by its name, and what happens to bytes it does not know."""

    name: str
    errors: str = "strict"

    def open(self, file: BinaryIO) -> io.TextIOWrapper:
        """Return the text of `file` from its start, line ends as they are; to be detached, not closed."""
        file.seek(0)
        return io.TextIOWrapper(file, encoding=self.name, errors=self.errors, newline="")


def is_workbook(file: BinaryIO) -> bool:
    """Tell whether `file` is packed the way XLSX is."""
    file.seek(0)
    return file.read(4) == _ZIP


def encoding_of(file: BinaryIO) -> Encoding:
    """Return the encoding of the whole of `file`; raises `EmptyFile`, `DamagedText` or `NoText`."""
    file.seek(0)
    start = file.read(4)
    if not start:
        raise EmptyFile
    if start.startswith((_OLD_EXCEL, _PDF)):
        raise NoText
    if start.startswith(codecs.BOM_UTF8):
        _check(file, "utf-8-sig", "UTF-8")
        return Encoding("utf-8-sig")
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        _check(file, "utf-16", "UTF-16")
        return Encoding("utf-16")
    if _first_fault(file, "utf-8") is None:
        return Encoding("utf-8")
    return Encoding("cp1252", "replace")


def _check(file: BinaryIO, codec: str, name: str) -> None:
    position = _first_fault(file, codec)
    if position is not None:
        raise DamagedText(encoding=name, position=position)


def _first_fault(file: BinaryIO, codec: str) -> int | None:
    """Return about where the first byte stands that `codec` does not know, or None."""
    decoder = codecs.getincrementaldecoder(codec)()
    file.seek(0)
    done = 0
    while True:
        chunk = file.read(CHUNK)
        try:
            decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as fault:
            return done + fault.start
        if not chunk:
            return None
        done += len(chunk)
