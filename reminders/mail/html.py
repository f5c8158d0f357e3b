"""Reads the HTML part of a message back as a mail program would: its words, its links, and what no mail may hold.

Invariant: what is hidden from the reader is no part of the words; everything that could be loaded, run or submitted is
reported, also where it is malformed. Hidden is what the element that holds the words, or one around it, hides: a table
may well set its letters to nothing as long as no words stand in it directly.
"""

import dataclasses
import functools
from html.parser import HTMLParser

from reminders.mail.html_style import USUAL_SIZE, hides, is_seen, letter_size, loads

_LOADING_TAGS = frozenset(
    {
        *("picture", "source", "svg", "image", "math", "link", "script", "iframe", "frame", "frameset"),
        *("object", "embed", "applet", "audio", "video", "track", "base", "template", "portal"),
        *("form", "input", "button", "select", "textarea", "option", "isindex", "noscript", "plaintext", "xmp"),
    }
)
_LOADING_ATTRIBUTES = frozenset(
    {
        *("src", "srcset", "srcdoc", "background", "poster", "data", "action", "formaction", "cite", "longdesc"),
        *("ping", "manifest", "codebase", "classid", "profile", "usemap", "lowsrc", "dynsrc", "xlink:href"),
    }
)
_VOID = frozenset({"area", "br", "col", "hr", "img", "meta", "wbr"})
_UNSEEN = frozenset({"style", "title", "head"})
_PICTURE_NEEDS = ("alt", "width", "height")
_FOR_OUTLOOK, _FOR_OUTLOOK_ENDS = "[if mso | IE]>", "<![endif]"
_TABLE_MARKS = frozenset({"table", "tbody", "tr", "td"})
_TABLE_ATTRIBUTES = frozenset(
    {"align", "bgcolor", "border", "cellpadding", "cellspacing", "class", "role", "style", "valign", "width"}
)


@dataclasses.dataclass(frozen=True, slots=True)
class HtmlPart:
    """What an HTML part shows and does.

    `text` is every visible word, every link's address and every picture's words; `section` the same of the element
    that the product marks as the consultation section. `preheader` is what mail programs list beside the subject and
    the message itself does not show. `links` are the `href` values as written, `pictures` the sources of pictures that
    travel with the message, `forbidden` the things no message may hold.
    """

    text: str
    section: str
    preheader: str
    links: tuple[str, ...]
    pictures: tuple[str, ...]
    forbidden: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class _Element:
    tag: str
    is_section: bool
    is_preheader: bool
    is_hidden: bool
    size: float  # of its letters, in pixels


_ROOT = _Element("", is_section=False, is_preheader=False, is_hidden=False, size=USUAL_SIZE)


def read_html(html: str) -> HtmlPart:
    """Return what an HTML part shows and does; malformed HTML is read as leniently as a mail program reads it."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return HtmlPart(
        " ".join(reader.words),
        " ".join(reader.section),
        " ".join(" ".join(reader.preheader).split()),
        tuple(reader.links),
        tuple(reader.pictures),
        tuple(dict.fromkeys(reader.forbidden)),
    )


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self.section: list[str] = []
        self.preheader: list[str] = []
        self.links: list[str] = []
        self.pictures: list[str] = []
        self.forbidden: list[str] = []
        self._open: list[_Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag in _LOADING_TAGS or (tag == "img" and not _travels_along(values)):
            self.forbidden.append(f"<{tag}>")
        if tag == "meta" and "http-equiv" in values:
            self.forbidden.append("<meta http-equiv>")
        self._open.append(self._element(tag, values))
        for name, value in values.items():
            self._look_at(tag, name, value)
        if tag in _VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        for at in range(len(self._open) - 1, -1, -1):
            if self._open[at].tag == tag:
                del self._open[at:]
                return

    def handle_data(self, data: str) -> None:
        opened = {element.tag for element in self._open}
        if "style" in opened:
            self._look_at_style(data)
            if hides(data):
                self.forbidden.append("a style that hides words")
        if not opened & _UNSEEN:
            self._show(data)

    def handle_comment(self, data: str) -> None:
        if not _lays_out_for_outlook(data):
            self.forbidden.append("a comment")  # some mail programs show and load what stands in one

    def unknown_decl(self, data: str) -> None:  # noqa: ARG002 - the parser's own signature
        self.forbidden.append("a declaration")

    def handle_pi(self, data: str) -> None:  # noqa: ARG002 - the parser's own signature
        self.forbidden.append("a processing instruction")

    def _element(self, tag: str, values: dict[str, str]) -> _Element:
        around, style = self._open[-1] if self._open else _ROOT, values.get("style", "")
        classes = values.get("class", "").split()
        # mails of before the frame was compiled are marked by the attribute; they are read back for years
        is_section = "consultation" in classes or values.get("data-part") == "consultation"
        return _Element(
            tag,
            is_section=around.is_section or is_section,
            is_preheader=around.is_preheader or (classes == ["preheader"] and not self.words and not self.preheader),
            is_hidden=around.is_hidden or "hidden" in values or hides(style),
            size=letter_size(style, around.size),
        )

    def _look_at(self, tag: str, name: str, value: str) -> None:
        if name == "href":
            self._look_at_link(tag, value)
        elif tag == "img" and name == "src":
            self.pictures.append(value)
        elif tag == "img" and name == "alt":
            self._show(value)
        elif name in _LOADING_ATTRIBUTES or name.startswith("on"):
            self.forbidden.append(f"{name}=")
        elif name == "style":
            self._look_at_style(value)

    def _look_at_link(self, tag: str, address: str) -> None:
        if tag != "a":
            self.forbidden.append(f"<{tag} href>")
        if not address.startswith(("https://", "tel:", "mailto:")):
            self.forbidden.append("a link that is no https, tel or mailto address")
        self.links.append(address)
        self._show(address)

    def _look_at_style(self, style: str) -> None:
        if loads(style):
            self.forbidden.append("a style that loads something")

    def _show(self, words: str) -> None:
        around = self._open[-1] if self._open else _ROOT
        if not words.strip():
            return
        if around.is_hidden or not is_seen(around.size):
            self._take_hidden(words, around)
            return
        self.words.append(words)
        if around.is_section:
            self.section.append(words)

    def _take_hidden(self, words: str, around: _Element) -> None:
        if around.is_preheader and around.tag != "a":
            self.preheader.append(words)
        else:
            self.forbidden.append("hidden words")


class _TableMarks(HTMLParser):
    """Reads what stands in a comment for Outlook: `foreign` says that it is more than the bare marks of tables."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.foreign = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name for name, _ in attrs}
        style = next((value or "" for name, value in attrs if name == "style"), "")
        if tag not in _TABLE_MARKS or names - _TABLE_ATTRIBUTES or hides(style) or loads(style):
            self.foreign = True

    def handle_endtag(self, tag: str) -> None:
        self.foreign |= tag not in _TABLE_MARKS

    def handle_data(self, data: str) -> None:
        self.foreign |= bool(data.strip())

    def handle_comment(self, data: str) -> None:  # noqa: ARG002 - the parser's own signature
        self.foreign = True

    def handle_decl(self, decl: str) -> None:  # noqa: ARG002 - the parser's own signature
        self.foreign = True

    def unknown_decl(self, data: str) -> None:  # noqa: ARG002 - the parser's own signature
        self.foreign = True

    def handle_pi(self, data: str) -> None:  # noqa: ARG002 - the parser's own signature
        self.foreign = True


@functools.lru_cache(256)
def _lays_out_for_outlook(comment: str) -> bool:
    """Return whether a comment is one of those that give Outlook tables where others read a width, and no more."""
    if not comment.startswith(_FOR_OUTLOOK) or not comment.endswith(_FOR_OUTLOOK_ENDS) or "--" in comment:
        return False
    marks = _TableMarks()
    marks.feed(comment.removeprefix(_FOR_OUTLOOK).removesuffix(_FOR_OUTLOOK_ENDS))
    left_over = marks.rawdata
    marks.close()
    return not marks.foreign and not left_over.strip()


def _travels_along(picture: dict[str, str]) -> bool:
    """Return whether a picture is a part of the message (RFC 2392), with its words and its size."""
    return picture.get("src", "").startswith("cid:") and all(picture.get(need) for need in _PICTURE_NEEDS)
