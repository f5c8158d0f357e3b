"""Finds what copies left that were killed while they were made: hidden files with names of patients in them.

Invariant: only a private file of our own user's is taken for one, and only where the process that its name tells of is
gone.
"""

import os
import re
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

OLD_S = 3600
"""What was changed within so many seconds may be a copy that another machine, or another container, is making."""

_NAME = re.compile(r"\..+\.(?P<pid>[1-9][0-9]{0,9})-[0-9a-f]{12}\.new(-wal|-shm|-journal)?")
"""A name that no other program is likely to give; two containers may have the same process number."""


def fresh_name(target: Path) -> Path:
    """Return the hidden name under which a file is made that is to be called `target`."""
    return target.with_name(f".{target.name}.{os.getpid()}-{secrets.token_hex(6)}.new")


def leftovers(folder: Path, now: float) -> Iterator[Path]:
    """Yield the old files in a folder that a killed process left half made; none where processes cannot be asked for.

    `now` is in seconds since 1970.
    """
    if os.name != "posix":
        return
    for path in sorted(folder.iterdir()):
        named = _NAME.fullmatch(path.name)
        if named and _is_ours(path) and path.stat().st_mtime < now - OLD_S and not _lives(int(named["pid"])):
            yield path


def remove_old(fresh: Path) -> None:
    """Remove what was left beside `fresh`, a file that was made just now: ages are told by the disk's own clock."""
    for path in leftovers(fresh.parent, fresh.stat().st_mtime):
        path.unlink(missing_ok=True)


def _is_ours(path: Path) -> bool:
    found = path.lstat()
    private = not stat.S_IMODE(found.st_mode) & (stat.S_IRWXG | stat.S_IRWXO)
    return stat.S_ISREG(found.st_mode) and private and found.st_uid == os.geteuid()


def _lives(pid: int) -> bool:
    """Tell whether a process is there that is not this one: in containers the same few numbers come again and again."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return pid != os.getpid()
