"""Makes an installation: secret key, database, pepper, starter catalogue.

Invariant: run again it changes only what an upgrade brings; a key is made only where no database needs an old one.
"""

import secrets
from contextlib import closing
from dataclasses import dataclass

from reminders.clock import Clock
from reminders.services import keys as ring
from reminders.services.catalogue import install_starter
from reminders.services.checkup.check import Check, asked
from reminders.services.checkup.guarding import guard_checks
from reminders.services.engine import Engine
from reminders.services.guarding.upgraded import settle_upgraded
from reminders.services.keys import Keys
from reminders.services.opening import known_pepper
from reminders.settings import Settings
from reminders.store import clinics, installation
from reminders.store.database import Database
from reminders.store.engine import named
from reminders.store.faults import DatabaseMissing
from reminders.store.migrating import (
    create_or_upgrade,
    current_revision,
    head_revision,
)


@dataclass(frozen=True, slots=True)
class Installed:
    """What `init` did: whether it made the key and the database, what it upgraded from, and the protocols it added.

    `database` is what a person knows the database by. `trusted` says that what was upgraded goes on sending from here,
    and `wrong` why nothing goes out from it now, or at the next delivery. `clinics` is how many it holds. `shared_made`
    says that the tables by which several machines share work were made or upgraded.
    """

    database: str
    key_made: bool
    database_made: bool
    upgraded_from: str | None
    revision: str
    protocols_added: int
    trusted: bool = False
    shared_made: bool = False
    wrong: tuple[Check, ...] = ()
    clinics: int = 0


def install(settings: Settings, clock: Clock, engine: Engine | None = None) -> Installed:
    """Create or upgrade the installation.

    1. A key file, unless a key is given or the database already needs one. 2. The tables. 3. In one transaction the
    pepper and the starter catalogue. 4. A home, where an upgrade brings the notion. 5. The engine's tables, where one
    is bound. A crash after the first three leaves what the next run goes on from, as one before the last does; one
    before the fourth leaves a database whose first delivery asks a person.
    """
    before = _revision(settings.database_url)
    key_made = _make_key(settings, fresh=before is None)
    keys = ring.read_ring(settings, needed=before is not None)
    create_or_upgrade(settings.database_url)
    wrapped = known_pepper(settings.database_url, clock) or ring.wrap_new_pepper(keys)
    database = Database(settings.database_url, audit_key=Keys(ring.unwrap(wrapped, keys)).audit_key)
    with closing(database):
        added = _finish(database, clock, wrapped, keys)
        head = head_revision()
        upgraded = before if before not in (None, head) else None
        trusted = upgraded is not None and settle_upgraded(database, clock, settings)
        shared = engine is not None and engine.create_schema(database, clock)
        with database.read(clock.now()) as tx:
            checks = asked("sending", lambda: guard_checks(tx, settings))
            wrong = tuple(check for check in checks if check.ok is False)
            known = len(clinics.clinic_ids(tx))
    where = named(settings.database_url)
    return Installed(where, key_made, before is None, upgraded, head, added, trusted, shared, wrong, known)


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


def _finish(database: Database, clock: Clock, wrapped: bytes, keys: tuple[str, ...]) -> int:
    """Keep the pepper, wrapped by the newest key, and add what the catalogue lacks; return how many protocols."""
    with database.write(clock.now, "init") as tx:
        if installation.installation(tx) is None:
            installation.save_installation(tx, secrets.token_hex(16), wrapped)
        elif len(keys) > 1:
            installation.rewrap(tx, ring.rewrap(wrapped, keys))
        return install_starter(tx)
