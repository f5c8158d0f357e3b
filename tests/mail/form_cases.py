"""Messages for the tests of form letters: every kind of clinic, and the same message written the ordinary way.

Invariant: what is expected of a form letter is worked out by the ordinary way alone.
"""

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from reminders.errors import RemindersError
from reminders.mail.check import ensure_sendable
from reminders.mail.compose import blank_tokens, compose, message_id
from reminders.mail.form_letter import FormLetters, Written
from reminders.mail.logo import prepare_logo
from reminders.mail.message import MessageFacts, MessageLinks, OwnTemplate
from reminders.mail.words import LANGUAGES
from tests.mail.letters import DATE, NO_LINKS, RENDERER, STEPS, facts
from tests.mail.pictures import drawn, filed
from tests.mail.templates import ORDINARY, with_html, with_words

LOGO = prepare_logo(filed(drawn()))
NAMES = (
    "Odile",
    "Anna",
    "Jean-Luc",
    "Anna Maria",
    "José",
    "花子",
    "فاطمة",
    "Ελένη",
    "Maximiliane",
    "De’Angelo",
    "Dr. Stone",
)
"""All but the last two words of the last are usual; some need quoting, some are long, some have two words."""

OWN = (
    None,
    OwnTemplate(1, 1, ORDINARY),
    OwnTemplate(2, 1, with_words("We look forward to seeing you, {{ name }}. {{ name }}, take your time.")),
    OwnTemplate(3, 1, with_words("You can come from {{ opens|date }} on. {{ window }}")),
    OwnTemplate(4, 1, with_html("<p>Dear {{ name }}, {{ window }}</p>")),
    OwnTemplate(5, 1, with_words('{% if name == "Anna" %}We know you.{% endif %} {{ name|upper }}')),
    OwnTemplate(6, 1, with_words("{% if name %}Good day {{ name }}! {% endif %}" + "A long line goes on and on. " * 9)),
)
KINDS = st.fixed_dictionaries(
    {
        "language": st.sampled_from(LANGUAGES),
        "step": st.sampled_from(STEPS),
        "jurisdiction": st.sampled_from([None, "us", "uk", "au", "eu"]),
        "logo": st.sampled_from([None, None, LOGO]),
        "own": st.sampled_from(OWN),
        "phone": st.sampled_from([None, "+44 20 7946 0018"]),
        "booking_url": st.sampled_from([None, "https://harbour.example/visit", f"https://h.example/p/{'a' * 20}"]),
        "practitioner": st.sampled_from([None, "Dr Mary Stone", "Δρ. Ελένη Παπαδοπούλου"]),
        "clinic_name": st.sampled_from(["Harbour Clinic", "Klinik Übersee", "مركز الميناء"]),
        "postal_address": st.sampled_from([None, "1 Quay Street\nLondon N1 1AA"]),
        "recipient_is_representative": st.booleans(),
        "window_is_open": st.booleans(),
        "linked": st.booleans(),
    }
)
DAYS = st.dates(dt.date(2026, 1, 1), dt.date(2031, 12, 31))


def kind(drawn_kind: dict[str, Any]) -> tuple[MessageFacts, bool]:
    """Return the facts of a drawn kind, and whether its messages have links."""
    changes = dict(drawn_kind)
    class_name, stage = changes.pop("step")
    linked = changes.pop("linked")
    if changes["language"] != "en":
        changes["own"] = None  # the examples are in English
    return facts(class_name=class_name, stage=stage, **changes), linked


def addressed(shown: MessageFacts, name: str, number: int, opens: dt.date) -> MessageFacts:
    """Return the facts of one message of a kind."""
    closes = opens + dt.timedelta(days=60 + number)
    return dataclasses.replace(
        shown, patient_name=name, recipient=f"p{number}.x@home{number % 3}.example", opens=opens, closes=closes
    )


def links_of(number: int, *, linked: bool = True) -> MessageLinks:
    """Return links as they are minted."""
    if not linked:
        return NO_LINKS
    request, stop = (f"{number}aZ-_{letter}0q" * 9 for letter in "rs")
    return MessageLinks(
        f"https://reminders.harbour.example/p/{request[:43]}", f"https://reminders.harbour.example/u/{stop[:43]}"
    )


def ordinary(shown: MessageFacts, links: MessageLinks, name: str) -> tuple[bytes, bytes, str]:
    """Return a message, the same with blanked tokens, and its version, written without any form."""
    rendered = RENDERER.render(shown, links)
    ensure_sendable(rendered, shown, links)
    content = compose(rendered, shown, links, name, DATE)
    return content, blank_tokens(content), rendered.template_version


def both(
    letters: FormLetters, shown: MessageFacts, links: MessageLinks, number: int
) -> tuple[object, object, bytes | None]:
    """Return what the two ways make of a message, or say of it, and the pattern where it came from a form."""
    name = message_id(f"{number:032x}", shown.sender_address)
    written: list[Written] = []

    def fast() -> tuple[bytes, bytes, str]:
        written.append(letters.write(shown, links, name, DATE))
        return written[0].content, written[0].blanked, written[0].version

    said, expected = _said(fast), _said(lambda: ordinary(shown, links, name))
    return said, expected, written[0].pattern if written else None


def _said(write: Callable[[], tuple[bytes, bytes, str]]) -> object:
    try:
        return write()
    except RemindersError as error:
        return type(error), str(error)
