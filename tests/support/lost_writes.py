"""Rebuilds what a disk may hold after the power failed: everything that was flushed, and of the rest any part.

The calls on a database's files are replayed in order. What was written to a file since it was last flushed may be
there, be gone, or be torn at a sector; each image decides for each such write by its own seeded chance.

Invariant: what was flushed is always there; shared memory never is.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.support.syscalls import Call

SECTOR = 512


@dataclass(slots=True)
class Disk:
    """The flushed content of each file by its path, and what was done to it since."""

    flushed: dict[str, bytes]
    since: dict[str, list[Call]] = field(default_factory=dict)

    def does(self, call: Call) -> None:
        """Take one more call; a file's flush makes what was done to that file last."""
        if call.call in ("fdatasync", "fsync"):
            done = self.since.pop(call.path, [])
            self.flushed[call.path] = _after(self.flushed.get(call.path, b""), done)
        elif call.call == "unlink":  # without a flush of the folder it may come back: the worst case is that it does
            self.since.setdefault(call.path, []).append(call)
        else:
            self.since.setdefault(call.path, []).append(call)

    def image(self, chance: random.Random) -> dict[str, bytes]:
        """Return what the files may hold if the power fails now."""
        found = dict(self.flushed)
        for path, calls in self.since.items():
            found[path] = _after(found.get(path, b""), _survivors(calls, chance))
        return found


def _survivors(calls: Sequence[Call], chance: random.Random) -> list[Call]:
    """Return which of these calls reached the disk, each whole or torn; sometimes all, sometimes none."""
    whole = chance.random()
    if whole < 0.2:
        return []
    kept = []
    for call in calls:
        fate = chance.random()
        if fate < 0.3:
            continue
        sectors = len(call.content) // SECTOR
        if call.call == "pwrite64" and fate < 0.6 and sectors > 1:
            content = call.content[: SECTOR * chance.randint(1, sectors - 1)]
            kept.append(Call(call.call, call.path, call.offset, content))
        else:
            kept.append(call)
    return kept


def _after(content: bytes, calls: Sequence[Call]) -> bytes:
    """Return a file's content after these calls."""
    made = bytearray(content)
    for call in calls:
        if call.call == "pwrite64":
            made.extend(bytes(max(0, call.offset - len(made))))
            made[call.offset : call.offset + len(call.content)] = call.content
        elif call.call == "ftruncate":
            made = made[: call.offset] + bytes(max(0, call.offset - len(made)))
        elif call.call == "unlink":
            made = bytearray()
    return bytes(made)
