"""Reads one part of a template and lets nothing pass but words, a few names, `if`, and six filters.

Invariant: an allow-list, applied twice before anything is compiled: to the marks as they are written, which bounds
what the parser is given, and to the tree it makes of them. What neither knows is a complaint with its line. (The
engine's sandbox was escaped more than once: CVE-2016-10745, CVE-2019-10906, CVE-2024-56201, CVE-2024-56326,
CVE-2025-27516; and a legal expression of a few letters can fill the memory of a machine.)
"""

import dataclasses
import re
from collections.abc import Iterator
from typing import cast

from jinja2 import Environment, TemplateError, nodes

from reminders.mail.templates.file import Complaint
from reminders.mail.templates.outline import Branch, Choice, Piece, Pieces, Said, Shown

FILTERS = ("upper", "lower", "title", "default", "date", "time")
BARE = "bare"
"""The filter that no template may name: it takes the product's own marks from a value before it is compared."""

BODY_NAMES = frozenset(
    {
        *("clinic", "sender", "name", "who", "Who", "label", "window", "phone", "booking_url", "postal_address"),
        *("reply_to", "opens", "closes", "language", "medical", "representative"),
    }
)
SUBJECT_NAMES = frozenset({"sender", "clinic"})
DEEPEST = 10
MOST_TAGS = 1_000
MOST_CHOICES = 40
MOST_MARKS = 40
LONGEST_QUOTE = 200
_OPERATORS = frozenset({"==", "!=", "|", "(", ")"})
_BLOCKS = ("if", "elif", "else", "endif")
_LONE_TAG = re.compile(r"^[ \t]*(\{%[^%\n]{0,500})%\}[ \t]*\n", re.MULTILINE)
_LONGEST_NAMED = 30

Lexed = tuple[int, str, str]
Known = tuple[frozenset[str], frozenset[str]]


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    """A part that passed: its tree, ready to be compiled, and the same as plain values."""

    tree: nodes.Template
    pieces: Pieces


class _Refused(Exception):
    def __init__(self, line: int, what: str) -> None:
        self.line, self.what = line, what
        super().__init__(what)


def read(
    environment: Environment, source: str, first_line: int, names: frozenset[str]
) -> tuple[Part | None, tuple[Complaint, ...]]:
    """Return the part that `source` is, or what is wrong with it; `names` are those that may stand in it."""
    source = _LONE_TAG.sub(
        "\\1\n%}", source
    )  # a tag alone on its line leaves no empty line, and lines keep their count
    try:
        _look_at_marks(environment, source)
        tree = environment.parse(source)
        pieces = _Reader(names, first_line - 1).pieces(tree.body)
    except _Refused as refused:
        return None, (Complaint(first_line - 1 + refused.line, "error", refused.what),)
    except TemplateError as error:
        line = getattr(error, "lineno", None) or 1
        what = "a tag is not written as it should be: {{ name }} or {% if name %} … {% else %} … {% endif %}"
        return None, (Complaint(first_line - 1 + line, "error", what),)
    except (RecursionError, ValueError, OverflowError):  # the engine's own reading of numbers, names and nesting
        return None, (Complaint(first_line, "error", "it holds a tag that cannot be read"),)
    _compare_bare_values(environment, tree)
    return Part(tree, pieces), ()


def _look_at_marks(environment: Environment, source: str) -> None:
    """Raise for anything in a tag that is no name, quoted text or sign of the list, before the parser sees it."""
    depth = tags = choices = 0
    tag: list[Lexed] = []
    for line, kind, value in environment.lex(source):
        if kind in {"block_begin", "variable_begin"}:
            tags += 1
            if tags > MOST_TAGS:
                raise _Refused(line, f"it has over {MOST_TAGS} tags")
            tag = [(line, kind, value)]
        elif kind.startswith(("comment", "raw")):
            raise _Refused(line, "comments ({# #}) and raw blocks cannot be used in a template")
        elif kind == "data":
            _look_at_words(line, value)
        else:
            tag.append((line, kind, value))
        if kind in {"block_end", "variable_end"}:
            word = _look_at_tag(tag)
            depth += (word == "if") - (word == "endif")
            choices += word in {"if", "elif"}
            if choices > MOST_CHOICES:
                raise _Refused(tag[0][0], f"it has over {MOST_CHOICES} ifs")
            if depth > DEEPEST:
                raise _Refused(tag[0][0], f"the ifs stand more than {DEEPEST} deep in one another")
            tag = []
    if tag:
        raise _Refused(tag[0][0], "a tag begins here and is not closed: {{ name }} or {% if name %}")


def _look_at_words(line: int, words: str) -> None:
    for mark in ("}}", "%}", "#}"):
        before, found, _ = words.partition(mark)
        if found:
            raise _Refused(line + before.count("\n"), f"{mark} stands there without its beginning")


def _look_at_tag(tag: list[Lexed]) -> str:
    """Look at one whole tag; return its word (`if`, `elif`, `else`, `endif`), or nothing for a value."""
    line, begins, opening = tag[0]
    if opening not in {"{{", "{%"} or tag[-1][2] not in {"}}", "%}"}:
        raise _Refused(line, "write the tag without a dash or a plus: {{ name }} or {% if name %}")
    marks = [mark for mark in tag[1:-1] if mark[1] != "whitespace"]
    if len(marks) > MOST_MARKS:
        raise _Refused(line, "the tag is too long")
    if begins == "block_begin" and (not marks or marks[0][1] != "name" or marks[0][2] not in _BLOCKS):
        raise _Refused(line, "only {% if %}, {% elif %}, {% else %} and {% endif %} can stand here")
    for at, kind, value in marks:
        _look_at_mark(at, kind, value)
    return marks[0][2] if begins == "block_begin" else ""


def _look_at_mark(line: int, kind: str, value: str) -> None:
    if kind == "operator" and value not in _OPERATORS:
        raise _Refused(line, f'"{value}" cannot be used in a tag: a value is shown, or compared with == or !=')
    if kind in {"integer", "float"}:
        raise _Refused(line, "numbers cannot be used in a tag: every value is text, in quotes")
    if kind == "string" and (len(value) > LONGEST_QUOTE or set(value) & set("\\{}\n")):
        raise _Refused(line, f"a text in quotes has at most {LONGEST_QUOTE} letters, and no \\, {{ or }}")
    if kind not in {"operator", "name", "string", "integer", "float"}:
        raise _Refused(line, "this cannot be used in a tag")


class _Reader:
    """Turns the engine's tree into our own, and refuses every node it does not know."""

    def __init__(self, names: frozenset[str], lines_before: int) -> None:
        self._names = names
        self._before = lines_before

    def pieces(self, body: list[nodes.Node]) -> Pieces:
        return tuple(piece for node in body for piece in self._read(node))

    def _read(self, node: nodes.Node) -> Iterator[Piece]:
        if type(node) is nodes.If:
            yield self._choice(node)
        elif type(node) is nodes.Output:
            for child in node.nodes:
                yield self._said(child) if type(child) is nodes.TemplateData else self._shown(child)
        else:
            raise _unknown(node)

    def _said(self, node: nodes.TemplateData) -> Said:
        return Said(self._before + node.lineno, node.data)

    def _choice(self, node: nodes.If) -> Choice:
        branches, otherwise = [], frozenset[str]()
        for way in (node, *node.elif_):
            if type(way) is not nodes.If:
                raise _unknown(way)
            known, unknown = self._test(way.test)
            branches.append(Branch(otherwise | known, self.pieces(way.body)))
            otherwise |= unknown
        branches.append(Branch(otherwise, self.pieces(node.else_)))
        return Choice(self._before + node.lineno, tuple(branches))

    def _shown(self, node: nodes.Expr) -> Shown:
        filters: list[str] = []
        inner: nodes.Node | None = node
        while type(inner) is nodes.Filter:
            filters.append(self._filter(inner))
            inner = inner.node
        if len(filters) > len(FILTERS):
            raise _Refused(node.lineno, "too many filters stand in a row")
        line = self._before + node.lineno
        if type(inner) is nodes.Name:
            return Shown(line, self._name(inner), "", tuple(reversed(filters)))
        if type(inner) is nodes.Const:
            return Shown(line, None, self._text(inner), tuple(reversed(filters)))
        raise _unknown(inner or node)

    def _name(self, node: nodes.Name) -> str:
        if node.ctx != "load" or node.name not in self._names:
            if node.name in BODY_NAMES:
                raise _Refused(node.lineno, f"{node.name} cannot stand in the subject: only sender and clinic can")
            known = ", ".join(sorted(self._names, key=lambda name: (name.lower(), name)))
            raise _Refused(node.lineno, f'there is no value "{_named(node.name)}": there are {known}')
        return node.name

    def _text(self, node: nodes.Const) -> str:
        if type(node.value) is not str:
            raise _Refused(node.lineno, "only a name or a text in quotes can stand in a tag")
        return node.value

    def _filter(self, node: nodes.Filter) -> str:
        if node.name not in FILTERS:
            known = ", ".join(FILTERS)
            raise _Refused(node.lineno, f'there is no filter "{_named(node.name)}": there are {known}')
        given = len(node.args)
        if node.kwargs or node.dyn_args or node.dyn_kwargs or given != (node.name == "default"):
            raise _Refused(node.lineno, 'only default takes something in brackets, one text: default("text")')
        if given and type(node.args[0]) is not nodes.Const:
            raise _Refused(node.lineno, 'default takes one text in quotes: default("text")')
        if given:
            self._text(cast("nodes.Const", node.args[0]))
        return node.name

    def _test(self, node: nodes.Node) -> Known:
        """Return the names that are certainly not empty where a test holds, and those where it does not."""
        if type(node) is nodes.Not:
            known, unknown = self._test(node.node)
            return unknown, known
        if type(node) is nodes.And:
            left, right = self._test(node.left), self._test(node.right)
            return left[0] | right[0], left[1] & right[1]
        if type(node) is nodes.Or:
            left, right = self._test(node.left), self._test(node.right)
            return left[0] & right[0], left[1] | right[1]
        if type(node) is nodes.Compare:
            return self._comparison(node)
        shown = self._shown(cast("nodes.Expr", node))
        return frozenset({shown.name} if shown.name and "default" not in shown.filters else ()), frozenset()

    def _comparison(self, node: nodes.Compare) -> Known:
        if len(node.ops) != 1 or node.ops[0].op not in {"eq", "ne"}:
            raise _Refused(node.lineno, "values can be compared with == or != alone")
        left, right = self._shown(node.expr), self._shown(node.ops[0].expr)
        if left.name is None or right.name is not None or left.filters or right.filters:
            raise _Refused(node.lineno, 'a comparison is a name, == or !=, and a text in quotes: language == "en"')
        names, none = frozenset({left.name}), frozenset[str]()
        filled, empty = (names, none) if right.text else (none, names)
        return (filled, empty) if node.ops[0].op == "eq" else (empty, filled)


def _compare_bare_values(environment: Environment, tree: nodes.Template) -> None:
    for compared in list(tree.find_all(nodes.Compare)):
        bare = nodes.Filter(compared.expr, BARE, [], [], None, None, lineno=compared.lineno)
        bare.set_environment(environment)
        compared.expr = bare


def _unknown(node: nodes.Node) -> _Refused:
    return _Refused(node.lineno, "this cannot be used in a template: show a name, or ask for it with if")


def _named(name: str) -> str:
    return name if len(name) <= _LONGEST_NAMED else f"{name[:_LONGEST_NAMED]}…"
