"""Tries a template that nobody has proven yet, in a process of its own: examined, or filled for one patient.

Invariant: not one line of an unproven source is read by the engine in this process; what the other one cannot do in
its limits is a complaint.
"""

import dataclasses
import sys
from collections.abc import Sequence

from reminders.mail.message import Jurisdiction, MessageFacts, MessageLinks, OwnTemplate, RenderedMessage
from reminders.mail.render import TemplateBroken
from reminders.mail.templates.check import UNNUMBERED
from reminders.mail.templates.confined import Limits, NoAnswer, Overran, ask
from reminders.mail.templates.file import Complaint
from reminders.mail.templates.plain import facts_as_plain

PROGRAM = (sys.executable, "-I", "-X", "utf8", "-m", "reminders.mail.templates.child")


def try_template(
    source: str, shown: MessageFacts, limits: Limits | None = None, also: Sequence[Jurisdiction] = ()
) -> tuple[Complaint, ...]:
    """Return every complaint about a template, as `check_template` does."""
    question = {"act": "check", "source": source, "facts": facts_as_plain(shown), "also": list(also)}
    try:
        answer = ask(question, PROGRAM, limits)
    except (Overran, NoAnswer) as error:
        return (Complaint(None, "error", _clause(error)),)
    found = tuple(Complaint(*one) for one in answer["complaints"])
    return (*found, *_about_limits(answer["unlimited"]))


def render_unproven(
    source: str, facts: MessageFacts, links: MessageLinks, limits: Limits | None = None
) -> RenderedMessage:
    """Return the message that a template makes of these facts; raises `TemplateBroken`."""
    shown = dataclasses.replace(facts, own=OwnTemplate(UNNUMBERED, UNNUMBERED, source))
    question = {"act": "render", "facts": facts_as_plain(shown), "links": [links.request_url, links.stop_url]}
    try:
        answer = ask(question, PROGRAM, limits)
    except (Overran, NoAnswer) as error:
        raise TemplateBroken(template="file", problem=_clause(error)) from None
    if "broken" in answer:
        raise TemplateBroken(template="file", problem=str(answer["broken"]))
    return RenderedMessage(*answer["rendered"])


def _about_limits(unlimited: list[str]) -> list[Complaint]:
    missing = [name for name in ("memory", "processor") if name in unlimited]
    if not missing:
        return []
    what = f"this system sets no limit on {' and '.join(missing)}: the clock alone bounded the look at it"
    return [Complaint(None, "warning", what)]


def _clause(error: Exception) -> str:
    said = str(error).rstrip(".")
    return said[:1].lower() + said[1:]
