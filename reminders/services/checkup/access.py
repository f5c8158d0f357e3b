"""Examines who may read the files of an installation: the database with patients' names, and settings with passwords.

Invariant: modes alone are looked at, and nothing is changed; each finding names the command that mends it.
"""

import os
import shlex
import stat
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from reminders.services.checkup.check import Check, Examined
from reminders.store.files import file_paths

_NOT_THE_OWNERS = stat.S_IRWXG | stat.S_IRWXO
_MAY_READ = stat.S_IRGRP | stat.S_IROTH
_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH
_OTHERS, _GROUP = "others", "the group's other members"
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
    open_ones = [path for path in (*files, _index(files[0])) if _mode(path) & _NOT_THE_OWNERS]
    if not open_ones:
        return Check("database access", ok=True, said="its files are their owner's alone")
    said = f"{_who(open_ones)} may use {', '.join(f'{path} (mode {_mode(path):04o})' for path in open_ones)}"
    advice = f"whoever reads it knows the patients: {_closing(open_ones)}"
    return Check("database access", ok=_ok(open_ones), said=said, advice=advice)


def _folder(folder: Path) -> Iterator[Check]:
    mode = _mode(folder)
    writable = mode & _MAY_WRITE and not mode & stat.S_ISVTX
    if writable or mode & _MAY_READ:
        may = "put another database in its place" if writable else "see which files lie beside the database"
        bits = mode & (_MAY_WRITE if writable else _MAY_READ)
        said = f"{_OTHERS if bits & stat.S_IRWXO else _GROUP} may {may}: {folder} has mode {mode:04o}"
        advice = f"run `chmod 700 {_typed(folder)}`, if nothing else needs to get in"
        yield Check("database folder", ok=False if writable and bits & stat.S_IRWXO else None, said=said, advice=advice)


def _settings(file: Path) -> Check:
    if not _mode(file) & _NOT_THE_OWNERS:
        return Check("settings file", ok=True, said=f"{file} is its owner's alone")
    said = f"{file} holds a password or a key; {_who([file])} may use it (mode {_mode(file):04o})"
    return Check("settings file", ok=_ok([file]), said=said, advice=_closing([file]))


def _ok(files: Sequence[Path]) -> bool | None:
    """Return that it is wrong where everybody may use a file, and doubtful where its group alone may."""
    return False if any(_mode(path) & stat.S_IRWXO for path in files) else None


def _who(files: Sequence[Path]) -> str:
    return _GROUP if _ok(files) is None else _OTHERS


def _closing(files: Sequence[Path]) -> str:
    """Return what closes files to others, and keeps them open to who runs the program as a member of their group."""
    typed = " ".join(map(_typed, files))
    if _ok(files) is None:
        return f"all is well if that group is the program's own; else run `chmod 600 {typed}` as their owner"
    if all(_is_own(path) for path in files):
        return f"run `chmod 600 {typed}`"
    return f"give them to the user who runs the program (`chown USER {typed}`), then run `chmod 600 {typed}`"


def _is_own(path: Path) -> bool:
    with suppress(OSError):
        return path.stat().st_uid == os.geteuid()
    return True


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
