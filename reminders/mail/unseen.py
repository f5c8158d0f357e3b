"""Knows the letters that a reader does not see as letters: controls, blanks in disguise, marks piled on one another.

Invariant: whatever passes shows about as much as it holds, so that nothing can be pushed out of sight by what nobody
sees; the joiners that Arabic, Persian, Indic letters and emoji are written with pass.
"""

import re
import unicodedata

MOST_MARKS = 3
"""Combining marks on one letter; Arabic has three at most (doubling, vowel, small alef)."""

_JOINING = frozenset("\u200c\u200d\u200e\u200f")
_INVISIBLE = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}
_BLANK = frozenset("\u2800\u3164\u115f\u1160\uffa0\u034f\u17b4\u17b5\u180b\u180c\u180d\u180f\U0001d159")
"""Letters, signs and marks by their category that have no shape of their own."""


def unprintable(mark: str) -> bool:
    """Tell whether a character is none that a reader sees: a control, a turn of direction, one that means nothing."""
    return mark not in _JOINING and (mark in _BLANK or unicodedata.category(mark) in _INVISIBLE)


def piled(words: str) -> bool:
    """Tell whether somewhere more than `MOST_MARKS` combining marks stand on one letter."""
    if words.isascii():
        return False
    letters = unicodedata.normalize("NFC", words)
    marks = {mark for mark in set(letters) if _is_mark(mark)}
    return bool(marks) and _PILE.search("".join("m" if mark in marks else " " for mark in letters)) is not None


def legible(words: str) -> bool:
    """Tell whether there is a letter or a figure in these words."""
    return any(unicodedata.category(mark)[0] in "LN" and not unprintable(mark) for mark in words)


def _is_mark(mark: str) -> bool:
    return unicodedata.category(mark) in {"Mn", "Me"}


_PILE = re.compile("m" * (MOST_MARKS + 1))
