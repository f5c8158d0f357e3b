"""Refuses to send from a database that cannot be trusted: damaged, of other tables, or with no room to record in.

Invariant: nothing is claimed where what is sent might not be remembered.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from reminders.clock import Clock
from reminders.services.guarding.looked import looked
from reminders.services.guarding.place import Place
from reminders.store.database import Database, Transaction
from reminders.store.faults import DatabaseCorrupt, DatabaseDamaged, UnreadableDay, UnreadableText
from reminders.store.soundness import refuse_full, refuse_moved


@contextmanager
def on_a_sound_database(database: Database, clock: Clock, place: Place | None) -> Iterator[None]:
    """Raise `DatabaseCorrupt` where SQLite finds damage, before a delivery begins.

    The whole file is read for it: once a day, whoever delivers, and again once the machine has started anew, another
    file stands there, or a delivery came upon damage on its own way. Without a place nothing is remembered.
    """
    mark = looked(place, database.boot) if place else None
    if mark is None or not mark.lately(clock.now()):
        database.refuse_damaged()
        if mark is not None:
            mark.keep(clock.now())
    try:
        yield
    except (DatabaseCorrupt, DatabaseDamaged) as error:
        if mark is not None and not isinstance(error, UnreadableDay | UnreadableText):  # those are single rows'
            mark.forget()
        raise


def need_room(database: Database) -> None:
    """Raise `DiskNearlyFull` or `DatabaseUnwritable` before messages are claimed."""
    refuse_full(database.address)


def need_our_tables(tx: Transaction) -> None:
    """Raise `DatabaseNewer` where another version's `init` upgraded the tables beneath us."""
    refuse_moved(tx)
