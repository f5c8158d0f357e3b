"""What the subject of a template may say: who writes, and that it is about a consultation; nothing of the patient.

Invariant: read in its plain form (NFKC), whatever letters it is written with; a complaint names the list's own word.
"""

import functools
import re
import unicodedata
from collections.abc import Iterator

from reminders.mail.link_like import holds_link
from reminders.mail.templates.subject_words import ALSO, REPLIES, WORDS

CALLS = frozenset("!¡‼❗❕⁉\u01c3︕")
_FIGURE = "the subject holds a figure or an exclamation mark: it names no day, number or urgency"
_REPLY = "the subject looks like an answer or something passed on: nobody wrote before"
_NO_ADDRESS = "it holds an address: only {{ booking_url }} and {{ reply_to }} lead somewhere, and not in a subject"
_ARTICLES = r"(?:[وف]?(?:ال|لل|بال|ب|ل)?)?"


def wrong_in_subject(subject: str, language: str) -> Iterator[str]:
    """Yield what a subject must not say; `subject` is without the values shown in it."""
    plain = unicodedata.normalize("NFKC", subject)
    if any(mark in CALLS or unicodedata.category(mark)[0] == "N" for mark in subject + plain):
        yield _FIGURE
    if holds_link(subject):
        yield _NO_ADDRESS
    folded = _folded(subject)
    if re.search(rf"(?<!\w)(?:{'|'.join(REPLIES)})\s*[::]", folded):
        yield _REPLY
    for spoken in dict.fromkeys((language, "en")):
        found = _forbidden(spoken).search(folded)
        if found is not None:
            said = "a day, urgency, the body, a treatment or money"
            yield f'the subject speaks of {said} ("{found[0].strip()}"): it says who writes and "consultation"'
            return


@functools.cache
def _forbidden(language: str) -> re.Pattern[str]:
    words = (re.escape(_folded(word)).replace(r"\*", r"\w*") for word in WORDS.get(language, "-").split())
    also = f"|{ALSO[language]}" if language in ALSO else ""
    before = _ARTICLES if language == "ar" else ""
    return re.compile(rf"(?<!\w){before}(?:{'|'.join(words)})(?!\w){also}")


def _folded(text: str) -> str:
    """Return a text in small letters without joiners, accents piled on or apostrophes of many kinds."""
    plain = unicodedata.normalize("NFKD", text).replace("’", "'").casefold()
    return "".join(mark for mark in plain if unicodedata.category(mark) not in {"Cf", "Mn", "Me"})
