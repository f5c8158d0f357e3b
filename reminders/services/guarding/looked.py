"""Remembers outside an SQLite database when its file was last looked through for damage: reading it whole takes long.

Invariant: what is remembered holds for one file, one start of the machine, and a day; whatever cannot be believed (a
moment that lies ahead, what another program wrote) counts as never. A mark that is lost costs a look and nothing else.
"""

import contextlib
import datetime as dt
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from reminders.services.guarding.place import Place
from reminders.services.guarding.state_file import SAFELY
from reminders.store.engine import sqlite_path

EVERY = dt.timedelta(days=1)
_LINE = re.compile(r"([0-9a-f]+ \d+:\d+ [0-9a-f-]*) (\d{1,12})\n")
_LONGEST = 512


@dataclass(frozen=True, slots=True)
class Looked:
    """The mark at `path`; `about` names the installation, the file and the start of the machine that it holds for."""

    path: Path
    about: str

    def lately(self, now: dt.datetime) -> bool:
        """Tell whether this very file was looked through since the machine started, and within a day."""
        found = None
        with contextlib.suppress(OSError, UnicodeDecodeError):
            found = _LINE.fullmatch(self._read())
        if found is None or found[1] != self.about:
            return False
        return dt.timedelta() <= now - dt.datetime.fromtimestamp(int(found[2]), dt.UTC) < EVERY

    def keep(self, now: dt.datetime) -> None:
        """Remember that the file was found sound; where that cannot be written, the next delivery looks again."""
        with contextlib.suppress(OSError, UnicodeDecodeError):
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            content = self._read() if os.path.lexists(self.path) else ""
            if not content or _LINE.fullmatch(content):  # what is not ours is left alone
                self._write(f"{self.about} {int(now.timestamp())}\n")

    def forget(self) -> None:
        """Let the next delivery look again."""
        with contextlib.suppress(OSError, UnicodeDecodeError):
            if _LINE.fullmatch(self._read()):
                self.path.unlink()

    def _read(self) -> str:
        file = os.open(self.path, os.O_RDONLY | SAFELY)
        try:
            return os.pread(file, _LONGEST, 0).decode() if stat.S_ISREG(os.fstat(file).st_mode) else "no file"
        finally:
            os.close(file)

    def _write(self, line: str) -> None:
        file = os.open(self.path, os.O_WRONLY | os.O_CREAT | SAFELY, 0o600)
        try:
            os.ftruncate(file, os.pwrite(file, line.encode(), 0))
        finally:
            os.close(file)


def forget(place: Place) -> None:
    """Have the database looked through before the next delivery: a person has put something in its place."""
    mark = looked(place, None)
    if mark is not None:
        mark.forget()


def looked(place: Place, boot: str | None) -> Looked | None:
    """Return the mark beside what this machine remembers of a database; None for PostgreSQL.

    `boot` is the machine's uptime, "ID:SECONDS": damage is most likely where it went down.
    """
    path = sqlite_path(place.url)
    if path is None:
        return None
    with contextlib.suppress(OSError):
        found = os.stat(path)  # noqa: PTH116 - as the store asks it
        start = (boot or "").partition(":")[0]
        about = f"{place.file.installation_id} {found.st_dev}:{found.st_ino} {start}"
        return Looked(place.file.path.with_suffix(".sound"), about)
    return None
