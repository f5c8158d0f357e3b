"""Prepares one form letter: a message with slots, cut out of what the ordinary way writes for marks.

Invariant: a form exists only where the marked message passed the whole check, shows the name in both bodies, and holds
nothing whose finding could hang on the name or the days; it holds no value of any patient's.
"""

import dataclasses
import datetime as dt
import functools
import re
from collections.abc import Callable, Mapping, Sequence
from email.utils import format_datetime
from typing import NamedTuple

from markupsafe import escape

from reminders.mail import compose, form_marks, usual, wording
from reminders.mail.form_body import NAME, REQUEST, STOP, WINDOW, Body, Line, NoForm, Parts, Tokens
from reminders.mail.message import MessageFacts, MessageLinks
from reminders.mail.render import GLUE, Renderer, glued_window, wrapped

_TEXT, _HTML = b"\0text\0", b"\0html\0"
_MOST_WINDOWS = 32
_NEUTRAL_DAYS = (dt.date(2001, 2, 13), dt.date(2001, 5, 13))

_RECIPIENT, _DATE, _ID, _TOKEN, _BOUNDARY, _INNER, _TEXT_PART, _HTML_PART = range(8)


class Filled(NamedTuple):
    """A message, and the same with blanked tokens."""

    content: bytes
    blanked: bytes


class Values(NamedTuple):
    """What is filled in; every value is usual. Tokens are empty where the message has no such links."""

    name: str
    recipient: str
    message_id: str
    date: dt.datetime
    opens: dt.date
    closes: dt.date
    request: str
    stop: str


class Form:
    """One form letter.

    `version` is that of its templates; `pattern` the message with every slot empty, None where the days are no slots.
    `pieces` are what a name stands in, between two blanks, where it is `marks`.
    """

    def __init__(self, renderer: Renderer, facts: MessageFacts, links: MessageLinks, name: usual.Name) -> None:
        """Prepare the form of this message. Raises `NoForm`, or what writing the marked message raises."""
        own = renderer.words(facts)
        if "name" in own.worked_on:
            raise NoForm
        self.days_vary = own.used.isdisjoint({"window", "opens", "closes"})
        self.marks = form_marks.NAMES[: len(name.words)]
        self._facts = dataclasses.replace(
            facts, patient_name=form_marks.marked_name(name), recipient=form_marks.RECIPIENT, reminder_keys=()
        )
        links, self._tokens = form_marks.marked_links(links)
        draft = renderer.draft(self._facts, links)
        rendered = draft.finished()
        form_marks.need_independence(rendered, self._facts, links, self.marks)
        text = form_marks.cut_text(draft.text, self._slots(GLUE))
        html = [form_marks.cut(line, self._slots()) for line in rendered.html.split("\n")]
        form_marks.need_slots(text, html, rendered, self.marks, days_vary=self.days_vary)
        self.pieces = form_marks.pieces_with(rendered, self.marks)
        self._shown = form_marks.shown_words(rendered)
        self._text, self._html = _Bodies(text, wrapped, self._tokens), _Bodies(html, _as_line, self._tokens)
        self._frame, self._blanked_frame = _frames(rendered.subject, self._facts, links, self._tokens)
        self._windows = functools.lru_cache(_MOST_WINDOWS)(self._windows_of)
        self.version = draft.template_version
        pattern = self._checked_pattern()
        self.pattern = pattern if self.days_vary else None

    def says(self, text: str, name: usual.Name) -> bool:
        """Tell whether a name of several words stands in the message anyway: filled in, it could not be told apart."""
        return len(name.words) > 1 and any(said in self._shown for said in (text, text.upper(), text.lower()))

    def fill(self, values: Values) -> Filled:
        """Return the message with these values; raises `NoForm` where it lacks what every message must hold."""
        text_window, html_window = self._windows(values.opens, values.closes)
        tokens = {REQUEST: values.request, STOP: values.stop}
        text = self._text.lines(text_window, {NAME: values.name.replace(" ", GLUE), **tokens})
        html = self._html.lines(html_window, {NAME: values.name.replace("'", "&#39;"), **tokens})
        cut = (b"", b"", values.request.encode(), values.stop.encode())
        boundary = compose.boundary_of(values.message_id)
        known = [
            values.recipient.encode(),
            format_datetime(values.date.astimezone(dt.UTC)).encode(),
            values.message_id.encode(),
            cut[STOP],
            boundary.encode(),
            compose.inner_boundary(boundary).encode(),
            self._text.sent.fill("plain", text[0], cut),
            self._html.sent.fill("html", html[0], cut),
        ]
        content = self._frame.fill(known)
        known[_TEXT_PART] = self._text.kept.fill("plain", text[1], cut)
        known[_HTML_PART] = self._html.kept.fill("html", html[1], cut)
        return Filled(content, self._blanked_frame.fill(known))

    def _slots(self, glue: str = "") -> dict[str, int]:
        """Return what stands for what: in the HTML, and with `glue` in the text."""
        name = self._facts.patient_name
        window = glued_window(self._facts) if glue else str(escape(wording.window_in_words(self._facts)))
        found = {name.replace(" ", glue) if glue else str(escape(name)): NAME, **self._tokens.marks}
        return found | ({window: WINDOW} if self.days_vary else {})

    def _windows_of(self, opens: dt.date, closes: dt.date) -> tuple["_Window", "_Window"]:
        facts = dataclasses.replace(self._facts, opens=opens, closes=closes)
        text, html = glued_window(facts), str(escape(wording.window_in_words(facts)))
        return self._text.window(text), self._html.window(html)

    def _checked_pattern(self) -> bytes:
        """Return the message with every slot empty, and the same days for everybody; both bodies need the heading."""
        text, html = self._windows_of(*_NEUTRAL_DAYS)
        heading = wording.consultation_heading(self._facts.language)
        self._text.sent.need(heading, text.words)
        self._html.sent.need(str(escape(heading)), html.words)
        bodies = [self._text.sent.pattern(text.words), self._html.sent.pattern(html.words)]
        return self._frame.fill([b""] * _TEXT_PART + bodies)


class _Window(NamedTuple):
    """The window in the words of one body, and the lines it stands in, as they go and as they are kept.

    None stands for a line that is another for every patient.
    """

    words: str
    sent: list[Line | None]
    kept: list[Line | None]


class _Bodies:
    """A body as it goes, and as it is kept once its tokens are blanked."""

    def __init__(self, lines: Sequence[str | Parts], finish: Callable[[str], str], tokens: Tokens) -> None:
        self.sent, self.kept = Body(lines, finish, tokens), Body(lines, finish, tokens, blank=True)
        said = [self.sent.filled(line, {NAME: "", WINDOW: ""}) for line in self.sent.lines]
        self._alike = all(compose.blanked(line) == line for line in said)

    def window(self, words: str) -> _Window:
        """Return the lines that are the same for all who are offered these days."""
        sent = self._dated(self.sent, words)
        return _Window(words, sent, sent if self._alike else self._dated(self.kept, words))

    def lines(self, window: _Window, values: dict[int, str]) -> tuple[list[Line], list[Line]]:
        """Return the lines with their values, to go and to be kept; mostly they hold no link, and are the same."""
        values[WINDOW] = window.words
        sent = [
            known or self.sent.line(parts, values) for known, parts in zip(window.sent, self.sent.lines, strict=True)
        ]
        if self._alike:
            return sent, sent
        kept = zip(window.kept, self.kept.lines, strict=True)
        return sent, [known or self.kept.line(parts, values) for known, parts in kept]

    def _dated(self, body: Body, words: str) -> list[Line | None]:
        personal = {NAME, REQUEST, STOP}
        return [body.line(parts, {WINDOW: words}) if personal.isdisjoint(parts) else None for parts in body.lines]


class _Frame:
    """The head of a message, and what stands around its bodies."""

    def __init__(self, content: bytes, marks: Mapping[bytes, int]) -> None:
        """Cut it at its marks; raises `NoForm` unless each is there as often as it must be."""
        found = re.split(b"(" + b"|".join(map(re.escape, marks)) + b")", content)
        self._pieces = [b"" if piece in marks else piece for piece in found]
        self._slots = [(at, marks[piece]) for at, piece in enumerate(found) if piece in marks]
        seen = [slot for _, slot in self._slots]
        if any(seen.count(slot) != 1 for slot in (_RECIPIENT, _DATE, _ID, _TEXT_PART, _HTML_PART)):
            raise NoForm

    def fill(self, values: Sequence[bytes]) -> bytes:
        pieces = self._pieces.copy()
        for at, slot in self._slots:
            pieces[at] = values[slot]
        return b"".join(pieces)


def _frames(subject: str, facts: MessageFacts, links: MessageLinks, tokens: Tokens) -> tuple[_Frame, _Frame]:
    whole = compose.enclosed(
        subject, _TEXT, _HTML, facts, links, form_marks.MESSAGE_ID, form_marks.DATE, form_marks.BOUNDARY
    )
    marks = {
        form_marks.RECIPIENT.encode(): _RECIPIENT,
        format_datetime(form_marks.DATE).encode(): _DATE,
        form_marks.MESSAGE_ID.encode(): _ID,
        form_marks.BOUNDARY.encode(): _BOUNDARY,
        compose.inner_boundary(form_marks.BOUNDARY).encode(): _INNER,
        _TEXT: _TEXT_PART,
        _HTML: _HTML_PART,
        **{mark.encode(): _TOKEN for mark, slot in tokens.marks.items() if slot == STOP},
    }
    head, end, rest = whole.partition(b"\r\n\r\n")
    return _Frame(whole, marks), _Frame(compose.blanked(head.decode("ascii")).encode() + end + rest, marks)


def _as_line(words: str) -> str:
    return f"{words}\n"
