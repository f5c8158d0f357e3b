"""Takes the words out of whatever a patient can see: plain text, HTML with its hidden corners, links and addresses.

Invariant: markup, entities, encodings of links and characters nobody sees never keep two letters of a word apart; the
work is linear in the length of the text, whoever wrote it.
"""

import functools
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from reminders.mail.advertising.lookalikes import folded, with_signs_as_letters

NUMBER, CURRENCY = "NUMBER", "CURRENCY"
"""Stand in a sequence of words for a number and for the sign of a currency; words themselves are in small letters."""

_CURRENCIES = frozenset("$£€¥₹₽₺")
_TOKEN = re.compile(r"[^\W\d_]+|[0-9]+|[%$£€¥₹₽₺]")
_SPELLED = re.compile(r"(?<!\S)\S(?: \S){2,}(?!\S)")
_COVERED = re.compile(r"[^\W\d_*#?•●○◦∙·…×]*(?:[*#?_•●○◦∙·…×]+[^\W\d_]*)+")
_COVER = re.compile(r"[*#?_•●○◦∙·…×]")
_ARABIC_ARTICLE = re.compile(r"(?:[وفبك]?ال|لل)(?=\w{3})")
_PUNYCODE = re.compile(r"xn--([a-z0-9-]{1,59})", re.IGNORECASE)  # a label has 63 characters at most (RFC 1035)
_MOST_DECODINGS = 3
_NEIGHBOURS = 6
_LONGEST_WORD = 200
_OVERLAP = 60
_LONGEST_COVERED = 40

_TAG = re.compile(r"<(/?[a-zA-Z!?][^\s<>/]*+)([^<>]*+)>")
_ATTRIBUTE = re.compile(r"(?<![\w:.-])([a-zA-Z][\w:.-]*+)\s*+=\s*+(\"[^\"]*+\"|'[^']*+'|[^\s\"'>]++)")
_QUOTED = re.compile(r"\"[^\"]*+\"|'[^']*+'")
_HIDDEN_INSIDE_A_WORD = re.compile(
    r"(?<=\w)<([a-zA-Z]{1,10})\b[^<>]{0,300}?"
    r"(?:display\s{0,3}:\s{0,3}none|font-size\s{0,3}:\s{0,3}0|visibility\s{0,3}:\s{0,3}hidden|opacity\s{0,3}:\s{0,3}0|\shidden\b)"
    r"[^<>]{0,300}>[^<>]{0,300}</\1>(?=\w)",
    re.IGNORECASE,
)
_PARTING = frozenset(
    {
        *("address", "article", "aside", "blockquote", "body", "br", "caption", "center", "dd", "div", "dl", "dt"),
        *("figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "head", "header", "hr", "html"),
        *("li", "main", "nav", "ol", "option", "p", "pre", "section", "table", "tbody", "td", "tfoot", "th", "thead"),
        *("title", "tr", "ul"),
    }
)
_SAYING_NOTHING = frozenset(
    {"style", "width", "height", "size", "cellpadding", "cellspacing", "border", "align", "valign", "bgcolor", "color"}
)


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one surface, folded.

    `sequences` holds all of them in their order. `asides` are short stretches read another way: with signs as letters,
    or with a run of single letters as the word it spells. `covered` are patterns of words some of whose letters are
    covered by a sign (`bot.x` of bot*x).
    """

    sequences: tuple[tuple[str, ...], ...]
    asides: tuple[tuple[str, ...], ...] = ()
    covered: tuple[str, ...] = ()

    def every(self) -> set[str]:
        """Return each word once."""
        return set().union(*self.sequences, *self.asides)


def read(text: str) -> Words:
    """Return the words of a surface."""
    sequences: dict[tuple[str, ...], None] = {}
    asides: dict[tuple[str, ...], None] = {}
    covered: set[str] = set()
    for view in _views(text):
        pieces = [_piece(chunk) for chunk in view.split()]
        sequences[tuple(word for piece in pieces for word in piece.words)] = None
        asides |= dict.fromkeys((*_with_signs(pieces), *_spelled_out(pieces)))
        covered |= {piece.covered for piece in pieces if piece.covered}
    return Words(tuple(sequences), tuple(asides), tuple(sorted(covered)))


def pieces(text: str) -> set[str]:
    """Return what stands between blanks on a surface, in all the ways it can be read."""
    return {chunk for view in _views(text) for chunk in view.split()}


@dataclass(frozen=True, slots=True)
class _Piece:
    """What stands between two blanks: its tokens and words, the words with signs read as letters, a covered word."""

    tokens: tuple[str, ...]
    words: tuple[str, ...]
    signs: tuple[str, ...] = ()
    covered: str = ""


def _piece(chunk: str) -> _Piece:
    """Return one piece taken apart; a short one is remembered, for letters consist of the same few hundred."""
    return _remembered(chunk) if len(chunk) <= _LONGEST_WORD else _taken_apart(chunk)


@functools.lru_cache(maxsize=16_384)
def _remembered(chunk: str) -> _Piece:
    return _taken_apart(chunk)


def _taken_apart(chunk: str) -> _Piece:
    text = folded(chunk)
    tokens = _tokens(text)
    if "://" in text or text.startswith("mailto:"):  # the sign of an encoding, %20, is no share of a price
        tokens = [one for one in tokens if one != "%"]
    for decoded in _decoded(chunk):
        tokens += _tokens(folded(decoded))
    words = tuple(_word(token) for token in tokens)
    lettered = None if chunk.isascii() and chunk.isalpha() else with_signs_as_letters(chunk)
    signs = tuple(_word(token) for token in _tokens(lettered)) if lettered else ()
    return _Piece(tuple(tokens), words, signs if signs != words else (), _covered(text))


def _tokens(text: str) -> list[str]:
    """Return the words, numbers and signs of a text; a word beyond all measure in stretches that overlap."""
    found = _TOKEN.findall(text)
    return [piece for token in found for piece in _stretches(token)] if len(text) > _LONGEST_WORD else found


def _stretches(word: str) -> list[str]:
    if len(word) <= _LONGEST_WORD:
        return [word]
    return [word[at : at + _LONGEST_WORD] for at in range(0, len(word), _LONGEST_WORD - _OVERLAP)]


def _word(token: str) -> str:
    if token.isdigit():
        return NUMBER
    if token in _CURRENCIES:
        return CURRENCY
    if token.isascii():
        return token
    article = _ARABIC_ARTICLE.match(token)
    return token[article.end() :] if article else token


def _covered(text: str) -> str:
    """Return a pattern of the word of which some letters are covered; empty where there is none."""
    if len(text) > _LONGEST_COVERED or _COVER.search(text) is None:
        return ""
    core = text.strip(".,;:!()[]\"'")
    for candidate in (core, core.rstrip("?")):
        if _COVERED.fullmatch(candidate):
            pattern = _COVER.sub(".", candidate.replace("…", "..."))
            letters = len(pattern) - pattern.count(".")
            return pattern if letters >= max(3, pattern.count(".")) else ""
    return ""


def _with_signs(pieces: list[_Piece]) -> Iterator[tuple[str, ...]]:
    """Yield what stands around each piece whose signs can be letters, read so."""
    for at, piece in enumerate(pieces):
        if piece.signs:
            around = pieces[max(0, at - _NEIGHBOURS) : at + _NEIGHBOURS + 1]
            yield tuple(word for one in around for word in one.signs or one.words)


def _spelled_out(pieces: list[_Piece]) -> Iterator[tuple[str, ...]]:
    """Yield what stands around each run of three or more single letters or digits, read as the word it spells."""
    tokens = " ".join([token for piece in pieces for token in piece.tokens])
    for run in _SPELLED.finditer(tokens):
        spelled = run[0].replace(" ", "")
        before = tokens[max(0, run.start() - 200) : run.start()].split(" ")[-_NEIGHBOURS:]
        after = tokens[run.end() + 1 : run.end() + 200].split(" ")[:_NEIGHBOURS]
        for word in {spelled, with_signs_as_letters(spelled) or spelled}:
            yield tuple(_word(token) for token in (*before, *_stretches(word), *after) if token)


def _decoded(chunk: str) -> Iterator[str]:
    """Yield what a link or a domain says once its encoding is taken away, however often it was encoded."""
    if "%" in chunk:
        text = chunk
        for _ in range(_MOST_DECODINGS):
            text = unquote(text, errors="replace")
        if text != chunk:
            yield text
    for label in _PUNYCODE.findall(chunk):
        try:
            yield label.encode("ascii").decode("punycode")
        except (UnicodeError, ValueError):  # no label of any domain
            continue


def _views(text: str) -> Iterator[str]:
    """Yield what can be read: all of it, and what is left when parts hidden inside a word are taken away."""
    if "<" not in text:
        yield _unescaped(text)
        return
    if _HIDDEN_INSIDE_A_WORD.search(text):
        yield _unmarked(_HIDDEN_INSIDE_A_WORD.sub("", text))
    yield _unmarked(text)


def _unescaped(text: str) -> str:
    return html.unescape(html.unescape(text)) if "&" in text else text


def _unmarked(markup: str) -> str:
    """Return the words of markup: inline tags part nothing, and what attributes, comments and styles say comes last."""
    markup, comments = _cut(markup, "<!--", "-->")
    markup, styles = _cut(markup, "<style", "</style")
    attributes: set[str] = set()

    def without(tag: re.Match[str]) -> str:
        attributes.add(tag[2])
        return " " if tag[1].lstrip("/").lower() in _PARTING else ""

    shown = _TAG.sub(without, markup)
    hidden = [_TAG.sub(without, comment.replace("[if", "").replace("]>", " ")) for comment in comments]
    said = [value.strip("\"'") for one in sorted(attributes) for value in _values(one)]
    quoted = [words.strip("\"'") for style in styles for words in _QUOTED.findall(style)]
    return _unescaped(" \n ".join([shown, *hidden, *said, *quoted]))


def _values(attributes: str) -> Iterator[str]:
    for name, value in _ATTRIBUTE.findall(attributes):
        if name.lower() not in _SAYING_NOTHING:
            yield value


def _cut(text: str, opening: str, closing: str) -> tuple[str, list[str]]:
    """Return the text without what stands between two marks, and those pieces."""
    left, pieces, at, small = [], [], 0, text.lower()
    while (start := small.find(opening, at)) >= 0 and (end := small.find(closing, start)) >= 0:
        left.append(text[at:start])
        pieces.append(text[start + len(opening) : end])
        at = end + len(closing)
    left.append(text[at:])
    return "".join(left), pieces
