"""Fills a template that came from a clinic, or one of our own in the same form: strings in, bounded words out.

Invariant: nothing is compiled that `syntax` did not pass; the environment holds six filters and nothing else, no
globals, no tests, no loader; a value is a string of bounded length, and so is what comes out.
"""

import dataclasses
import datetime as dt
import functools
import re
from collections.abc import Callable, Mapping
from typing import cast

import jinja2
from babel.dates import format_time
from jinja2 import pass_context
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from reminders.mail import wording
from reminders.mail.message import Jurisdiction
from reminders.mail.render.syntax import BARE, BODY_NAMES, SUBJECT_NAMES, read
from reminders.mail.render.values import APART, GLUE, JOINED, LONGEST_VALUE
from reminders.mail.templates.file import Complaint, TemplateParts, TemplateUnreadable, parse
from reminders.mail.templates.outline import Pieces

LONGEST_OUTPUT = 256 * 1024
"""Letters of one part, counted while it is filled."""

_NO_VALUE = f"the value {{}} is no text, or longer than {LONGEST_VALUE} letters"
_TOO_MUCH = f"what it says is over {LONGEST_OUTPUT // 1024} KB"
_NO_TEXT = "only text can be shown"
_NO_DAY = 'date can be used with opens, closes or a day such as "2027-03-25"'
_NO_TIME = 'time can be used with a time such as "17:30"'
_DAY = re.compile(r"(?:19|2[0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
_MARKS = str.maketrans({GLUE: " ", APART: None, JOINED: None})
_WORD_BEGINS = re.compile(r"(?<![^\W_])(?<!['’])[^\W_]")
_PARAGRAPH_ENDS = re.compile(r"\n[ \t]*\n[ \t\n]*")  # not \s, to which the product's own marks are blanks
_BLANKS = re.compile(r"[ \t\n]+")


@dataclasses.dataclass(frozen=True, slots=True)
class FilledPart:
    """A part that passed: filled with `fill`; `pieces` is what it says, for whoever examines it.

    `used` are the names that stand anywhere in it, `worked_on` those of them that are filtered or compared.
    """

    pieces: Pieces
    used: frozenset[str]
    worked_on: frozenset[str]
    template: jinja2.Template

    def fill(self, values: Mapping[str, str]) -> str:
        """Return the part with the values; raises `jinja2.TemplateError` where a value or the output is refused."""
        for field, value in values.items():
            if type(value) is not str or len(value) > LONGEST_VALUE + len(APART + JOINED):
                raise SecurityError(_NO_VALUE.format(field))
        written, length = [], 0
        for piece in self.template.generate(values):
            length += len(piece)
            if length > LONGEST_OUTPUT:
                raise SecurityError(_TOO_MUCH)
            written.append(piece)
        return "".join(written)


@dataclasses.dataclass(frozen=True, slots=True)
class OwnWords:
    """A whole template, ready to be filled any number of times."""

    parts: TemplateParts
    subject_part: FilledPart
    text_part: FilledPart
    html_part: FilledPart | None

    @property
    def used(self) -> frozenset[str]:
        """Return the names of the values that the words show or ask for."""
        return frozenset().union(*(part.used for part in self._bodies()))

    @property
    def worked_on(self) -> frozenset[str]:
        """Return the names whose values are not shown as they are: they go through a filter, or are compared."""
        return frozenset().union(*(part.worked_on for part in self._bodies()))

    def _bodies(self) -> list[FilledPart]:
        return [self.text_part, self.html_part] if self.html_part else [self.text_part]

    def subject(self, values: Mapping[str, str]) -> str:
        """Return the subject on one line."""
        return " ".join(self.subject_part.fill(values).split())

    def paragraphs(self, values: Mapping[str, str]) -> tuple[str, ...]:
        """Return the words as paragraphs of one line each."""
        return paragraphs(self.text_part.fill(values))

    def html(self, values: Mapping[str, str]) -> str | None:
        """Return the clinic's own HTML with every value escaped, not yet cleaned; None where it wrote none."""
        return self.html_part.fill(values) if self.html_part else None


@functools.lru_cache(256)  # a long-lived process meets the templates of all its clinics, and their older versions
def prepare(source: str) -> OwnWords:
    """Return the template that a file's text is; raises `TemplateUnreadable` with every complaint about it."""
    parts = parse(source)
    found: list[Complaint] = []
    subject = _part(parts.subject, parts.subject_line, SUBJECT_NAMES, found)
    text = _part(parts.text, parts.text_line, BODY_NAMES, found)
    html = None
    if parts.html is not None and parts.html_line is not None:
        html = _part(parts.html, parts.html_line, BODY_NAMES, found, html=True)
    if found or subject is None or text is None:
        raise TemplateUnreadable(*found)
    return OwnWords(parts, subject, text, html)


def paragraphs(text: str) -> tuple[str, ...]:
    """Return the paragraphs of a text, which empty lines part, each on one line with single blanks."""
    found = (_BLANKS.sub(" ", paragraph).strip(" ") for paragraph in _PARAGRAPH_ENDS.split(text))
    return tuple(paragraph for paragraph in found if paragraph)


def environment(*, html: bool) -> ImmutableSandboxedEnvironment:
    """Return the environment of a clinic's templates; in HTML every value is escaped."""
    made = ImmutableSandboxedEnvironment(
        undefined=jinja2.StrictUndefined,
        autoescape=html,
        optimized=False,  # what could be worked out at once could also fill the memory at once
        finalize=_only_text,
        loader=None,
        extensions=(),
        cache_size=0,
    )
    made.globals.clear()
    made.tests.clear()
    made.filters.clear()
    made.filters.update(_FILTERS)
    return made


def _part(
    source: str, first_line: int, names: frozenset[str], found: list[Complaint], *, html: bool = False
) -> FilledPart | None:
    cage = environment(html=html)
    part, complaints = read(cage, source, first_line, names)
    found += complaints
    return FilledPart(part.pieces, part.used, part.worked_on, cage.from_string(part.tree)) if part else None


@pass_context  # which also keeps the engine from working anything out while it compiles
def _only_text(_context: Context, value: object) -> str:
    if type(value) is not str:
        raise SecurityError(_NO_TEXT)
    return value


def _upper(value: str) -> str:
    return value.upper()


def _lower(value: str) -> str:
    return value.lower()


def _title(value: str) -> str:
    """Return the text with each word's first letter large; the rest stays ("McAdam")."""
    return _WORD_BEGINS.sub(lambda found: found[0].upper(), value)


def _default(value: str, instead: str) -> str:
    return value or instead


def _bare(value: str) -> str:
    return value.translate(_MARKS)


@pass_context
def _date(context: Context, value: str) -> str:
    if not value:
        return ""
    try:
        day = dt.date.fromisoformat(value if _DAY.fullmatch(value) else "")
    except ValueError:
        raise SecurityError(_NO_DAY) from None
    return wording.day_in_words(
        day, _language(context), cast("Jurisdiction | None", context.get("jurisdiction") or None)
    )


@pass_context
def _time(context: Context, value: str) -> str:
    if not value:
        return ""
    if not _TIME.fullmatch(value):
        raise SecurityError(_NO_TIME)
    time = dt.time.fromisoformat(value)
    american = context.get("jurisdiction") == "us" and _language(context) == "en"
    return format_time(time, "short", locale="en_US" if american else _locale(_language(context)))


def _language(context: Context) -> str:
    return str(context.get("language") or "en")


def _locale(language: str) -> str:
    return "en_GB" if language == "en" else language


_FILTERS: Mapping[str, Callable[..., str]] = {
    "upper": _upper,
    "lower": _lower,
    "title": _title,
    "default": _default,
    "date": _date,
    "time": _time,
    BARE: _bare,
}
