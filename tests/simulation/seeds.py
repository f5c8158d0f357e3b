"""Runs one seed from its number, in a folder of its own in memory, and says how to see it again.

Invariant: what a failing seed prints is enough to replay it.
"""

import functools
import shutil
import tempfile
from pathlib import Path

from tests.simulation.checks import Broken
from tests.simulation.options import Size, derive
from tests.simulation.world import Found, Lived, Trace, World
from tests.support.clinic import install

SHORT = Size(days=45, patients=20, clinics=3)
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it


class SeedBroken(AssertionError):
    """A seed broke a promise."""


def folder() -> "tempfile.TemporaryDirectory[str]":
    """Return a new folder, in memory where there is such a place."""
    return tempfile.TemporaryDirectory(prefix="reminders-world-", dir=MEMORY if MEMORY.is_dir() else None)


@functools.cache
def installed() -> bytes:
    """Return a database with the starter catalogue."""
    with folder() as place:
        file = Path(place) / "installed.db"
        install(f"sqlite:///{file}")
        return file.read_bytes()


def run_seed(
    seed: int,
    size: Size = SHORT,
    trace: Trace | None = None,
    *,
    in_earnest: bool = False,
    lived: Lived | None = None,
) -> Found:
    """Run a world from its seed; raises `SeedBroken` with the seed, its options and what broke."""
    options = derive(seed, size, in_earnest=in_earnest)
    with folder() as place:
        file = Path(place) / "reminders.db"
        file.write_bytes(installed())
        world = World(options, file, trace, lived)
        try:
            return world.run()
        except Exception as broken:
            said = f"{type(broken).__name__}: {broken}" if not isinstance(broken, Broken) else str(broken)
            again = f"python -m tests.simulation {seed} {size.days} {size.patients} {size.clinics}"
            raise SeedBroken(
                f"{said}\nat {world.clock.now()}\nseed {seed}; see it again: {again}\n{options}"
            ) from broken


def copy_of(path: Path, to: Path) -> Path:
    """Copy a database file."""
    return Path(shutil.copy(path, to))
