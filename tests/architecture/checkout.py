"""Which files belong to this checkout, so that every rule of the house looks at the same ones.

Invariant: a path is relative to the root and exists; nothing that git ignores is among them.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHON_FOLDERS = ("reminders", "tests", "alembic", "benchmarks")


def files() -> list[Path]:
    """Return every file of the checkout: what git tracks or would track, else (an unpacked archive) what lies there."""
    found = _listed_by_git()
    return sorted(set(_walked() if found is None else found))


def python_files(*folders: str) -> list[Path]:
    """Return the Python files below `folders`, or below every folder that holds code."""
    return [path for path in files() if path.suffix == ".py" and path.parts[0] in (folders or PYTHON_FOLDERS)]


def read(path: Path) -> str:
    """Return the text of a file of the checkout; empty for one that is no text."""
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607 - git of the PATH is the developer's own
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout


def _listed_by_git() -> list[Path] | None:
    top = _git("rev-parse", "--show-toplevel")
    if top is None or Path(top.strip()).resolve() != ROOT:  # an archive unpacked inside somebody else's checkout
        return None
    listed = _git("ls-files", "-z", "--cached", "--others", "--exclude-standard") or ""
    return [Path(name) for name in listed.split("\0") if name and (ROOT / name).is_file()]


def _walked() -> Iterator[Path]:
    made_here = {".git", ".hypothesis", ".venv", ".venv-bench", "build", "dist", "mutants", "__pycache__"}
    for path in ROOT.rglob("*"):
        relative = path.relative_to(ROOT)
        cache = any(part in made_here or part.endswith(("_cache", ".egg-info")) for part in relative.parts)
        if path.is_file() and not cache and relative.name != "PKG-INFO":
            yield relative
