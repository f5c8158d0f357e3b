"""The languages of mails and pages, and their words, read once from the files that travel with the product.

Invariant: a message and a page are wholly in one language, and every language has the same keys (a test compares them).
"""

import functools
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

import yaml

from reminders import paths
from reminders.errors import CannotDo

LANGUAGES = ("en", "es", "fr", "de", "pl", "pt", "ar")
"""What mails and pages can be written in, as ISO 639-1 codes."""

USUAL = "en"
_RIGHT_TO_LEFT = frozenset({"ar"})


class NoWords(CannotDo):
    """The words of {room} in {language} cannot be read: the installation is damaged; install it again."""


def written(language: str | None) -> str | None:
    """Return in which of `LANGUAGES` this one is written, by its main part ("pt-BR" is "pt"); None where in none."""
    main = (language or "").replace("_", "-").split("-")[0].lower()
    return main if main in LANGUAGES else None


def language_of(*wanted: str | None) -> str:
    """Return the first of these languages that the product writes; else English."""
    return next((found for language in wanted if (found := written(language))), USUAL)


def direction(language: str) -> Literal["ltr", "rtl"]:
    """Return which way the language is written, as HTML names it."""
    return "rtl" if language in _RIGHT_TO_LEFT else "ltr"


@functools.cache
def words(room: str, language: str) -> Mapping[str, str]:
    """Return the words of a room ("mail", "pages") in one of `LANGUAGES`; raises `NoWords`."""
    try:
        found = yaml.safe_load(source(room, language))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise NoWords(room=room, language=language) from error
    return MappingProxyType({str(key): str(value) for key, value in found.items()})


def source(room: str, language: str) -> bytes:
    """Return the file that holds the words of a room in a language."""
    return (paths.templates() / "words" / room / f"{language}.yaml").read_bytes()
