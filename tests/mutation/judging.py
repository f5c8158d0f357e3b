"""How tests are run when they judge a mutant: fewer examples, and nothing remembered from one test to the next.

A pytest plugin (`-p tests.mutation.judging`), used instead of the conftests, which would load the whole product.
Invariant: what a mutant works out is never answered from a cache that the unharmed code had filled.
"""

import pytest
from hypothesis import HealthCheck, Phase, is_hypothesis_test, settings

from reminders.domain import interval, sending_hours

settings.register_profile(
    "judging a mutant",
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=25,
    phases=[Phase.explicit, Phase.generate],  # that an example fails is enough: looking for the smallest takes minutes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("judging a mutant")


def pytest_runtest_setup() -> None:
    """Forget every moment and interval worked out so far."""
    sending_hours._moment.cache_clear()  # noqa: SLF001 - the cache is nobody else's business
    interval._delta.cache_clear()  # noqa: SLF001 - as above


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the quick tests judge first."""
    items.sort(key=lambda item: isinstance(item, pytest.Function) and is_hypothesis_test(item.obj))
