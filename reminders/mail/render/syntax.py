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

from reminders.mail.render.marks import Refused, look_at_marks
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
_LONE_TAG = re.compile(r"^[ \t]*(\{%[^%\n]{0,500})%\}[ \t]*\n", re.MULTILINE)
_LONGEST_NAMED = 30

Known = tuple[frozenset[str], frozenset[str]]


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    """A part that passed: its tree, ready to be compiled, and the same as plain values.

    `used` are the names that stand anywhere in it, `worked_on` those of them that are filtered or compared.
    """

    tree: nodes.Template
    pieces: Pieces
    used: frozenset[str]
    worked_on: frozenset[str]


def read(
    environment: Environment, source: str, first_line: int, names: frozenset[str]
) -> tuple[Part | None, tuple[Complaint, ...]]:
    """Return the part that `source` is, or what is wrong with it; `names` are those that may stand in it."""
    source = _LONE_TAG.sub(
        "\\1\n%}", source
    )  # a tag alone on its line leaves no empty line, and lines keep their count
    found: list[Refused] = []
    try:
        look_at_marks(environment, source, found)
        if found:
            return None, _complaints(found, first_line)
        tree = environment.parse(source)
        reader = _Reader(names, first_line - 1)
        pieces = reader.pieces(tree.body)
        if reader.found:
            return None, _complaints(reader.found, first_line)
    except Refused as refused:
        return None, _complaints([*found, refused], first_line)
    except TemplateError as error:
        line = getattr(error, "lineno", None) or 1
        what = "a tag is not written as it should be: {{ name }} or {% if name %} … {% else %} … {% endif %}"
        return None, (*_complaints(found, first_line), Complaint(first_line - 1 + line, "error", what))
    except (RecursionError, ValueError, OverflowError):  # the engine's own reading of numbers, names and nesting
        unread = Complaint(first_line, "error", "it holds a tag that cannot be read")
        return None, (*_complaints(found, first_line), unread)
    _compare_bare_values(environment, tree)
    return Part(tree, pieces, frozenset(reader.used), frozenset(reader.worked_on)), ()


def _complaints(found: list[Refused], first_line: int) -> tuple[Complaint, ...]:
    return tuple(Complaint(first_line - 1 + one.line, "error", one.what) for one in found)


class _Reader:
    """Turns the engine's tree into our own, and refuses every node it does not know."""

    def __init__(self, names: frozenset[str], lines_before: int) -> None:
        self._names = names
        self._before = lines_before
        self.found: list[Refused] = []
        self.used: set[str] = set()
        self.worked_on: set[str] = set()

    def pieces(self, body: list[nodes.Node]) -> Pieces:
        return tuple(piece for node in body for piece in self._read(node))

    def _read(self, node: nodes.Node) -> Iterator[Piece]:
        for child in node.nodes if type(node) is nodes.Output else (node,):
            try:
                yield self._piece(child)
            except Refused as refused:
                self.found.append(refused)

    def _piece(self, node: nodes.Node) -> Piece:
        if type(node) is nodes.If:
            return self._choice(node)
        if type(node) is nodes.TemplateData:
            return self._said(node)
        return self._shown(cast("nodes.Expr", node))

    def _said(self, node: nodes.TemplateData) -> Said:
        return Said(self._before + node.lineno, node.data)

    def _choice(self, node: nodes.If) -> Choice:
        branches, otherwise = [], frozenset[str]()
        for way in (node, *node.elif_):
            if type(way) is not nodes.If:
                raise _unknown(way)
            known, unknown = self._asked(way.test)
            branches.append(Branch(otherwise | known, self.pieces(way.body)))
            otherwise |= unknown
        branches.append(Branch(otherwise, self.pieces(node.else_)))
        return Choice(self._before + node.lineno, tuple(branches))

    def _asked(self, test: nodes.Node) -> Known:
        try:
            return self._test(test)
        except Refused as refused:
            self.found.append(refused)
            return frozenset(), frozenset()

    def _shown(self, node: nodes.Expr) -> Shown:
        filters: list[str] = []
        instead = ""
        inner: nodes.Node | None = node
        while type(inner) is nodes.Filter:
            filters.append(self._filter(inner))
            if inner.args:
                instead = self._text(cast("nodes.Const", inner.args[0])) or instead
            inner = inner.node
        if len(filters) > len(FILTERS):
            raise Refused(node.lineno, "too many filters stand in a row")
        line = self._before + node.lineno
        if type(inner) is nodes.Name:
            name = self._name(inner)
            self.worked_on |= {name} if filters else set()
            return Shown(line, name, "", tuple(reversed(filters)), instead)
        if type(inner) is nodes.Const:
            return Shown(line, None, self._text(inner), tuple(reversed(filters)), instead)
        raise _unknown(inner or node)

    def _name(self, node: nodes.Name) -> str:
        if node.ctx != "load" or node.name not in self._names:
            if node.name in BODY_NAMES:
                raise Refused(node.lineno, f"{node.name} cannot stand in the subject: only sender and clinic can")
            known = ", ".join(sorted(self._names, key=lambda name: (name.lower(), name)))
            raise Refused(node.lineno, f'there is no value "{_named(node.name)}": there are {known}')
        self.used.add(node.name)
        return node.name

    def _text(self, node: nodes.Const) -> str:
        if type(node.value) is not str:
            raise Refused(node.lineno, "only a name or a text in quotes can stand in a tag")
        return node.value

    def _filter(self, node: nodes.Filter) -> str:
        if node.name not in FILTERS:
            known = ", ".join(FILTERS)
            raise Refused(node.lineno, f'there is no filter "{_named(node.name)}": there are {known}')
        given = len(node.args)
        if node.kwargs or node.dyn_args or node.dyn_kwargs or given != (node.name == "default"):
            raise Refused(node.lineno, 'only default takes something in brackets, one text: default("text")')
        if given and type(node.args[0]) is not nodes.Const:
            raise Refused(node.lineno, 'default takes one text in quotes: default("text")')
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
            raise Refused(node.lineno, "values can be compared with == or != alone")
        left, right = self._shown(node.expr), self._shown(node.ops[0].expr)
        if left.name is None or right.name is not None or left.filters or right.filters:
            raise Refused(node.lineno, 'a comparison is a name, == or !=, and a text in quotes: language == "en"')
        self.worked_on.add(left.name)
        names, none = frozenset({left.name}), frozenset[str]()
        filled, empty = (names, none) if right.text else (none, names)
        return (filled, empty) if node.ops[0].op == "eq" else (empty, filled)


def _compare_bare_values(environment: Environment, tree: nodes.Template) -> None:
    for compared in list(tree.find_all(nodes.Compare)):
        bare = nodes.Filter(compared.expr, BARE, [], [], None, None, lineno=compared.lineno)
        bare.set_environment(environment)
        compared.expr = bare


def _unknown(node: nodes.Node) -> Refused:
    return Refused(node.lineno, "this cannot be used in a template: show a name, or ask for it with if")


def _named(name: str) -> str:
    return name if len(name) <= _LONGEST_NAMED else f"{name[:_LONGEST_NAMED]}…"
