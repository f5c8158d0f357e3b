"""Writes the table of faults in docs/reliability.md: `python -m tests.support.fault_page`.

Invariant: between its two marks the page is what this prints; a test compares them.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.faults.matrix import ROWS, Row

TESTS = Path(__file__).resolve().parents[1]
PAGE = TESTS.parent / "docs" / "reliability.md"
BEGIN, END = "<!-- the matrix begins -->\n", "<!-- the matrix ends -->\n"
_NAMED = re.compile(r"test_(f\d\d)_")


def proofs() -> dict[str, list[tuple[Path, str]]]:
    """Return, by row, the files and names of the tests that prove it."""
    found: dict[str, list[tuple[Path, str]]] = {}
    for path, name in sorted(_tests()):
        match = _NAMED.match(name)
        if match:
            found.setdefault(match[1].upper(), []).append((path.relative_to(TESTS.parent), name))
    return found


def _tests() -> Iterator[tuple[Path, str]]:
    for path in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield path, node.name


def table() -> str:
    """Return the table."""
    known = proofs()
    lines = ["| | what goes wrong | what is then true | proved by |", "|---|---|---|---|"]
    lines += [f"| {row.name} | {row.fault} | {row.outcome} | {_cell(row, known)} |" for row in ROWS]
    return "\n".join(lines) + "\n"


def _cell(row: Row, known: Mapping[str, list[tuple[Path, str]]]) -> str:
    if row.missing:
        return f"*not yet: {row.missing}*"
    by_file: dict[Path, int] = {}
    for path, _ in known.get(row.name, []):
        by_file[path] = by_file.get(path, 0) + 1
    return "<br>".join(f"[{path.name}](../{path}) ({count})" for path, count in sorted(by_file.items()))


def page(before: str) -> str:
    """Return the whole page, its table made anew."""
    head, _, rest = before.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return head + BEGIN + table() + END + tail


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
