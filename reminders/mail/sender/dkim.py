"""Makes DKIM keys and signs messages with them (RFC 6376): rsa-sha256, relaxed/relaxed.

Invariants: equal bytes and an equal key make an equal signature (PKCS#1 v1.5 draws no lots, and `t=` is the message's
own Date), so a retry sends the same bytes; nothing here shows a private key. RSA alone: receivers that matter do not
check Ed25519 (RFC 8463), and two signatures would need two entries in the name service.

A kept message whose tokens were blanked does not verify any more: it is evidence of what was said, and is never sent.
"""

import base64
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from reminders.errors import CannotDo

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

KEY_BITS = 2048
SIGNED = (
    *("From", "Reply-To", "To", "Subject", "Date", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post"),
    *("Auto-Submitted", "Content-Language", "MIME-Version", "Content-Type"),
)
"""The one-click fields are among them, as RFC 8058 4 demands."""
ONLY_ONCE = (
    *("From", "Reply-To", "To", "Subject", "Date", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post"),
    *("MIME-Version", "Content-Type"),
)
"""Named once more than they stand there: a field of that name added on the way breaks the signature (RFC 6376 8.15)."""
_BLANKS = re.compile(rb"[ \t]+")
_FOLD = re.compile(rb"\r\n(?=[ \t])")
_WIDTH = 70


class Unsignable(CannotDo):
    """The message cannot be signed: {problem}. This is a fault of the program; please report it."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs: the domain, the selector of the key, and the key itself, which no representation shows."""

    domain: str
    selector: str
    key: "RSAPrivateKey" = field(repr=False)


def new_key() -> bytes:
    """Return a fresh private key (PKCS#8, DER). To be sealed at once."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - a third of the start-up time
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415 - as above

    made = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    plain = serialization.NoEncryption()
    return made.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, plain)


def load_key(private: bytes) -> "RSAPrivateKey":
    """Return the key of these bytes; raises `ValueError` where they are none."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415 - as above

    loaded = serialization.load_der_private_key(private, password=None)
    if not isinstance(loaded, rsa.RSAPrivateKey):
        raise ValueError  # noqa: TRY004 - like every other reason why the bytes are no key of ours
    return loaded


def public_key(private: bytes) -> str:
    """Return the public half, base64 of its SubjectPublicKeyInfo, as `p=` of a record wants it."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - as above

    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return base64.b64encode(load_key(private).public_key().public_bytes(serialization.Encoding.DER, form)).decode()


def sign(content: bytes, signer: Signer) -> bytes:
    """Return the message with its DKIM-Signature before everything else; raises `Unsignable`."""
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.asymmetric import padding  # noqa: PLC0415 - as above

    head, gap, body = content.partition(b"\r\n\r\n")
    if not gap:
        raise Unsignable(problem="it has no body")
    fields = dict(_fields(head + b"\r\n"))
    if b"from" not in fields:
        raise Unsignable(problem="it names no sender")
    names = [name for name in SIGNED if name.lower().encode() in fields]
    digest = base64.b64encode(hashlib.sha256(relaxed_body(body)).digest()).decode()
    unsigned = _unsigned(signer, _moment(fields), [*names, *ONLY_ONCE], digest)
    covered = b"".join(relaxed_field(fields[name.lower().encode()]) for name in names)  # the added ones are empty
    covered += relaxed_field(unsigned).removesuffix(b"\r\n")
    signature = base64.b64encode(signer.key.sign(covered, padding.PKCS1v15(), hashes.SHA256())).decode()
    folded = "\r\n\t ".join(_pieces(signature))
    return unsigned.removesuffix(b"\r\n") + folded.encode() + b"\r\n" + content


def relaxed_field(line: bytes) -> bytes:
    """Return one field, its CRLF included, in the relaxed form (RFC 6376 3.4.2)."""
    name, _, value = line.partition(b":")
    unfolded = _FOLD.sub(b"", value.removesuffix(b"\r\n"))
    return name.strip(b" \t").lower() + b":" + _BLANKS.sub(b" ", unfolded).strip(b" ") + b"\r\n"


def relaxed_body(body: bytes) -> bytes:
    """Return a body in the relaxed form (RFC 6376 3.4.4): blanks made one, none at line ends, no empty lines last."""
    lines = [_BLANKS.sub(b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
    while lines and not lines[-1]:
        lines.pop()
    return b"".join(line + b"\r\n" for line in lines)


def _fields(head: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield each field by its small name; a field that must be unique and is not cannot be signed."""
    seen = set()
    for line in re.findall(rb"[^\r\n]+(?:\r\n[ \t][^\r\n]*)*\r\n", head):
        name = line.partition(b":")[0].strip(b" \t").lower()
        if name in seen and name in {one.lower().encode() for one in SIGNED}:
            raise Unsignable(problem=f"it has the field {name.decode('ascii', 'replace')} twice")
        seen.add(name)
        yield name, line


def _moment(fields: dict[bytes, bytes]) -> int:
    try:
        written = fields[b"date"].partition(b":")[2].decode("ascii").strip()
        return int(parsedate_to_datetime(written).timestamp())
    except (KeyError, ValueError):
        raise Unsignable(problem="it has no date") from None


def _unsigned(signer: Signer, moment: int, names: Sequence[str], digest: str) -> bytes:
    """Return the signature's field as it is signed: with an empty `b=` at its end."""
    listed = _folded([f"{name.lower()}:" for name in names])
    parts = [
        f"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={signer.domain};",
        f"s={signer.selector}; t={moment};",
        f"h={listed.removesuffix(':')};",
        f"bh={digest};",
        "b=",
    ]
    return ("\r\n\t".join(parts) + "\r\n").encode("ascii")


def _folded(words: Sequence[str]) -> str:
    lines = [""]
    for word in words:
        if len(lines[-1]) + len(word) > _WIDTH:
            lines.append("")
        lines[-1] += word
    return "\r\n\t ".join(lines)


def _pieces(text: str) -> Iterator[str]:
    return (text[start : start + _WIDTH] for start in range(0, len(text), _WIDTH))
