"""Reads which language is meant: a code as standards write it, or a name as people and their programs write it.

Invariant: what comes out is a language that CLDR knows, written as BCP 47 asks ("pt-BR", "zh-Hant-TW").
"""

import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from babel import Locale
from babel.core import get_global, parse_locale

from reminders.mail.words import LANGUAGES, USUAL

LONGEST_NAME = 64
_OFTEN_MET = (
    *("tr", "it", "nl", "ru", "uk", "ro", "cs", "hu", "el", "sv", "da", "nb", "fi", "zh", "ja", "ko", "fa", "vi"),
)
"""Languages whose own name for themselves is read too, beside the names that the seven of the product have for all."""

_ALSO = {"castellano": "es", "castilian": "es", "brazilian": "pt-BR", "brasileiro": "pt-BR", "farsi": "fa"}


def language_tag(text: str) -> str | None:
    """Return the tag of a language with the script and the country that are given ("EN_gb" is "en-GB"); else None."""
    parts = text.strip().replace("_", "-")
    try:
        language, country, script, variant = parse_locale(parts, sep="-")[:4]
    except ValueError:
        return None
    known = Locale(USUAL)
    language = get_global("language_aliases").get(language, language)  # "eng" and "iw" are "en" and "he"
    country = (get_global("territory_aliases").get(country) or [country])[0] if country else None  # "UK" is "GB"
    named = language in known.languages and (not country or country in known.territories)
    if not named or (script and script not in known.scripts) or variant:
        return None
    return "-".join(part for part in (language, script, country) if part)


@lru_cache(maxsize=512)
def language_named(text: str) -> str | None:
    """Return the tag of a language given by tag or name: "English", "deutsch", "Español", "English (UK)"; or None."""
    if len(text) > LONGEST_NAME:
        return None
    return language_tag(text) or _names().get(_folded(text)) or _names().get(_folded(text.partition("(")[0]))


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    names = {_folded(name): code for name, code in _ALSO.items()}
    for name, code in _all_names():
        names.setdefault(_folded(name), code.replace("_", "-"))
    return names


def _all_names() -> Iterator[tuple[str, str]]:
    for language in LANGUAGES:
        yield from ((name, code) for code, name in Locale(language).languages.items())
    for language in _OFTEN_MET:
        yield Locale(language).languages.get(language, ""), language


def _folded(name: str) -> str:
    """Return a name without case, accents and outer blanks, as it is compared."""
    apart = unicodedata.normalize("NFKD", " ".join(name.split()).casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))
