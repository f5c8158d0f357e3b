"""The long simulation's table tells what was done, also when it was cut short before any world was finished."""

from collections import Counter

from tests.simulation.long import CHAIN, YEAR, Tale, exercised, report

WANTED = Counter({YEAR: 1000, CHAIN: 1})


def test_a_world_that_was_begun_and_not_finished_stands_in_the_table() -> None:
    tale = Tale()
    tale.look([0.0, 0.0, 2.0, 3_650.0])  # type: ignore[arg-type]  # a list reads like the array that is shared
    year, chain = report(tale, WANTED).splitlines()[2:]
    assert "| 1,000 | 2 | 10.0 y | 0 | not known |" in year
    assert "| 1 | 0 | 0.0 y | 0 | not known |" in chain
    assert "not known" in exercised(tale)
    assert tale.lived == 3_650


def test_what_a_finished_world_counted_stands_in_the_table() -> None:
    tale = Tale()
    tale.look([0.0, 0.0, 1.0, 73_000.0])  # type: ignore[arg-type]
    tale.add(((1, YEAR), Counter({"accepted": 1_234, "promise 1": 7}), "", 60.0))
    year = report(tale, WANTED).splitlines()[2]
    assert "| 1,000 | 1 | 200.0 y | 1 | 1,234 | 0 |" in year
    assert exercised(tale).endswith(": 1: 7.")
