"""Template files for tests: an ordinary one, and the same with something added to its subject, words or HTML.

Invariant: what `with_words` and `with_html` add begins on the line they name, so that a test can ask for it.
"""

from reminders.mail.message import MessageFacts
from reminders.mail.templates.check import check_template, example
from reminders.mail.templates.file import Complaint

ORDINARY = """\
Subject: {% if sender %}{{ sender }}: about a consultation{% else %}About a consultation{% endif %}

You may like to talk. If so, {{ who }} can see you for {{ label }}.

Nothing needs to be done.
"""
HTML = """\
--- html ---
<p>You may like to talk. If so, {{ who }} can see you for {{ label }}.</p>
<p>Nothing needs to be done.</p>
"""
WORDS_LINE = 7
HTML_LINE = 9


def with_subject(subject: str) -> str:
    """Return the ordinary template with another subject."""
    return f"Subject: {subject}\n{ORDINARY.partition(chr(10))[2]}"


def with_words(words: str) -> str:
    """Return the ordinary template with words added on `WORDS_LINE`."""
    return f"{ORDINARY}\n{words}\n"


def with_html(html: str) -> str:
    """Return the ordinary template with HTML of its own, and this added on `HTML_LINE`."""
    return f"{ORDINARY}{HTML}{html}\n"


def errors(source: str, shown: MessageFacts | None = None) -> list[Complaint]:
    """Return the errors that a template has, for a cosmetic invitation in English unless told otherwise."""
    found = check_template(source, shown or example("cosmetic", "invitation", "en", "uk"))
    return [one for one in found if one.severity == "error"]
