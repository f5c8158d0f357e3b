"""Opens a connection to one mail server: connect, TLS, EHLO, AUTH (RFC 5321, RFC 3207, RFC 4954, RFC 8314).

Invariant: no password and nothing of a patient goes out before TLS is verified, unless the settings say `tls=never`;
what cannot be made safe is a fault, never a plain connection.
"""

import base64
import dataclasses
import enum
import socket
import ssl
import time

from reminders.mail.outcome import Phase, TransportFault, Trouble
from reminders.mail.smtp_session import Deadlines, SmtpSession
from reminders.mail.wire import Reply, SenselessReply, Wire

_LOGGED_IN, _ASKS_ON, _MORE, _REFUSED, _FOR_GOOD = 235, 300, 334, 400, 500


class Security(enum.Enum):
    """How the connection is made safe: by STARTTLS, by TLS from the first byte, or not (a relay on this machine)."""

    STARTTLS = "smtp"
    IMPLICIT = "smtps"
    NEVER = "smtp without TLS"


@dataclasses.dataclass(frozen=True, slots=True)
class Credentials:
    """Who the server knows us as."""

    user: str
    password: str = dataclasses.field(repr=False)


class SmtpTransport:
    """The way to one mail server."""

    def __init__(
        self,
        host: str,
        port: int,
        security: Security = Security.STARTTLS,
        credentials: Credentials | None = None,
        *,
        tls_context: ssl.SSLContext | None = None,
        deadlines: Deadlines | None = None,
        greeting: str = "[127.0.0.1]",
    ) -> None:
        """Say where the server is; `greeting` is our name in EHLO: by default nothing about this machine."""
        self._host, self._port, self._security, self._credentials = host, port, security, credentials
        self._tls = None if security is Security.NEVER else tls_context or _verifying()
        self._deadlines = deadlines or Deadlines()
        self._greeting = greeting

    @property
    def name(self) -> str:
        """Scheme, host and port."""
        scheme = "smtps" if self._security is Security.IMPLICIT else "smtp"
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{scheme}://{host}:{self._port}"

    def connect(self) -> SmtpSession:
        """Connect, make safe, introduce ourselves, log in; raises `TransportFault`."""
        wire = Wire(self._dial(), self._deadlines.before_dot)
        try:
            self._open(wire)
        except BaseException:
            wire.close()
            raise
        return SmtpSession(wire, self._deadlines)

    def _open(self, wire: Wire) -> None:
        """Go from the connected socket to a server that takes mail.

        1. TLS from the first byte, for smtps. 2. The server's banner. 3. EHLO, and with STARTTLS, TLS and EHLO again,
        since what was said in the clear may have been said by anybody. 4. AUTH. No patient's data is on the wire yet.
        """
        if self._security is Security.IMPLICIT:
            self._secure(wire, Phase.CONNECT, self._deadlines.connect)
        self._said(wire, Phase.BANNER, None)
        extensions = self._introduced(wire)
        if self._security is Security.STARTTLS:
            if "STARTTLS" not in extensions:  # not offered, or cut out on the way by somebody who would like to read
                raise self._fault(Phase.STARTTLS, Trouble.TLS, certain=True)
            self._said(wire, Phase.STARTTLS, "STARTTLS", refused=Trouble.TLS)
            self._secure(wire, Phase.STARTTLS, self._deadlines.command)
            extensions = self._introduced(wire)
        if self._credentials:
            self._log_in(wire, extensions.get("AUTH", ""), self._credentials)

    def _dial(self) -> socket.socket:
        """Return a connected socket, to the first of the host's addresses that answers in time."""
        until = time.monotonic() + self._deadlines.connect
        try:
            found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise self._fault(Phase.CONNECT, Trouble.DNS) from None
        trouble = Trouble.REFUSED
        for family, kind, protocol, _, address in found:
            try:
                sock = socket.socket(family, kind, protocol)
            except OSError:  # the name has an address of a kind that this machine does not speak
                continue
            try:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # a dot of three bytes waits for nothing
                sock.settimeout(max(0.001, until - time.monotonic()))
                sock.connect(address)
            except OSError as error:
                sock.close()
                trouble = Trouble.TIMEOUT if isinstance(error, TimeoutError) else Trouble.REFUSED
            else:
                return sock
        raise self._fault(Phase.CONNECT, trouble)

    def _secure(self, wire: Wire, phase: Phase, seconds: float) -> None:
        if self._tls is None:
            raise self._fault(phase, Trouble.TLS, certain=True)
        try:
            wire.secure(self._tls, self._host, seconds)
        except TimeoutError:
            raise self._fault(phase, Trouble.TIMEOUT) from None
        except (ConnectionError, ssl.SSLEOFError):
            raise self._fault(phase, Trouble.DISCONNECTED) from None
        except (OSError, ValueError, SenselessReply):  # SSLError among them: no trust, wrong host, too old
            raise self._fault(phase, Trouble.TLS, certain=True) from None

    def _introduced(self, wire: Wire) -> dict[str, str]:
        """Say EHLO; return the server's extensions, in capitals, with their parameters."""
        reply = self._said(wire, Phase.EHLO, f"EHLO {self._greeting}")
        named = (line.strip().upper().replace("=", " ", 1).partition(" ") for line in reply.lines[1:])
        return {name: parameters for name, _, parameters in named}

    def _log_in(self, wire: Wire, offered: str, credentials: Credentials) -> None:
        user, password = credentials.user.encode(), credentials.password.encode()
        if "PLAIN" in offered.split():
            answer = self._said(wire, Phase.AUTH, "AUTH PLAIN " + _b64(b"\0".join((b"", user, password))))
        elif "LOGIN" in offered.split():
            answer = self._said(wire, Phase.AUTH, "AUTH LOGIN")
            for secret in (user, password):
                if answer.code != _MORE:
                    break
                answer = self._said(wire, Phase.AUTH, _b64(secret))
        else:
            raise self._fault(Phase.AUTH, Trouble.AUTH, certain=True)
        if answer.code != _LOGGED_IN:
            raise self._fault(Phase.AUTH, Trouble.AUTH, code=answer.code, certain=True)

    def _said(self, wire: Wire, phase: Phase, command: str | None, refused: Trouble = Trouble.REFUSED) -> Reply:
        """Send a command (or none: the banner) and return the reply, which is no refusal; else raise the fault."""
        try:
            if command is None:
                reply = wire.reply(self._deadlines.banner)
            else:
                reply = wire.ask(command, self._deadlines.command)
        except TimeoutError:
            raise self._fault(phase, Trouble.TIMEOUT) from None
        except OSError:
            raise self._fault(phase, Trouble.DISCONNECTED) from None
        except SenselessReply:
            raise self._fault(phase, Trouble.PROTOCOL) from None
        if reply.code >= _REFUSED:
            kind = Trouble.AUTH if phase is Phase.AUTH else refused
            raise self._fault(phase, kind, code=reply.code, certain=reply.code >= _FOR_GOOD)
        if reply.code >= _ASKS_ON and phase is not Phase.AUTH:
            raise self._fault(phase, Trouble.PROTOCOL, code=reply.code)
        return reply

    def _fault(self, phase: Phase, kind: Trouble, *, code: int | None = None, certain: bool = False) -> TransportFault:
        certain = certain or kind is Trouble.PROTOCOL
        return TransportFault(server=self.name, phase=phase, kind=kind, certain=certain, code=code)


def _verifying() -> ssl.SSLContext:
    """Return a context that checks the certificate and the host, for TLS 1.2 or newer (RFC 8314)."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _b64(secret: bytes) -> str:
    return base64.b64encode(secret).decode("ascii")
