"""The sizes of the house: short files and functions, shallow folders, names of the field, docstrings that begin well.

An exception stands in `ALLOWED` with its reason, or the thing is made smaller.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.checkout import ROOT, files, python_files, read

PACKAGE_LINES = 300
TEST_LINES = 400
FUNCTION_LINES = 50
FOLDERS_DEEP = 2
TOP_LEVEL = {
    *("reminders", "templates", "tests", "alembic", "pyproject.toml", "README.md"),
    *("Makefile", "requirements", "docs", "benchmarks", "deploy", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE"),
    *(".ci", ".gitignore", ".gitattributes", ".editorconfig"),
}
SAYS_NOTHING = {"util", "utils", "helper", "helpers", "manager", "managers", "common", "misc"}
ALLOWED: dict[str, str] = {}
"""`path`, or `path:function`, to the reason why it may be larger."""


def test_no_file_is_longer_than_a_sitting() -> None:
    long = [
        f"{path}: {lines} lines"
        for path in python_files()
        if (lines := len(read(path).splitlines())) > (TEST_LINES if path.parts[0] == "tests" else PACKAGE_LINES)
        and path.as_posix() not in ALLOWED
    ]
    assert long == []


def test_no_function_is_longer_than_a_screen() -> None:
    long = [
        f"{place}: {lines} lines"
        for path in python_files()
        for place, lines in _functions(path)
        if lines > FUNCTION_LINES and place not in ALLOWED
    ]
    assert long == []


def test_every_exception_is_still_needed() -> None:
    places = {path.as_posix() for path in python_files()}
    places |= {place for path in python_files() for place, _ in _functions(path)}
    assert set(ALLOWED) - places == set()


def test_folders_of_code_are_shallow() -> None:
    deep = {path.parent.as_posix() for path in python_files() if len(path.parent.parts) - 1 > FOLDERS_DEEP}
    assert deep == set()


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [path for path in python_files() if {path.stem, path.parent.name} & SAYS_NOTHING] == []


def test_every_module_opens_with_a_sentence_that_says_what_it_is_for() -> None:
    silent = []
    for path in python_files():
        first = (ast.get_docstring(ast.parse(read(path))) or "").partition("\n")[0]
        if not first.endswith((".", "?")):
            silent.append(f"{path}: {first!r}")
    assert silent == []


def test_the_migrations_do_not_shadow_the_library_of_the_same_name() -> None:
    assert not (ROOT / "alembic" / "__init__.py").exists()


def test_the_top_level_holds_only_what_the_house_names() -> None:
    assert {path.parts[0] for path in files()} - TOP_LEVEL == set()


def _functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(read(path))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{path.as_posix()}:{node.name}", (node.end_lineno or node.lineno) - node.lineno + 1
