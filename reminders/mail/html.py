"""Reads the HTML part of a message back as a mail program would: its words, its links, and what no mail may hold.

Invariant: what is hidden from the reader is no part of the words; everything that could be loaded, run or submitted is
reported, also where it is malformed.
"""

import dataclasses
from html.parser import HTMLParser

_LOADING_TAGS = frozenset(
    {
        *("img", "picture", "source", "svg", "image", "math", "link", "script", "iframe", "frame", "frameset"),
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
_LOADING_STYLES = ("url(", "@import", "expression(", "image-set(", "behavior:", "-moz-binding", "\\", "src:")
_HIDING_STYLES = ("display:none", "visibility:hidden", "font-size:0", "opacity:0", "mso-hide", "max-height:0")
_VOID = frozenset({"area", "br", "col", "hr", "meta", "wbr"})
_UNSEEN = frozenset({"style", "title", "head"})


@dataclasses.dataclass(frozen=True, slots=True)
class HtmlPart:
    """What an HTML part shows and does.

    `text` is every visible word and every link's address; `section` the same of the element that the product marks as
    the consultation section. `links` are the `href` values as written, `forbidden` the things no message may hold.
    """

    text: str
    section: str
    links: tuple[str, ...]
    forbidden: tuple[str, ...]


def read_html(html: str) -> HtmlPart:
    """Return what an HTML part shows and does; malformed HTML is read as leniently as a mail program reads it."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return HtmlPart(
        " ".join(reader.words), " ".join(reader.section), tuple(reader.links), tuple(dict.fromkeys(reader.forbidden))
    )


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self.section: list[str] = []
        self.links: list[str] = []
        self.forbidden: list[str] = []
        self._open: list[tuple[str, bool]] = []  # the tag, and whether it is the consultation section

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag in _LOADING_TAGS:
            self.forbidden.append(f"<{tag}>")
        if tag == "meta" and "http-equiv" in values:
            self.forbidden.append("<meta http-equiv>")
        for name, value in values.items():
            self._look_at(tag, name, value)
        if tag not in _VOID:
            self._open.append((tag, values.get("data-part") == "consultation"))

    def handle_endtag(self, tag: str) -> None:
        for at in range(len(self._open) - 1, -1, -1):
            if self._open[at][0] == tag:
                del self._open[at:]
                return

    def handle_data(self, data: str) -> None:
        opened = {tag for tag, _ in self._open}
        if "style" in opened:
            self._look_at_style(data)
        if not opened & _UNSEEN:
            self._show(data)

    def handle_comment(self, data: str) -> None:  # noqa: ARG002 - the parser's own signature
        self.forbidden.append("a comment")  # conditional ones load and show things in some mail programs

    def unknown_decl(self, data: str) -> None:  # noqa: ARG002 - the parser's own signature
        self.forbidden.append("a declaration")

    def handle_pi(self, data: str) -> None:  # noqa: ARG002 - the parser's own signature
        self.forbidden.append("a processing instruction")

    def _look_at(self, tag: str, name: str, value: str) -> None:
        if name == "href":
            self._look_at_link(tag, value)
        elif name in _LOADING_ATTRIBUTES or name.startswith("on"):
            self.forbidden.append(f"{name}=")
        elif name == "hidden":
            self.forbidden.append("hidden words")
        elif name == "style":
            self._look_at_style(value)
            if any(style in _squeezed(value) for style in _HIDING_STYLES):
                self.forbidden.append("hidden words")

    def _look_at_link(self, tag: str, address: str) -> None:
        if tag != "a":
            self.forbidden.append(f"<{tag} href>")
        if not address.startswith(("https://", "tel:", "mailto:")):
            self.forbidden.append("a link that is no https, tel or mailto address")
        self.links.append(address)
        self._show(address)

    def _look_at_style(self, style: str) -> None:
        if any(mark in _squeezed(style) for mark in _LOADING_STYLES):
            self.forbidden.append("a style that loads something")

    def _show(self, words: str) -> None:
        self.words.append(words)
        if any(is_section for _, is_section in self._open):
            self.section.append(words)


def _squeezed(style: str) -> str:
    return "".join(style.lower().split())
