"""Keeps the product's own sections in sight: a template takes no more room than its words need.

Invariant: no number of line breaks, empty paragraphs or nested tags pushes the consultation section away from where a
reader looks for it; every branch is examined, as text and as HTML.
"""

import html as entities
import re
from collections.abc import Iterator

from reminders.mail.templates.file import Complaint
from reminders.mail.templates.outline import Pieces, Shown, Way, skeleton, skeleton_lines, ways
from reminders.mail.unseen import legible

MOST_BREAKS = 40
MOST_BREAKS_IN_A_ROW = 2
MOST_PARAGRAPHS = 40
DEEPEST_TAGS = 4

_BREAK = re.compile(r"<br\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)\b[^<>]*>", re.IGNORECASE)
_BLOCK = re.compile(r"<(p|h2|h3|li)\b[^<>]*>(.*?)</\1\s*>", re.IGNORECASE | re.DOTALL)
_PARAGRAPH = re.compile(r"[^\n]*\S[^\n]*(?:\n[^\n]*\S[^\n]*)*")
_BROKEN = "\x00"
_ROW = re.compile(rf"(?:{_BROKEN}[\W_]*?){{{MOST_BREAKS_IN_A_ROW}}}{_BROKEN}")
_EMPTY = "a paragraph holds no letter: leave it out"


def about_room(pieces: Pieces, *, html: bool) -> Iterator[Complaint]:
    """Yield what takes up room without saying anything, with its line."""
    bones = skeleton(pieces)
    empty = next((one for one in _BLOCK.finditer(bones) if not _TAG.sub("", one[2]).strip()), None) if html else None
    if empty is not None:
        yield _error(skeleton_lines(pieces)[empty.start()], _EMPTY)
    for way in ways(pieces, _least):
        yield from _in_html(way) if html else _in_text(way)


def _least(shown: Shown) -> str:
    """Return what a value shows at the least: what stands there instead of it, else some letter."""
    return "x" if shown.name and "default" not in shown.filters else shown.text or shown.instead


def _in_text(way: Way) -> Iterator[Complaint]:
    found = list(_PARAGRAPH.finditer(way.text))
    if len(found) > MOST_PARAGRAPHS:
        yield _error(way.line_at(found[MOST_PARAGRAPHS].start()), f"it has over {MOST_PARAGRAPHS} paragraphs")
    for paragraph in found:
        if not legible(paragraph[0]):
            yield _error(way.line_at(paragraph.start()), _EMPTY)
            return


def _in_html(way: Way) -> Iterator[Complaint]:
    blocks = list(_BLOCK.finditer(way.text))
    if len(blocks) > MOST_PARAGRAPHS:
        what = f"it has over {MOST_PARAGRAPHS} paragraphs, headings and points of lists"
        yield _error(way.line_at(blocks[MOST_PARAGRAPHS].start()), what)
    for block in blocks:
        said = entities.unescape(_TAG.sub("", block[2])).strip(" \t\n")
        if said and not legible(said):  # one whose words are all in an untaken branch has no height
            yield _error(way.line_at(block.start()), _EMPTY)
            break
    yield from _breaks(way)
    depth = 0
    for tag in _TAG.finditer(way.text):
        depth += 0 if tag[2].lower() == "br" else -1 if tag[1] else 1
        if depth > DEEPEST_TAGS:
            yield _error(way.line_at(tag.start()), f"tags stand more than {DEEPEST_TAGS} deep in one another")
            return


def _breaks(way: Way) -> Iterator[Complaint]:
    found = list(_BREAK.finditer(way.text))
    if len(found) > MOST_BREAKS:
        yield _error(way.line_at(found[MOST_BREAKS].start()), f"it has over {MOST_BREAKS} <br>")
    said = entities.unescape(_TAG.sub("", _BREAK.sub(_BROKEN, way.text)))
    row = _ROW.search(said)
    if row is not None:
        third = found[said.count(_BROKEN, 0, row.end()) - 1]
        what = f"more than {MOST_BREAKS_IN_A_ROW} <br> stand in a row: part paragraphs with <p> and </p>"
        yield _error(way.line_at(third.start()), what)


def _error(line: int, what: str) -> Complaint:
    return Complaint(line, "error", what)
