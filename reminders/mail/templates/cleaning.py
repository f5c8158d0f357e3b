"""Looks at the HTML a clinic wrote, and cleans what it became: a few tags without attributes, links to known places.

Invariant: at saving everything outside a strict grammar is a complaint with its line, so nothing that a lenient reader
might take for something else is stored; at sending the result is cleaned by another hand (nh3), and where that would
change anything the message is not written. Nothing is ever dropped in silence.
"""

import dataclasses
import html as entities
import re
from collections.abc import Collection, Iterator, Mapping
from html.parser import HTMLParser

import nh3

from reminders.mail.templates.file import Complaint
from reminders.mail.templates.outline import BRANCHES, PLACE, Choice, Pieces, Shown, skeleton, skeleton_lines

INLINE = frozenset({"strong", "em", "a", "br"})
BLOCKS = frozenset({"p", "h2", "h3", "ul", "ol", "blockquote"})
TAGS = INLINE | BLOCKS | {"li"}
_INSIDE: Mapping[str, frozenset[str]] = {
    "": BLOCKS,
    "p": INLINE,
    "h2": INLINE,
    "h3": INLINE,
    "strong": INLINE,
    "em": INLINE,
    "a": frozenset({"strong", "em", "br"}),
    "li": INLINE,
    "ul": frozenset({"li"}),
    "ol": frozenset({"li"}),
    "blockquote": frozenset({"p", "ul", "ol"}),
}
"""What may stand directly in what: a nesting that readers of HTML take apart each in their own way is none of it."""

_WORDLESS = frozenset({"", "ul", "ol", "blockquote"})
_MARK = re.compile(
    rf'<(?P<end>/?)(?P<tag>[A-Za-z][A-Za-z0-9]*)(?P<rest>(?:[^<>"]|"[^"<>]*")*)>|[<{PLACE}{BRANCHES}]|[^<{PLACE}{BRANCHES}]+'
)
_HREF = re.compile(r'\s+href="(?P<address>[^"]*)"\s*')
_KNOWN_TAGS = "p, h2, h3, ul, ol, li, blockquote, strong, em, br and a"
_LONGEST_NAMED = 20
_BLOCK_ENDS = re.compile(rf"</?(?:{'|'.join(sorted(BLOCKS | {'li'}))}|br)\b[^<>]*>", re.IGNORECASE)
_ANY_TAG = re.compile(r"<[^<>]*>")


def complaints(pieces: Pieces) -> tuple[Complaint, ...]:
    """Return what is wrong with the HTML part of a template."""
    return tuple(_look(pieces, ""))


def clean(html: str, links: Collection[str]) -> str:
    """Return the HTML with nothing but our tags, without attributes, and links to `links`."""
    known = frozenset(links)

    def keep(_tag: str, _name: str, value: str) -> str | None:
        return value if value in known else None

    return nh3.clean(
        html,
        tags=set(TAGS),
        clean_content_tags={"script", "style"},
        attributes={"a": {"href"}},
        attribute_filter=keep,
        url_schemes={"https"},
        link_rel=None,
    )


def changed(html: str, cleaned: str) -> int | None:
    """Return the line of `html` (from 1) where `cleaned` begins to differ in words, tags or links; None where never."""
    before, after = _events(html), _events(cleaned)
    for first, second in zip(before, after, strict=False):
        if first[1:] != second[1:]:
            return first[0]
    longer = before[len(after) :]
    if longer:
        return longer[0][0]
    return None if len(after) == len(before) else html.count("\n") + 1


def words_of(html: str) -> str:
    """Return the words of HTML as plain text: an empty line where a block ends, entities as what they stand for."""
    return entities.unescape(_ANY_TAG.sub("", _BLOCK_ENDS.sub("\n\n", html)))


@dataclasses.dataclass(slots=True)
class _Opened:
    tag: str
    line: int


def _look(pieces: Pieces, outer: str) -> Iterator[Complaint]:
    """Yield complaints about pieces that stand in `outer`; each branch is looked at alone, and has to be whole."""
    bones, lines = skeleton(pieces), skeleton_lines(pieces)
    shown = iter([piece for piece in pieces if isinstance(piece, Shown)])
    choices = iter([piece for piece in pieces if isinstance(piece, Choice)])
    opened: list[_Opened] = []
    for mark in _MARK.finditer(bones):
        line, inside = lines[mark.start()], opened[-1].tag if opened else outer
        if mark["tag"]:
            places = [next(shown) for _ in range(mark["rest"].count(PLACE))]
            yield from _tag(mark, line, opened, inside, places)
            if BRANCHES in mark["rest"]:
                return  # what stands where is anybody's guess from here on
        elif mark[0] == BRANCHES:
            for branch in next(choices).branches:
                yield from _look(branch.pieces, inside)
        elif mark[0] == "<":
            yield _error(line, f"this < begins no tag that can be used ({_KNOWN_TAGS}); for the sign write &lt;")
        else:
            if mark[0] == PLACE:
                next(shown)
            if inside in _WORDLESS and mark[0].strip():
                line += mark[0][: len(mark[0]) - len(mark[0].lstrip())].count("\n")
                yield _error(line, "words stand outside a paragraph: put them between <p> and </p>, or <li> and </li>")
    for left in opened:
        yield _error(left.line, f"<{left.tag}> is not closed where its part of the template ends")


def _tag(
    mark: re.Match[str], line: int, opened: list[_Opened], inside: str, places: list[Shown]
) -> Iterator[Complaint]:
    """Yield complaints about one tag, and keep `opened`, the tags that are open here, up to date."""
    tag, rest = mark["tag"].lower(), mark["rest"]
    if tag not in TAGS:
        yield _error(line, f"<{tag[:_LONGEST_NAMED]}> cannot be used: there are {_KNOWN_TAGS}")
        return
    if mark["end"]:
        if rest.strip() or not opened or opened[-1].tag != tag:
            yield _error(line, f"</{tag}> closes nothing that is open here")
        else:
            opened.pop()
        return
    if tag not in _INSIDE.get(inside, frozenset()):
        yield _error(line, f"<{tag}> cannot stand {f'in <{inside}>' if inside else 'outside a paragraph'}")
    yield from _attributes(tag, rest, places, line)
    if tag != "br":
        opened.append(_Opened(tag, line))


def _attributes(tag: str, rest: str, places: list[Shown], line: int) -> Iterator[Complaint]:
    if tag != "a":
        if rest.strip().strip("/" if tag == "br" else ""):
            yield _error(line, f"<{tag}> has no attributes: the product gives every tag its looks")
        return
    found = _HREF.fullmatch(rest)
    if found is None:
        yield _error(line, '<a> has one attribute, in double quotes: <a href="{{ booking_url }}">')
    elif found["address"] != PLACE or places[0].name != "booking_url" or places[0].filters:
        yield _error(line, 'a link can lead to the booking page alone: <a href="{{ booking_url }}">')


def _error(line: int, what: str) -> Complaint:
    return Complaint(line, "error", what)


class _Events(HTMLParser):
    """Everything HTML says and does, as a list; runs of words count as one."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[int, str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._add(f"<{tag}>", repr(attrs) if attrs else "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        self._add(f"</{tag}>", "")

    def handle_data(self, data: str) -> None:
        if self.found and self.found[-1][1] == "words":
            line, kind, before = self.found.pop()
            self.found.append((line, kind, before + data))
        else:
            self._add("words", data)

    def handle_comment(self, data: str) -> None:
        self._add("comment", data)

    def handle_decl(self, decl: str) -> None:
        self._add("declaration", decl)

    def handle_pi(self, data: str) -> None:
        self._add("instruction", data)

    def unknown_decl(self, data: str) -> None:
        self._add("declaration", data)

    def _add(self, kind: str, what: str) -> None:
        self.found.append((self.getpos()[0], kind, what))


def _events(html: str) -> list[tuple[int, str, str]]:
    events = _Events()
    events.feed(html)
    events.close()
    return events.found
