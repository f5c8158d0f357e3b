"""Which tests of the store are run on SQLite alone; all others run on both databases."""

import pytest

from tests.support.backends import on_both

ALONE: dict[str, str] = {}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    on_both(metafunc, ALONE)
