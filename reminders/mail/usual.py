"""Knows which values are usual: those that can be put in the place of one another and nothing else changes.

Invariant: whatever passes holds no line end, control, blank in disguise, figure, sign of markup, link or template; it
is on the word lists in no disguise, and its parts are as many as those of whatever has the same `form`. Everything
else is for the ordinary way to write or to refuse.
"""

import datetime as dt
import re
from collections.abc import Sequence
from typing import NamedTuple

from reminders.mail.address import is_plain
from reminders.mail.advertising.jurisdiction import are_silent
from reminders.mail.render import LONGEST_GLUED
from reminders.mail.unseen import unprintable

_WORD = r"[^\W\d_](?:[^\W\d_]|[\u0300-\u036f\u064b-\u0652])+"  # a letter alone could spell a word with its neighbours
_NAME = re.compile(rf"({_WORD})(?:( |-|'|’|\. )({_WORD}))?(\.?)")
_SIGNS = re.compile(r"[\u0300-\u036f\u064b-\u0652]")
_MESSAGE_ID = re.compile(r"<[0-9a-f]{16,128}@[0-9a-z.-]{1,255}>")
_URL = re.compile(r"(https://[!#-;=?-~]{1,400}/[pu]/)([A-Za-z0-9_-]{16,128})")
_YEARS = (2000, 2199)
"""Years of four figures in every calendar that days are written in."""


class Name(NamedTuple):
    """A usual name: its words, and its `form`, in which each word is a 0 ("0-0")."""

    words: tuple[str, ...]
    form: str


class Url(NamedTuple):
    """A link of the product's own, cut before its token."""

    base: str
    token: str


def name_of(text: str) -> Name | None:
    """Return a name of one or two words of letters, if it is usual; its words are not looked up in the lists."""
    found = _NAME.fullmatch(text) if len(text) <= LONGEST_GLUED else None
    if found is None:
        return None
    first, between, second, end = found.groups()
    words = (first, second) if second else (first,)
    if not text.isascii() and (any(map(unprintable, text)) or not _SIGNS.sub("", "".join(words)).isalpha()):
        return None
    return Name(words, f"0{between}0{end}" if second else f"0{end}")


def is_silent(pieces: Sequence[tuple[str, int]], marks: Sequence[str], name: Name) -> bool:
    """Tell whether a name is on no list wherever it stands.

    `pieces` are those in which the marks stand in the name's place, with the number of words in each.
    """
    for piece, count in pieces:
        said = piece
        for mark, word in zip(marks, name.words, strict=False):
            said = said.replace(mark, word)
        if not are_silent(said, count):
            return False
    return True


def url_of(text: str | None) -> Url | None:
    """Return a link of the product's own, if there is one and it is usual."""
    found = _URL.fullmatch(text) if text else None
    return Url(found[1], found[2]) if found else None


def is_usual_day(day: dt.date) -> bool:
    """Tell whether a day is written as most are."""
    return _YEARS[0] <= day.year <= _YEARS[1]


def is_usual_recipient(address: str) -> bool:
    """Tell whether an address stands in To as it is."""
    return is_plain(address)


def is_usual_id(message_id: str) -> bool:
    """Tell whether a Message-ID is one that this product makes."""
    return _MESSAGE_ID.fullmatch(message_id) is not None
