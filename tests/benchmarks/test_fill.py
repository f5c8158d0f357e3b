"""What the benchmarks write past the product is what the product would have planned."""

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.fill import fill
from benchmarks.seed import KEY
from reminders.app import init, open_app
from reminders.settings import Settings

ROWS = 420
"""Each protocol on each of the days: 2⅓ reminders on average, for 180 patients."""


@pytest.mark.parametrize("fixture", ["sqlite_url", "postgres_url"])
def test_a_filled_table_agrees_with_the_facts(fixture: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    url = str(request.getfixturevalue(fixture))
    settings = Settings(database_url=url, secret_key=KEY, state=tmp_path)
    init(settings)
    always = {"sending_days": "mon,tue,wed,thu,fri,sat,sun", "sending_hours": "00:00-24:00", "send_at": "00:00"}
    with open_app(settings) as app:
        for slug in ("one", "two"):
            app.add_clinic(slug, {"name": "A", "timezone": "UTC", "email": "hello@clinic.example", **always}, ())
    stored = fill(url, ROWS, 2)
    with open_app(settings) as app:
        outcome = app.plan()
    assert stored == ROWS
    assert outcome.patients == ROWS * 3 // 7
    assert (outcome.changes, outcome.skipped) == (Counter(), 0)
