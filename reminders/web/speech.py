"""Says the words of a page in one language, with the facts of a clinic set apart inside them.

Invariant: every word of a page comes from `templates/words/pages`, and a value is always shown as text.
"""

import html
from collections.abc import Sequence

from reminders.mail.words import LANGUAGES, USUAL, direction, words

ROOM = "pages"
_MOST_WISHES = 20  # of a header that anybody may write


class Html(str):
    """Text that is HTML already; the templates take it as it is."""

    __slots__ = ()

    def __html__(self) -> str:
        """Return itself: this is what template engines ask of ready HTML."""
        return str(self)


class Speech:
    """The words of the pages in one of the seven languages."""

    def __init__(self, language: str) -> None:
        """Take one of `LANGUAGES`."""
        self.language = language
        self.direction = direction(language)
        self._words = words(ROOM, language)

    def __call__(self, key: str, **values: str) -> Html:
        """Return a sentence as HTML; a value stands in `bdi`, for a Latin name in an Arabic sentence turns it about."""
        shown = {name: value if isinstance(value, Html) else _apart(value) for name, value in values.items()}
        return Html(html.escape(self._words[key]).format(**shown))

    def plain(self, key: str, **values: str) -> str:
        """Return a sentence as text, for a title, an attribute or a place that escapes by itself."""
        return self._words[key].format(**values)


def _apart(value: str) -> str:
    return f"<bdi>{html.escape(value)}</bdi>"


def wished_language(accept_language: str | None) -> str:
    """Return the first of our languages by a browser's `Accept-Language` (RFC 9110, 12.5.4), else English."""
    wishes = [_wish(part) for part in (accept_language or "").split(",")[:_MOST_WISHES]]
    ranked = sorted((wish for wish in wishes if wish[1] > 0), key=lambda wish: -wish[1])
    return _first_of_ours([language for language, _ in ranked])


def _wish(part: str) -> tuple[str, float]:
    language, _, weight = part.strip().partition(";")
    name, _, number = weight.strip().partition("=")
    if name.strip() != "q":
        return language.strip(), 1.0
    try:
        return language.strip(), float(number)
    except ValueError:
        return language.strip(), 0.0


def _first_of_ours(wanted: Sequence[str]) -> str:
    mains = (language.partition("-")[0].lower() for language in wanted)
    return next((main for main in mains if main in LANGUAGES), USUAL)
