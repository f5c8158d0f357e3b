"""What one message shows, and the message once it is rendered: values only.

Invariant: `MessageFacts` holds everything a patient can see apart from the links, so that two equal fingerprints mean
two equal messages, and a changed fact means a message that must be rendered anew.
"""

import dataclasses
import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from typing import Literal

from reminders.mail.address import sender_domain

MessageClass = Literal["cosmetic", "medical"]
Stage = Literal["invitation", "follow_up", "last_call"]
Jurisdiction = Literal["us", "uk", "au", "eu"]


@dataclasses.dataclass(frozen=True, slots=True)
class Logo:
    """A clinic's picture as it is embedded: `digest` is the SHA-256 of `content` in hex, sizes are in pixels."""

    digest: str
    media_type: str
    width: int
    height: int
    content: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class OwnTemplate:
    """A template of the clinic's own: its id in the store, its version, and its file as written."""

    id: int
    version: int
    source: str


@dataclasses.dataclass(frozen=True, slots=True)
class MessageFacts:
    """Everything a message shows: strings of printable text, and days of the clinic's calendar.

    `None` means that the clinic has none; a `practitioner` of `None` is "our team", and an empty `patient_name` is not
    shown: the records of some clinics lack it. `label` is the patient-facing one,
    ready to stand in a sentence ("a follow-up consultation"). `window_is_open` says whether `opens` is today or past on
    the day of sending. `language` is one of `words.LANGUAGES`, `country` an ISO 3166 code, `colour` a web colour
    ("#2c6e68"). `reminder_keys` are the identities of the reminders the message carries; they are never shown.
    """

    clinic_name: str
    sender_name: str
    sender_address: str
    reply_to: str
    phone: str | None
    booking_url: str | None
    postal_address: str | None
    language: str
    jurisdiction: Jurisdiction | None
    class_name: MessageClass
    stage: Stage
    recipient: str
    recipient_is_representative: bool
    patient_name: str
    practitioner: str | None
    label: str
    opens: dt.date
    closes: dt.date
    window_is_open: bool
    reminder_keys: tuple[str, ...] = ()
    country: str | None = None
    colour: str | None = None
    logo: Logo | None = None
    own: OwnTemplate | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class MessageLinks:
    """The product's own https links of one message; both `None` where the product has no public address."""

    request_url: str | None = None
    stop_url: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class RenderedMessage:
    """A message in words: a subject of one line, text and HTML (lines end in LF), and the version of its templates."""

    subject: str
    text: str
    html: str
    template_version: str


_JSON = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


def logo_id(facts: MessageFacts) -> str:
    """Return the Content-ID, without its brackets, under which the logo travels (RFC 2392); empty without a logo.

    It tells the picture and the sender's domain, nothing about the message or the patient.
    """
    return f"logo.{facts.logo.digest[:16]}@{sender_domain(facts.sender_address)}" if facts.logo else ""


def fingerprint(facts: MessageFacts, made_with: Sequence[str]) -> str:
    """Return the SHA-256, in hex, of what a message shows: kept bytes of another fingerprint are out of date.

    The order of `reminder_keys` does not matter: they are a set (product rule: a message is rendered anew when a fact
    shown in it or its set of reminders changed). `made_with` are the versions of what it was made and checked with: a
    stricter check must see a message again before it goes.
    """
    shown: dict[str, object] = {name: getattr(facts, name) for name in MessageFacts.__slots__}
    shown |= {"logo": facts.logo.digest if facts.logo else None}
    shown |= {"own": dataclasses.astuple(facts.own) if facts.own else None}
    shown |= {"opens": facts.opens.isoformat(), "closes": facts.closes.isoformat()}
    shown |= {"reminder_keys": sorted(facts.reminder_keys), "made_with": list(made_with)}
    return hashlib.sha256(_JSON.encode(shown).encode()).hexdigest()
