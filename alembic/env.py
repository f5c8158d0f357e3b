"""Runs the migrations over the connection the product hands in, inside the transaction it has begun.

Invariant: this environment opens no database of its own, so that nothing is upgraded by accident.
"""

from alembic import context

from reminders.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
