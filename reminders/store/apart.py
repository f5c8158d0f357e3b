"""Does something for one patient apart from everybody else, so that rows of theirs that are damaged cost nobody else.

Invariant: what fails for the sake of odd data is undone, the events it put on the trail included; what was done before
it stands. Whatever else goes wrong (the database is lost, the process ends) undoes the whole transaction anyway.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from reminders.errors import BadInput
from reminders.store.faults import DamagedRow, UnreadableDay, UnreadableText, in_our_words
from reminders.store.transaction import Transaction

ODD_DATA = (DamagedRow, UnreadableText, UnreadableDay, BadInput, ValueError, LookupError, TypeError, ArithmeticError)
"""What reading or working out one patient's rows may end with, when they hold what this program never wrote."""


@contextmanager
def apart(tx: Transaction) -> Iterator[None]:
    """Undo, within the transaction, what the block did, when it raises one of `ODD_DATA`; errors are in our words."""
    pending, patterns = list(tx.pending), dict(tx.new_patterns)
    savepoint = tx.connection.begin_nested()
    try:
        with in_our_words():
            yield
    except ODD_DATA:
        savepoint.rollback()
        tx.pending[:] = pending
        tx.new_patterns.clear()
        tx.new_patterns.update(patterns)
        raise
    savepoint.commit()
