"""Damages what mutmut leaves alone: tables, constants, patterns, and what stands behind a decorator.

mutmut only touches the bodies of plain functions, and much of these rules is a table. Here the same operators are laid
on the rest of each module, and two of our own: an entry less in a table, a word less in a pattern.
Invariant: a mutant is a whole module's text; the checkout itself is never written to.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

import libcst as cst
from mutmut.mutation.file_mutation import create_mutations

_REMEMBERED = re.compile(r"^( *)@(lru_cache|property)", re.MULTILINE)
_SET_ASIDE = "# set aside: @"
_PROSE = re.compile(r"""["'][^"']*\w \w""")  # how a sentence is worded is for people to judge


@dataclass(frozen=True, slots=True)
class Mutant:
    """One damaged module: `change` is the lines that differ, `-` before and `+` after."""

    module: str
    change: tuple[str, ...]
    text: str


def changed_lines(before: str, after: str) -> tuple[str, ...]:
    """Return the lines that differ between two texts, as a difference shows them, without their indentation."""
    lines = list(unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm=""))[2:]
    return tuple(f"{line[0]} {line[1:].strip()}" for line in lines if line[0] in "+-")


def mutants_beyond_functions(root: Path, path: Path) -> Iterator[Mutant]:
    """Yield each mutant of `path` (below `root`) that lies outside plain functions, once."""
    text = (root / path).read_text(encoding="utf-8")
    module, mutations, _, _ = create_mutations(str(path), _REMEMBERED.sub(rf"\1{_SET_ASIDE}\2", text))
    replaced = [
        (one.original_node, one.mutated_node)
        for one in mutations
        if not isinstance(one.contained_by_top_level_function, cst.FunctionDef)
        or _is_set_aside(one.contained_by_top_level_function)
    ]
    replaced += [(node, less) for node in _outside_functions(module) for less in _with_less(node)]
    seen = {text}
    strings: set[cst.CSTNode] = set()
    for node, instead in replaced:
        if _tells_nothing(node) or node in strings:
            continue
        if isinstance(node, cst.SimpleString) and node.prefix == "":
            strings.add(node)  # another word is noticed or is not: one for each will do
        damaged = _code(module.deep_replace(node, instead))
        if damaged not in seen:
            seen.add(damaged)
            yield Mutant(".".join(path.with_suffix("").parts), changed_lines(text, damaged), damaged)


def _tells_nothing(node: cst.CSTNode) -> bool:
    """Tell of prose, and of a whole table that becomes None: that is noticed before a test has begun."""
    return isinstance(node, cst.Assign | cst.AnnAssign) or (
        isinstance(node, cst.SimpleString) and _PROSE.search(node.value) is not None
    )


def _code(module: cst.CSTNode) -> str:
    assert isinstance(module, cst.Module)
    return module.code.replace(_SET_ASIDE, "@")


def _is_set_aside(function: cst.FunctionDef) -> bool:
    return any(line.comment and line.comment.value.startswith(_SET_ASIDE) for line in function.leading_lines)


def _outside_functions(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    for child in node.children:
        if not isinstance(child, cst.FunctionDef | cst.Decorator | cst.Annotation | cst.ImportFrom):
            yield child
            yield from _outside_functions(child)


def _with_less(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Yield a table without one of its entries, a pattern without one of its words."""
    if isinstance(node, cst.Set | cst.Dict | cst.Tuple) and len(node.elements) > 1:
        for place in range(len(node.elements)):
            yield node.with_changes(elements=[*node.elements[:place], *node.elements[place + 1 :]])
    if isinstance(node, cst.SimpleString) and node.prefix == "r" and "|" in node.value:
        words = node.raw_value.split("|")
        for place in range(len(words)):
            kept = "|".join(words[:place] + words[place + 1 :])
            yield node.with_changes(value=f"r{node.quote}{kept}{node.quote}")
