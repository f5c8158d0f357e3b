"""The bug zoo is whole: every patch fits, and some of its bugs are set loose in every run of the tests."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.zoo import keeper

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not here: patches cannot be applied")
QUICK = ("fence-after-the-dot", "starttls-unverified")


@pytest.fixture(scope="module")
def copy() -> Iterator[Path]:
    with keeper.enclosure() as place:
        yield place


def test_there_are_enough_of_them_and_each_says_what_it_is() -> None:
    assert len(keeper.bugs()) >= 70
    assert [bug.name for bug in keeper.bugs() if not (bug.said and bug.noticed_by)] == []


def test_every_bug_fits_the_code_as_it_is(copy: Path) -> None:
    assert [bug.name for bug in keeper.bugs() if not keeper.applies(bug, copy, only_try=True)] == []


def test_the_tests_that_are_to_notice_exist(copy: Path) -> None:
    for bug in keeper.bugs():
        for line in bug.noticed_by:
            path = line.partition(" -k ")[0].partition("::")[0]
            assert (copy / path).exists(), f"{bug.name} names {path}"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", QUICK)
def test_a_bug_is_caught(name: str) -> None:
    [bug] = [bug for bug in keeper.bugs() if bug.name == name]
    assert keeper.is_caught(bug)


def test_a_harmless_change_escapes(tmp_path: Path) -> None:
    patch = tmp_path / "harmless.patch"
    patch.write_text(
        "Bug: none\nCaught by: tests/domain/test_retry.py\n"
        "--- a/README.md\n+++ b/README.md\n@@ -1,2 +1,2 @@\n-# Reminders\n+# Reminder\n \n",
        encoding="utf-8",
    )
    assert not keeper.is_caught(keeper.Bug("harmless", "none", ("tests/domain/test_retry.py",), patch))
