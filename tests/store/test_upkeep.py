"""PostgreSQL cleans the tables that a delivery changes before what is dead in them is felt."""

from sqlalchemy import text

from reminders.store.database import Database
from reminders.store.server import STORAGE
from tests.store.clinic import NOW

_GIVEN = text("SELECT relname, reloptions FROM pg_class WHERE relname = ANY(:names) AND relkind = 'r'")


def test_the_tables_of_a_delivery_are_cleaned_early(database: Database) -> None:
    with database.read(NOW) as tx:
        if tx.connection.dialect.name == "sqlite":
            return
        rows = tx.connection.execute(_GIVEN, {"names": list(STORAGE)}).all()
        found: dict[str, list[str]] = dict(rows)
    asked = {table: {f"{name}={value}" for name, value in given.items()} for table, given in STORAGE.items()}
    assert {table: set(options) for table, options in found.items()} == asked
