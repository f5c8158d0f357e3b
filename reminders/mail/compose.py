"""Makes the bytes of a message, and reads them back: one recipient, text and HTML, ASCII lines that end in CRLF.

Invariant: equal arguments make equal bytes, on every machine and at every attempt; the recipient stands in To and
nowhere else; nothing in the head says more about the patient than that the clinic writes to them.
"""

import base64
import binascii
import datetime as dt
import hashlib
import re
from email import message_from_bytes, policy
from email.message import EmailMessage, MIMEPart
from email.utils import format_datetime
from typing import NamedTuple

from reminders.mail import headers
from reminders.mail.address import mailto, sender_domain
from reminders.mail.message import MessageFacts, MessageLinks, RenderedMessage

BLANK = "blanked"
"""Stands in kept bytes where a link's token stood."""

_TOKEN = re.compile(r"/([pu])/[A-Za-z0-9_-]{16,}")
_SEED = re.compile(r"[0-9a-f]{16,128}")


class Parts(NamedTuple):
    """A message as its reader sees it: decoded words, lines end in LF; `headers` are (name, decoded value) in order."""

    subject: str
    text: str
    html: str
    headers: list[tuple[str, str]]


def message_id(seed_hex: str, sender_address: str) -> str:
    """Return the Message-ID of a message, `<seed@sender's domain>`: the same at every attempt.

    The seed is a hash in lower-case hex, so that the identifier tells nothing.
    """
    if not _SEED.fullmatch(seed_hex):
        raise headers.HeaderRefused(header="Message-ID", problem="is not made of a hash in hex")
    return f"<{seed_hex}@{sender_domain(sender_address)}>"


def compose(
    rendered: RenderedMessage, facts: MessageFacts, links: MessageLinks, message_id: str, date: dt.datetime
) -> bytes:
    """Return the bytes of a message; `date` is an aware moment. Raises `HeaderRefused`."""
    boundary = "=_" + hashlib.sha256(message_id.encode()).hexdigest()[:40]
    head = [
        headers.mailbox("From", facts.sender_name, facts.sender_address),
        headers.mailbox("Reply-To", "", facts.reply_to),
        headers.mailbox("To", "", facts.recipient),
        headers.unstructured("Subject", rendered.subject),
        headers.plain("Date", format_datetime(date.astimezone(dt.UTC))),
        headers.identifier("Message-ID", message_id),
        *_ways_out(facts, links),
        headers.plain("Auto-Submitted", "auto-generated"),  # RFC 3834: automatic replies stay silent
        headers.plain("X-Auto-Response-Suppress", "All"),  # the same for Exchange
        headers.plain("Content-Language", facts.language),
        headers.plain("MIME-Version", "1.0"),
        headers.plain("Content-Type", f'multipart/alternative; boundary="{boundary}"'),
    ]
    return b"".join(head) + b"\r\n" + _alternative(rendered.text, rendered.html, boundary)


def parts(content: bytes) -> Parts:
    """Return the decoded parts of a message that `compose` made."""
    message = _parsed(content)
    text, html = _bodies(message)
    return Parts(str(message["Subject"]), text, html, [(name, str(value)) for name, value in message.items()])


def blank_tokens(content: bytes) -> bytes:
    """Return kept bytes with the token of every `/p/…` and `/u/…` link, in head and parts, replaced by `BLANK`.

    Used once a message is final: who reads the kept bytes later can open nothing with them. Blanking twice changes
    nothing.
    """
    head, _, _ = content.partition(b"\r\n\r\n")
    message = _parsed(content)
    text, html = (_blanked(body) for body in _bodies(message))
    kept_head = _blanked(head.decode("ascii")).encode("ascii")
    return kept_head + b"\r\n\r\n" + _alternative(text, html, message.get_boundary() or "")


def _ways_out(facts: MessageFacts, links: MessageLinks) -> list[bytes]:
    """Return List-Unsubscribe (RFC 2369), and with an https link the one-click field (RFC 8058)."""
    if links.stop_url is None:
        return [headers.link("List-Unsubscribe", mailto(facts.reply_to, "STOP"))]
    if not links.stop_url.startswith("https://"):
        raise headers.HeaderRefused(header="List-Unsubscribe", problem="is no https address")
    one_click = headers.plain("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
    return [headers.link("List-Unsubscribe", links.stop_url), one_click]


def _alternative(text: str, html: str, boundary: str) -> bytes:
    """Return a multipart body: the text first, since the last part that a program can show is the one it shows."""
    mark = b"--" + boundary.encode("ascii")
    return b"".join(
        [
            mark + b"\r\n" + _part("plain", text) + b"\r\n",
            mark + b"\r\n" + _part("html", html) + b"\r\n",
            mark + b"--\r\n",
        ]
    )


def _part(subtype: str, words: str) -> bytes:
    lines = words.replace("\r\n", "\n").replace("\r", "\n").split("\n")  # a lone CR could end a message for some server
    body = "\r\n".join(lines).encode()
    encoding, encoded = _encoded(body)
    return (
        headers.plain("Content-Type", f'text/{subtype}; charset="utf-8"')
        + headers.plain("Content-Transfer-Encoding", encoding)
        + b"\r\n"
        + encoded
    )


def _encoded(body: bytes) -> tuple[str, bytes]:
    """Return the transfer encoding and the encoded bytes: none for short lines of ASCII, else the shorter one.

    Long lines are encoded although 998 octets are allowed: some servers cut earlier.
    """
    longest = max(len(line) for line in body.split(b"\r\n"))
    if body.isascii() and longest <= headers.PREFERRED_LINE and b"\0" not in body:
        return "7bit", body
    quoted = binascii.b2a_qp(body, istext=True)
    if len(quoted) <= len(body) * 4 // 3:
        return "quoted-printable", quoted
    return "base64", base64.encodebytes(body).rstrip(b"\n").replace(b"\n", b"\r\n")


def _parsed(content: bytes) -> EmailMessage:
    return message_from_bytes(content, _class=EmailMessage, policy=policy.default)


def _bodies(message: EmailMessage) -> tuple[str, str]:
    text, html = (message.get_body((kind,)) for kind in ("plain", "html"))
    return _words_of(text), _words_of(html)


def _words_of(part: MIMEPart | None) -> str:
    return "" if part is None else str(part.get_content()).replace("\r\n", "\n")


def _blanked(words: str) -> str:
    return _TOKEN.sub(rf"/\1/{BLANK}", words)
