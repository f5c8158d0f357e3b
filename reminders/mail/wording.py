"""The words of the product's own frame that follow from the facts: days, the window, numbers to call.

Invariant: a message is wholly in one language, and no sentence offers a day before the window opens.
"""

import datetime as dt
import functools

from babel.dates import format_date, format_skeleton

from reminders.mail.message import Jurisdiction, MessageFacts
from reminders.mail.words import words

ROOM = "mail"
"""Where the words of the mail's frame stand."""

_LOCALES: dict[tuple[str, Jurisdiction], str] = {
    ("en", "us"): "en_US",
    ("en", "au"): "en_AU",
    ("es", "us"): "es_US",
    ("pt", "us"): "pt_BR",
}
_USUAL_LOCALES = {"en": "en_GB", "pt": "pt_PT"}
_FIRSTS = {"fr": "1er", "pt_BR": "1º"}  # CLDR has no ordinals; these readers know no other first of a month
_EMERGENCY_NUMBERS: dict[Jurisdiction, str] = {"us": "911", "uk": "999", "au": "000", "eu": "112"}
_SHARED_NUMBERS = {
    "112": (
        *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU"),
        *("LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK", "CH", "IN", "IS", "KW", "LI", "TR"),
    ),
    "911": ("US", "CA", "MX", "PR", "GU", "VI", "JO"),
    "999": ("GB", "GG", "IM", "JE", "HK", "MY", "QA", "BH"),
    "119": ("JP", "KR"),
    "123": ("CO", "EG"),
}
_OWN_NUMBERS = "AU 000, NZ 111, NO 113, BR 192, AR 107, CL 131, AE 998, SA 997, IL 101, SG 995"
_BY_COUNTRY = {country: number for number, countries in _SHARED_NUMBERS.items() for country in countries}
_BY_COUNTRY |= dict(pair.split() for pair in _OWN_NUMBERS.split(", "))
_LONGEST_NUMBER = 15  # digits, ITU-T E.164


@functools.lru_cache(2048)  # the messages of one delivery offer the same few days
def day_in_words(day: dt.date, language: str, jurisdiction: Jurisdiction | None) -> str:
    """Return a day as its readers write it, by CLDR: "March 3, 2027" in the United States, "3 March 2027" elsewhere."""
    locale = _locale(language, jurisdiction)
    said = format_date(day, format="long", locale=locale)
    return _FIRSTS[locale] + said[1:] if day.day == 1 and locale in _FIRSTS else said


def month_in_words(day: dt.date, language: str, jurisdiction: Jurisdiction | None) -> str:
    """Return a day's month with its year, by CLDR: "March 2027"."""
    return format_skeleton("yMMMM", day, locale=_locale(language, jurisdiction))


def _locale(language: str, jurisdiction: Jurisdiction | None) -> str:
    """Return the locale whose habits the readers of a message have."""
    locale = _LOCALES.get((language, jurisdiction)) if jurisdiction else None
    return locale or _USUAL_LOCALES.get(language, language)


def window_in_words(facts: MessageFacts) -> str:
    """Return the sentences that say when a consultation makes sense; the medical ones name no closing day."""
    key = "window_medical" if facts.class_name == "medical" else "window"
    if facts.window_is_open:
        key += "_open"
    elif key == "window":
        key = "window_before"
    opens, closes = (day_in_words(day, facts.language, facts.jurisdiction) for day in (facts.opens, facts.closes))
    return words(ROOM, facts.language)[key].format(opens=opens, closes=closes)


def who_sees_the_patient(facts: MessageFacts) -> str:
    """Return the practitioner the patient is pointed to, or "our team"."""
    return facts.practitioner or words(ROOM, facts.language)["our_team"]


def consultation_heading(language: str) -> str:
    """Return what opens the consultation section in both parts; the check recognises the section by it."""
    return words(ROOM, language)["consultation"]


def address_on_one_line(postal_address: str | None) -> str:
    """Return a postal address with its lines joined by commas; empty where there is none."""
    lines = (line.strip(" \t,") for line in (postal_address or "").replace("\r\n", "\n").split("\n"))
    return ", ".join(line for line in lines if line)


def emergency_number(jurisdiction: Jurisdiction | None, country: str | None = None) -> str | None:
    """Return what to dial for an ambulance where the clinic is; None where that is not known.

    A country that is known decides alone: under European rules, a clinic elsewhere must not name a European number.
    """
    if country:
        return _BY_COUNTRY.get(country.upper())
    return _EMERGENCY_NUMBERS.get(jurisdiction) if jurisdiction else None


def phone_link(phone: str | None) -> str:
    """Return the `tel:` link of a phone number (RFC 3966), or nothing where it holds more than a number."""
    digits = "".join(mark for mark in phone or "" if mark not in " ().-/\u00a0")
    number = digits.removeprefix("+")
    dialable = number.isascii() and number.isdigit() and len(number) <= _LONGEST_NUMBER
    return f"tel:{digits}" if dialable else ""
