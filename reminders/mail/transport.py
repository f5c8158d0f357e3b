"""How a message leaves the house: the conversation every transport offers, and which transport an address names.

Invariant: a session hands over one message in steps (begin, agreed, body, dot, reply), and until `dot` the server
cannot have accepted it. `begin` waits for no reply, so that one thread writes on many connections before it reads from
any. Between `body` and `dot` the caller commits that the message is handed over; so a crash before that commit loses
nothing, and one after it leaves a message that nobody sends again by himself.
"""

import ipaddress
import re
import selectors
import ssl
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from reminders.errors import BadInput
from reminders.mail.folder import FolderTransport
from reminders.mail.outcome import Blame, Outcome, Phase, TransportFault, Trouble, Verdict
from reminders.mail.smtp import Credentials, Security, SmtpTransport

__all__ = [
    "BadTransportUrl",
    "Blame",
    "Outcome",
    "Phase",
    "Session",
    "Transport",
    "TransportFault",
    "Trouble",
    "Verdict",
    "hand_over",
    "rate_of",
    "transport_for",
    "wait_for",
]

_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)  # Windows knows no poll
_RATE = re.compile(r"[1-9][0-9]{0,4}|100000")
_RATE_OF_A_FOLDER = "?rate="
_PORTS = {Security.STARTTLS: 587, Security.IMPLICIT: 465, Security.NEVER: 25}


class BadTransportUrl(BadInput):
    """REMINDERS_SMTP_URL cannot be used: {problem}. Write smtp://user:password@host:587, smtps://… or file:DIR."""


class Session(Protocol):
    """One open connection; hands over one message after the other.

    A step that returns an `Outcome` has ended the transaction: the message was not accepted, except where the verdict
    says so. After that, `reset` tells whether the connection still serves.
    """

    def begin(self, sender: str, recipient: str) -> None:
        """Name sender and recipient (MAIL, RCPT), without waiting for what the server says to it. Never raises."""
        ...

    def agreed(self) -> Outcome | None:
        """Hear what the server says to sender and recipient; `None` means go on. Never raises."""
        ...

    def body(self, content: bytes) -> Outcome | None:
        """Write the whole message but its final dot (DATA); `None` means go on. The server cannot accept it yet."""
        ...

    def dot(self) -> None:
        """Write the final dot. From here on the message may have been accepted. Never raises."""
        ...

    def waits_on(self) -> int | None:
        """Return the descriptor to watch until the dot is answered; `None` once `reply` will not wait. Never raises."""
        ...

    def reply(self) -> Outcome:
        """Return the answer to the dot; whatever is not a clear answer is `unknown`. Never raises."""
        ...

    def abandon(self) -> None:
        """Drop the connection without a dot, so that the server does not accept what it holds. Never raises."""
        ...

    def reset(self) -> bool:
        """Make ready for the next message, right before it; false where the connection serves no more. Never raises."""
        ...

    def close(self) -> None:
        """Say goodbye and close; what the server says to it changes nothing. Never raises."""
        ...


class Transport(Protocol):
    """A way to a mail server, or to a folder."""

    @property
    def name(self) -> str:
        """The server's name for its breaker: scheme, host and port, no credentials."""
        ...

    def connect(self) -> Session:
        """Open a session, ready for `begin`; raises `TransportFault`."""
        ...


def hand_over(session: Session, sender: str, recipient: str, content: bytes) -> Outcome:
    """Take every step for one message that nobody has to be asked about before its dot. Never raises."""
    session.begin(sender, recipient)
    if refused := session.agreed() or session.body(content):
        return refused
    session.dot()
    return session.reply()


def wait_for(sessions: Iterable[Session], seconds: float) -> list[Session]:
    """Return whose dot is answered by now; where nobody's is, wait at most `seconds` for the first. Never raises."""
    until = time.monotonic() + seconds
    with _Selector() as selector:
        ready = []
        for session in sessions:
            descriptor = session.waits_on()
            if descriptor is None:
                ready.append(session)
            else:
                selector.register(descriptor, selectors.EVENT_READ, session)
        while not ready and selector.get_map() and (left := until - time.monotonic()) > 0:
            said = [key.data for key, _ in selector.select(left)]
            ready = [session for session in said if session.waits_on() is None]  # half an answer is none
        return ready


def transport_for(url: str, tls_context: ssl.SSLContext | None = None) -> Transport:
    """Return the transport that REMINDERS_SMTP_URL names; nothing is opened yet. Raises `BadTransportUrl`.

    `smtp://[user:password@]host[:587]` (STARTTLS or nothing), `smtps://…` (TLS from the first byte),
    `smtp://host:25?tls=never` (plain; with a password only on this machine), `file:DIR`; each may have the option
    `rate` (see `rate_of`). User and password are percent-decoded. `tls_context` replaces the verifying default, for a
    server with a private certificate.
    """
    rate_of(url)
    if url.startswith("file:"):
        return FolderTransport(_folder(url.removeprefix("file:").partition(_RATE_OF_A_FOLDER)[0]))
    try:
        split = urlsplit(url)
        host, port = split.hostname or "", split.port
    except ValueError:
        raise BadTransportUrl(problem="its host or port is malformed") from None  # the cause may repeat the password
    if split.scheme not in {"smtp", "smtps"}:
        raise BadTransportUrl(problem="it begins with none of smtp://, smtps:// and file:")
    if not host or split.path not in {"", "/"} or split.fragment:
        raise BadTransportUrl(problem="it is not of the form smtp://host:port (in a password, write # / ? @ as %23 …)")
    security = _security(split.scheme, split.query)
    credentials = _credentials(split.username, split.password)
    if credentials and security is Security.NEVER and not _is_this_machine(host):
        raise BadTransportUrl(problem="it would send a password in the clear; tls=never is for this machine only")
    return SmtpTransport(_ascii_host(host), port or _PORTS[security], security, credentials, tls_context=tls_context)


def rate_of(url: str) -> int | None:
    """Return how many messages a minute the option `rate` of a transport's URL allows; None where it says nothing.

    Raises `BadTransportUrl` for what is no number from 1 to 100000.
    """
    if url.startswith("file:"):
        said = url.split(_RATE_OF_A_FOLDER)[1:]
    else:
        said = parse_qs(url.partition("?")[2], keep_blank_values=True).get("rate", [])
    if not said:
        return None
    if len(said) > 1 or not _RATE.fullmatch(said[0]):
        raise BadTransportUrl(problem="its option rate is no number of messages a minute from 1 to 100000")
    return int(said[0])


def _folder(place: str) -> Path:
    path = place[2:].removeprefix("localhost") if place.startswith("//") else place
    if not path or (place.startswith("//") and not path.startswith("/")) or "\0" in path:
        raise BadTransportUrl(problem="file: names no folder")
    return Path(path)


def _security(scheme: str, query: str) -> Security:
    try:
        options = parse_qs(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError:
        options = {"?": []}
    if options.keys() - {"tls", "rate"}:
        raise BadTransportUrl(problem="it has an option other than tls and rate")
    match scheme, options.get("tls"):
        case "smtps", None | ["required"]:
            return Security.IMPLICIT
        case "smtp", None | ["required"]:
            return Security.STARTTLS
        case "smtp", ["never"]:
            return Security.NEVER
    raise BadTransportUrl(problem="its option tls is neither 'required' nor, with smtp://, 'never'")


def _credentials(user: str | None, password: str | None) -> Credentials | None:
    if user is None and password is None:
        return None
    if not user or not password:
        raise BadTransportUrl(problem="it has a user without a password, or a password without a user")
    try:
        credentials = Credentials(unquote(user, errors="strict"), unquote(password, errors="strict"))
    except UnicodeDecodeError:
        raise BadTransportUrl(problem="its user or password is not percent-encoded UTF-8") from None
    if any(mark < " " or mark == "\x7f" for mark in credentials.user + credentials.password):
        raise BadTransportUrl(problem="its user or password holds a control character")
    return credentials


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _ascii_host(host: str) -> str:
    try:
        return host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        raise BadTransportUrl(problem="its host is malformed") from None
