"""Refuses to send from a database that cannot be trusted: damaged, of other tables, or with no room to record in.

Invariant: nothing is claimed where what is sent might not be remembered.
"""

from reminders.store.database import Database, Transaction
from reminders.store.soundness import refuse_full, refuse_moved


def need_a_sound_database(database: Database) -> None:
    """Raise `DatabaseCorrupt` where SQLite finds damage, before a delivery begins.

    The whole file is read for it, so it is done once for each opened database; a worker asks again every day.
    """
    database.refuse_damaged()


def need_room(database: Database) -> None:
    """Raise `DiskNearlyFull` or `DatabaseUnwritable` before messages are claimed."""
    refuse_full(database.address)


def need_our_tables(tx: Transaction) -> None:
    """Raise `DatabaseNewer` where another version's `init` upgraded the tables beneath us."""
    refuse_moved(tx)
