"""Finds words of a template that pass for the product's own frame, or talk a patient out of using it.

Invariant: the frame's sentences, in every language, are the frame's alone, so that a patient who reads "With:" or "To
stop these messages" reads what the product says; what merely might mislead is a warning.
"""

import functools
import re
import unicodedata
from collections.abc import Iterator

from reminders.mail import wording
from reminders.mail.templates.cleaning import words_of
from reminders.mail.words import LANGUAGES, words

HEADINGS = ("consultation", "good_to_know", "about", "worried")
_LABELS = (
    "with",
    "phone_us",
    "ask_at",
    "book_at",
    "or_reply",
    "only_reply",
    "stop_at",
    "worried_phone",
    "worried_reply",
)
_SENTENCES = ("assessed", "mention", "emergency_local", "not_you", "not_you_phone", "stop_reply", "stop_reply_phone")
_SENTENCES_TOO = ("stop_medical", "window_medical", "ask", "book", "stop")
_BLOCK_ENDS = re.compile(r"\n[ \t]*\n")
_SENTENCE_ENDS = re.compile(r"(?<=[.?!؟])\s+|\n")
_VALUE = re.compile(r"\{[a-z_]+\}")
_NO_LETTERS = re.compile(r"[\W_]+")
_LINK = re.compile(r"<a\b[^<>]*>(.*?)</a\s*>", re.IGNORECASE | re.DOTALL)
_NUMBER = re.compile(r"(?<![\w])\+?\(?\d[\d\s()./\u2010-\u2015-]{5,}\d")
_STOP = (
    *("stop", "unsubscribe", "optout", "abmeld", "abbestell", "désabonn", "désinscri", "baja", "cancelarsubscri"),
    *("wypis", "rezygn", "remover", "descadastr", "anularsubscri", "deixarderecib", "إلغاءالاشتراك", "إيقاف"),
)
_TALKED_DOWN = re.compile(
    r"\b(?:stop(?:ping)? (?:\w+ ){0,2}(?:message|mail|e-?mail)s?|"
    r"unsubscrib\w*|ignore\w*|disregard\w*|opt[ -]?out|abmeld\w*|abbestell\w*|"
    r"ignorier\w*|ignorez|ignorer|"
    r"désabonn\w*|désinscri\w*|ignora\w*|ignore\w*|darse de baja|wypis\w*|zignor\w*|ignoruj\w*|descadastr\w*|"
    r"cancelar a subscrição)\b|تجاهل|إلغاء الاشتراك",
    re.IGNORECASE,
)
_LABEL = "a line begins like one of the product's own: the message holds it already"
_SENTENCE = "a sentence is one that the product adds itself: leave it out"
_STOPPING = "a link's words speak of stopping messages, and the link leads to the booking page"


def wrong_beside_frame(said: str) -> Iterator[str]:
    """Yield what would be taken for the frame's own words in plain words of a template."""
    if any(letters(block) in _headings() for block in _BLOCK_ENDS.split(said)):
        yield "this line is the heading of a section that the product adds"
    if any(_begins_like_a_label(line) for line in _SENTENCE_ENDS.split(said)):
        yield _LABEL
    if any(letters(sentence) in _sentences() for sentence in _SENTENCE_ENDS.split(said)):
        yield _SENTENCE


def wrong_in_links(html: str) -> Iterator[str]:
    """Yield what is wrong with the words of the links in the HTML of a template."""
    for link in _LINK.finditer(html):
        if any(word in letters(words_of(link[1])) for word in _stop_letters()):
            yield _STOPPING
            return


def doubtful(said: str) -> Iterator[str]:
    """Yield what a patient might be misled by, and may be meant well."""
    plain = unicodedata.normalize("NFKC", said)
    if _NUMBER.search(plain):
        yield "it holds a number to call: {{ phone }} shows the clinic's own"
    if _TALKED_DOWN.search(plain) or re.search(r"\bSTOP\b", plain):
        yield "it speaks of stopping or ignoring messages: the product says how, below every message"


def letters(text: str) -> str:
    """Return nothing but the letters of a text, in one form."""
    return _NO_LETTERS.sub("", unicodedata.normalize("NFKC", text).casefold())


def _begins_like_a_label(line: str) -> bool:
    before, colon, _ = unicodedata.normalize("NFKC", line).partition(":")
    return bool(colon) and letters(before) in _labels()


@functools.cache
def _stop_letters() -> frozenset[str]:
    return frozenset(letters(word) for word in _STOP)


@functools.cache
def _headings() -> frozenset[str]:
    return frozenset(letters(one) for one in _frame(HEADINGS))


@functools.cache
def _labels() -> frozenset[str]:
    return frozenset(letters(_VALUE.sub("", one).partition(":")[0]) for one in _frame(_LABELS) if ":" in one)


@functools.cache
def _sentences() -> frozenset[str]:
    every = (letters(part) for one in _frame(_SENTENCES + _SENTENCES_TOO) for part in _SENTENCE_ENDS.split(one))
    shortest = 12  # letters; "Nothing is promised." is the frame's, a bare "Book" anybody's
    return frozenset(one for one in every if len(one) >= shortest)


def _frame(keys: tuple[str, ...]) -> Iterator[str]:
    return (words(wording.ROOM, language)[key] for language in LANGUAGES for key in keys)
