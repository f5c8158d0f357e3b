"""Attempts to name a medicine past the word lists: trick by trick, term by term, as somebody would type them."""

# ruff: noqa: RUF001 - look-alikes are what the attempts are made of

from collections.abc import Callable
from urllib.parse import quote

import pytest

from reminders.mail.advertising.jurisdiction import findings

TERMS = {
    "botox": "toxin-brands",
    "dysport": "toxin-brands",
    "azzalure": "toxin-brands",
    "alluzience": "toxin-brands",
    "xeomin": "toxin-brands",
    "ozempic": "other-medicines",
    "semaglutide": "other-medicines",
    "neurotoxin": "toxin-substances",
}
CYRILLIC = str.maketrans("aceopxyitmkdbh", "асеорхуітмкԁьһ")
GREEK = str.maketrans("abeikmnoptuxyz", "ΑΒΕΙΚΜΝΟΡΤυΧΥΖ")
CHEROKEE = str.maketrans("abdeghijkmprstvwyz", "ᎪᏴᎠᎬᏀᎻᎥᎫᏦᎷᏢᎡᏚᎢᏙᎳᎩᏃ")
SMALL_CAPITALS = str.maketrans("abcdeghijklmnoprtuvwyz", "ᴀʙᴄᴅᴇɢʜɪᴊᴋʟᴍɴᴏᴘʀᴛᴜᴠᴡʏᴢ")
DIGITS = str.maketrans("oieastbg", "01345789")
ACCENTS = str.maketrans("aeionsuyz", "áëïöñšùýž")


def shifted(start: int) -> Callable[[str], str]:
    """Return a trick that writes letters from another block of the alphabet."""
    return lambda term: "".join(chr(start + ord(letter) - ord("a")) for letter in term)


def every_other(mark: str) -> Callable[[str], str]:
    return mark.join


def in_the_middle(mark: str) -> Callable[[str], str]:
    return lambda term: term[:3] + mark + term[3:]


TRICKS: dict[str, Callable[[str], str]] = {
    "capitals": str.upper,
    "capitals by turns": lambda term: "".join(letter.upper() if at % 2 else letter for at, letter in enumerate(term)),
    "accents": lambda term: term.translate(ACCENTS),
    "struck through": every_other("\u0336"),
    "marks above": every_other("\u0301"),
    "zero-width spaces": every_other("\u200b"),
    "zero-width joiners": every_other("\u200d"),
    "soft hyphens": every_other("\u00ad"),
    "variation selectors": every_other("\ufe0f"),
    "a blank that is a letter": every_other("\u3164"),
    "turning marks": in_the_middle("\u202e"),
    "Cyrillic": lambda term: term.translate(CYRILLIC),
    "Greek": lambda term: term.translate(GREEK),
    "Cherokee": lambda term: term.translate(CHEROKEE),
    "small capitals": lambda term: term.translate(SMALL_CAPITALS),
    "full width": shifted(0xFF41),
    "mathematical bold": shifted(0x1D41A),
    "mathematical script": shifted(0x1D4EA),
    "circled": shifted(0x24D0),
    "squared, dark": shifted(0x1F170),
    "flags": shifted(0x1F1E6),
    "digits": lambda term: term.translate(DIGITS),
    "spaces": every_other(" "),
    "no-break spaces": every_other("\u00a0"),
    "dots": every_other("."),
    "hyphens": every_other("-"),
    "underscores": every_other("_"),
    "slashes": every_other("/"),
    "middle dots": every_other("·"),
    "one hyphen": in_the_middle("-"),
    "one space": in_the_middle(" "),
    "one line end": in_the_middle("\n"),
    "an apostrophe": in_the_middle("’"),
    "brackets": lambda term: "".join(f"({letter})" for letter in term),
    "last letter doubled": lambda term: term + term[-1],
    "a letter doubled": lambda term: term[:3] + term[2] + term[3:],
    "every letter doubled": lambda term: "".join(letter * 2 for letter in term),
    "a covered letter": lambda term: term[:3] + "*" + term[4:],
    "two swapped letters": lambda term: term[:-3] + term[-2] + term[-3] + term[-1],
    "a stray letter": lambda term: term[:2] + "h" + term[2:],
    "a hashtag": lambda term: f"#{term}london",
    "a handle": lambda term: f"@the{term}clinic",
    "in a domain": lambda term: f"https://get{term}now.example/book",
    "in a path": lambda term: f"https://clinic.example/book/{term}-london",
    "percent signs": lambda term: "https://clinic.example/" + "".join(f"%{ord(letter):02x}" for letter in term),
    "percent signs twice": lambda term: "https://clinic.example/" + quote(f"%{ord(term[0]):02x}") + term[1:],
    "entities": lambda term: "".join(f"&#{ord(letter)};" for letter in term),
    "hexadecimal entities": lambda term: "".join(f"&#x{ord(letter):x};" for letter in term),
    "an entity nobody sees": in_the_middle("&shy;"),
    "tags inside": lambda term: f"<p>{term[:2]}<b>{term[2:4]}</b>{term[4:]}</p>",
    "a comment inside": in_the_middle("<!-- . -->"),
    "hidden letters inside": lambda term: f"<p>{term[:3]}<span style='display: none'>qq</span>{term[3:]}</p>",
    "a title": lambda term: f'<a href="https://x.example" title="{term}">book</a>',
    "an alternative text": lambda term: f"<img alt='our {term} room'>",
    "a label for readers": lambda term: f'<a aria-label="{term}">book</a>',
    "hidden words": lambda term: f'<div style="display:none">{term}</div>',
    "a style": lambda term: f'<style>p::after {{ content: "{term}" }}</style><p>Hello</p>',
    "a comment": lambda term: f"<p>Hello</p><!-- {term} -->",
}
ATTEMPTS = [(trick, term) for trick in TRICKS for term in TERMS]


def forbidden(text: str, rules: str = "uk") -> set[str]:
    return {found.rule for found in findings({"text": text}, rules) if found.severity == "error"}


def test_there_are_as_many_attempts_as_it_takes() -> None:
    assert len(ATTEMPTS) >= 300


@pytest.mark.parametrize(("trick", "term"), ATTEMPTS)
def test_no_trick_hides_a_medicine(trick: str, term: str) -> None:
    disguised = TRICKS[trick](term)
    assert TERMS[term] in forbidden(f"Time for a talk about {disguised} with us"), disguised


@pytest.mark.parametrize("word", ["visit", "everything"])
@pytest.mark.parametrize("trick", TRICKS)
def test_the_same_trick_on_an_ordinary_word_is_no_finding(trick: str, word: str) -> None:
    assert forbidden(f"Time for a talk about {TRICKS[trick](word)} with us", "au") == set()


@pytest.mark.parametrize("rules", ["uk", "au", "eu"])
@pytest.mark.parametrize("term", TERMS)
def test_a_medicine_is_forbidden_where_its_advertising_is(term: str, rules: str) -> None:
    assert forbidden(f"your {term}", rules)


@pytest.mark.parametrize("term", TERMS)
def test_in_the_united_states_and_nowhere_it_is_pointed_out(term: str) -> None:
    for rules in ("us", None):
        assert {found.severity for found in findings({"text": f"your {term}"}, rules)} == {"warning"}


HOSTILE = {
    "tags that never end": "<a " * 30_000,
    "one attribute": "<a " + "x" * 100_000 + ">",
    "quotes that never end": "<a " + "x='" * 30_000 + ">",
    "comments that never end": "<!--" * 25_000,
    "entities": "&#" * 50_000,
    "encodings of encodings": "%25" * 30_000,
    "a label of a domain": "xn--" + "a9" * 50_000,
    "covered words": "b*" * 50_000,
    "single letters": "b o t o y " * 10_000,
    "one letter": "f" * 100_000 + "fier",
    "marks over marks": "a" + "\u0301\u0327\u0316" * 30_000,
    "pieces of a term": "an ti wrin kle re lax " * 5_000,
    "signs": "0b" * 50_000,
    "hidden words": "a<b style='display:none" * 5_000,
}


@pytest.mark.timeout(30)
@pytest.mark.parametrize("what", HOSTILE)
def test_a_text_made_to_burn_time_is_read_to_its_end(what: str) -> None:
    assert "toxin-brands" in forbidden(HOSTILE[what] + "> --> ' \" botox")
