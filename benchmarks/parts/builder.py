"""What it costs to make a message: processor time of ours beside `EmailMessage`, the same words and fields."""

import datetime as dt
import importlib
import importlib.util
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from benchmarks.bench import Bench, Part
from benchmarks.rounds import Contestant, Sample, Turn, interleaved
from benchmarks.seed import GIVEN, PRACTITIONERS
from reminders.clock import SystemClock
from reminders.mail.compose import compose, message_id
from reminders.mail.message import MessageFacts, MessageLinks, RenderedMessage
from reminders.mail.render import Renderer

FORM_LETTERS = "reminders.mail.form_letter"
LEAST_S = 0.3
"""So long a turn goes on at least, letter after letter: a shorter one would measure the clock."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What is known of one message before it is made, and its words."""

    facts: MessageFacts
    links: MessageLinks
    message_id: str
    date: dt.datetime
    words: RenderedMessage


def measure(bench: Bench) -> Part:
    """Make the same messages in every way, by turns."""
    part, renderer = Part("builder"), Renderer()
    letters = [_letter(renderer, number, bench.sizes.clinics) for number in range(bench.sizes.letters)]
    ways: list[tuple[str, str, Callable[[Letter], object]]] = [
        ("email", "`EmailMessage`: fields, text and HTML given, `as_bytes`", _email_message),
        ("compose", "ours from given words", _composed),
        ("words", "ours with its words, each rendered anew", lambda letter: _whole(renderer, letter)),
    ]
    if (form := _form_letters(renderer)) is not None:
        ways.append(("form", "ours as a form letter: words, check, bytes and what is kept of them", form))
    contestants = [Contestant(key, label, _writing(letters, way)) for key, label, way in ways]
    rounds = interleaved(contestants, bench.sizes.rounds, bench.folder)
    part.heard(rounds)
    for one in contestants:
        part.add(one.key, one.label, "µs", [1_000_000 / rate for rate in rounds.rates(one.key)])
    part.ratio("builder", "", rounds.ratios("email", "form" if form else "compose"))
    part.notes.append(
        f"A message has {len(_composed(letters[0])):,} bytes; the letters of {bench.sizes.clinics} clinics take turns."
    )
    return part


def _writing(letters: Sequence[Letter], way: Callable[[Letter], object]) -> Turn:
    def turn(_: int) -> Sample:
        made, began = 0, time.process_time()
        while (spent := time.process_time() - began) < LEAST_S:
            for letter in letters:
                way(letter)
            made += len(letters)
        return Sample(made, spent)

    return turn


def _form_letters(renderer: Renderer) -> Callable[[Letter], object] | None:
    """Return the product's quick way, where this version of it has one."""
    if importlib.util.find_spec(FORM_LETTERS) is None:
        return None
    forms = importlib.import_module(FORM_LETTERS).FormLetters(renderer)
    return lambda letter: forms.write(letter.facts, letter.links, letter.message_id, letter.date)


def _composed(letter: Letter) -> bytes:
    return compose(letter.words, letter.facts, letter.links, letter.message_id, letter.date)


def _whole(renderer: Renderer, letter: Letter) -> bytes:
    words = renderer.render(letter.facts, letter.links)
    return compose(words, letter.facts, letter.links, letter.message_id, letter.date)


def _email_message(letter: Letter) -> bytes:
    facts, message = letter.facts, EmailMessage(policy=SMTP)
    message["From"] = f"{facts.sender_name} <{facts.sender_address}>"
    message["Reply-To"] = facts.reply_to
    message["To"] = facts.recipient
    message["Subject"] = letter.words.subject
    message["Date"] = format_datetime(letter.date)
    message["Message-ID"] = letter.message_id
    message["List-Unsubscribe"] = f"<{letter.links.stop_url}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message["Content-Language"] = facts.language
    message.set_content(letter.words.text)
    message.add_alternative(letter.words.html, subtype="html")
    return message.as_bytes()


def _letter(renderer: Renderer, number: int, clinics: int) -> Letter:
    clinic, now = number % clinics, SystemClock().now()
    own, today = f"clinic-{clinic}.example", now.date()
    facts = MessageFacts(
        clinic_name=f"Harbour Clinic {clinic}",
        sender_name=f"Harbour Clinic {clinic}",
        sender_address=f"hello@{own}",
        reply_to=f"hello@{own}",
        phone="+44 20 7946 0000",
        booking_url=f"https://{own}/book",
        postal_address=f"{clinic + 1} High Street, London",
        language="en",
        jurisdiction="uk",
        class_name="cosmetic",
        stage="invitation",
        recipient=f"p{number}@patients.example",
        recipient_is_representative=False,
        patient_name=GIVEN[number % len(GIVEN)],
        practitioner=PRACTITIONERS[number % len(PRACTITIONERS)],
        label="a follow-up consultation",
        opens=today + dt.timedelta(days=14),
        closes=today + dt.timedelta(days=105),
        window_is_open=False,
        reminder_keys=(f"{clinic}:{number}:1:invitation:0",),
    )
    token = f"{number:043d}"
    base = "https://reminders.clinic.example"
    links = MessageLinks(f"{base}/p/{token}", f"{base}/u/{token}")
    return Letter(facts, links, message_id(f"{number:032x}", facts.sender_address), now, renderer.render(facts, links))
