"""Examines who may read the files of an installation: the database with patients' names, and settings with passwords.

Invariant: modes alone are looked at, and nothing is changed; each finding names the command that mends it.
"""

import os
import shlex
import stat
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from reminders.services.checkup.check import Check, Examined
from reminders.store.files import file_paths

_OTHERS_READ = stat.S_IRGRP | stat.S_IROTH
_OTHERS_MAY = stat.S_IRWXG | stat.S_IRWXO
_ALWAYS_SECRET = ("secret_key", "ping_url")
_WITH_PASSWORDS = ("smtp_url", "database_url")


def access_checks(examined: Examined) -> Iterator[Check]:
    """Yield whether others may read the database's files or change its folder, and read settings with secrets.

    Only where modes tell it (POSIX), and of what is there: a database on a server has no files here.
    """
    if os.name != "posix":
        return
    files = file_paths(examined.settings.database_url)
    if files and files[0].is_file():
        yield _database(files)
        yield from _folder(files[0].absolute().parent)
    file = examined.settings.file
    if file is not None and _holds_secrets(file):
        yield _settings(file)


def _database(files: list[Path]) -> Check:
    open_ones = [path for path in (*files, _index(files[0])) if _mode(path) & _OTHERS_MAY]
    if not open_ones:
        return Check("database access", ok=True, said="its files are their owner's alone")
    said = f"others may use {', '.join(f'{path} (mode {_mode(path):04o})' for path in open_ones)}"
    advice = f"run `chmod 600 {_typed(files[0])}*`: whoever reads it knows the patients"
    return Check("database access", ok=False, said=said, advice=advice)


def _folder(folder: Path) -> Iterator[Check]:
    mode = _mode(folder)
    writable = mode & (stat.S_IWGRP | stat.S_IWOTH) and not mode & stat.S_ISVTX
    if writable or mode & _OTHERS_READ:
        may = "put another database in its place" if writable else "see which files lie beside the database"
        said = f"others may {may}: {folder} has mode {mode:04o}"
        advice = f"run `chmod 700 {_typed(folder)}`, if nothing else needs to get in"
        yield Check("database folder", ok=False if writable else None, said=said, advice=advice)


def _settings(file: Path) -> Check:
    mode = _mode(file)
    if not mode & _OTHERS_MAY:
        return Check("settings file", ok=True, said=f"{file} is its owner's alone")
    said = f"{file} holds a password or a key, and has mode {mode:04o}"
    return Check("settings file", ok=False, said=said, advice=f"run `chmod 600 {_typed(file)}`")


def _holds_secrets(file: Path) -> bool:
    try:
        found: Mapping[str, object] = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return True  # what cannot be read here was read as settings a moment ago
    with_password = any("@" in str(found.get(name, "")) for name in _WITH_PASSWORDS)
    return with_password or any(found.get(name) for name in _ALWAYS_SECRET)


def _index(database: Path) -> Path:
    return database.with_name(f"{database.name}-shm")


def _mode(path: Path) -> int:
    """Return a file's mode; 0 where there is none."""
    with suppress(OSError):
        return stat.S_IMODE(path.stat().st_mode)
    return 0


def _typed(path: Path) -> str:
    return shlex.quote(str(path))
