"""The tables in which the terms of the word lists are looked up: by their first word, their beginning, their length.

Invariant: a table holds every term it was given; what is looked up in it is what stands in the lists.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from reminders.mail.advertising.word_forms import Name, Phrase

HEAD = 4
"""Letters by which the names are found that may stand in a word."""

SHORTEST_MISSPELLED = 6


def by_first_word(phrases: Iterable[Phrase]) -> tuple[dict[str, list[Phrase]], dict[str, list[Phrase]]]:
    """Return phrases by their first word, and those whose first word takes any ending by its first three letters."""
    whole: dict[str, list[Phrase]] = {}
    starred: dict[str, list[Phrase]] = {}
    for phrase in phrases:
        first, star = phrase.words[0]
        (starred if star else whole).setdefault(first[:3] if star else first, []).append(phrase)
    return whole, starred


def by_second_word(phrases: Iterable[Phrase]) -> dict[str, list[Phrase]]:
    """Return phrases by the first two letters of their second word; under nothing those that have none."""
    found: dict[str, list[Phrase]] = {}
    for phrase in phrases:
        found.setdefault(phrase.words[1][0][:2] if len(phrase.words) > 1 else "", []).append(phrase)
    return found


def begun(names: Mapping[str, Sequence[Name]], word: str) -> Iterator[Name]:
    """Yield the names whose first letters stand anywhere in a word."""
    for at in range(len(word) - HEAD + 1):
        yield from names.get(word[at : at + HEAD], ())


def grouped(keyed: Iterable[tuple[str, Name]]) -> dict[str, list[Name]]:
    """Return names by their keys."""
    found: dict[str, list[Name]] = {}
    for key, name in keyed:
        found.setdefault(key, []).append(name)
    return found


def swapped(words: Iterable[str]) -> dict[str, str]:
    """Return short words by what two swapped neighbours make of them: they are too short for any other slip."""
    ways = ((word, at, word[at : at + 2]) for word in words for at in range(len(word) - 1))
    return {word[:at] + pair[::-1] + word[at + 2 :]: word for word, at, pair in ways if pair[0] != pair[1]}


def by_length(words: Iterable[str]) -> dict[int, list[str]]:
    """Return words by their length, in alphabetical order."""
    found: dict[int, list[str]] = {}
    for word in sorted(words):
        found.setdefault(len(word), []).append(word)
    return found


def long_words(phrases: Iterable[Phrase]) -> set[str]:
    """Return the longer words of the phrases whose misspellings count."""
    disguised = [one for one in phrases if one.term.tricks == "full" and one.term.fuzzy and len(one.words) > 1]
    return {word for phrase in disguised for word, _ in phrase.words if len(word) >= SHORTEST_MISSPELLED}
