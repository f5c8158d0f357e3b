"""The two forms in which a term of the word lists is looked for: as words in their order, and as one run of letters.

Invariant: a term is read by the same reader as a text, so that both fold to the same letters.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from reminders.mail.advertising.lookalikes import runs, shape, single
from reminders.mail.advertising.visible_words import CURRENCY, NUMBER, read
from reminders.mail.advertising.word_lists import Term

SHORTEST_NAME = 5
"""Letters: a shorter term is found as a word only; inside other words it would be found everywhere."""
SURE = 8
"""Letters: a term of fewer, some of which look like others, is no part of a longer word (filière is no filler)."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A term as words, each with whether any ending is taken."""

    words: tuple[tuple[str, bool], ...]
    term: Term

    def stands_at(self, sequence: Sequence[str], at: int) -> bool:
        """Tell whether the term's words stand in a sequence from a place on."""
        if at + len(self.words) > len(sequence):
            return False
        for step, (word, star) in enumerate(self.words):
            found = sequence[at + step]
            if found != word and not (star and found.startswith(word)):
                return False
        return True


@dataclass(frozen=True, slots=True)
class Name:
    """A term as one run of letters.

    `letters` as it is written, `shape` as it looks, `once` with repeated letters once, `repeated` a pattern in which
    each letter stands at least as often as in the term, so that `fiers` is no `fillers`; `sure` says that it is known
    by its shape also inside a longer word.
    """

    letters: str
    shape: str
    once: str
    repeated: re.Pattern[str]
    any_ending: bool
    sure: bool
    term: Term

    def stands_doubled_in(self, alike: str) -> bool:
        """Tell whether a word's shape holds the term with some of its letters repeated."""
        return bool(self.repeated.search(alike) if self.sure else self.repeated.fullmatch(alike))


def phrase_of(term: Term) -> Phrase:
    """Return a term as words, read as every text is read."""
    words: list[tuple[str, bool]] = []
    for written in term.text.split():
        if written in (NUMBER, CURRENCY, "%"):
            words.append((written, False))
        else:
            words += [(word, written.endswith("*")) for word in read(written.rstrip("*")).sequences[0]]
    return Phrase(tuple(words), term)


def name_of(phrase: Phrase) -> Name | None:
    """Return a term as one run of letters, where it may be disguised and is long enough to be known again."""
    *inner, (_, any_ending) = phrase.words
    letters = "".join(word for word, _ in phrase.words)
    if phrase.term.tricks != "full" or phrase.term.compound or any(star for _, star in inner):
        return None
    if len(letters) < SHORTEST_NAME or NUMBER in letters:
        return None
    alike = shape(letters)
    repeated = re.compile("".join(f"{re.escape(letter)}{{{count},}}" for letter, count in runs(alike)))
    sure = len(letters) >= SURE or not set(letters) & {"l", "i"}
    return Name(letters, alike, single(alike), repeated, any_ending, sure, phrase.term)
