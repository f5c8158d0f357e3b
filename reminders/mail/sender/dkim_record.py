"""Reads DKIM key records (RFC 6376 3.6.1, RFC 8463) and writes our own.

Invariant: a record is read as a verifier reads it; a key that no verifier would take is a problem, not a key.
"""

import base64
import binascii
from dataclasses import dataclass

from reminders.mail.sender.finding import Entry
from reminders.mail.sender.tag_list import NoTagList, read_tags

SHORTEST_KEY = 1024
GOOD_KEY = 2048
_ED25519_BYTES = 32


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A record that was read; `key` is base64 without blanks, `bits` its size where it is RSA."""

    key: str = ""
    kind: str = "rsa"
    bits: int | None = None
    revoked: bool = False
    testing: bool = False
    problem: str | None = None


def record_name(selector: str, domain: str) -> str:
    """Return where the record of a key stands."""
    return f"{selector}._domainkey.{domain}"


def key_entry(selector: str, domain: str, public_key: str) -> Entry:
    """Return the entry that lets receivers check what this key signed."""
    return Entry(record_name(selector, domain), "TXT", f"v=DKIM1; k=rsa; p={public_key}")


def read_key_record(text: str) -> KeyRecord:
    """Return what a TXT record at a selector says."""
    try:
        tags = read_tags(text)
    except NoTagList as error:
        return KeyRecord(problem=str(error))
    kind, key = tags.get("k", "rsa").lower(), "".join(tags.get("p", "").split())
    if "v" in tags and (tags["v"] != "DKIM1" or next(iter(tags)) != "v"):
        return KeyRecord(problem="it does not begin with v=DKIM1")
    if "p" not in tags:
        return KeyRecord(problem="it has no key (p=)")
    if not key:
        return KeyRecord(kind=kind, revoked=True)
    flags = {flag.strip().lower() for flag in tags.get("t", "").split(":")}
    problem, bits = _weighed(kind, key)
    if problem is None and "h" in tags and "sha256" not in _listed(tags["h"]):
        problem = "it does not allow sha256 (h=)"
    if problem is None and "s" in tags and not _listed(tags["s"]) & {"*", "email"}:
        problem = "it is not meant for mail (s=)"
    return KeyRecord(key, kind, bits, testing="y" in flags, problem=problem)


def _listed(value: str) -> set[str]:
    return {word.strip().lower() for word in value.split(":")}


def _weighed(kind: str, key: str) -> tuple[str | None, int | None]:
    """Return what is wrong with a key, and its size."""
    try:
        raw = base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        return "its key is no base64: it may have been cut off, or quotes stand inside it", None
    if kind == "ed25519":
        return (None if len(raw) == _ED25519_BYTES else "its key has the wrong length"), None
    if kind != "rsa":
        return "its kind of key is unknown (k=)", None
    bits = _rsa_bits(raw)
    if bits is None:
        return "its key cannot be read: it may have been cut off", None
    return (None if bits >= SHORTEST_KEY else f"its key has {bits} bits only, and receivers pass it over"), bits


def _rsa_bits(raw: bytes) -> int | None:
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - a third of the start-up time
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415 - as above

    try:
        loaded = serialization.load_der_public_key(raw)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return loaded.key_size if isinstance(loaded, rsa.RSAPublicKey) else None
