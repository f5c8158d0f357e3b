"""The small file outside a database that remembers how often this place, and all places, let messages go.

Invariant: it is written after the commit it counts, so it is never ahead of a database that is whole; a write that is
lost (a crash, a full disk) leaves it behind, which proves nothing and does no harm. What is not ours is never followed
and never written to.

What it cannot show: a machine or a folder put back to an earlier day, with this file in it, looks like one that slept.
"""

import contextlib
import os
import re
import secrets
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reminders.errors import CannotDo
from reminders.settings import Settings
from reminders.store.engine import sqlite_path

_LINE = re.compile(rb"([0-9a-f]{1,64}) ([0-9a-f]{32}) (\d{12}) (\d{15}) (\d{15})\n")
_LONGEST = 256
SAFELY = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
"""A link is not followed, and a pipe keeps nobody waiting."""


class StateUnwritable(CannotDo):
    """{place} cannot be written ({problem}), and without it an older copy of the database would go unnoticed.

    Nothing is sent: let this program write there, or set REMINDERS_STATE to a folder where it may.
    """


@dataclass(frozen=True, slots=True)
class Remembered:
    """The place this machine delivers from, its latest count, and the most it has seen of the database.

    That is the sum of all places' counts, and the number of the last entry on the audit trail: where nothing was sent
    since a copy was made, an opt-out may have been recorded.
    """

    place: str
    fences: int
    total: int
    trail: int = 0

    def latest(self, other: "Remembered") -> "Remembered":
        """Return the higher counts of two memories of one place: another process may have written meanwhile."""
        return Remembered(
            self.place,
            max(self.fences, other.fences),
            max(self.total, other.total),
            max(self.trail, other.trail),
        )


@dataclass(frozen=True, slots=True)
class StateFile:
    """The file at `path`, of one installation; another installation's content counts as none.

    `folders` are where files of the same installation may lie under another name: of a setting or a name before.
    """

    path: Path
    installation_id: str
    folders: tuple[Path, ...] = ()

    def read(self) -> Remembered | None:
        """Return what is remembered, None for nothing yet; raises `StateUnwritable`."""
        with self._opened() as file:
            return self._remembered(file)

    def peek(self) -> Remembered | None:
        """Return what is remembered without making the file; raises `StateUnwritable` where `read` would."""
        nearest = next(one for one in (self.path, *self.path.parents) if os.path.lexists(one))
        usable = nearest == self.path or nearest.is_dir()
        if not (usable and os.access(nearest, os.R_OK | os.W_OK, **_NO_LINK)):
            raise StateUnwritable(place=self.path, problem="its folder is not writable")
        return self.read() if nearest == self.path else None

    def others(self) -> list[Remembered]:
        """Return what other files of this installation remember, the highest count first; they are only read."""
        found = []
        for folder in self.folders:
            with contextlib.suppress(OSError):
                for path in sorted(folder.glob("*.place")):
                    known = self._seen(path) if path != self.path else None
                    found += [known] if known is not None else []
        return sorted(found, key=lambda one: (one.total, one.fences), reverse=True)

    def begin(self, remembered: Remembered) -> None:
        """Write a place of another name, and see to it that it outlasts a power cut; raises `StateUnwritable`.

        It is written beside and takes the name of an empty file or of one of ours, so that no reader finds it torn.
        """
        with self._opened():
            pass  # what stands there may be replaced
        fresh = self.path.with_name(f"{self.path.name}.{secrets.token_hex(4)}.new")
        with self._in_our_words():
            try:
                file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | SAFELY, 0o600)
                try:
                    os.write(file, self._line(remembered))
                    os.fsync(file)
                finally:
                    os.close(file)
                fresh.replace(self.path)
            finally:
                fresh.unlink(missing_ok=True)
            _flush(self.path.parent)

    def keep(self, remembered: Remembered) -> None:
        """Write the same place's latest counts, in place and without waiting for the disk; a failure is no harm."""
        with contextlib.suppress(StateUnwritable), self._opened() as file:
            known = self._remembered(file)
            if known is None:
                os.ftruncate(file, os.pwrite(file, self._line(remembered), 0))
            elif known.place == remembered.place:  # else another process began anew: its word is the newer one
                os.pwrite(file, self._line(remembered.latest(known)), 0)

    def _remembered(self, file: int) -> Remembered | None:
        found = _LINE.fullmatch(os.pread(file, _LONGEST, 0))
        if found is None or found[1].decode() != self.installation_id:
            return None
        return Remembered(found[2].decode(), int(found[3]), int(found[4]), int(found[5]))

    def _seen(self, path: Path) -> Remembered | None:
        try:
            file = os.open(path, os.O_RDONLY | SAFELY)
        except OSError:
            return None
        try:
            return self._remembered(file) if stat.S_ISREG(os.fstat(file).st_mode) else None
        finally:
            os.close(file)

    def _line(self, remembered: Remembered) -> bytes:
        counts = f"{remembered.fences:012d} {remembered.total:015d} {remembered.trail:015d}"
        return f"{self.installation_id} {remembered.place} {counts}\n".encode()

    @contextlib.contextmanager
    def _opened(self) -> Iterator[int]:
        """Open the file, made empty where there is none; raises `StateUnwritable` for what is not to be written to."""
        with self._in_our_words():
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self.path.is_symlink():
                raise StateUnwritable(place=self.path, problem="it is a symbolic link: remove it")
            if not os.access(self.path.parent, os.W_OK | os.X_OK):
                raise StateUnwritable(place=self.path, problem="its folder is not writable")
            file = os.open(self.path, os.O_RDWR | os.O_CREAT | SAFELY, 0o600)
            try:
                self._refuse_foreign(file)
                yield file
            finally:
                os.close(file)

    def _refuse_foreign(self, file: int) -> None:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise StateUnwritable(place=self.path, problem="it is no file: move it away")
        content = os.pread(file, _LONGEST, 0)
        if content and _LINE.fullmatch(content) is None:
            raise StateUnwritable(place=self.path, problem="it holds what this program did not write: move it away")

    @contextlib.contextmanager
    def _in_our_words(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StateUnwritable(place=self.path, problem=error.strerror or "no room") from None


_NO_LINK = {"follow_symlinks": False} if os.access in os.supports_follow_symlinks else {}


def _flush(folder: Path) -> None:
    if os.name == "posix":
        file = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)


def state_file(settings: Settings, installation_id: str, mark: str) -> StateFile:
    """Return where this machine remembers its place: in REMINDERS_STATE, beside an SQLite database, or at home.

    In a folder for many, `mark` tells this database from a copy of it. Raises `BadSettings` for a user without a home.
    """
    database = sqlite_path(settings.database_url)
    real = database.resolve() if database is not None else None  # two names of one file are one place
    if settings.state is None and real is not None:
        return StateFile(real.with_name(f".{real.name}.place"), installation_id, (real.parent,))
    folder, usual = settings.state_folder, settings.usual_state_folder
    before = real.parent if real is not None else usual
    folders = tuple(dict.fromkeys(one for one in (folder, before) if one is not None))
    return StateFile(folder / f"{installation_id}.{mark}.place", installation_id, folders)
