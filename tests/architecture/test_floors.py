"""The floors of the house: imports point down, and each outside thing has one owner.

The contracts stand in pyproject.toml; here they fail the test run, with the sentence that names the import.
"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.checkout import ROOT, python_files, read

PURE = {"dateutil", "reminders.domain", "reminders.errors"}


def test_every_import_keeps_to_the_floors() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache", "--no-logo"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(done.stdout + done.stderr, pytrace=False)


def test_the_domain_imports_only_the_standard_library_and_dateutil() -> None:
    foreign = [
        f"{path}: {name}"
        for path in python_files("reminders")
        if path.parts[1] == "domain"
        for name in _imported(ast.parse(read(path)))
        if name.split(".")[0] not in sys.stdlib_module_names
        and not any(name == pure or name.startswith(f"{pure}.") for pure in PURE)
    ]
    assert foreign == []


def _imported(tree: ast.Module) -> list[str]:
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names
