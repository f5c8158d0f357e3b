"""Reads a YAML or JSON text into nodes that know their line, and mappings into typed values, complaint by complaint.

Invariant: nothing is built from the text but strings, numbers and flags; a wrong value is a complaint with its line,
never an exception, so that everything wrong with a file is said at once.
"""

import re
from collections.abc import Collection
from enum import StrEnum
from typing import Any, TypeVar

import yaml

from reminders.domain.interval import BadInterval, Interval

E = TypeVar("E", bound=StrEnum)

DEEPEST = 10
"""A catalogue is four mappings deep; more is no catalogue, and thousands would exhaust the reader."""

_LONGEST_SHOWN = 40
_TAG = "tag:yaml.org,2002:"
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,8})")
_TRUE, _FALSE = frozenset({"true", "yes", "on"}), frozenset({"false", "no", "off"})


class Complaints:
    """What is wrong, each with its line, in the order of the lines."""

    def __init__(self) -> None:
        self._found: list[tuple[int, str]] = []

    def __len__(self) -> int:
        return len(self._found)

    def add(self, line: int, problem: str) -> None:
        """Note a problem on a line, counted from 1."""
        self._found.append((line, problem))

    def lines(self) -> tuple[str, ...]:
        """Return the complaints as "line 3: …", by line."""
        return tuple(f"line {line}: {problem}" for line, problem in sorted(self._found, key=lambda one: one[0]))


def compose(text: str, complaints: Complaints) -> yaml.Node | None:
    """Return the root of the one document in `text`; None, with a complaint, where it is no YAML."""
    if text.lstrip()[:1] in ("[", "{"):
        text = text.replace("\t", " ")  # JSON may be indented by tabs; YAML may not
    try:
        root = _Composer(text, complaints).get_single_node()
    except yaml.reader.ReaderError as error:
        complaints.add(text.count("\n", 0, error.position) + 1, "it holds a character that is no text")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = [words for words in (error.context, error.problem) if words] or ["it is no YAML"]
        complaints.add(mark.line + 1 if mark else 1, ", ".join(said)[:200])
    else:
        if root is None:
            complaints.add(1, "the file is empty")
        return root
    return None


class _Composer(yaml.SafeLoader):
    """Composes nodes; anchors, aliases and tags of one's own, which could blow a small file up, are complaints."""

    def __init__(self, text: str, complaints: Complaints) -> None:
        super().__init__(text)
        self._complaints, self._depth = complaints, 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]  # the stubs are silent about it
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            self._complaints.add(line, "anchors and aliases (& and *) are not read: write the value out")
        if isinstance(event, yaml.AliasEvent):
            self.get_event()  # type: ignore[no-untyped-call]
            return yaml.ScalarNode(_TAG + "null", "")
        if getattr(event, "tag", None):
            self._complaints.add(line, "tags (!) are not read: leave it out")
        self._depth += 1
        if self._depth > DEEPEST:
            raise yaml.MarkedYAMLError(problem="it is nested too deep for a catalogue", problem_mark=event.start_mark)
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


class Reading:
    """One mapping of the file: its keys are asked for with the type each must have.

    `path` goes before a key's name in complaints ("window."); `lines` holds the line of every key that is there.
    """

    def __init__(self, node: yaml.Node, path: str, known: Collection[str] | None, complaints: Complaints) -> None:
        self.line = node.start_mark.line + 1
        self.lines: dict[str, int] = {}
        self._path, self._complaints = path, complaints
        self._values: dict[str, yaml.Node] = {}
        if not isinstance(node, yaml.MappingNode):
            complaints.add(self.line, f"{path.rstrip('.') or 'this'} must be keys with values")
            self._missing_is_known = True
            return
        self._missing_is_known = False
        for key, value in node.value:
            self._take(key, value, known)

    def _take(self, key: yaml.Node, value: yaml.Node, known: Collection[str] | None) -> None:
        line = key.start_mark.line + 1
        name = key.value if isinstance(key, yaml.ScalarNode) else "?"
        if known is not None and name not in known:
            self._complaints.add(line, f"the key {shown(name)} is unknown{self._place()}: use {', '.join(known)}")
        elif name in self._values:
            self._complaints.add(
                line, f"{self._path}{shown(name)} stands here again (first on line {self.lines[name]})"
            )
        else:
            self._values[name] = value
            self.lines[name] = line

    def _place(self) -> str:
        return f" in {self._path.rstrip('.')}" if self._path else ""

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the keys that are there."""
        return tuple(self._values)

    def node(self, key: str, *, needed: bool = True) -> yaml.Node | None:
        """Return the value of a key; None where it is missing or empty (null), a complaint if it is needed."""
        node = self._values.get(key)
        if node is not None and not (isinstance(node, yaml.ScalarNode) and node.tag == _TAG + "null"):
            return node
        if needed and not self._missing_is_known:
            self._complaints.add(self.lines.get(key, self.line), f"{self._path}{key} is missing")
        return None

    def wrong(self, key: str, problem: str) -> None:
        """Complain about the value of a key."""
        self._complaints.add(self.lines.get(key, self.line), f"{self._path}{key} {problem}")

    def text(self, key: str, *, needed: bool = True) -> str:
        """Return words on one line; runs of blanks and line ends become single blanks."""
        node = self.node(key, needed=needed)
        if node is None:
            return ""
        if not isinstance(node, yaml.ScalarNode) or node.tag not in (_TAG + "str", _TAG + "timestamp"):
            self.wrong(key, "must be text: put it in quotes")
            return ""
        words = " ".join(_whole_characters(node.value).split())
        if not words.isprintable():
            self.wrong(key, "holds a character that is no text")
        elif needed and not words:
            self.wrong(key, "is empty")
        return words

    def number(self, key: str, default: int | None = None) -> int | None:
        """Return a whole number, `default` where the key is missing."""
        node = self.node(key, needed=False)
        if node is None:
            return default
        if isinstance(node, yaml.ScalarNode) and node.tag == _TAG + "int" and _WHOLE.fullmatch(node.value):
            return int(node.value)
        self.wrong(key, "must be a whole number")
        return default

    def flag(self, key: str, *, default: bool) -> bool:
        """Return true or false, `default` where the key is missing."""
        node = self.node(key, needed=False)
        if node is None:
            return default
        said = node.value.lower() if isinstance(node, yaml.ScalarNode) and node.tag == _TAG + "bool" else ""
        if said not in _TRUE | _FALSE:
            self.wrong(key, "must be true or false")
        return said in _TRUE

    def interval(self, key: str) -> Interval:
        """Return an interval such as 3m or -2w."""
        node = self.node(key)
        if node is None:
            return Interval()
        words = node.value if isinstance(node, yaml.ScalarNode) else "a list"
        try:
            return Interval.parse(words)
        except BadInterval as error:
            self.wrong(key, f"{error.facts['text']!r} is no interval: write it like 3m, 6m1d, 12w or -2w")
            return Interval()

    def one_of(self, key: str, kind: type[E]) -> E:
        """Return a member of `kind`."""
        words = self.text(key)
        for member in kind:
            if words == member.value:
                return member
        if words:
            self.wrong(key, f"{shown(words)} is none of {', '.join(kind)}")
        return next(iter(kind))


def shown(words: str) -> str:
    """Return words from a file as a complaint may show them: short, and in quotes."""
    return repr(words if len(words) <= _LONGEST_SHOWN else words[:_LONGEST_SHOWN] + "…")


def _whole_characters(words: str) -> str:
    r"""Join the surrogates that JSON writes for one character (\ud83d\ude00); a lone one stays, and is no text."""
    return words.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
