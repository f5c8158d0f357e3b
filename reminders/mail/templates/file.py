"""Reads the file that a template is: a subject, words in paragraphs, and if wanted the same words as HTML.

Invariant: what is returned is printable text of bounded size whose every part knows the line it began on; whatever is
wrong is said with its line, and nothing of the words is repeated.
"""

import dataclasses
from typing import Literal

from reminders.errors import BadInput
from reminders.mail.unseen import MOST_MARKS, piled, unprintable

LARGEST_SOURCE = 64 * 1024
"""Bytes in UTF-8; the longest shipped template has less than two thousand."""

SUBJECT = "Subject:"
HTML_MARK = "--- html ---"
PILED = f"more than {MOST_MARKS} accents stand on one letter: remove them"
Severity = Literal["error", "warning"]


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Complaint:
    """What is wrong with a template: the line it stands on (None: the file as a whole), how much, and what to do."""

    line: int | None
    severity: Severity
    what: str


@dataclasses.dataclass(frozen=True, slots=True)
class TemplateParts:
    """A template's file taken apart; each `…_line` is the line of the file its part begins on, counted from 1."""

    subject: str
    subject_line: int
    text: str
    text_line: int
    html: str | None = None
    html_line: int | None = None


class TemplateUnreadable(BadInput):
    """The template cannot be read: {problem}."""

    def __init__(self, *complaints: Complaint) -> None:
        """Keep the complaints, in the order of their lines."""
        self.complaints = complaints
        said = (f"line {one.line}: {one.what}" if one.line else one.what for one in complaints)
        self.problem = "; ".join(said)
        super().__init__(problem=self.problem)


def decoded(content: bytes) -> str:
    """Return a file's text, line ends as LF, no byte order mark; raises `TemplateUnreadable` where it is no UTF-8."""
    if len(content) > LARGEST_SOURCE:
        raise TemplateUnreadable(Complaint(None, "error", f"it is over {LARGEST_SOURCE // 1024} KB"))
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        what = "it is not written in UTF-8: save it with that encoding"
        raise TemplateUnreadable(Complaint(line, "error", what)) from None


def parse(text: str) -> TemplateParts:
    """Take a template's text apart; raises `TemplateUnreadable` with every complaint about its form."""
    if len(text) > LARGEST_SOURCE or len(text.encode("utf-8", "surrogatepass")) > LARGEST_SOURCE:
        raise TemplateUnreadable(Complaint(None, "error", f"it is over {LARGEST_SOURCE // 1024} KB"))
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    lines = text.split("\n")
    found = [*_unprintable(lines), *_misplaced(lines)]
    if found:
        raise TemplateUnreadable(*sorted(found, key=lambda one: one.line or 0))
    marks = [at for at, line in enumerate(lines) if line.strip() == HTML_MARK]
    end = marks[0] if marks else len(lines)
    return TemplateParts(
        subject=lines[0][len(SUBJECT) :].strip(" \t"),
        subject_line=1,
        text="\n".join(lines[1:end]),
        text_line=2,
        html="\n".join(lines[end + 1 :]) if marks else None,
        html_line=end + 2 if marks else None,
    )


def _unprintable(lines: list[str]) -> list[Complaint]:
    what = "it holds a character that cannot be seen (a control, or one that turns the direction of writing): remove it"
    found = [
        Complaint(number, "error", what)
        for number, line in enumerate(lines, start=1)
        if not (line.isascii() and line.isprintable()) and any(unprintable(mark) for mark in line if mark != "\t")
    ]
    return found + [Complaint(number, "error", PILED) for number, line in enumerate(lines, start=1) if piled(line)]


def _misplaced(lines: list[str]) -> list[Complaint]:
    """Return complaints about the order of the parts."""
    found = []
    if not lines[0].startswith(SUBJECT):
        found.append(Complaint(1, "error", f'it must begin with "{SUBJECT}" and the subject on the same line'))
    elif not lines[0][len(SUBJECT) :].strip():
        found.append(Complaint(1, "error", "the subject is empty"))
    if len(lines) > 1 and lines[1].strip():
        found.append(Complaint(2, "error", "an empty line must part the subject from the words"))
    marks = [at for at, line in enumerate(lines) if line.strip() == HTML_MARK]
    found += [Complaint(at + 1, "error", f'"{HTML_MARK}" stands there a second time') for at in marks[1:]]
    end = marks[0] if marks else len(lines)
    if not any(line.strip() for line in lines[2:end]):
        found.append(Complaint(min(3, len(lines)), "error", "there are no words below the subject"))
    if marks and not any(line.strip() for line in lines[marks[0] + 1 :]):
        found.append(Complaint(marks[0] + 1, "error", f'there is nothing below "{HTML_MARK}": leave the mark out'))
    return found
