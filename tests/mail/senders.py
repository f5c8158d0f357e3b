"""A sender whose entries are all right, on a name server of this machine, for tests to put wrong."""

import base64
from functools import cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from reminders.mail.sender import dkim
from reminders.mail.sender.examination import examine_sender
from reminders.mail.sender.finding import Sender, SenderFinding, SigningKey
from tests.support.name_server import NameServer, Records, text

DOMAIN, RELAY, SELECTOR = "linden.clinic", "mail.relay.clinic", "reminders-202603"
SPF, DMARC, KEY = (DOMAIN, "TXT"), (f"_dmarc.{DOMAIN}", "TXT"), (f"{SELECTOR}._domainkey.{DOMAIN}", "TXT")
RELAYS_ADDRESS = "93.184.216.34"
WHOLE_DMARC = "v=DMARC1; p=reject; rua=mailto:reports@linden.clinic"
Changes = dict[tuple[str, str], Records | None]


@cache
def private_key() -> bytes:
    """Return a key of a sender; made once."""
    return dkim.new_key()


@cache
def short_public_key(bits: int) -> str:
    """Return the public half of a key nobody should use any more."""
    made = rsa.generate_private_key(65537, bits).public_key()
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(made.public_bytes(*form)).decode()


def signing_key(*, active: bool = True) -> SigningKey:
    return SigningKey(SELECTOR, dkim.public_key(private_key()), active)


def whole_zone() -> dict[tuple[str, str], Records]:
    """Return the entries of a sender with which nothing is wrong."""
    return {
        SPF: [text("v=spf1 include:spf.relay.clinic -all"), text("another=verification")],
        ("spf.relay.clinic", "TXT"): [text(f"v=spf1 ip4:{RELAYS_ADDRESS}/28 ~all")],
        (RELAY, "A"): [RELAYS_ADDRESS],
        DMARC: [text(WHOLE_DMARC)],
        KEY: [text(f"v=DKIM1; k=rsa; p={dkim.public_key(private_key())}")],
        (DOMAIN, "MX"): ["10 mx.linden.clinic."],
        ("mx.linden.clinic", "A"): ["93.184.216.40"],
        ("answers.clinic", "A"): ["93.184.216.41"],
    }


def findings(
    server: NameServer, changes: Changes | None = None, sender: Sender | None = None
) -> dict[str, SenderFinding]:
    """Return what is found, by what it is about; a change of None takes entries away."""
    zone = whole_zone() | dict(changes or {})
    server.zone = {place: records for place, records in zone.items() if records is not None}
    asked = sender or Sender(DOMAIN, ("answers.clinic",), RELAY, (signing_key(),), "linden")
    found = examine_sender(server.names(query_seconds=0.2, examination_seconds=3), asked)
    assert all(one.ok or one.advice for one in found)
    return {one.about: one for one in found}
