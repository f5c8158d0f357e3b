"""Says what is wrong with an installation and how to mend it, whatever state it is in; nothing is changed.

Invariant: what rests on a broken thing is said to be unasked; no answer holds a patient's data, a key or a password.
"""

from collections.abc import Callable, Iterable

from reminders.clock import Clock
from reminders.mail.address import parse_address
from reminders.mail.transport import Transport
from reminders.services.checkup import Check, Examined, asked
from reminders.services.checkup_clinic import clinics_checks
from reminders.services.checkup_mail import (
    links_check,
    send_test_mail,
    sender_names_check,
    templates_check,
    transport_checks,
)
from reminders.services.checkup_store import (
    catalogue_check,
    clock_check,
    database_checks,
    key_checks,
    waiting_checks,
)
from reminders.settings import Settings
from reminders.store.database import Transaction

__all__ = ["Check", "doctor"]


def doctor(
    settings: Settings, clock: Clock, mail_to: str | None = None, transport: Transport | None = None
) -> tuple[Check, ...]:
    """Examine everything; with `mail_to` also send one test mail there. Raises `BadAddress` for what is no address.

    `transport` stands in for the one that the settings name.
    """
    address = None if mail_to is None else parse_address(mail_to)
    examined = Examined(settings, clock.now(), transport)
    checks: list[Check] = []
    try:
        checks += asked("database", lambda: database_checks(examined))
        checks += asked("secret key", lambda: key_checks(examined))
        checks += asked("clock", lambda: [clock_check(examined)])
        checks += _stored(examined, "catalogue", lambda tx: [catalogue_check(tx)])
        checks += _stored(examined, "clinics", clinics_checks)
        checks += _stored(examined, "reminders", waiting_checks)
        checks += asked("transport", lambda: transport_checks(examined))
        checks += [links_check(examined), sender_names_check()]
        checks += asked("templates", lambda: [templates_check()])
        if address is not None:
            checks += asked("test mail", lambda: [send_test_mail(examined, address)])
    finally:
        if examined.database is not None:
            examined.database.close()
    return tuple(checks)


def _stored(examined: Examined, name: str, question: Callable[[Transaction], Iterable[Check]]) -> Iterable[Check]:
    """Return the checks of a question to the database, asked in one snapshot."""
    database = examined.database
    if database is None:
        return [Check(name, None, "not looked at: it needs the database", "mend the database first")]

    def ask() -> list[Check]:
        with database.read(examined.now) as tx:
            return list(question(tx))

    return list(asked(name, ask))
