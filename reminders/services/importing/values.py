"""Reads single cells: names, addresses, consent and status words; what cannot be taken says why without repeating it.

Invariant: a value that comes out is printable, bounded and no spreadsheet formula.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TypeVar

from reminders.domain.facts import Consent, Kind, Status
from reminders.mail.address import BadAddress, parse_address
from reminders.mail.languages import language_named
from reminders.services.importing.days import Unreadable

T = TypeVar("T")

LONGEST_REF = 64
LONGEST_NAME = 200
LONGEST_PHONE = 40
LONGEST_ADDRESS = 320
LONGEST_POSTAL = 500
LONGEST_WORD = 200

COMPLETED, BOOKED, CANCELLED, NO_SHOW = "completed", "booked", "cancelled", "no_show"
_VISIT_WORDS = {
    COMPLETED: ("completed", "complete", "attended", "arrived", "checked out", "paid"),
    BOOKED: ("booked", "confirmed", "scheduled"),
    CANCELLED: ("cancelled", "canceled"),
    NO_SHOW: ("no show", "dna", "did not attend"),
}
VISIT_STATUS = {word: meaning for meaning, words in _VISIT_WORDS.items() for word in words}
CONSENT = {
    **dict.fromkeys(("granted", "yes", "y", "true", "1"), Consent.GRANTED),
    **dict.fromkeys(("denied", "no", "n", "false", "0"), Consent.DENIED),
    "existing customer": Consent.EXISTING_CUSTOMER,
    "unknown": Consent.UNKNOWN,
}
KINDS = {"treatment": Kind.TREATMENT, "touch up": Kind.TOUCH_UP, "touchup": Kind.TOUCH_UP, "review": Kind.REVIEW}
STATUS = {status.value: status for status in Status}

_NOTHING = {"", "-", "--", "–", "—"}
_BLANKS = " \t\r\n\v\f\u00a0\ufeff"
_FORMULA = "=+-@"
_NUMBER = re.compile(r"[+-]?[\d\s().,/-]*\d[\d\s().,/-]*(?:(?:x|ext\.?)\s*\d+)?", re.IGNORECASE)
_UNPRINTABLE = ("Cc", "Cs", "Zl", "Zp")  # other formatting marks belong to the writing of several languages


def plain(cell: str) -> str:
    """Return the cell without outer blanks, empty where a dash stands for nothing.

    An apostrophe before a formula, which is how a spreadsheet marks text and how an error file guards it, is dropped.
    """
    text = cell.strip(_BLANKS)
    if text[:1] == "'" and text[1:2] and text[1] in _FORMULA:
        text = text[1:]
    return "" if text in _NOTHING else text


def is_formula(text: str) -> bool:
    """Tell whether a spreadsheet would compute this text: it begins like a formula and is no number and no phone."""
    return text[:1] != "" and text[0] in _FORMULA and not _NUMBER.fullmatch(text)


def key(text: str, longest: int = LONGEST_REF) -> str:
    """Return a reference or another key as it is written; raises `Unreadable`."""
    _refuse_formula(text)
    _refuse_unprintable(text)
    if len(text) > longest:
        raise Unreadable(problem=f"is longer than {longest} characters")
    return text


def name(text: str, longest: int = LONGEST_NAME) -> str:
    """Return a name: any printable text, blanks made single, accents in one form (NFC); raises `Unreadable`."""
    _refuse_formula(text)
    text = unicodedata.normalize("NFC", " ".join(text.split()))
    _refuse_unprintable(text)
    if len(text) > longest:
        raise Unreadable(problem=f"is longer than {longest} characters")
    return text


def postal_address(text: str) -> str:
    """Return a postal address with its lines; raises `Unreadable`."""
    lines = (name(line, LONGEST_POSTAL) for line in text.splitlines())
    found = "\n".join(line for line in lines if line)
    if len(found) > LONGEST_POSTAL:
        raise Unreadable(problem=f"is longer than {LONGEST_POSTAL} characters")
    return found


@lru_cache(maxsize=8192)
def _parsed(text: str) -> str | BadAddress:
    try:
        return parse_address(text)
    except BadAddress as fault:
        return fault


def email(text: str) -> str:
    """Return the one address; raises `Unreadable`."""
    if len(text) > LONGEST_ADDRESS:
        raise Unreadable(problem="is not one e-mail address: it is too long")
    found = _parsed(text)
    if isinstance(found, BadAddress):
        raise Unreadable(problem=f"is not one e-mail address: {found.facts.get('problem', 'it cannot be read')}")
    return found


def phone(text: str) -> str:
    """Return a phone number as it is written; raises `Unreadable`."""
    _refuse_formula(text)
    if len(text) > LONGEST_PHONE or not text.isprintable() or not any(letter.isdigit() for letter in text):
        raise Unreadable(problem="is no phone number")
    return text


def language(text: str) -> str:
    """Return the tag of a language given by its code or its name; raises `Unreadable`."""
    found = language_named(text)
    if found is None:
        raise Unreadable(problem="is no language: write en, en-GB or English")
    return found


def consent(text: str) -> str:
    """Return what a consent word means; raises `Unreadable`."""
    return _word(text, CONSENT, "is no consent word: granted, denied, existing_customer, unknown, yes or no").value


def status(text: str) -> str:
    """Return a patient's status; raises `Unreadable`."""
    return _word(text, STATUS, "is no status: active, inactive or deceased").value


def kind(text: str) -> str:
    """Return the kind of a visit; raises `Unreadable`."""
    return _word(text, KINDS, "is no kind: treatment, touch_up or review").value


def visit_status(text: str) -> str:
    """Return what became of a visit: one of the four words above; raises `Unreadable`."""
    found = VISIT_STATUS.get(_spoken(text))
    if found is None:
        shown = repr(text) if len(text) <= 30 and text.isprintable() else "this"  # noqa: PLR2004 - a word, no sentence
        raise Unreadable(
            problem=f"{shown} is no status of a visit: completed, booked, cancelled, no show, or their like"
        )
    return found


def _word(text: str, words: Mapping[str, T], problem: str) -> T:
    found = words.get(_spoken(text))
    if found is None:
        raise Unreadable(problem=problem)
    return found


def _spoken(text: str) -> str:
    """Return a word as it is looked up; a file says the same few again and again."""
    return _folded(text) if len(text) <= LONGEST_WORD else _folded.__wrapped__(text)


@lru_cache(maxsize=1024)
def _folded(text: str) -> str:
    return " ".join(text.replace("_", " ").replace("-", " ").split()).casefold()


def _refuse_formula(text: str) -> None:
    if is_formula(text):
        raise Unreadable(problem="begins like a spreadsheet formula")


def _refuse_unprintable(text: str) -> None:
    if "\ufffd" in text:
        raise Unreadable(problem="holds a letter that could not be read")
    if not text.isprintable() and any(unicodedata.category(letter) in _UNPRINTABLE for letter in text):
        raise Unreadable(problem="holds a character that cannot be printed")


READERS: Mapping[str, Callable[[str], str]] = {
    "given_name": name,
    "family_name": name,
    "known_as": name,
    "email": email,
    "phone": phone,
    "postal_address": postal_address,
    "language": language,
    "consent": consent,
    "status": status,
    "representative_email": email,
    "location": name,
    "practitioner": name,
}
"""How each column of a person is read; `birth_date` needs to know how days are written."""
