"""One body of a form letter: encoded once where it is the same for everybody, filled line by line where it is not.

Invariant: what comes out is what `compose.text_part` makes of the same words. Quoting starts anew at each hard line
end, so that lines can be quoted apart; whether a body is quoted at all depends on its sizes, which are carried along.
"""

import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from reminders.mail import compose

NAME, WINDOW, REQUEST, STOP = range(4)
"""The slots: the patient's name, the window in words, the tokens of the two links."""

Parts: TypeAlias = tuple[str | int, ...]
"""A line in turn of constant words and slots."""

Cut: TypeAlias = tuple[int, int, int]
"""A part of a token: its slot, and from which letter to which. A soft line break may stand inside a token."""

Pieces: TypeAlias = tuple[bytes | Cut, ...]

_NO_TOKENS = (b"",) * 4


class NoForm(Exception):
    """What cannot be a form, or must not go as one."""


class Line(NamedTuple):
    """A finished line, or several, as it is and quoted; both end in CRLF. `longest` as `longest_line` says."""

    raw: bytes
    quoted: bytes
    longest: int | None


class Tokens:
    """The marks that stand for tokens while a form is made: of the same length, so that lines break alike."""

    def __init__(self, marks: Mapping[str, int]) -> None:
        """Take the marks and their slots."""
        self.marks = marks
        self.by_slot = {slot: mark for mark, slot in marks.items()}
        self._pattern = re.compile(b"|".join(b"(" + _quoted(mark) + b")" for mark in marks)) if marks else None
        self._slots = list(marks.values())

    def cut_out(self, content: bytes) -> Pieces:
        """Return bytes, quoted or not, with the tokens cut out."""
        if self._pattern is None:
            return (content,)
        found: list[bytes | Cut] = []
        at = 0
        for mark in self._pattern.finditer(content):
            slot = self._slots[(mark.lastindex or 1) - 1]
            found.append(content[at : mark.start()])
            before, soft_break, after = mark[0].partition(b"=\r\n")
            found.append((slot, 0, len(before)))
            if soft_break:
                found += [soft_break, (slot, len(before), len(before) + len(after))]
            at = mark.end()
        return tuple(piece for piece in (*found, content[at:]) if piece)


class Body:
    """A body with its slots; `lines` are those that hold the name or the window."""

    def __init__(
        self,
        lines: Sequence[str | Parts],
        finish: Callable[[str], str],
        tokens: Tokens,
        *,
        blank: bool = False,
    ) -> None:
        """Encode what is the same for everybody.

        `finish` makes lines that end in LF of a filled one; with `blank`, the tokens of links are blanked. The last
        line has no slot but for a token.
        """
        self._finish, self._tokens, self._blank = finish, tokens, blank
        self.lines: list[Parts] = []
        self._raw, self._quoted = _Layout(), _Layout()
        self._size = self._quoted_size = 0
        self._longest: int | None = 0
        same: list[str] = []
        for line in lines:
            if isinstance(line, str):
                same.append(f"{line}\n")
            elif NAME not in line and WINDOW not in line:
                same.append(finish(self.filled(line, {})))
            else:
                self._add("".join(same))
                self._leave_out(line)
                same = []
        self._add("".join(same)[:-1], last=True)

    def fill(self, subtype: str, lines: Sequence[Line], tokens: Sequence[bytes]) -> bytes:
        """Return the part with its head; `lines` in the place of its own, `tokens` stand at their slots' numbers."""
        size, quoted_size, longest = self._size, self._quoted_size, self._longest
        for line in lines:
            size += len(line.raw)
            quoted_size += len(line.quoted)
            longest = _longer(longest, line.longest)
        encoding = compose.encoding_of(longest, size, quoted_size)
        head = _HEADS[subtype, encoding]
        if encoding == "quoted-printable":
            return head + self._quoted.fill([line.quoted for line in lines], tokens)
        body = self._raw.fill([line.raw for line in lines], tokens)
        return head + (body if encoding == "7bit" else compose.as_base64(body))

    def line(self, parts: Parts, values: dict[int, str]) -> Line:
        """Return a line with its values, finished."""
        words = self._finish(self.filled(parts, values))
        raw = (compose.blanked(words) if self._blank else words).encode().replace(b"\n", b"\r\n")
        return Line(raw, binascii.b2a_qp(raw, istext=True), longest_line(raw))

    def filled(self, parts: Parts, values: dict[int, str]) -> str:
        """Return a line in words; tokens that are not known yet are their marks."""
        known = self._tokens.by_slot | values
        return "".join([part if isinstance(part, str) else known[part] for part in parts])

    def need(self, words: str, window: str) -> None:
        """Have every filled body looked at for these words, as a second line behind the check.

        Raises `NoForm` where they are none of what is the same for everybody.
        """
        lines = self._empty(window)
        self._raw.need(re.compile(re.escape(words.encode())), [line.raw for line in lines])
        self._quoted.need(re.compile(_quoted(words)), [line.quoted for line in lines])

    def pattern(self, window: str) -> bytes:
        """Return the quoted body with every slot empty but the window's."""
        return self._quoted.fill([line.quoted for line in self._empty(window)], _NO_TOKENS)

    def _empty(self, window: str) -> list[Line]:
        return [self.line(parts, {NAME: "", WINDOW: window, REQUEST: "", STOP: ""}) for parts in self.lines]

    def _leave_out(self, line: Parts) -> None:
        self.lines.append(line)
        self._raw.leave_out()
        self._quoted.leave_out()

    def _add(self, words: str, *, last: bool = False) -> None:
        raw = (compose.blanked(words) if self._blank else words).encode().replace(b"\n", b"\r\n")
        # the soft breaks of a line alone would be bare LF: they end as the first hard break does
        quoted = binascii.b2a_qp(b"\r\n" + raw, istext=True)[2:] if last else binascii.b2a_qp(raw, istext=True)
        self._raw.add(self._tokens.cut_out(raw))
        self._quoted.add(self._tokens.cut_out(quoted))
        self._size += len(raw)
        self._quoted_size += len(quoted)
        self._longest = _longer(self._longest, longest_line(raw))


class _Layout:
    """Pieces of bytes with free places."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._cuts: list[tuple[int, Cut]] = []
        self._lines: list[int] = []
        self._needed: tuple[int, bytes] = (0, b"")

    def need(self, words: re.Pattern[bytes], lines: Sequence[bytes]) -> None:
        for at, piece in enumerate(self._filled(lines, _NO_TOKENS)):
            if found := words.search(piece):
                self._needed = (at, found[0])
                return
        raise NoForm

    def add(self, pieces: Pieces) -> None:
        for piece in pieces:
            if isinstance(piece, tuple):
                self._cuts.append((len(self._pieces), piece))
            self._pieces.append(b"" if isinstance(piece, tuple) else piece)

    def leave_out(self) -> None:
        self._lines.append(len(self._pieces))
        self._pieces.append(b"")

    def fill(self, lines: Sequence[bytes], tokens: Sequence[bytes]) -> bytes:
        pieces = self._filled(lines, tokens)
        at, needed = self._needed
        if needed not in pieces[at]:
            raise NoForm
        return b"".join(pieces)

    def _filled(self, lines: Sequence[bytes], tokens: Sequence[bytes]) -> list[bytes]:
        pieces = self._pieces.copy()
        for at, (slot, begin, end) in self._cuts:
            pieces[at] = tokens[slot][begin:end]
        for at, line in zip(self._lines, lines, strict=True):
            pieces[at] = line
        return pieces


def _quoted(words: str) -> bytes:
    """Return a pattern of words as they are quoted, wherever a soft line break stands in them."""
    quoted = b"".join(binascii.b2a_qp(f"{mark}x".encode())[:-1] for mark in words)  # a mark that ends nothing
    return b"(?:=\r\n)?".join(map(re.escape, _UNIT.findall(quoted)))


_UNIT = re.compile(rb"=[0-9A-F]{2}|.")


def longest_line(raw: bytes) -> int | None:
    """Return the length of the longest line, None where they are not plain ASCII."""
    return max(map(len, raw.split(b"\r\n"))) if raw.isascii() and b"\0" not in raw else None


def _longer(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else max(one, other)


_HEADS = {
    (subtype, encoding): compose.part_head(subtype, encoding)
    for subtype in ("plain", "html")
    for encoding in ("7bit", "quoted-printable", "base64")
}
