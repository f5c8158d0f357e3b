"""Checks what a patient would see against the advertising rules of a jurisdiction, by the word lists.

Invariant: a finding names the surface, the list and the list's own word, never a word of the text, so that it can be
shown, logged and kept; a clinic without a jurisdiction is warned of everything and refused nothing.
"""

import re
from collections.abc import Collection, Mapping, Sequence
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
    surfaces: Mapping[str, str], jurisdiction: str | None, *, spared: Collection[str] = ()
) -> tuple[Finding, ...]:
    """Return what the lists find on named surfaces ("subject", "HTML", "sender", …), errors first.

    A surface may be plain text, HTML, a link or an address: markup, entities and encodings are read through. `spared`
    are the names of people shown there: one that is a medicine's name outright counts, one that merely lies near a
    term, or is a word of the lists that people are called (Price), does not. A jurisdiction of `None` gets every term
    as a warning.
    """
    names = _spared(spared)
    found = [
        Finding(where, severity, term.rule, term.text)
        for where, text in surfaces.items()
        for term in matcher().find(_without(read(text), names))
        if (severity := _severity(term, jurisdiction)) is not None
    ]
    order = {where: at for at, where in enumerate(surfaces)}
    return tuple(sorted(set(found), key=lambda one: (one.severity, order[one.where], one.rule, one.term)))


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


def _spared(values: Collection[str]) -> list[tuple[str, ...]]:
    """Return the words of each name that is left out of the search; a name that is a medicine's outright is not."""
    names = [read(value) for value in values if value.strip()]
    return [name.sequences[0] for name in names if name.sequences[0] and not matcher().names_outright(name)]


def _without(words: Words, names: Sequence[tuple[str, ...]]) -> Words:
    """Return words with every name taken out; what stood before it and after it does not become neighbours."""
    if not names:
        return words
    alone = {word for name in names for word in name}
    return Words(
        sequences=tuple(_taken_out(sequence, names) for sequence in words.sequences),
        asides=tuple(_taken_out(sequence, names) for sequence in words.asides),
        covered=tuple(one for one in words.covered if not any(re.fullmatch(one, word) for word in alone)),
    )


def _taken_out(sequence: tuple[str, ...], names: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    for name in names:
        at = 0
        while name[0] in sequence[at:]:
            at = sequence.index(name[0], at)
            if sequence[at : at + len(name)] == name:
                sequence = (*sequence[:at], NUMBER, *sequence[at + len(name) :])
            at += 1
    return sequence
