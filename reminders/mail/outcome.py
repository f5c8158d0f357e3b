"""What a mail server said to one message, sorted by what it means for the message, its address and the server.

Invariant: an outcome holds codes and phases, never the server's own words and never an address, so that it may be kept
and shown anywhere.
"""

import dataclasses
import enum
import re

from reminders.errors import CannotDo


class Phase(enum.StrEnum):
    """Where in the conversation something happened; `body` is the message up to, and without, the final dot."""

    CONNECT = "connect"
    BANNER = "banner"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"
    DOT = "dot"
    QUIT = "quit"


class Verdict(enum.StrEnum):
    """What became of the message: accepted, not now, not ever, or nobody can tell (RFC 1047)."""

    ACCEPTED = "accepted"
    LATER = "later"
    NEVER = "never"
    UNKNOWN = "unknown"


class Blame(enum.StrEnum):
    """What the answer was about.

    `address`: there is no such mailbox; nobody should write to it again. `policy`: the server's rules, quota or health;
    its breaker counts it, and no address suffers for it. `transport`: the connection or the server as a whole; no
    attempt of a message is used up. `message`: this message and address, this time (greylisting, a full mailbox).
    """

    ADDRESS = "address"
    POLICY = "policy"
    TRANSPORT = "transport"
    MESSAGE = "message"


class Trouble(enum.StrEnum):
    """Why a server could not be used at all."""

    REFUSED = "refused"
    BUSY = "busy"
    DNS = "dns"
    TIMEOUT = "timeout"
    TLS = "tls"
    AUTH = "auth"
    PROTOCOL = "protocol"
    DISCONNECTED = "disconnected"


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """How one transaction ended: `blame` is `None` where it was accepted.

    `code` is the server's three-digit reply and `enhanced` its RFC 3463 code, where there was one.
    """

    verdict: Verdict
    blame: Blame | None
    phase: Phase
    code: int | None = None
    enhanced: str | None = None

    @property
    def summary(self) -> str:
        """The outcome on one line, fit for a log: "never at rcpt (550 5.1.1, address)"."""
        said = " ".join(str(part) for part in (self.code, self.enhanced) if part is not None) or "no answer"
        blame = f", {self.blame}" if self.blame else ""
        return f"{self.verdict} at {self.phase} ({said}{blame})"


class TransportFault(CannotDo):
    """The mail server could not be used ({server}, at {phase}: {said}). {advice}."""

    def __init__(self, *, server: str, phase: Phase, kind: Trouble, certain: bool, code: int | None) -> None:
        """Say where it broke; `certain` means that trying again at once cannot cure it (settings, password, TLS)."""
        self.server, self.phase, self.kind, self.certain, self.code = server, phase, kind, certain, code
        said = str(kind) if code is None else f"{kind}, it says {code}"
        super().__init__(
            server=server, phase=phase, kind=kind, certain=certain, code=code, said=said, advice=_ADVICE[kind]
        )


_ADVICE = {
    Trouble.REFUSED: "Check the host and port in REMINDERS_SMTP_URL (or of the clinic's own), "
    "and whether the server lets this machine in",
    Trouble.BUSY: "It answers, and takes nobody just now: that usually passes, and is tried again by itself; "
    "if it lasts, ask whoever runs the server, with the number it says",
    Trouble.DNS: "Check the host in REMINDERS_SMTP_URL (or of the clinic's own) and this machine's name service",
    Trouble.TIMEOUT: "Check the network and whether a firewall blocks the port",
    Trouble.TLS: "The connection could not be made safe, so nothing was sent: check the server's certificate",
    Trouble.AUTH: "Check the user and password in REMINDERS_SMTP_URL (or of the clinic's own)",
    Trouble.PROTOCOL: "What answers there does not speak SMTP as expected: check host, port, and smtp:// or smtps://",
    Trouble.DISCONNECTED: "The server closed the connection; it will be tried again",
}

CLOSING = 421
"""The server closes the connection, whatever was asked (RFC 5321 3.8)."""

_ENHANCED = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})(?!\d|\.\d)")
_NOT_THE_MAILBOX = re.compile(
    r"relay|sender|authenti|spam|block|black|denied|dnsbl|reputation|polic|quota|limit|spf|dkim|dmarc|helo",
    re.IGNORECASE,
)
_PERMANENT = 500
_STORAGE = 452
_SYNTAX = 501
_NO_SUCH_ADDRESS = {550, 551, 553, 556}  # 556: the recipient's domain takes no mail (RFC 7504 4)
_SERVER_AS_A_WHOLE = {500, 502, 503, 504, 521, 523, 530, 534, 535, 538}  # 521: this server takes none (RFC 7504 3)
_ABOUT_THE_MAILBOX = {"5.0.0", "5.2.0", "5.2.1", "5.4.1", "5.4.4"}  # 5.4.5 is not: large senders use it for quotas
_FULL = {"5.2.2", "5.2.3"}  # a full mailbox and a message too long for it: the address itself is right
_BAD_SENDER = {"5.1.7", "5.1.8"}  # in class 1 of RFC 3463, yet about the sender's address


def enhanced_code(code: int, text: str) -> str | None:
    """Return the RFC 3463 code at the start of a reply's text, if it agrees with the reply's own class."""
    found = _ENHANCED.match(text)
    return found.group() if found and found.group(1) == str(code)[0] else None


def refusal(phase: Phase, code: int, text: str) -> Outcome:
    """Return what a 4xx or 5xx reply to MAIL, RCPT, DATA or the dot means.

    `text` is the server's own. It is only looked at, so that a relay that refuses everybody ("550 relaying denied")
    does not brand every address as bad, and never kept.
    """
    enhanced = enhanced_code(code, text)
    verdict, blame = _temporary(phase, code, enhanced) if code < _PERMANENT else _permanent(phase, code, enhanced, text)
    return Outcome(verdict, blame, phase, code, enhanced)


def lost(phase: Phase, *, dot_sent: bool) -> Outcome:
    """Return what a silence, a broken connection or a senseless reply means: after the dot nobody can tell."""
    return Outcome(Verdict.UNKNOWN if dot_sent else Verdict.LATER, Blame.TRANSPORT, phase)


def _temporary(phase: Phase, code: int, enhanced: str | None) -> tuple[Verdict, Blame]:
    if phase is Phase.MAIL or code == CLOSING:
        return Verdict.LATER, Blame.TRANSPORT
    subject = enhanced.split(".")[1] if enhanced else ""
    about_the_server = subject == "3" or (code == _STORAGE and subject != "2")
    return Verdict.LATER, Blame.POLICY if about_the_server else Blame.MESSAGE


def _permanent(phase: Phase, code: int, enhanced: str | None, text: str) -> tuple[Verdict, Blame]:
    nobody_may = phase is Phase.MAIL or (phase is not Phase.DOT and code in _SERVER_AS_A_WHOLE)
    if nobody_may or enhanced in _BAD_SENDER:
        return Verdict.LATER, Blame.TRANSPORT
    if enhanced in _FULL or (phase is Phase.RCPT and code == _SYNTAX and enhanced is None):
        return Verdict.NEVER, Blame.MESSAGE
    return Verdict.NEVER, Blame.ADDRESS if _no_such_mailbox(phase, code, enhanced, text) else Blame.POLICY


def _no_such_mailbox(phase: Phase, code: int, enhanced: str | None, text: str) -> bool:
    if enhanced and enhanced.startswith("5.1."):
        return not enhanced.endswith(".0") or _NOT_THE_MAILBOX.search(text) is None
    if phase is not Phase.RCPT or code not in _NO_SUCH_ADDRESS:
        return False
    return enhanced in _ABOUT_THE_MAILBOX or (enhanced is None and _NOT_THE_MAILBOX.search(text) is None)
