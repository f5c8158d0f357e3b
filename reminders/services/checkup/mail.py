"""Examines how mail leaves: the transport, its breaker, the links; and sends a test mail on request.

Invariant: but for the test mail nothing is sent, and that one holds nothing about any patient.
"""

import secrets
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from reminders.errors import CannotDo
from reminders.mail.address import sender_domain
from reminders.mail.compose import compose, message_id
from reminders.mail.message import MessageLinks, RenderedMessage
from reminders.mail.outcome import Outcome, Verdict
from reminders.mail.transport import Transport, hand_over, transport_for
from reminders.services.checkup.check import Check, Examined, asked
from reminders.services.checkup.clinic import AN_INVENTED_PATIENT
from reminders.services.explain import fault_words
from reminders.services.signing import signer
from reminders.services.ways import opened
from reminders.store import clinics, transports
from reminders.store.clinic_transports import Sealed, sealed_ones

_NO_TRANSPORT = "set REMINDERS_SMTP_URL, for example to smtp://user:password@host:587 or file:outbox"


class NoTransport(CannotDo):
    """No transport is set, so no test mail can be sent: set REMINDERS_SMTP_URL."""


def transport_checks(examined: Examined) -> Iterator[Check]:
    """Yield whether the mail server can be used (connected, made safe, logged in, nothing sent), and its breaker."""
    own = _own(examined)
    for one in own:
        yield from asked(f"clinic {one.slug}: transport", partial(_own_checks, examined, one))
    if examined.clinic is not None and own:
        return
    transport = _shared(examined)
    if transport is None:
        said = "none is set: nothing is sent" + (" but by the clinics that have one of their own" if own else "")
        yield Check("transport", ok=False, said=said, advice=_NO_TRANSPORT)
        return
    yield from _breaker_checks(examined, "breaker", transport.name)
    transport.connect().close()
    yield Check("transport", ok=True, said=f"{transport.name} can be used")


def _own(examined: Examined) -> list[Sealed]:
    """Return the transports that clinics have for themselves, as far as they are looked at."""
    if examined.database is None or examined.keys is None:
        return []
    with examined.database.read(examined.now) as tx:
        return [one for one in sealed_ones(tx) if examined.clinic in (None, one.slug)]


def _own_checks(examined: Examined, one: Sealed) -> Iterator[Check]:
    assert examined.keys is not None  # noqa: S101 - without them none was found
    way = opened(examined.keys, one)
    yield from _breaker_checks(examined, f"clinic {one.slug}: breaker", way.breakers.name)
    way.transport.connect().close()
    yield Check(f"clinic {one.slug}: transport", ok=True, said=f"its own, {way.transport.name}, can be used")


def _breaker_checks(examined: Examined, name: str, way: str) -> Iterator[Check]:
    if examined.database is None:
        return
    with examined.database.read(examined.now) as tx:
        breaker = transports.breaker(tx, way)
    if breaker.open_until is None or examined.now >= breaker.open_until:
        yield Check(name, ok=True, said="closed")
        return
    fault = fault_words(breaker.fault) if breaker.fault else "no details"
    said = f"delivery rests until {breaker.open_until:%Y-%m-%d %H:%M} UTC ({fault})"
    yield Check(name, ok=False, said=said, advice="mend what it says; after that, one message tries again")


def links_check(examined: Examined) -> Check:
    """Say what mails do without an https address that leads to this installation."""
    base = examined.settings.base_url
    if examined.settings.link_base is not None:
        return Check("links", ok=True, said=f"links in mails begin with {base}")
    why = "REMINDERS_BASE_URL is not set" if base is None else "REMINDERS_BASE_URL is not an https address"
    said = f"{why}: mails carry no request or stop link; patients ask and stop by phone or reply"
    advice = "set it to the https address under which patients reach this installation, if there is one"
    return Check("links", ok=None, said=said, advice=advice)


def send_test_mail(examined: Examined, address: str) -> Check:
    """Send one message to `address` that says it is a test, and say what the server answered."""
    transport = _transport(examined)
    if transport is None:
        raise NoTransport
    name, sender, reply_to = _sender(examined, address)
    facts = replace(AN_INVENTED_PATIENT, recipient=address, sender_name=name, sender_address=sender, reply_to=reply_to)
    identifier = message_id(secrets.token_hex(16), sender)
    content = _signed(examined, compose(_TEST, facts, MessageLinks(), identifier, examined.now), sender)
    session = transport.connect()
    try:
        outcome = hand_over(session, sender, address, content)
    finally:
        session.close()
    return _answer(outcome, identifier)


def _answer(outcome: Outcome, identifier: str) -> Check:
    if outcome.verdict is Verdict.ACCEPTED:
        said = f"the server accepted it as {identifier}; whether it arrives, the mailbox shows"
        return Check("test mail", ok=True, said=said, advice="look into the mailbox, its spam folder too")
    advice = "the transport is set up, but the server did not take this message: its reply says why"
    return Check("test mail", ok=False, said=fault_words(outcome.summary), advice=advice)


def _sender(examined: Examined, address: str) -> tuple[str, str, str]:
    """Return a test mail's sender (name, address, reply address): the clinic's, else who gets it."""
    everyone = []
    if examined.database is not None:
        with examined.database.read(examined.now) as tx:
            everyone = clinics.readable_clinics(tx)
    for clinic in everyone:
        if examined.clinic not in (None, clinic.slug):
            continue
        return clinic.sender_name or clinic.name, clinic.email, clinic.reply_to or clinic.email
    return "", address, address


def _signed(examined: Examined, content: bytes, sender: str) -> bytes:
    """Sign the test mail as delivery would; raises `KeyCannotBeOpened`."""
    if examined.database is None or examined.keys is None:
        return content
    with examined.database.read(examined.now) as tx:
        sign = signer(tx, examined.keys)
    return sign(content, sender_domain(sender))


def _transport(examined: Examined) -> Transport | None:
    """Return by which way a test mail leaves: the clinic's own where one is named that has one, else the shared one."""
    if examined.clinic is not None and examined.keys is not None and (own := _own(examined)):
        return opened(examined.keys, own[0]).transport
    return _shared(examined)


def _shared(examined: Examined) -> Transport | None:
    url = examined.settings.smtp_url
    return examined.transport or (transport_for(url) if url else None)


_TEST = RenderedMessage(
    subject="Test message",
    text="This is a test message. It was asked for by whoever runs this installation, and is about no patient.\n",
    html='<html lang="en"><body><p>This is a test message. It was asked for by whoever runs this installation,'
    " and is about no patient.</p></body></html>\n",
    template_version="test",
)
