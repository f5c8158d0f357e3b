"""The one message everybody sends: an invitation as the product writes it, kept in a file.

Invariant: what the peers are given are the product's own bytes, so that none has more or less to carry.
"""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.programs import alone
from benchmarks.seed import FIRST, REMINDERS, settings, slug

SMALL = 4096


@dataclass(frozen=True, slots=True)
class LetterFile:
    """A message in a file, its size in bytes."""

    path: Path
    size: int


def own_letter(folder: Path, url: str) -> LetterFile:
    """Have the product write the invitation of the first patient that was seeded at `url`."""
    place = folder / "letter"
    asked = ("preview", "--clinic", slug(0), "--patient", f"{FIRST}0", "--out", str(place))
    alone([*REMINDERS, *asked], settings(url, folder), folder)
    path = place / "message.eml"
    return LetterFile(path, path.stat().st_size)


def small_letter(folder: Path) -> LetterFile:
    """Write a message of 4 KB, the size that others measure with."""
    head = "From: hello@clinic.example\r\nTo: p@patients.example\r\nSubject: A reminder\r\nMIME-Version: 1.0\r\n\r\n"
    lines = "An invitation to a consultation, in words of no meaning.\r\n" * (SMALL // 56 + 1)
    path = folder / "small.eml"
    path.write_bytes((head + lines).encode("ascii")[: SMALL - 2] + b"\r\n")
    return LetterFile(path, SMALL)
