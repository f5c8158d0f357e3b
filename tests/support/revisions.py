"""Databases of older versions: brought by the migrations to one of their revisions, and no further.

Invariant: the migrations run as an upgrade runs them, in one transaction of a writer.
"""

from alembic import command

from reminders.store.engine import WRITES, open_engine
from reminders.store.migrating import alembic_config


def bring_to(url: str, revision: str) -> None:
    """Bring a database to what the version of `revision` left."""
    engine = open_engine(url)
    with engine.connect() as connection:
        writer = connection.execution_options(**{WRITES: True})
        with writer.begin():
            config = alembic_config()
            config.attributes["connection"] = writer
            command.upgrade(config, revision)
    engine.dispose()
