"""Where a test's database comes from: a copied file, or a copy on a real PostgreSQL server.

Invariant: every database is new, and was made by the product itself.
"""

import contextlib
import itertools
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tests.support.clinic import FakeClock, Office
from tests.support.postgres import Cluster

ALWAYS_OPEN = {
    "sending_days": "mon,tue,wed,thu,fri,sat,sun",
    "sending_hours": "00:00-24:00",
    "send_at": "00:00",
}


class Ground(Protocol):
    """Makes databases with the starter catalogue."""

    def fresh(self) -> str:
        """Return the URL of a new one."""
        ...


@dataclass(slots=True)
class OnSqlite:
    """Copies a file; each copy has a folder of its own."""

    installed: Path
    folder: Path
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def fresh(self) -> str:
        place = self.folder / f"database-{next(self._numbers)}"
        place.mkdir()
        return f"sqlite:///{shutil.copy(self.installed, place / 'reminders.db')}"


@dataclass(slots=True)
class OnPostgresql:
    """Copies a database of a server."""

    cluster: Cluster
    installed: str
    _made: list[str] = field(default_factory=list)

    def fresh(self) -> str:
        self._made.append(self.cluster.make(self.installed))
        return self.cluster.url(self._made[-1])

    def drop_all(self) -> None:
        while self._made:
            self.cluster.drop(self._made.pop())


def with_due(ground: Ground, count: int) -> str:
    """Return the URL of a database in which so many patients are due, at any hour of any day."""
    url = ground.fresh()
    with contextlib.closing(Office(url, FakeClock())) as office:
        office.add_clinic(**ALWAYS_OPEN)
        office.add_due(count)
    return url
