"""Turns the facts of one message into its words, with the templates that travel with the product.

Invariant: a template sees strings and flags, never an object; a value that is missing, holds a control character or is
too long stops the message; and whatever a value holds, the HTML shows it as text.
"""

import hashlib
import re
import textwrap
import unicodedata
from pathlib import Path

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from reminders import paths
from reminders.errors import CannotDo
from reminders.mail import wording
from reminders.mail.address import mailto
from reminders.mail.message import MessageFacts, MessageLinks, RenderedMessage

LONGEST_VALUE = 2_000
LONGEST_SUBJECT = 50  # characters: what a telephone shows of it
COLUMNS = 76  # 78 at most (RFC 5322 2.1.1), and room for one mark of a reply
_GLUE = "\x1f"  # stands for a blank at which no line may end; no value can hold it
_LONGEST_GLUED = 40
_BREAKING = {"Cc", "Cs", "Zl", "Zp"}
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # they could make a line read backwards


class UnprintableValue(CannotDo):
    """The message cannot be written: {field} {problem}. Correct it, then plan again."""


class TemplateBroken(CannotDo):
    """The template {template} cannot be filled: {problem}. Mend the template; its messages wait until then."""


class Renderer:
    """Fills the templates of one folder; reads each of them once in its life."""

    def __init__(self, folder: Path | None = None) -> None:
        """Take the templates of `folder`, by default the product's own."""
        self._folder = folder or paths.templates() / "email"
        self._environment = _sandbox(self._folder)
        self._versions: dict[str, str] = {}

    def version(self, facts: MessageFacts) -> str:
        """Return what changes whenever the words of this kind of message change: a hash of its five files."""
        step = _step_of(facts)
        if step not in self._versions:
            digest = hashlib.sha256()
            for name in ("base.txt", "base.html", f"{step}/subject.txt", f"{step}/body.txt", f"{step}/body.html"):
                digest.update(self._bytes(name))
                digest.update(b"\0")
            self._versions[step] = digest.hexdigest()[:16]
        return self._versions[step]

    def render(self, facts: MessageFacts, links: MessageLinks) -> RenderedMessage:
        """Return the message in words; raises `UnprintableValue` or `TemplateBroken`."""
        values = _values(facts, links)
        step = _step_of(facts)
        values["subject"] = self._subject(step, values["sender"])
        text = _wrapped(self._fill("base.txt", _kept_together(values, facts) | {"body": f"{step}/body.txt"}))
        html = self._fill("base.html", values | {"body": f"{step}/body.html"})
        return RenderedMessage(values["subject"], text, html, self.version(facts))

    def _subject(self, step: str, sender: str) -> str:
        """Return the subject with as much of the sender's name as fits, whole words only."""
        words = sender.split(" ")
        for count in range(len(words), -1, -1):
            shown = " ".join(words[:count]).rstrip(" ,;:&-–")
            subject = " ".join(self._fill(f"{step}/subject.txt", {"sender": shown}).split())
            if len(subject) <= LONGEST_SUBJECT:
                return subject
        raise TemplateBroken(template=f"{step}/subject.txt", problem=f"it is over {LONGEST_SUBJECT} characters")

    def _fill(self, name: str, values: dict[str, str]) -> str:
        try:
            return self._environment.get_template(name).render(values)
        except jinja2.TemplateError as error:
            raise TemplateBroken(template=name, problem=error.message or type(error).__name__) from error

    def _bytes(self, name: str) -> bytes:
        try:
            return (self._folder / name).read_bytes()
        except OSError as error:
            raise TemplateBroken(template=name, problem="it cannot be read") from error


def _sandbox(folder: Path) -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        loader=jinja2.FileSystemLoader(folder),
        undefined=jinja2.StrictUndefined,
        autoescape=_is_html,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # what a template could burn time, memory or secrets with: range, lipsum, cycler, attr, format, …
    environment.globals.clear()
    environment.filters.clear()
    environment.tests.clear()
    return environment


def _is_html(name: str | None) -> bool:
    return name is None or name.endswith(".html")


def _step_of(facts: MessageFacts) -> str:
    return f"{facts.class_name}/{facts.stage}"


def _values(facts: MessageFacts, links: MessageLinks) -> dict[str, str]:
    """Return everything a template may show; an empty string stands for "there is none"."""
    who = wording.who_sees_the_patient(facts)
    values = {
        "clinic": facts.clinic_name,
        "sender": facts.sender_name,
        "reply_to": facts.reply_to,
        "phone": facts.phone or "",
        "booking_url": facts.booking_url or "",
        "postal_address": wording.address_on_one_line(facts.postal_address),
        "name": facts.patient_name,
        "who": who,
        "Who": who[:1].upper() + who[1:],
        "label": facts.label,
        "request_url": links.request_url or "",
        "stop_url": links.stop_url or "",
    }
    values = {field: _printable(field, value) for field, value in values.items()}
    return values | {
        "name": values["name"] if values["name"].strip() else "",  # nobody is greeted as a wide blank
        "language": wording.LANGUAGE,
        "heading": wording.CONSULTATION_HEADING,
        "window": wording.window_in_words(facts),
        "emergency": wording.emergency_number(facts.jurisdiction),
        "phone_link": wording.phone_link(facts.phone),
        "reply_link": mailto(facts.reply_to),
        "stop_link": mailto(facts.reply_to, "STOP"),
        "medical": "yes" if facts.class_name == "medical" else "",
        "representative": "yes" if facts.recipient_is_representative else "",
    }


def _printable(field: str, value: str) -> str:
    """Return a value with its runs of blanks made single; letters of every script pass, line ends never."""
    if len(value) > LONGEST_VALUE:
        raise UnprintableValue(field=field, problem=f"is longer than {LONGEST_VALUE} characters")
    if any(mark in _TURNING or unicodedata.category(mark) in _BREAKING for mark in value):
        raise UnprintableValue(field=field, problem="holds a control character")
    return re.sub(" +", " ", value).strip(" ")


def _kept_together(values: dict[str, str], facts: MessageFacts) -> dict[str, str]:
    """Return the values with names, numbers and days glued, so that no line of the text ends inside one."""
    glued = {field: values[field] for field in ("clinic", "name", "who", "Who", "phone")}
    glued = {field: value.replace(" ", _GLUE) for field, value in glued.items() if len(value) <= _LONGEST_GLUED}
    window = values["window"]
    for day in (facts.opens, facts.closes):
        words = wording.day_in_words(day, facts.jurisdiction)
        window = window.replace(words, words.replace(" ", _GLUE))
    return values | glued | {"window": window}


def _wrapped(text: str) -> str:
    """Return the text with every line wrapped by words, no blank at a line's end, and one empty line at most."""
    lines: list[str] = []
    for line in text.split("\n"):
        filled = textwrap.wrap(line, COLUMNS, break_long_words=False, break_on_hyphens=False) or [""]
        lines += filled if lines[-1:] != [""] or filled != [""] else []
    return "\n".join(line.rstrip(" ") for line in lines).strip("\n").replace(_GLUE, " ") + "\n"
