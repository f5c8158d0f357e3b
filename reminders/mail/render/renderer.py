"""Turns the facts of one message into its words: the product's frame around a template, its own or the clinic's.

Invariant: a template sees strings and flags, never an object, and whatever a value holds, the HTML shows it as text;
the consultation section and the ways to stop are the frame's, so no template can leave them out.
"""

import dataclasses
import hashlib
import re
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from reminders import paths
from reminders.errors import CannotDo
from reminders.mail.message import MessageFacts, MessageLinks, RenderedMessage
from reminders.mail.render import frame as frames
from reminders.mail.render import values as shown
from reminders.mail.render.sandbox import OwnWords, prepare
from reminders.mail.templates import cleaning
from reminders.mail.templates.file import TemplateUnreadable
from reminders.mail.words import source as words_source

LONGEST_SUBJECT = 50  # characters: what a telephone shows of it
COLUMNS = 76  # 78 at most (RFC 5322 2.1.1), and room for one mark of a reply
_AS_IT_IS = re.compile(rf"(?:\S[^\t\v\f\r]{{,{COLUMNS - 2}}})?[^\s\x1c-\x1f]")  # wrapping would change nothing
PARAGRAPH = Markup('<p class="text">{}</p>')


Filled = TypeVar("Filled")


class TemplateBroken(CannotDo):
    """The template {template} cannot be filled: {problem}. Mend the template; its messages wait until then."""


class Renderer:
    """Fills the templates of one folder; reads each of them once in its life."""

    def __init__(self, folder: Path | None = None) -> None:
        """Take the templates of `folder`, by default the product's own."""
        self._folder = folder or paths.templates() / "email"
        self._environment = _sandbox(self._folder)
        self._versions: dict[str, str] = {}
        self._read: dict[str, bytes] = {}

    def version(self, facts: MessageFacts) -> str:
        """Return what changes whenever the words of this kind of message change."""
        frame = self._frame_version(facts)
        return f"own:{facts.own.id}.{facts.own.version}+{frame}" if facts.own else frame

    def render(self, facts: MessageFacts, links: MessageLinks) -> RenderedMessage:
        """Return the message in words; raises `UnprintableValue` or `TemplateBroken`."""
        return self.draft(facts, links).finished()

    def draft(self, facts: MessageFacts, links: MessageLinks) -> "Draft":
        """Return the message in words whose text is not wrapped yet; raises as `render` does."""
        values = shown.values_of(facts, links)
        name, own = _named(facts), self.words(facts)
        subject = self._subject(name, own, values)
        glued = shown.in_text(values, facts)
        body = "\n\n".join(self._filled(name, own.paragraphs, glued))
        text = self._frame("base.txt", {**glued, "body": body, "said": shown.said_in_text(glued)})
        html_body = self._body(name, own, facts, shown.apart(values))
        frame = {**values, "subject": subject, "body": html_body, "said": shown.said_in_html(values)}
        look = frames.look_of(facts, values["direction"])
        html = frames.finished(self._frame(frames.NAME, {**frame, **look}), facts.colour, values["direction"])
        return Draft(subject, text, html, self.version(facts))

    def words(self, facts: MessageFacts) -> OwnWords:
        """Return the words of a message's template, the clinic's own or ours, read and examined once."""
        name = _template_of(facts)
        source = facts.own.source if facts.own else self._bytes(name).decode()
        try:
            return prepare(source)
        except TemplateUnreadable as error:
            raise TemplateBroken(template=_named(facts), problem=error.problem) from error

    def _subject(self, name: str, own: OwnWords, values: Mapping[str, str]) -> str:
        """Return the subject with as much of the sender's name as fits, whole words only."""
        words = values["sender"].split(" ")
        for count in range(len(words), -1, -1):
            kept = " ".join(words[:count]).rstrip(" ,;:&-–")
            subject = self._filled(name, own.subject, {"clinic": values["clinic"], "sender": kept})
            if len(subject) <= LONGEST_SUBJECT:
                return subject
        raise TemplateBroken(template=name, problem=f"its subject is over {LONGEST_SUBJECT} characters")

    def _body(self, name: str, own: OwnWords, facts: MessageFacts, values: Mapping[str, str]) -> Markup:
        """Return the words as HTML: the clinic's, which cleaning leaves as they are, or made of the paragraphs."""
        html = self._filled(name, own.html, values)
        if html is None:
            paragraphs = self._filled(name, own.paragraphs, values)
            return Markup("\n").join(PARAGRAPH.format(shown.as_html(paragraph)) for paragraph in paragraphs)
        cleaned = cleaning.clean(html, (facts.booking_url,) if facts.booking_url else ())
        if cleaning.changed(html, cleaned) is not None:
            raise TemplateBroken(template=name, problem="its HTML would not stay as it is written")
        return shown.set_apart(cleaned)

    def _filled(self, name: str, fill: Callable[[Mapping[str, str]], Filled], values: Mapping[str, str]) -> Filled:
        try:
            return fill(values)
        except jinja2.TemplateError as error:
            raise TemplateBroken(template=name, problem=error.message or type(error).__name__) from error

    def _frame(self, name: str, values: dict[str, object]) -> str:
        try:
            return self._environment.get_template(name).render(values)
        except jinja2.TemplateError as error:
            raise TemplateBroken(template=name, problem=error.message or type(error).__name__) from error

    def _frame_version(self, facts: MessageFacts) -> str:
        name = _template_of(facts)
        if name not in self._versions:
            digest = hashlib.sha256(words_source("mail", facts.language))
            digest.update(frames.version(self._bytes(frames.NAME).decode()).encode())
            for file in ("base.txt", name):
                digest.update(self._bytes(file) + b"\0")
            self._versions[name] = digest.hexdigest()[:16]
        return self._versions[name]

    def _bytes(self, name: str) -> bytes:
        if name not in self._read:
            try:
                self._read[name] = (self._folder / name).read_bytes()
            except OSError as error:
                raise TemplateBroken(template=name, problem="it cannot be read") from error
        return self._read[name]


def _sandbox(folder: Path) -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        loader=frames.FrameLoader(folder),
        undefined=jinja2.StrictUndefined,
        autoescape=_is_html,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    # what a template could burn time, memory or secrets with: range, lipsum, cycler, attr, format, …
    environment.globals.clear()
    environment.filters = {"length": len}
    environment.tests.clear()
    return environment


def _is_html(name: str | None) -> bool:
    return name is None or name.endswith((".html", ".mjml"))


def _template_of(facts: MessageFacts) -> str:
    return f"{facts.class_name}/{facts.stage}/{facts.language}.txt"


def _named(facts: MessageFacts) -> str:
    """Return what a complaint calls the template: a clinic's own by its version, one of ours by its file."""
    if facts.own is None:
        return _template_of(facts)
    return f"{facts.class_name}/{facts.stage}/{facts.language}@{facts.own.version}"


@dataclasses.dataclass(frozen=True, slots=True)
class Draft:
    """A message in words as the templates say them: each line of the text is as long as it came, blanks are glued."""

    subject: str
    text: str
    html: str
    template_version: str

    def finished(self) -> RenderedMessage:
        """Return the message as it may go."""
        return RenderedMessage(self.subject, wrapped(self.text), self.html, self.template_version)


def wrapped(text: str) -> str:
    """Return the text with every line wrapped by words, no blank at a line's end, and one empty line at most."""
    lines: list[str] = []
    for line in text.split("\n"):
        filled = _filled_up(line)
        lines += filled if lines[-1:] != [""] or filled != [""] else []
    return shown.as_text("\n".join(line.rstrip(" ") for line in lines).strip("\n") + "\n")


def _filled_up(line: str) -> list[str]:
    if _AS_IT_IS.fullmatch(line):
        return [line]
    return textwrap.wrap(line, COLUMNS, break_long_words=False, break_on_hyphens=False) or [""]
