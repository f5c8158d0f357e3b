"""The locks: every package pinned and hashed, nothing said about where it is downloaded from.

A lock that named a host would decide for everyone whose mirror they trust.
"""

import re
import tomllib
from collections.abc import Iterable
from itertools import chain

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.checkout import ROOT, read

LOCKS = sorted(path.relative_to(ROOT) for path in (ROOT / "requirements").glob("*.txt"))
RUNTIME, DEV, BENCH = (f"requirements/{name}.txt" for name in ("runtime", "dev", "bench"))


def test_there_is_a_lock_to_run_from_one_to_work_with_and_one_for_the_peers() -> None:
    assert [path.as_posix() for path in LOCKS] == [BENCH, DEV, RUNTIME]


@pytest.mark.parametrize("path", LOCKS, ids=str)
def test_a_lock_names_no_place_to_download_from(path: object) -> None:
    places = re.compile(r"https?:|file:|index-url|find-links|trusted-host|^-[a-z]|(?<![\w.-])/\w", re.IGNORECASE)
    lines = _text(str(path)).splitlines()
    assert [line for line in lines if places.search(line)] == []


@pytest.mark.parametrize("path", LOCKS, ids=str)
def test_every_package_of_a_lock_is_pinned_and_hashed(path: object) -> None:
    logical = [line for line in _logical_lines(str(path)) if not line.startswith("#")]
    unsure = [line for line in logical if not re.match(r"\S+==\S+ .*--hash=sha256:[0-9a-f]{64}\b", line)]
    assert logical
    assert unsure == []


def test_what_the_project_asks_for_is_what_the_locks_hold() -> None:
    project = tomllib.loads(_text("pyproject.toml"))
    asked = [*project["project"]["dependencies"], *chain(*project["project"]["optional-dependencies"].values())]
    assert _unmet(asked, _pins(RUNTIME)) == []
    assert _unmet([*asked, *project["dependency-groups"]["dev"]], _pins(DEV)) == []
    assert _unmet(project["dependency-groups"]["bench"], _pins(BENCH)) == []


def test_the_locks_agree_with_each_other() -> None:
    assert _pins(RUNTIME).items() <= _pins(DEV).items()
    both = _pins(BENCH).keys() & _pins(DEV).keys()
    assert {name: _pins(BENCH)[name] for name in both} == {name: _pins(DEV)[name] for name in both}


@pytest.mark.xdist_group("kept")
def test_what_is_marked_to_be_run_by_one_worker_is_kept_together(request: pytest.FixtureRequest) -> None:
    """Pytest and pytest-xdist once disagreed about it in silence, and what was to be made once was made twice."""
    distributed = getattr(request.config.option, "loadgroup", False)
    assert request.node.nodeid.endswith("@kept" if distributed else "together")


def _text(path: str) -> str:
    return read(ROOT / path)


def _logical_lines(path: str) -> list[str]:
    return [line.strip() for line in _text(path).replace("\\\n", " ").splitlines() if line.strip()]


def _pins(path: str) -> dict[str, str]:
    pinned = (re.match(r"([\w.-]+)(?:\[\S*\])?==(\S+)", line) for line in _logical_lines(path))
    return {canonicalize_name(pin[1]): pin[2] for pin in pinned if pin}


def _unmet(asked: Iterable[str], pins: dict[str, str]) -> list[str]:
    wanted = [Requirement(line) for line in asked]
    return [str(one) for one in wanted if not one.specifier.contains(pins.get(canonicalize_name(one.name), "0"))]
