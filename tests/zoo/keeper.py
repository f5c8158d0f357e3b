"""Sets deliberate bugs loose in a copy of the checkout, one at a time, and sees whether the suite catches them.

A bug is a patch in `tests/zoo/bugs`. Its head says in words what is wrong with it (`Bug:`), and which tests are to
notice (`Caught by:`, one argument of pytest a line). It is caught when those tests pass without it and fail with it.

Invariant: the checkout itself is never changed; a bug that does not apply, or whose tests cannot be run, counts as
escaped.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUGS = Path(__file__).with_name("bugs")
_COPIED = (
    "reminders",
    "templates",
    "tests",
    "alembic",
    "docs",
    "requirements",
    "pyproject.toml",
    "Makefile",
    "README.md",
)
_LEFT = shutil.ignore_patterns("images")
_PATIENCE_S = 600
_TESTS_FAILED = 1  # pytest's exit code for just this; 2 to 5 are troubles of its own


@dataclass(frozen=True, slots=True)
class Bug:
    """A deliberate bug: its name, what is wrong, the tests that notice, and the patch that sets it loose."""

    name: str
    said: str
    noticed_by: tuple[str, ...]
    patch: Path


def bugs() -> tuple[Bug, ...]:
    """Return every bug in the zoo, by name."""
    return tuple(_bug(path) for path in sorted(BUGS.glob("*.patch")))


def _bug(path: Path) -> Bug:
    head = path.read_text(encoding="utf-8").partition("\n--- ")[0].splitlines()
    said = [line.removeprefix("Bug:").strip() for line in head if line.startswith("Bug:")]
    tests = [line.removeprefix("Caught by:").strip() for line in head if line.startswith("Caught by:")]
    return Bug(path.stem, " ".join(said), tuple(tests), path)


@contextmanager
def enclosure() -> Iterator[Path]:
    """Give a copy of the checkout that may be broken."""
    with tempfile.TemporaryDirectory(prefix="zoo-") as folder:
        place = Path(folder)
        for name in _COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, place / name, ignore=_LEFT)
            else:
                shutil.copy2(source, place / name)
        yield place


def applies(bug: Bug, place: Path, *, only_try: bool = False) -> bool:
    """Set the bug loose in `place`; false when its patch does not fit what stands there."""
    command = ["git", "apply", *(["--check"] if only_try else []), str(bug.patch)]
    return subprocess.run(command, cwd=place, capture_output=True, check=False).returncode == 0


def tests_fail(place: Path, tests: Sequence[str]) -> bool | None:
    """Run these tests in `place`; None when they could not be run at all."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *_arguments(tests)]
    done = subprocess.run(command, cwd=place, capture_output=True, check=False, timeout=_PATIENCE_S)
    return {0: False, _TESTS_FAILED: True}.get(done.returncode)


def _arguments(tests: Sequence[str]) -> Iterator[str]:
    for line in tests:
        path, _, chosen = line.partition(" -k ")
        yield path.strip()
        if chosen:
            yield from ("-k", chosen.strip())


def is_caught(bug: Bug) -> bool:
    """Tell whether the bug's tests pass without it and fail with it."""
    with enclosure() as place:
        if not bug.noticed_by or tests_fail(place, bug.noticed_by) is not False:
            return False
        return applies(bug, place) and tests_fail(place, bug.noticed_by) is True


def main(names: Sequence[str]) -> int:
    """Try the bugs of these names (all of them without any), two at a time; return how many escaped."""
    chosen = [bug for bug in bugs() if not names or bug.name in names]
    escaped = 0
    with ThreadPoolExecutor(2) as pool:
        for bug, caught in zip(chosen, pool.map(is_caught, chosen), strict=True):
            escaped += not caught
            sys.stdout.write(f"{'caught ' if caught else 'ESCAPED'}  {bug.name}: {bug.said}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{len(chosen) - escaped} of {len(chosen)} bugs caught.\n")
    return escaped


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:]) else 0)
