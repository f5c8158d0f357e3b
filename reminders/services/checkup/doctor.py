"""Says what is wrong with an installation and how to mend it, whatever state it is in; nothing is changed.

Invariant: what rests on a broken thing is said to be unasked; no answer holds a patient's data, a key or a password.
"""

from collections.abc import Callable, Iterable

from reminders.clock import Clock
from reminders.mail.address import parse_address
from reminders.mail.transport import Transport
from reminders.services.checkup.access import access_checks
from reminders.services.checkup.check import Check, Examined, asked
from reminders.services.checkup.clinic import clinics_checks
from reminders.services.checkup.engine import NAME as ENGINE
from reminders.services.checkup.engine import engine_checks
from reminders.services.checkup.guarding import guard_checks
from reminders.services.checkup.mail import (
    links_check,
    send_test_mail,
    transport_checks,
)
from reminders.services.checkup.senders import sender_checks
from reminders.services.checkup.store import (
    catalogue_check,
    clock_check,
    database_checks,
    key_checks,
    waiting_checks,
)
from reminders.services.checkup.templates import own_templates_checks, templates_check
from reminders.services.checkup.ticking import NAME as TICKING
from reminders.services.checkup.ticking import settings_checks, ticking_check
from reminders.services.engine import Engine
from reminders.services.find import NoSuchClinic
from reminders.settings import Settings
from reminders.store import clinics
from reminders.store.database import Transaction

__all__ = ["Check", "doctor"]


def doctor(
    settings: Settings,
    clock: Clock,
    mail_to: str | None = None,
    transport: Transport | None = None,
    clinic: str | None = None,
    engine: Engine | None = None,
) -> tuple[Check, ...]:
    """Examine everything; with `mail_to` also send one test mail there. Raises `BadAddress` for what is no address.

    `transport` stands in for the one that the settings name. `clinic` is the slug of the only clinic to look at, whose
    sender the test mail has; raises `NoSuchClinic`. `engine` is what shares work among several machines.
    """
    address = None if mail_to is None else parse_address(mail_to)
    examined = Examined(settings, clock.now(), transport, clinic=clinic)
    checks: list[Check] = []
    try:
        checks += asked("database", lambda: database_checks(examined))
        _known_clinic(examined)
        checks += asked("secret key", lambda: key_checks(examined))
        checks += asked("access", lambda: access_checks(examined))
        checks += asked("clock", lambda: [clock_check(examined)])
        checks += _stored(examined, TICKING, lambda tx: [ticking_check(tx)])
        checks += _stored(examined, ENGINE, lambda tx: engine_checks(tx, engine))
        checks += settings_checks(settings)
        checks += _stored(examined, "sending", lambda tx: guard_checks(tx, settings))
        checks += _stored(examined, "catalogue", lambda tx: [catalogue_check(tx)])
        checks += _stored(examined, "clinics", lambda tx: clinics_checks(tx, clinic))
        checks += _stored(examined, "reminders", waiting_checks)
        checks += asked("transport", lambda: transport_checks(examined))
        checks += [links_check(examined)]
        checks += asked("sender DNS", lambda: sender_checks(examined))
        checks += asked("templates", lambda: [templates_check()])
        checks += _stored(examined, "own templates", lambda tx: own_templates_checks(tx, clinic))
        if address is not None:
            checks += asked("test mail", lambda: [send_test_mail(examined, address)])
    finally:
        if examined.database is not None:
            examined.database.close()
    return tuple(checks)


def _known_clinic(examined: Examined) -> None:
    """Refuse a clinic that is not there: everything would seem well with it."""
    if examined.clinic is not None and examined.database is not None:
        with examined.database.read(examined.now) as tx:
            if examined.clinic not in clinics.slugs(tx).values():
                raise NoSuchClinic(slug=examined.clinic)


def _stored(examined: Examined, name: str, question: Callable[[Transaction], Iterable[Check]]) -> Iterable[Check]:
    """Return the checks of a question to the database, asked in one snapshot."""
    database = examined.database
    if database is None:
        return [Check(name, None, "not looked at: it needs the database", "mend the database first")]

    def ask() -> list[Check]:
        with database.read(examined.now) as tx:
            return list(question(tx))

    return list(asked(name, ask))
