"""Reads kept messages back and says whether each still shows what every message must: the way to a consultation.

Invariant: it needs the bytes alone, tokens blanked or not, since the facts they were made from may have changed.
"""

import re
from email.parser import BytesHeaderParser

from reminders.mail import wording
from reminders.mail.check import section_of_text
from reminders.mail.compose import parts
from reminders.mail.html import read_html
from reminders.mail.words import language_of

_REACHABLE = re.compile(r"@|https://|\d[\d ().\-/]{4,}\d")
"""An e-mail address, a link, or a telephone number."""


def lacks_consultation(content: bytes) -> tuple[str, ...]:
    """Return what a message lacks of its consultation section, by part; empty where nothing is missing."""
    try:
        kept = parts(content)
    except (LookupError, ValueError):  # not what `compose` made: a part in an encoding that nobody knows
        return ("it cannot be read",)
    language = language_of(dict(kept.headers).get("Content-Language"))
    sections = (("text", section_of_text(kept.text, language)), ("HTML", read_html(kept.html).section))
    heading = wording.consultation_heading(language)
    found = []
    for part, section in sections:
        words = " ".join(section.split()).removeprefix(heading).strip()
        if not words:
            found.append(f"the {part} part has no consultation section")
        elif not _REACHABLE.search(words):
            found.append(f"the consultation section of the {part} part does not say how to reach the clinic")
    return tuple(found)


def is_of(content: bytes, message_id: str) -> bool:
    """Tell whether kept bytes carry this Message-ID, and it alone."""
    found = BytesHeaderParser().parsebytes(content).get_all("Message-ID", [])
    return ["".join(str(name).split()) for name in found] == [message_id]
