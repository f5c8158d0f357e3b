"""Opens an installation that was made before: what every command begins with.

Invariant: nothing is changed, and nothing is loaded that only some commands need.
"""

from contextlib import closing
from typing import TYPE_CHECKING

from reminders.clock import Clock
from reminders.errors import DatabaseNotReady
from reminders.services import keys as ring
from reminders.services.keys import Keys
from reminders.settings import Settings
from reminders.store import installation
from reminders.store.database import Database
from reminders.store.engine import BUSY_MS
from reminders.store.migrating import check_ready
from reminders.store.transaction import Boot

if TYPE_CHECKING:
    from reminders.services.engine import Engine


class NotInstalled(DatabaseNotReady):
    """The database was not finished by `reminders init`: run it again."""


def open_installation(
    settings: Settings,
    clock: Clock,
    busy_ms: int = BUSY_MS,
    boot: Boot | None = None,
    engine: "Engine | None" = None,
) -> tuple[Database, Keys]:
    """Return the database and its keys; raises a `DatabaseNotReady`, `LostSecretKey` or `WrongSecretKey`.

    Whoever writes waits `busy_ms` for another writer; `boot` tells the uptime of the machine whose clock it is. The
    tables of `engine`, where one is given, have to be there too.
    """
    check_ready(settings.database_url)
    wrapped = known_pepper(settings.database_url, clock)
    if wrapped is None:
        raise NotInstalled
    if engine is not None:
        with closing(Database(settings.database_url)) as database, database.read(clock.now()) as tx:
            engine.need_schema(tx)
    keys = Keys(ring.unwrap(wrapped, ring.read_ring(settings, needed=True)))
    return Database(settings.database_url, audit_key=keys.audit_key, busy_ms=busy_ms, boot=boot), keys


def known_pepper(url: str, clock: Clock) -> bytes | None:
    """Return the pepper as it is kept, None before the first `init` has finished."""
    with closing(Database(url)) as database, database.read(clock.now()) as tx:
        known = installation.installation(tx)
    return known.wrapped_pepper if known else None
