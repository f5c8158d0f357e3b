"""Looks at what stands right beside a value: nothing may be glued to a name or an address and make another of it.

Invariant: a blank, or a mark that ends or encloses words, parts every such value from the template's own letters, in
every branch; "{{ clinic }}.example" would be a place that is not the clinic's.
"""

import re
from collections.abc import Iterator

from reminders.mail.link_like import VALUE
from reminders.mail.templates.cleaning import words_of
from reminders.mail.templates.file import Complaint
from reminders.mail.templates.outline import Pieces, Shown, ways

SET_APART = frozenset(
    {"clinic", "sender", "name", "who", "Who", "label", "reply_to", "phone", "booking_url", "postal_address"}
)
_QUIET = frozenset("\u200c\u200d\u200e\u200f")
_BEFORE = (
    r"(?:^|[\s(\[«“„\u201a\u2018\"'¿¡–—]|(?<![\w])[وفبكل]{1,2})"  # Arabic writes "and", "to", "by" onto the next word
)
_AFTER = r"(?=$|\s|['’]s?(?:$|[\s.,;:!?…)])|[.,;:!?…)\]»”“\"'’؟،؛–—]+(?:$|\s))"
_FREE = re.compile(rf"{_BEFORE}{VALUE}{_AFTER}")
_WHAT = "a value stands right beside other letters or signs: put a blank between them"


def about_neighbours(pieces: Pieces, *, html: bool) -> Iterator[Complaint]:
    """Yield a complaint for the first value on each way that touches something, with its line."""
    for way in ways(pieces, _marked):
        at = 0
        for line in way.text.split("\n"):
            if _touched(words_of(line) if html else line):
                yield Complaint(way.line_at(at), "error", _WHAT)
                break
            at += len(line) + 1


def _touched(line: str) -> bool:
    said = "".join(mark for mark in line if mark not in _QUIET)
    return said.count(VALUE) > len(_FREE.findall(said))


def _marked(shown: Shown) -> str:
    return VALUE if shown.name in SET_APART else "x" if shown.name else shown.text or shown.instead


def about_beginnings(pieces: Pieces, language: str) -> Iterator[Complaint]:
    """Yield a warning where a sentence begins with a value in small letters ("our team"); Arabic has no large ones."""
    if language == "ar":
        return
    for way in ways(pieces, _small):
        found = _BEGINS.search(way.text)
        if found:
            yield Complaint(way.line_at(found.end() - 1), "warning", "a sentence begins with {{ who }}: use {{ Who }}")


def _small(shown: Shown) -> str:
    return VALUE if shown.name == "who" and not set(shown.filters) & {"upper", "title"} else "x"


_BEGINS = re.compile(rf"(?:^\s*|\n[ \t]*\n\s*|[.?!]\s+){VALUE}")
