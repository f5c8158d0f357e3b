"""What a template says and shows, as a small tree: words, values, and choices between branches.

Invariant: plain values without the template engine; every piece knows its line, so that whoever examines a template can
name it, also in a branch that no patient takes today.
"""

import dataclasses
import re
from collections.abc import Callable, Iterator
from typing import TypeAlias

PLACE = "\ue000"
"""Stands for a value in a skeleton; no template can hold a private-use character."""

BRANCHES = "\ue001"
"""Stands for a choice in a skeleton."""


@dataclasses.dataclass(frozen=True, slots=True)
class Said:
    """Words as written."""

    line: int
    words: str


@dataclasses.dataclass(frozen=True, slots=True)
class Shown:
    """A value by its name, or with no name a text in quotes; and the filters it goes through."""

    line: int
    name: str | None
    text: str = ""
    filters: tuple[str, ...] = ()
    instead: str = ""
    """What `default` shows where there is no value."""


@dataclasses.dataclass(frozen=True, slots=True)
class Branch:
    """One way a choice can go, and the names that are certainly not empty there."""

    known: frozenset[str]
    pieces: "Pieces"


@dataclasses.dataclass(frozen=True, slots=True)
class Choice:
    """An `if` with all its branches; the last one is the `else`, without pieces where none is written."""

    line: int
    branches: tuple[Branch, ...]


Piece: TypeAlias = Said | Shown | Choice
Pieces: TypeAlias = tuple[Piece, ...]


def values(pieces: Pieces, known: frozenset[str] = frozenset()) -> Iterator[tuple[Shown, frozenset[str]]]:
    """Yield every value shown anywhere, with the names that are certainly not empty where it stands."""
    for piece in pieces:
        if isinstance(piece, Shown):
            yield piece, known
        elif isinstance(piece, Choice):
            for branch in piece.branches:
                yield from values(branch.pieces, known | branch.known)


def skeleton(pieces: Pieces) -> str:
    """Return the words with one mark for each value and one for each choice: what stays when all values are gone.

    Where a choice spans several lines its line breaks are fewer than the file's; `skeleton_lines` keeps count.
    """
    return "".join(_bone(piece) for piece in pieces)


def skeleton_lines(pieces: Pieces) -> list[int]:
    """Return for every character of the skeleton the line it stands on."""
    lines: list[int] = []
    for piece in pieces:
        line = piece.line
        for mark in _bone(piece):
            lines.append(line)
            line += mark == "\n"
    return lines


@dataclasses.dataclass(frozen=True, slots=True)
class Way:
    """The words of one way through all choices."""

    text: str
    starts: tuple[tuple[int, int], ...]
    """Where in `text` words of the template begin, and on which line of its file."""

    def line_at(self, offset: int) -> int:
        """Return the line of the file that a letter of `text` stands on."""
        begin, line = max((start for start in self.starts if start[0] <= offset), default=(0, 1))
        return line + self.text.count("\n", begin, offset)


def ways(pieces: Pieces, shown: Callable[[Shown], str]) -> Iterator[Way]:
    """Yield ways through all choices such that every branch is on one of them, with the values that `shown` gives.

    Not every combination: their number would double with every choice.
    """
    for segments in _ways(pieces, shown):
        starts, length = [], 0
        for line, words in segments:
            starts.append((length, line))
            length += len(words)
        yield Way("".join(words for _, words in segments), tuple(starts))


_Segments: TypeAlias = list[tuple[int, str]]


def _ways(pieces: Pieces, shown: Callable[[Shown], str]) -> Iterator[_Segments]:
    options = [_options(piece, shown) for piece in pieces]
    first = [option[0] for option in options]
    yield [segment for option in first for segment in option]
    for at, option in enumerate(options):
        for other in option[1:]:
            yield [segment for chosen in (*first[:at], other, *first[at + 1 :]) for segment in chosen]


def _options(piece: Piece, shown: Callable[[Shown], str]) -> list[_Segments]:
    if isinstance(piece, Said):
        return [[(piece.line, piece.words)]]
    if isinstance(piece, Shown):
        return [[(piece.line, shown(piece))]]
    return [way for branch in piece.branches for way in _ways(branch.pieces, shown)]


def raw_pieces(source: str, first_line: int) -> Pieces:
    """Return a source that nobody could read as words and values, every branch one after the other."""
    pieces: list[Piece] = []
    line = first_line
    for part in _TAGS.split(source):
        value = _VALUE.fullmatch(part)
        if value:
            pieces.append(Shown(line, value[1]))
        elif not part.startswith(("{{", "{%")):
            pieces.append(Said(line, part))
        line += part.count("\n")
    return tuple(pieces)


_TAGS = re.compile(r"(\{\{[^{}]*\}\}|\{%[^{}]*%\})")
_VALUE = re.compile(r"\{\{\s*(\w+)[^{}]*\}\}")


def _bone(piece: Piece) -> str:
    if isinstance(piece, Said):
        return piece.words
    return PLACE if isinstance(piece, Shown) else BRANCHES
