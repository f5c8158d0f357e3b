"""The small file outside a database that remembers how often this place let messages go.

Invariant: it is written after the commit it counts and in place, so it is never ahead of a database that is whole; a
write that is lost (a crash, a full disk) leaves it behind, which proves nothing and does no harm.

What it cannot show: a whole machine put back to a snapshot, with this file in it, looks like a machine that slept.
"""

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reminders.errors import CannotDo
from reminders.settings import Settings
from reminders.store.engine import sqlite_path

_LINE = re.compile(rb"([0-9a-f]{1,64}) ([0-9a-f]{32}) (\d{12})\n")


class StateUnwritable(CannotDo):
    """{place} cannot be written ({problem}), and without it an older copy of the database would go unnoticed.

    Nothing is sent: let this program write there, or set REMINDERS_STATE to a folder where it may.
    """


@dataclass(frozen=True, slots=True)
class Remembered:
    """The place this machine delivers from, and its latest count."""

    place: str
    fences: int


@dataclass(frozen=True, slots=True)
class StateFile:
    """The file at `path`, of one installation; another installation's content counts as none."""

    path: Path
    installation_id: str

    def read(self) -> Remembered | None:
        """Return what is remembered, None for nothing yet; raises `StateUnwritable`."""
        with self._opened() as file:
            found = _LINE.fullmatch(os.pread(file, 256, 0))
        if found is None or found[1].decode() != self.installation_id:
            return None
        return Remembered(found[2].decode(), int(found[3]))

    def peek(self) -> Remembered | None:
        """Return what is remembered without making the file; raises `StateUnwritable` where `read` would."""
        nearest = next(one for one in (self.path, *self.path.parents) if os.path.lexists(one))
        usable = nearest == self.path or nearest.is_dir()
        if not (usable and os.access(nearest, os.R_OK | os.W_OK)):
            raise StateUnwritable(place=self.path, problem="its folder is not writable")
        return self.read() if nearest == self.path else None

    def begin(self, remembered: Remembered) -> None:
        """Write a place of another name, and see to it that it outlasts a power cut; raises `StateUnwritable`."""
        with self._opened() as file:
            os.ftruncate(file, os.pwrite(file, self._line(remembered), 0))  # never empty: others may be reading it
            os.fsync(file)
        if os.name == "posix":
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def keep(self, remembered: Remembered) -> None:
        """Write the same place's latest count, in place and without waiting for the disk; a failure is no harm."""
        with contextlib.suppress(StateUnwritable), self._opened() as file:
            os.pwrite(file, self._line(remembered), 0)

    def _line(self, remembered: Remembered) -> bytes:
        return f"{self.installation_id} {remembered.place} {remembered.fences:012d}\n".encode()

    @contextlib.contextmanager
    def _opened(self) -> Iterator[int]:
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
            try:
                yield file
            finally:
                os.close(file)
        except OSError as error:
            raise StateUnwritable(place=self.path, problem=error.strerror or "no room") from None


def state_file(settings: Settings, installation_id: str) -> StateFile:
    """Return where this machine remembers its place: in REMINDERS_STATE, beside an SQLite database, or at home."""
    database = sqlite_path(settings.database_url)
    if settings.state is None and database is not None:
        real = database.resolve()  # two names of one file are one place
        return StateFile(real.with_name(f".{real.name}.place"), installation_id)
    return StateFile(settings.state_folder / f"{installation_id}.place", installation_id)
