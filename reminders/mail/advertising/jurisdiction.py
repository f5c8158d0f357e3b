"""Checks what a patient would see against the advertising rules of a jurisdiction, by the word lists.

Invariant: a finding names the surface, the list and the list's own word, never a word of the text, so that it can be
shown, logged and kept; a clinic without a jurisdiction is warned of everything and refused nothing.
"""

import functools
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from reminders.mail.advertising import word_lists
from reminders.mail.advertising.visible_words import NUMBER, Words, read
from reminders.mail.advertising.word_lists import JURISDICTIONS, Severity, Term
from reminders.mail.advertising.word_matcher import matcher

_RULES = {"us": "the United States", "uk": "the United Kingdom", "au": "Australia", "eu": "the European Union"}
"""How a jurisdiction reads in a sentence."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One term found: on which surface, how grave, of which list (`rule`), and the term as the list writes it."""

    where: str
    severity: Severity
    rule: str
    term: str

    @property
    def what(self) -> str:
        """Return what was found, as it stands after "it holds": the list's title and its term."""
        return f"{word_lists.lists().groups[self.rule].title} ({self.term.replace('*', '…')})"

    @property
    def instead(self) -> str:
        """Return what to do instead."""
        return word_lists.lists().groups[self.rule].instead


def findings(
    surfaces: Mapping[str, str],
    jurisdiction: str | None,
    *,
    spared: Collection[str] = (),
    details: Collection[str] = (),
) -> tuple[Finding, ...]:
    """Return what the lists find on named surfaces ("subject", "HTML", "sender", …), errors first.

    A surface may be plain text, HTML, a link or an address: markup, entities and encodings are read through. `spared`
    are the names of people shown there, `details` the names and addresses of a clinic: what only they make, standing
    whole, is not counted where people are called so (Price), and is a warning where clinics and streets are (Loyalty
    Road). A jurisdiction of `None` gets every term as a warning.
    """
    people, places = _made_of(spared), _of_a_clinic(tuple(details))
    free = set[Term]().union(*(matcher().spared_in_a_name(one) for one in people))
    soft = set[Term]().union(*(matcher().softened_in_a_place(one) for one in places))
    names = [one.sequences[0] for one in (*people, *places)]
    found = [
        Finding(where, severity, term.rule, term.text)
        for where, text in surfaces.items()
        for term, doubtful in _found(read(text), free, soft, names)
        if (severity := "warning" if doubtful else _severity(term, jurisdiction)) is not None
    ]
    order = {where: at for at, where in enumerate(surfaces)}
    return tuple(sorted(set(found), key=lambda one: (one.severity, order[one.where], one.rule, one.term)))


def are_silent(piece: str, count: int) -> bool:
    """Tell whether what stands between two blanks is so many words that take part in no term, whatever follows."""
    words = read(piece)
    said = words.every()
    return (
        [len(sequence) for sequence in words.sequences] == [count]
        and not words.covered
        and all(matcher().is_silent(word) for word in said)
    )


def goes_on(surface: str, marks: Collection[str]) -> bool:
    """Tell whether a term, taken apart, may have begun right before a word that holds one of these `marks`."""
    return matcher().goes_on(read(surface), marks)


def terms_of_places(details: Collection[str]) -> set[str]:
    """Return the terms, as the lists write them, that are a warning since they stand in a clinic's `details`."""
    return {term.text for one in _of_a_clinic(tuple(details)) for term in matcher().softened_in_a_place(one)}


def check_version() -> str:
    """Return 16 hex characters that change whenever the lists do; kept with each message they were asked about."""
    return word_lists.version()


def rules_of(jurisdiction: str | None) -> str:
    """Return whose rules are meant, ready to stand in a sentence."""
    return (
        f"the advertising rules of {_RULES[jurisdiction]}"
        if jurisdiction
        else "the advertising rules of many countries"
    )


def _severity(term: Term, jurisdiction: str | None) -> Severity | None:
    if jurisdiction is None:
        return "warning" if any(one in term.severity for one in JURISDICTIONS) else None
    return term.severity.get(jurisdiction)


def _made_of(values: Collection[str]) -> list[Words]:
    """Return the words of each name, the longest name first: it may hold a shorter one."""
    words = [read(value) for value in dict.fromkeys(values) if value.strip()]
    return sorted((one for one in words if one.sequences[0]), key=lambda one: -len(one.sequences[0]))


@functools.lru_cache(256)
def _of_a_clinic(details: tuple[str, ...]) -> tuple[Words, ...]:
    """Return the words of a clinic's details, which all of its messages show."""
    return tuple(_made_of(details))


def _found(
    words: Words, free: set[Term], soft: set[Term], names: Sequence[tuple[str, ...]]
) -> Iterator[tuple[Term, bool]]:
    """Yield each term found and whether a clinic's details alone make it; not those that people's names alone make.

    What begins in a name and goes on after it is made by neither alone, and counts.
    """
    found = matcher().find(words)
    if not found & (free | soft):
        yield from ((term, False) for term in found)
        return
    elsewhere = matcher().find(_without(words, names))
    for term in found:
        if term in elsewhere or term not in free:
            yield term, term in soft and term not in elsewhere


def _without(words: Words, names: Sequence[tuple[str, ...]]) -> Words:
    """Return words with every name taken out; what stood before it and after it does not become neighbours."""
    if not names:
        return words
    alone = {word for name in names for word in name}
    return Words(
        sequences=tuple(_taken_out(sequence, names) for sequence in words.sequences),
        asides=tuple(_cut_off(_taken_out(sequence, names), names) for sequence in words.asides),
        covered=tuple(one for one in words.covered if not any(re.fullmatch(one, word) for word in alone)),
    )


def _cut_off(aside: tuple[str, ...], names: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Return a stretch of words without the names that its ends cut in two."""
    for name in names:
        for size in range(len(name) - 1, 0, -1):
            aside = aside[size:] if aside[:size] == name[-size:] else aside
            aside = aside[:-size] if aside[-size:] == name[:size] else aside
    return aside


def _taken_out(sequence: tuple[str, ...], names: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    for name in names:
        at = 0
        while name[0] in sequence[at:]:
            at = sequence.index(name[0], at)
            if sequence[at : at + len(name)] == name:
                sequence = (*sequence[:at], NUMBER, *sequence[at + len(name) :])
            at += 1
    return sequence
