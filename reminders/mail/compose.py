"""Makes the bytes of a message, and reads them back: one recipient, text and HTML, ASCII lines that end in CRLF.

Invariant: equal arguments make equal bytes, on every machine and at every attempt; the recipient stands in To and
nowhere else; nothing in the head says more about the patient than that the clinic writes to them. A logo travels beside
the HTML that shows it; a message without one has no part but its two bodies.
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
from reminders.mail.message import MessageFacts, MessageLinks, RenderedMessage, logo_id

BLANK = "blanked"
"""Stands in kept bytes where a link's token stood."""

_TOKEN = re.compile(r"/([pu])/[A-Za-z0-9_-]{16,}")
_SEED = re.compile(r"[0-9a-f]{16,128}")


class _Picture(NamedTuple):
    content_id: str
    media_type: str
    content: bytes


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
    boundary = boundary_of(message_id, rendered.text, rendered.html)
    text, html = text_part("plain", rendered.text), text_part("html", rendered.html)
    return enclosed(rendered.subject, text, html, facts, links, message_id, date, boundary)


def enclosed(
    subject: str,
    text: bytes,
    html: bytes,
    facts: MessageFacts,
    links: MessageLinks,
    message_id: str,
    date: dt.datetime,
    boundary: str,
) -> bytes:
    """Return a message around the two bodies that `text_part` made. Raises `HeaderRefused`."""
    head = [
        headers.mailbox("From", facts.sender_name, facts.sender_address),
        headers.mailbox("Reply-To", "", facts.reply_to),
        headers.mailbox("To", "", facts.recipient),
        headers.unstructured("Subject", subject),
        headers.plain("Date", format_datetime(date.astimezone(dt.UTC))),
        headers.identifier("Message-ID", message_id),
        *_ways_out(facts, links),
        headers.plain("Auto-Submitted", "auto-generated"),  # RFC 3834: automatic replies stay silent
        headers.plain("X-Auto-Response-Suppress", "All"),  # the same for Exchange
        headers.plain("Content-Language", facts.language),
        headers.plain("MIME-Version", "1.0"),
        headers.plain("Content-Type", f'multipart/alternative; boundary="{boundary}"'),
    ]
    logo = _Picture(logo_id(facts), facts.logo.media_type, facts.logo.content) if facts.logo else None
    return b"".join(head) + b"\r\n" + _alternative(text, html, logo, boundary)


def parts(content: bytes) -> Parts:
    """Return the decoded parts of a message that `compose` made."""
    message = _parsed(content)
    text, html = _bodies(message)
    return Parts(str(message["Subject"]), text, html, [(name, str(value)) for name, value in message.items()])


def as_page(content: bytes) -> str:
    """Return the HTML of a message that `compose` made as a page of its own: the logo is written into it.

    For a person who opens it in a browser, to which a part of the message beside the HTML means nothing.
    """
    message = _parsed(content)
    _, html = _bodies(message)
    logo = _picture(message)
    if logo is None:
        return html
    return html.replace(
        f"cid:{logo.content_id}", f"data:{logo.media_type};base64,{base64.b64encode(logo.content).decode()}"
    )


def blank_tokens(content: bytes) -> bytes:
    """Return kept bytes with the token of every `/p/…` and `/u/…` link, in head and parts, replaced by `BLANK`.

    Used once a message is final: who reads the kept bytes later can open nothing with them. Blanking twice changes
    nothing.
    """
    head, _, _ = content.partition(b"\r\n\r\n")
    message = _parsed(content)
    text, html = (blanked(body) for body in _bodies(message))
    kept_head = blanked(head.decode("ascii")).encode("ascii")
    bodies = text_part("plain", text), text_part("html", html)
    return kept_head + b"\r\n\r\n" + _alternative(*bodies, _picture(message), message.get_boundary() or "")


def signature_before(signed: bytes, content: bytes, kept: bytes) -> bytes:
    """Return what `blank_tokens` makes of a message with fields put in front of it; `kept` is it without them."""
    if not signed.endswith(content):
        return blank_tokens(signed)
    return blanked(signed[: -len(content)].decode("ascii")).encode("ascii") + kept


def _ways_out(facts: MessageFacts, links: MessageLinks) -> list[bytes]:
    """Return List-Unsubscribe (RFC 2369), and with an https link the one-click field (RFC 8058)."""
    if links.stop_url is None:
        return [headers.link("List-Unsubscribe", mailto(facts.reply_to, "STOP"))]
    if not links.stop_url.startswith("https://"):
        raise headers.HeaderRefused(header="List-Unsubscribe", problem="is no https address")
    one_click = headers.plain("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
    return [headers.link("List-Unsubscribe", links.stop_url), one_click]


def boundary_of(message_id: str, *bodies: str) -> str:
    """Return what parts the bodies: it follows from the Message-ID alone, and stands in none of them."""
    digest = hashlib.sha256(message_id.encode())
    while any(digest.hexdigest()[:40] in body for body in bodies):
        digest = hashlib.sha256(digest.digest())
    return "=_" + digest.hexdigest()[:40]


def _alternative(text: bytes, html: bytes, logo: _Picture | None, boundary: str) -> bytes:
    """Return a multipart body: the text first, since the last part that a program can show is the one it shows."""
    mark = b"--" + boundary.encode("ascii")
    return b"".join(
        [
            mark + b"\r\n" + text + b"\r\n",
            mark + b"\r\n" + (_related(html, logo, boundary) if logo else html) + b"\r\n",
            mark + b"--\r\n",
        ]
    )


def _related(html: bytes, logo: _Picture, around: str) -> bytes:
    """Return the HTML with the picture it shows (RFC 2387); the boundary follows from the one `around` it."""
    boundary = inner_boundary(around)
    mark = b"--" + boundary.encode("ascii")
    name = f"logo.{logo.media_type.removeprefix('image/')}"
    return b"".join(
        [
            headers.plain("Content-Type", f'multipart/related; type="text/html"; boundary="{boundary}"'),
            b"\r\n" + mark + b"\r\n" + html + b"\r\n" + mark + b"\r\n",
            headers.plain("Content-Type", f'{logo.media_type}; name="{name}"'),
            headers.plain("Content-Transfer-Encoding", "base64"),
            headers.identifier("Content-ID", f"<{logo.content_id}>"),
            headers.plain("Content-Disposition", f'inline; filename="{name}"'),
            b"\r\n" + as_base64(logo.content) + b"\r\n" + mark + b"--\r\n",
        ]
    )


def inner_boundary(around: str) -> str:
    """Return what parts the HTML from its picture."""
    return "=_" + hashlib.sha256(around.encode()).hexdigest()[:40]


def text_part(subtype: str, words: str) -> bytes:
    """Return a part of text ("plain", "html") with its own head; lines end in CRLF, whatever they ended in."""
    lines = words.replace("\r\n", "\n").replace("\r", "\n").split("\n")  # a lone CR could end a message for some server
    body = "\r\n".join(lines).encode()
    quoted = binascii.b2a_qp(body, istext=True)
    plain = body.isascii() and b"\0" not in body
    encoding = encoding_of(max(map(len, body.split(b"\r\n"))) if plain else None, len(body), len(quoted))
    return part_head(subtype, encoding) + (
        body if encoding == "7bit" else quoted if encoding == "quoted-printable" else as_base64(body)
    )


def part_head(subtype: str, encoding: str) -> bytes:
    """Return the head of a part of text, with the empty line that ends it."""
    return (
        headers.plain("Content-Type", f'text/{subtype}; charset="utf-8"')
        + headers.plain("Content-Transfer-Encoding", encoding)
        + b"\r\n"
    )


def encoding_of(longest: int | None, size: int, quoted_size: int) -> str:
    """Return the transfer encoding of a body: none for short lines of ASCII, else the shorter one.

    `longest` is the longest line of a body that is plain ASCII, None for every other; the sizes are the body's as it
    is and as it is quoted. Long lines are encoded although 998 octets are allowed: some servers cut earlier.
    """
    if longest is not None and longest <= headers.PREFERRED_LINE:
        return "7bit"
    return "quoted-printable" if quoted_size <= size * 4 // 3 else "base64"


def as_base64(content: bytes) -> bytes:
    """Return bytes in lines of base64, the last one without its end."""
    return base64.encodebytes(content).rstrip(b"\n").replace(b"\n", b"\r\n")


def _parsed(content: bytes) -> EmailMessage:
    return message_from_bytes(content, _class=EmailMessage, policy=policy.default)


def _bodies(message: EmailMessage) -> tuple[str, str]:
    text, html = (message.get_body((kind,)) for kind in ("plain", "html"))
    return _words_of(text), _words_of(html)


def _picture(message: EmailMessage) -> _Picture | None:
    """Return the logo of a message that `compose` made."""
    for part in message.walk():
        if part.get_content_maintype() == "image":
            return _Picture(part["Content-ID"].strip("<>"), part.get_content_type(), part.get_content())
    return None


def _words_of(part: MIMEPart | None) -> str:
    return "" if part is None else str(part.get_content()).replace("\r\n", "\n")


def blanked(words: str) -> str:
    """Return words in which every token of a link is replaced by `BLANK`."""
    return _TOKEN.sub(rf"/\1/{BLANK}", words)
