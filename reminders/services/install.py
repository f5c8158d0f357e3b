"""Makes an installation: secret key, database, pepper, starter catalogue; and opens one that was made before.

Invariant: run again it changes only what an upgrade brings; a key is made only where no database needs an old one.
"""

import secrets
from dataclasses import dataclass

from reminders.clock import Clock
from reminders.errors import DatabaseNotReady
from reminders.services import keys as ring
from reminders.services.catalogue import install_starter
from reminders.services.keys import Keys
from reminders.settings import Settings
from reminders.store import installation
from reminders.store.database import Database
from reminders.store.faults import DatabaseMissing
from reminders.store.migrating import (
    check_ready,
    create_or_upgrade,
    current_revision,
    head_revision,
)


class NotInstalled(DatabaseNotReady):
    """The database was not finished by `reminders init`: run it again."""


@dataclass(frozen=True, slots=True)
class Installed:
    """What `init` did: whether it made the key and the database, what it upgraded from, and the protocols it added."""

    key_made: bool
    database_made: bool
    upgraded_from: str | None
    revision: str
    protocols_added: int


def install(settings: Settings, clock: Clock) -> Installed:
    """Create or upgrade the installation.

    1. A key file, unless a key is given or the database already needs one. 2. The tables. 3. In one transaction the
    pepper and the starter catalogue. A crash after any of them leaves what the next run goes on from.
    """
    before = _revision(settings.database_url)
    key_made = _make_key(settings, fresh=before is None)
    keys = ring.read_ring(settings)
    create_or_upgrade(settings.database_url)
    database = Database(settings.database_url)
    try:
        pepper = _pepper(database, clock, keys)
        database = database.with_audit_key(Keys(pepper).audit_key)
        with database.write(clock.now(), "init") as tx:
            added = install_starter(tx)
    finally:
        database.close()
    head = head_revision()
    upgraded = before if before not in (None, head) else None
    return Installed(key_made, before is None, upgraded, head, added)


def _revision(url: str) -> str | None:
    try:
        return current_revision(url)
    except DatabaseMissing:
        return None


def _make_key(settings: Settings, *, fresh: bool) -> bool:
    if settings.secret_key or settings.secret_key_file.exists() or not fresh:
        return False
    ring.make_key_file(settings.secret_key_file)
    return True


def _pepper(database: Database, clock: Clock, keys: tuple[str, ...]) -> bytes:
    """Return the installation's pepper, made now if there is none, and wrapped by the newest key."""
    with database.write(clock.now(), "init") as tx:
        known = installation.installation(tx)
        if known is None:
            wrapped = ring.wrap_new_pepper(keys)
            installation.save_installation(tx, secrets.token_hex(16), wrapped)
            return ring.unwrap(wrapped, keys)
        pepper = ring.unwrap(known.wrapped_pepper, keys)
        if len(keys) > 1:
            installation.rewrap(tx, ring.rewrap(known.wrapped_pepper, keys))
        return pepper


def open_installation(settings: Settings, clock: Clock) -> tuple[Database, Keys]:
    """Return the database and its keys; raises a `DatabaseNotReady`, `NoSecretKey` or `WrongSecretKey`."""
    check_ready(settings.database_url)
    database = Database(settings.database_url)
    with database.read(clock.now()) as tx:
        known = installation.installation(tx)
    if known is None:
        raise NotInstalled
    keys = Keys(ring.unwrap(known.wrapped_pepper, ring.read_ring(settings)))
    return database.with_audit_key(keys.audit_key), keys
