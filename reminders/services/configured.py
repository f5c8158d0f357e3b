"""Finds the transport that an installation is set to.

Invariant: without one nothing is claimed, so that nothing is left half sent.
"""

from reminders.errors import CannotDo
from reminders.mail.transport import Transport, transport_for
from reminders.settings import Settings


class NoTransport(CannotDo):
    """No transport is set, so nothing can be sent.

    Set REMINDERS_SMTP_URL, for example to smtp://user:password@host:587, or to file:outbox.
    """


def configured_transport(settings: Settings) -> Transport:
    """Return the transport of REMINDERS_SMTP_URL; raises `NoTransport` when it is not set."""
    if not settings.smtp_url:
        raise NoTransport
    return transport_for(settings.smtp_url)
