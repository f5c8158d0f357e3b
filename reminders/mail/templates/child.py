"""The process in which a template that nobody has proven yet is read and filled (run as `python -I -m` this module).

Invariant: it is given everything it needs in one question, and opens nothing but the product's own templates.
"""

from collections.abc import Mapping
from typing import Any

from reminders.errors import RemindersError
from reminders.mail.advertising.jurisdiction import findings
from reminders.mail.message import MessageLinks
from reminders.mail.render import Renderer
from reminders.mail.templates.check import check_template
from reminders.mail.templates.confined import serve
from reminders.mail.templates.plain import facts_from


def answer(question: dict[str, Any]) -> Mapping[str, object]:
    """Answer `check` with complaints, `render` with a message in words or what is wrong with it."""
    facts = facts_from(question["facts"])
    if question["act"] == "check":
        found = check_template(question["source"], facts, also=question["also"])
        return {"complaints": [[one.line, one.severity, one.what] for one in found]}
    links = MessageLinks(*question["links"])
    try:
        rendered = Renderer().render(facts, links)
    except RemindersError as error:
        return {"broken": str(error)}
    return {"rendered": [rendered.subject, rendered.text, rendered.html, rendered.template_version]}


if __name__ == "__main__":
    findings({"text": "the word lists are read before the clock of the work starts"}, None)
    serve(answer)
