"""Turns the facts of one message into its words: the product's frame around a template, its own or the clinic's.

Invariant: a template sees strings and flags, never an object, and whatever a value holds, the HTML shows it as text;
the consultation section and the ways to stop are the frame's, so no template can leave them out.
"""

import hashlib
import textwrap
from pathlib import Path

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from reminders import paths
from reminders.errors import CannotDo
from reminders.mail.message import MessageFacts, MessageLinks, RenderedMessage
from reminders.mail.render import values as shown
from reminders.mail.words import source as words_source

LONGEST_SUBJECT = 50  # characters: what a telephone shows of it
COLUMNS = 76  # 78 at most (RFC 5322 2.1.1), and room for one mark of a reply
PARAGRAPH = '<p class="text">{}</p>'


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
        """Return what changes whenever the words of this kind of message change."""
        frame = self._frame_version(facts)
        return f"own:{facts.own.id}.{facts.own.version}+{frame}" if facts.own else frame

    def render(self, facts: MessageFacts, links: MessageLinks) -> RenderedMessage:
        """Return the message in words; raises `UnprintableValue` or `TemplateBroken`."""
        values = shown.values_of(facts, links)
        name = _template_of(facts)
        source = self._source(facts)
        subject_source, _, body_source = source.partition("\n\n")
        subject = self._subject(name, subject_source.removeprefix("Subject: "), values["sender"])
        glued = shown.in_text(values, facts)
        body = self._fill(name, body_source, glued)
        text = self._frame("base.txt", {**glued, "body": body.strip("\n"), "said": shown.said_in_text(glued)})
        paragraphs = self._fill(name, body_source, shown.apart(values)).strip("\n").split("\n\n")
        html_body = "\n".join(PARAGRAPH.format(shown.as_html(paragraph)) for paragraph in paragraphs)
        frame = {**values, "subject": subject, "body": shown.Markup(html_body), "said": shown.said_in_html(values)}
        html = self._frame("base.html", frame)
        return RenderedMessage(subject, _wrapped(text), html, self.version(facts))

    def _source(self, facts: MessageFacts) -> str:
        return facts.own.source if facts.own else self._bytes(_template_of(facts)).decode()

    def _subject(self, name: str, source: str, sender: str) -> str:
        """Return the subject with as much of the sender's name as fits, whole words only."""
        words = sender.split(" ")
        for count in range(len(words), -1, -1):
            kept = " ".join(words[:count]).rstrip(" ,;:&-–")
            subject = " ".join(self._fill(name, source, {"sender": kept}).split())
            if len(subject) <= LONGEST_SUBJECT:
                return subject
        raise TemplateBroken(template=name, problem=f"its subject is over {LONGEST_SUBJECT} characters")

    def _fill(self, name: str, source: str, values: dict[str, str]) -> str:
        try:
            return self._environment.overlay(autoescape=False).from_string(source).render(values)
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
            for file in ("base.txt", "base.html", name):
                digest.update(self._bytes(file) + b"\0")
            self._versions[name] = digest.hexdigest()[:16]
        return self._versions[name]

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
    environment.filters = {"length": len}
    environment.tests.clear()
    return environment


def _is_html(name: str | None) -> bool:
    return name is None or name.endswith(".html")


def _template_of(facts: MessageFacts) -> str:
    return f"{facts.class_name}/{facts.stage}/{facts.language}.txt"


def _wrapped(text: str) -> str:
    """Return the text with every line wrapped by words, no blank at a line's end, and one empty line at most."""
    lines: list[str] = []
    for line in text.split("\n"):
        filled = textwrap.wrap(line, COLUMNS, break_long_words=False, break_on_hyphens=False) or [""]
        lines += filled if lines[-1:] != [""] or filled != [""] else []
    return "\n".join(line.rstrip(" ") for line in lines).strip("\n").replace(shown.GLUE, " ") + "\n"
