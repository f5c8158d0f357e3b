"""Makes a database at home where `init` upgrades it from a version that knew of no places.

Invariant: a database that sent under such a version is trusted once, by the upgrade that finds it in use; a copy that
was kept of it for more than a day waits for a person.
"""

import datetime as dt

from reminders.clock import Clock
from reminders.services.guarding.lock import Because, lock
from reminders.services.guarding.place import Place, place_here
from reminders.services.guarding.state_file import Remembered
from reminders.settings import Settings
from reminders.store import installation, places
from reminders.store.database import Database, Transaction

IN_USE = dt.timedelta(days=1)
"""Whatever was recorded or sent within it shows that the database is the one that is used."""


def settle_upgraded(database: Database, clock: Clock, settings: Settings) -> bool:
    """Be at home in a database that was just upgraded, or lock it; return whether it is trusted, having sent before.

    Nothing is to be done where nothing ever went out, or where a version like this one was at home already. A crash
    before the end leaves a database without a home that has sent: its first delivery locks it. Raises
    `StateUnwritable`.
    """
    with database.read(clock.now()) as tx:
        place = place_here(tx, settings) if _homeless(tx) else None
    if place is None:
        return False
    remembered = place.file.read()
    with database.write(clock.now, "init") as tx:
        because = _suspicion(tx, place, remembered)
        if because is None:
            place.enter(tx, remembered)
        else:
            lock(tx, because)
    if because is None:
        place.remember()
    return because is None


def _homeless(tx: Transaction) -> bool:
    found = installation.standing(tx)
    return found is not None and found.home is None and places.any_sent(tx)


def _suspicion(tx: Transaction, place: Place, remembered: Remembered | None) -> Because | None:
    """Return why an upgraded database is not to be trusted: more went out than it knows, or it lay unused."""
    if place.suspicion(tx, remembered) is Because.RESTORED:
        return Because.RESTORED
    found = installation.standing(tx)
    in_use = found is not None and found.seen_at is not None and tx.now - found.seen_at <= IN_USE
    return None if in_use else Because.COPIED
