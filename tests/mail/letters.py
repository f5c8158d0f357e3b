"""Example messages for the tests of this floor, and the golden files made of them.

`python -m tests.mail.letters` writes the golden files anew; read the difference before it is committed.
"""

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Any, get_args

from reminders.mail.compose import compose, message_id
from reminders.mail.message import MessageClass, MessageFacts, MessageLinks, Stage
from reminders.mail.render import Renderer
from reminders.mail.words import LANGUAGES, words

GOLDEN = Path(__file__).parent / "golden"
CLASSES: tuple[MessageClass, ...] = get_args(MessageClass)
STAGES: tuple[Stage, ...] = get_args(Stage)
STEPS = [(class_name, stage) for class_name in CLASSES for stage in STAGES]

DATE = dt.datetime(2027, 2, 17, 10, 0, tzinfo=dt.UTC)
LINKS = MessageLinks(
    "https://reminders.harbour.example/p/" + "q" * 43, "https://reminders.harbour.example/u/" + "z" * 43
)
NO_LINKS = MessageLinks()
RENDERER = Renderer()

_FACTS = MessageFacts(
    clinic_name="Harbour Clinic",
    sender_name="Harbour Clinic",
    sender_address="hello@harbour.example",
    reply_to="desk@harbour.example",
    phone="+44 20 7946 0018",
    booking_url="https://harbour.example/visit",
    postal_address="1 Quay Street\nLondon N1 1AA",
    language="en",
    jurisdiction="uk",
    class_name="cosmetic",
    stage="invitation",
    recipient="odile@home.example",
    recipient_is_representative=False,
    patient_name="Odile",
    practitioner="Dr Mary Stone",
    label="a follow-up consultation",
    opens=dt.date(2027, 3, 3),
    closes=dt.date(2027, 6, 3),
    window_is_open=False,
    reminder_keys=("episode-1/invitation/0",),
)


def facts(**changes: Any) -> MessageFacts:  # noqa: ANN401 - any field
    """Return the example's facts with some changed; the label follows the class and the language."""
    changed = dataclasses.replace(_FACTS, **changes)
    label = words("mail", changed.language)[f"label_{changed.class_name}"]
    return changed if "label" in changes else dataclasses.replace(changed, label=label)


def letter(facts: MessageFacts, links: MessageLinks = LINKS, seed: str = "0123456789abcdef") -> bytes:
    """Return the bytes of an example message."""
    rendered = RENDERER.render(facts, links)
    return compose(rendered, facts, links, message_id(seed, facts.sender_address), DATE)


def bare(class_name: MessageClass = "cosmetic", **changes: Any) -> MessageFacts:  # noqa: ANN401 - any field
    """Return the facts of a clinic that has nothing but its name and an address to reply to."""
    lacking = {"phone": None, "booking_url": None, "postal_address": None, "practitioner": None, "jurisdiction": None}
    return facts(class_name=class_name, **{**lacking, **changes})


def _spoken(language: str) -> MessageFacts:
    """Return an example of a language: every sentence of the frame that depends on something differs somewhere."""
    at = LANGUAGES.index(language)
    class_name, stage = STEPS[at % len(STEPS)]
    changes = {"class_name": class_name, "stage": stage, "window_is_open": at % 2 == 0, "opens": dt.date(2027, 3, 1)}
    return facts(language=language, jurisdiction="eu", practitioner=None if at % 3 else "Dr Mary Stone", **changes)


GOLDEN_LETTERS: dict[str, tuple[MessageFacts, MessageLinks]] = {
    **{f"{class_name}-{stage}": (facts(class_name=class_name, stage=stage), LINKS) for class_name, stage in STEPS},
    "cosmetic-open-us": (facts(jurisdiction="us", window_is_open=True, phone="(212) 555-0147"), LINKS),
    "cosmetic-bare": (bare(), NO_LINKS),
    "medical-representative": (facts(class_name="medical", recipient_is_representative=True), NO_LINKS),
    "cosmetic-other-scripts": (
        facts(
            clinic_name="Klinik Übersee",
            sender_name='Klinik Übersee, "die helle"',
            patient_name="花子",
            practitioner="Δρ. Ελένη Παπαδοπούλου",
            jurisdiction="eu",
            postal_address="Straße 1, 10115 Berlin",
        ),
        LINKS,
    ),
    **{f"language-{language}": (_spoken(language), LINKS) for language in LANGUAGES if language != "en"},
}


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for name, (shown, links) in GOLDEN_LETTERS.items():
        (GOLDEN / f"{name}.eml").write_bytes(letter(shown, links))
