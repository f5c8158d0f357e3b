"""Finds in words what a mail program would make a link of, whoever wrote it and in whatever script.

Invariant: the rule knows no list of endings, since a new one is sold every month: letters that follow a dot without a
blank are an address, unless only one of them does ("e.g.", "z.B.", "p.m."); a dot that ends a sentence has a blank
after it. Figures after a dot ("3.5") are none, unless there are four of them.
"""

import re
import unicodedata

VALUE = "\ue000"
"""Stands where a value is shown that is known to be the clinic's or the patient's own."""

_DOTS = str.maketrans({"\u3002": ".", "\uff61": ".", "\uff0e": ".", "\u2024": ".", "\u06d4": ".", "\u0589": "."})
_ADDRESS = re.compile(
    r":[/\\]|//|\b\d{1,3}(?:\.\d{1,3}){3}\b|\bwww\.|\b(?:mailto|tel|sms|javascript|vbscript|data):|"
    rf"[\w.+-]@[\w-]|[^\s.…]\.[^\W\d_]{{2}}|[^\s.…]\.xn--|[^\s.…]\.{VALUE}",
    re.IGNORECASE,
)


def holds_link(words: str) -> bool:
    """Tell whether a mail program would make a link of something in these words; `VALUE` is read as a word."""
    return _ADDRESS.search(_bare(words)) is not None


def without_values(words: str, values: list[str]) -> str:
    """Return words with `VALUE` in the place of each of these, also where they stand in capitals."""
    for value in sorted(filter(str.strip, values), key=len, reverse=True):
        for form in dict.fromkeys((value, value.upper(), value.lower())):
            words = words.replace(form, VALUE)
    return words


def _bare(words: str) -> str:
    """Return words in their plain form: no joiners or other letters without a shape, no accents, every dot a dot."""
    plain = unicodedata.normalize("NFKD", words.translate(_DOTS)).translate(_DOTS)
    if plain.isascii():
        return plain
    return plain.translate({ord(mark): None for mark in set(plain) if unicodedata.category(mark) in _SHAPELESS})


_SHAPELESS = {"Cf", "Mn", "Mc", "Me"}
