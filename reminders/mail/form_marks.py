"""The marks a form letter is cut out by: what stands in a message in the place of every value that may change.

Invariant: where a mark is found again a value goes; whatever is left holds no part of a mark.
"""

import datetime as dt
import re
from collections.abc import Iterator, Sequence

from reminders.mail import compose
from reminders.mail.advertising.jurisdiction import goes_on
from reminders.mail.advertising.visible_words import pieces, read
from reminders.mail.check import LARGEST_HTML, MOST_LINES, complaints, depends_on_names
from reminders.mail.form_body import NAME, REQUEST, STOP, WINDOW, NoForm, Parts, Tokens
from reminders.mail.html import read_html
from reminders.mail.message import MessageFacts, MessageLinks, RenderedMessage
from reminders.mail.render import wrapped
from reminders.mail.usual import Name, url_of

NAMES = ("Zqxvjkwgzqxvjkwgz", "Vkqjwzxhvkqjwzxhv")
"""Stand for the words of a name; long enough to be taken for a token where a name could be part of one."""

RECIPIENT = "zqxvjkwg@vkqjwzxh.example"
MESSAGE_ID = "<" + "0d1e2f3c" * 5 + "@vkqjwzxh.example>"
DATE = dt.datetime(2001, 2, 3, 4, 5, 6, tzinfo=dt.UTC)
BOUNDARY = "=_" + "vkqjwzxh" * 5
_TOKENS = {REQUEST: "Zqxv7-jkw_", STOP: "Vkqj3-wzx_"}
_PLACE = "\ue002"
_ROOM = 10
"""Lines by which a message must be shorter than it may be, and the tenth part of its bytes: names differ in length."""

_MOST_NAMES = 20
_LIKE_A_BOUNDARY = re.compile(r"[0-9a-f]{40}")


def marked_name(name: Name) -> str:
    """Return a name of the same form made of marks."""
    said = name.form
    for mark in NAMES[: len(name.words)]:
        said = said.replace("0", mark, 1)
    return said


def marked_links(links: MessageLinks) -> tuple[MessageLinks, Tokens]:
    """Return links whose tokens are marks of the same length, and the marks."""
    marked: dict[int, str] = {}
    urls: list[str | None] = []
    for slot, url in ((REQUEST, url_of(links.request_url)), (STOP, url_of(links.stop_url))):
        if url:
            size = len(url.token)
            marked[slot] = (_TOKENS[slot] * size)[:size]
        urls.append(url.base + marked[slot] if url else None)
    return MessageLinks(*urls), Tokens({mark: slot for slot, mark in marked.items()})


def cut(line: str, marks: dict[str, int]) -> str | Parts:
    """Return a line cut at its marks; as it is where it holds none."""
    found = re.split("(" + "|".join(map(re.escape, marks)) + ")", line)
    return line if len(found) == 1 else tuple(marks.get(part, part) for part in found if part)


def cut_text(text: str, marks: dict[str, int]) -> list[str | Parts]:
    """Return the lines of a text that is not wrapped yet; those without a slot are wrapped."""
    lines = [cut(line, marks) for line in text.split("\n")]
    if _PLACE in text:
        raise NoForm
    held = wrapped("\n".join(line if isinstance(line, str) else f"{_PLACE}{at}" for at, line in enumerate(lines)))
    return [lines[int(line[1:])] if line.startswith(_PLACE) else line for line in held.split("\n")]


def need_independence(
    rendered: RenderedMessage, facts: MessageFacts, links: MessageLinks, marks: Sequence[str]
) -> None:
    """Raise `NoForm` for a marked message that may not go, or of which a name could change more than its place."""
    surfaces = (rendered.text, rendered.html)
    small = [mark.lower() for mark in marks]
    too_large = len(rendered.html.encode()) > LARGEST_HTML * 9 // 10
    if too_large or rendered.text.count("\n") > MOST_LINES - _ROOM:
        raise NoForm
    if any(_LIKE_A_BOUNDARY.search(surface) for surface in surfaces):
        raise NoForm
    if any(compose.blanked(surface).count(mark) != surface.count(mark) for surface in surfaces for mark in marks):
        raise NoForm
    if complaints(rendered, facts, links) or depends_on_names(rendered, facts, links):
        raise NoForm
    if any(goes_on(surface, small) for surface in surfaces):
        raise NoForm


def pieces_with(rendered: RenderedMessage, marks: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """Return what holds a mark between two blanks, anywhere in the message, with the number of words in it."""
    said = {piece for piece in pieces(rendered.text) | pieces(rendered.html) if any(mark in piece for mark in marks)}
    if any("<" in piece or "&" in piece for piece in said):
        raise NoForm
    return tuple((piece, len(read(piece).sequences[0])) for piece in sorted(said))


def shown_words(rendered: RenderedMessage) -> str:
    """Return everything both bodies show, with single blanks."""
    return " ".join(f"{rendered.text} {read_html(rendered.html).text}".split())


def need_slots(
    text: Sequence[str | Parts],
    html: Sequence[str | Parts],
    rendered: RenderedMessage,
    marks: Sequence[str],
    *,
    days_vary: bool,
) -> None:
    """Raise `NoForm` where not every mark was found, or not where a reader sees it, or a name in a last line."""
    for body in (text, html):
        slots = [part for line in body if not isinstance(line, str) for part in line if isinstance(part, int)]
        same = "\n".join(_constants(body)).casefold()
        if any(mark.casefold() in same for mark in (*marks, *_TOKENS.values())):
            raise NoForm
        if not isinstance(body[-1], str) and not {NAME, WINDOW}.isdisjoint(body[-1]):
            raise NoForm
        if not 1 <= slots.count(NAME) <= _MOST_NAMES or slots.count(WINDOW) != days_vary:
            raise NoForm
    places = [found.start() for found in re.finditer(marks[0], rendered.html)]
    if len(places) != read_html(rendered.html).text.count(marks[0]):
        raise NoForm
    if any(rendered.html.rfind("<", 0, at) > rendered.html.rfind(">", 0, at) for at in places):
        raise NoForm


def _constants(body: Sequence[str | Parts]) -> Iterator[str]:
    for line in body:
        yield from (line,) if isinstance(line, str) else (part for part in line if isinstance(part, str))
