"""Finds the terms of the word lists in words, whatever was done to hide them.

Invariant: a term that stands there in plain words is always found; a disguise counts only for terms that allow it, and
never in an ordinary word that is spared.
"""

import functools
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

from reminders.mail.advertising import word_lists
from reminders.mail.advertising.lookalikes import folded, shape, single
from reminders.mail.advertising.visible_words import Words
from reminders.mail.advertising.word_forms import SHORTEST_NAME, Phrase, name_of, phrase_of
from reminders.mail.advertising.word_lists import Lists, Term
from reminders.mail.advertising.word_tables import (
    HEAD,
    SHORTEST_MISSPELLED,
    begun,
    by_first_word,
    by_length,
    by_second_word,
    grouped,
    long_words,
    swapped,
)

SHORTEST_TWICE_MISSPELLED = 9
_MOST_JOINED = 16
_SHORTEST_SILENT = 2
_NEGATED_WITHIN = (5, 2)
_NEGATORS = frozenset(
    {
        *("no", "not", "never", "nothing", "none", "neither", "nor", "without", "cannot", "t"),
        *("ni", "nada", "nunca", "ningun", "ninguna", "ninguno", "sin", "tampoco"),
        *("ne", "n", "pas", "rien", "aucun", "aucune", "jamais", "sans"),
        *("nicht", "nichts", "nie", "niemals", "kein", "keine", "keinen", "keiner", "keinerlei", "ohne", "weder"),
        *("nic", "niczego", "nigdy", "zaden", "zadna", "zadnej", "zadnych", "bez", "ani"),
        *("nao", "nem", "nenhum", "nenhuma", "sem"),
        *("لا", "لن", "لم", "ليس", "ليست", "غير", "بدون", "دون", "بلا", "ما"),
    }
)


@dataclass(frozen=True, slots=True)
class _Look:
    """What is known of one word.

    `outright` are the terms that it is, `held` those that it holds, `misspelt` those that it only comes near to;
    `letters` is its shape with repeated letters once, `mended` the word of the lists that it misspells; `phrases` of
    which it is the first word, by the second one's first two letters; `begins` says that it may be the first piece of
    a term that was taken apart.
    """

    outright: frozenset[Term]
    held: frozenset[Term]
    misspelt: frozenset[Term]
    letters: str
    mended: str
    phrases: Mapping[str, Sequence[Phrase]]
    begins: bool

    def found(self, *, fuzzy: bool) -> frozenset[Term]:
        return self.outright | self.held | self.misspelt if fuzzy else self.outright | self.held


class Matcher:
    """The lists, made ready to be found; what one word holds is worked out once and remembered."""

    def __init__(self, lists: Lists) -> None:
        """Take every term apart, as every text is taken apart."""
        phrases = [phrase_of(term) for term in lists.terms if not term.compound]
        self._compounds = [(folded(term.compound), term) for term in lists.terms if term.compound]
        self._whole, self._starred = by_first_word(phrases)
        self._names = [name for phrase in phrases if (name := name_of(phrase))]
        self._by_letters = grouped((name.letters[:HEAD], name) for name in self._names)
        self._by_shape = grouped((name.shape[:HEAD], name) for name in self._names)
        self._by_once = grouped((name.once[:HEAD], name) for name in self._names)
        self._joined = grouped((name.once, name) for name in self._names if name.term.joined)
        self._ways = {letters[:end] for letters in self._joined for end in range(1, len(letters) + 1)}
        self._misspelled = {name.letters: name.term for name in self._names if name.term.fuzzy and not name.any_ending}
        self._near = by_length(self._misspelled)
        self._swapped = swapped(word for word in self._misspelled if len(word) == SHORTEST_NAME)
        self._vocabulary = by_length(long_words(phrases))
        self._spared = {folded(word) for word in lists.spared if "*" not in word}
        patterns = sorted(folded(word).replace("*", ".*") for word in lists.spared if "*" in word)
        self._no_compound = re.compile("|".join(patterns))
        self._words = {word for phrase in phrases for word, star in phrase.words if not star}
        self._stems = tuple({word for phrase in phrases for word, star in phrase.words if star})
        self._called = {rule for rule, group in lists.groups.items() if group.places}
        self._negatable = {rule for rule, group in lists.groups.items() if group.negatable}
        self._look = functools.lru_cache(maxsize=16_384)(self._look_at)
        self._silent = functools.lru_cache(maxsize=16_384)(self._says_nothing)
        self._softened = functools.lru_cache(maxsize=1024)(self._called_so)
        self._uncovered = functools.lru_cache(maxsize=1024)(self._hidden_in)

    def find(self, words: Words, *, fuzzy: bool = True) -> set[Term]:
        """Return the terms found in the words of one surface; misspelled ones only where `fuzzy`."""
        looks = {word: self._look(word) for word in words.every()}
        found: set[Term] = set().union(*(look.found(fuzzy=fuzzy) for look in looks.values()))
        found = found.union(*(self._uncovered(pattern) for pattern in words.covered))
        starting = {word for word, look in looks.items() if look.phrases or look.begins}
        changed = fuzzy and any(look.mended != word for word, look in looks.items())
        for sequence in (*words.sequences, *words.asides):
            found.update(self._in_order(sequence, looks, starting))
            if changed:
                found.update(self._misspelled_phrases([looks[word].mended for word in sequence]))
        return found

    def spared_in_a_name(self, words: Words) -> set[Term]:
        """Return the terms in a person's name that people are called: misspellings, and ordinary single words.

        A term of several words is no name, nor is a medicine's, however it is disguised.
        """
        found = self.find(words)
        firm = self.find(words, fuzzy=False) if found else found
        return {term for term in found if term not in firm or not (term.names or " " in term.text)}

    def softened_in_a_place(self, words: Words) -> frozenset[Term]:
        """Return the terms in the name or the address of a clinic that clinics and streets are called.

        All messages of a clinic show the same ones: they are remembered.
        """
        return self._softened(words)

    def is_silent(self, word: str) -> bool:
        """Tell whether a word takes part in no term, whatever stands after it, however it is misspelled or cut.

        Only a term that is taken apart and began before the word could still go on in it (`goes_on`).
        """
        return self._silent(word)

    def goes_on(self, words: Words, marks: Collection[str]) -> bool:
        """Tell whether, a term, taken apart, may have begun before a word that holds one of these `marks`."""
        looks = {word: self._look(word) for word in words.every()}
        return any(
            self._alive(sequence[start:at], looks)
            for sequence in (*words.sequences, *words.asides)
            for at, word in enumerate(sequence)
            if any(mark in word for mark in marks)
            for start in range(max(0, at - _MOST_JOINED), at)
        )

    def _alive(self, before: Sequence[str], looks: Mapping[str, _Look]) -> bool:
        """Tell whether these neighbours, all of them, are the first pieces of a term."""
        spelled = ""
        for word in before:
            piece = looks[word].letters
            spelled += piece[1:] if spelled and piece[:1] == spelled[-1:] else piece
            if spelled not in self._ways:
                return False
        return True

    def _says_nothing(self, word: str) -> bool:
        if len(word) < _SHORTEST_SILENT or not word.isalpha():  # a single letter may spell a word with others
            return False
        look = self._look(word)
        known = word in self._words or word.startswith(self._stems)
        return not (known or look.found(fuzzy=True) or look.phrases or look.begins) and look.mended == word

    def _called_so(self, words: Words) -> frozenset[Term]:
        return frozenset(term for term in self.find(words) if term.rule in self._called)

    def _misspelled_phrases(self, mended: Sequence[str]) -> Iterator[Term]:
        """Yield the disguisable terms of several words in a sequence whose misspelled words were put right."""
        for at, word in enumerate(mended):
            yield from (term for term in self._phrases_at(mended, at, self._look(word)) if term.tricks == "full")

    def _in_order(self, sequence: Sequence[str], looks: Mapping[str, _Look], starting: set[str]) -> Iterator[Term]:
        """Yield the terms that neighbours make: as words, and as pieces that spell a term together."""
        for at in [at for at, word in enumerate(sequence) if word in starting]:
            look = looks[sequence[at]]
            yield from self._phrases_at(sequence, at, look)
            if look.begins:
                yield from self._spelled_from(sequence, at, looks)

    def _phrases_at(self, sequence: Sequence[str], at: int, look: _Look) -> Iterator[Term]:
        following = sequence[at + 1][:2] if at + 1 < len(sequence) else ""
        for phrase in (*look.phrases.get("", ()), *(look.phrases.get(following, ()) if following else ())):
            if phrase.stands_at(sequence, at) and not self._denied(phrase, sequence, at):
                yield phrase.term

    def _look_at(self, word: str) -> _Look:
        letters = single(shape(word))
        starred = [phrase for phrase in self._starred.get(word[:3], ()) if word.startswith(phrase.words[0][0])]
        phrases = [*self._whole.get(word, ()), *starred]
        alone = [one for one in phrases if len(one.words) == 1 and one.term.rule not in self._negatable]
        spared = word in self._spared
        held = () if spared else tuple(self._within(word)) or (() if alone else tuple(self._made_with(letters, word)))
        return _Look(
            outright=frozenset(phrase.term for phrase in alone),
            held=frozenset(held),
            misspelt=frozenset() if spared else frozenset(self._misspelling(word)),
            letters=letters,
            mended=word if spared or word in self._whole else self._closest(word, self._vocabulary, 1) or word,
            phrases=by_second_word(phrase for phrase in phrases if phrase not in alone),
            begins=letters in self._ways,
        )

    def _within(self, word: str) -> Iterator[Term]:
        """Yield the terms that a word holds, run together with other words or with letters doubled."""
        yield from (name.term for name in begun(self._by_letters, word) if name.letters in word)
        one = shape(word)
        alike = (name for name in begun(self._by_shape, one) if name.shape == one or (name.sure and name.shape in one))
        yield from (name.term for name in alike)
        collapsed = single(one)
        if collapsed != one:
            doubled = (name for name in begun(self._by_once, collapsed) if name.once in collapsed)
            yield from (name.term for name in doubled if name.stands_doubled_in(one))

    def _made_with(self, letters: str, word: str) -> Iterator[Term]:
        """Yield the terms in stars with which a word is made: newtox, toxbar; only some words are made otherwise."""
        for core, term in self._compounds:
            ends = letters.startswith(core) or letters.endswith(core) or (not core.isascii() and core in word)
            if ends and len(letters) > len(core) and not self._no_compound.fullmatch(letters):
                yield term

    def _misspelling(self, word: str) -> Iterator[Term]:
        if (swapped := self._swapped.get(word)) is not None:
            yield self._misspelled[swapped]
        closest = self._closest(word, self._near, 1)
        if closest is None and len(word) >= SHORTEST_TWICE_MISSPELLED:
            closest = self._closest(word, self._near, 2)
        if closest is not None:
            yield self._misspelled[closest]

    def _closest(self, word: str, near: Mapping[int, Sequence[str]], most: int) -> str | None:
        """Return a term at most so many slips (a letter wrong, missing, added, or swapped) away from a word."""
        if len(word) < SHORTEST_MISSPELLED:
            return None
        shortest = SHORTEST_TWICE_MISSPELLED if most > 1 else 0
        for length in range(max(len(word) - most, shortest), len(word) + most + 1):
            if choices := near.get(length):
                found = process.extractOne(word, choices, scorer=DamerauLevenshtein.distance, score_cutoff=most)
                if found is not None:
                    return found[0]
        return None

    def _hidden_in(self, pattern: str) -> frozenset[Term]:
        """Return the terms of which some letters are covered: bot*x."""
        fits = re.compile(pattern).fullmatch
        return frozenset(name.term for name in self._names if fits(name.letters))

    def _spelled_from(self, sequence: Sequence[str], at: int, looks: Mapping[str, _Look]) -> Iterator[Term]:
        """Yield the terms that pieces from a place on spell together: bo-tox, b.o.t.o.x, an ti wrinkle."""
        spelled, exactly = looks[sequence[at]].letters, sequence[at]
        for following in sequence[at + 1 : at + _MOST_JOINED]:
            piece, before = looks[following].letters, len(spelled)
            spelled += piece[1:] if piece[:1] == spelled[-1:] else piece
            exactly += following
            for end in range(before + 1, len(spelled) + 1):
                if spelled[:end] not in self._ways:
                    return
                for name in self._joined.get(spelled[:end], ()):
                    if (end == len(spelled) or name.any_ending) and name.repeated.match(shape(exactly)):
                        yield name.term

    def _denied(self, phrase: Phrase, sequence: Sequence[str], at: int) -> bool:
        if phrase.term.rule not in self._negatable:
            return False
        before, after = _NEGATED_WITHIN
        end = at + len(phrase.words)
        return not _NEGATORS.isdisjoint((*sequence[max(0, at - before) : at], *sequence[end : end + after]))


def matcher() -> Matcher:
    """Return the lists that travel with the product, made ready once for each version of them."""
    return _made_ready(word_lists.version())


@functools.lru_cache(maxsize=2)
def _made_ready(version: str) -> Matcher:  # noqa: ARG001 - the key of what is remembered
    return Matcher(word_lists.lists())
