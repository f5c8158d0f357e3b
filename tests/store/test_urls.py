"""A database's URL that cannot be used is refused with a sentence, and its password is never in it."""

import datetime as dt

import pytest

from reminders.store.database import Database
from reminders.store.engine import BadDatabaseUrl

NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
SECRET = "PW-of-bob"


@pytest.mark.parametrize(
    "rest",
    [
        "[::1/x",
        "h:abc/x",
        "h/x?nonsense=1",
        "h/x?pool_size=3",
        "h/x?autocommit=true",
        "h/x?connect_timeout=abc",
        "h/x?port=-1",
        f"h/x?passwort={SECRET}",
    ],
)
def test_an_address_or_an_option_that_is_none_is_refused(rest: str) -> None:
    with pytest.raises(BadDatabaseUrl) as refused:
        Database(f"postgresql://bob:{SECRET}@{rest}")
    assert SECRET not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("options", ["sslmode=disable", "connect_timeout=5", "application_name=us&keepalives=1"])
def test_options_of_postgresql_are_taken(options: str) -> None:
    made = Database(f"postgresql://bob:{SECRET}@127.0.0.1:1/x?{options}")
    assert SECRET not in made.url
    made.close()
