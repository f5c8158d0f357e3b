"""Opens a connection to one mail server: connect, TLS, EHLO, AUTH (RFC 5321, RFC 3207, RFC 4954, RFC 8314).

Invariant: no password and nothing of a patient goes out before TLS is verified, unless the settings say `tls=never`;
what cannot be made safe is a fault, never a plain connection.
"""

import dataclasses
import enum
import errno
import socket
import ssl
import time
from collections.abc import Callable
from typing import TypeVar

from reminders.mail.conversation import Conversation
from reminders.mail.outcome import Phase, TransportFault, Trouble
from reminders.mail.smtp_session import Deadlines, SmtpSession
from reminders.mail.wire import SenselessReply, Wire

T = TypeVar("T")

_NO_SOCKET_LEFT = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_LOGGED_IN, _ASKS_ON, _REFUSED, _FOR_GOOD = 235, 300, 400, 500


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
        self._tls = tls_context  # else made when it is first needed: it takes as long as many a connection
        self._deadlines = deadlines or Deadlines()
        self._greeting = greeting
        self._way = (host, port, security, credentials, tls_context, self._deadlines, greeting)

    def __eq__(self, other: object) -> bool:
        """Two are the same way if a connection of one may carry the other's messages."""
        return isinstance(other, SmtpTransport) and self._way == other._way

    def __hash__(self) -> int:
        """Go with equality."""
        return hash(self._way)

    @property
    def name(self) -> str:
        """Scheme, host and port."""
        scheme = "smtps" if self._security is Security.IMPLICIT else "smtp"
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{scheme}://{host}:{self._port}"

    def connect(self) -> SmtpSession:
        """Connect, make safe, introduce ourselves, log in; raises `TransportFault`."""
        wire = Wire(self._dial(), self._deadlines.before_dot)
        conversation = Conversation(wire, self._greeting, self._deadlines.command)
        try:
            self._open(conversation)
        except BaseException:
            conversation.close()
            raise
        return SmtpSession(conversation, self._deadlines)

    def _open(self, conversation: Conversation) -> None:
        """Go from the connected socket to a server that takes mail.

        1. TLS from the first byte, for smtps. 2. The server's banner. 3. EHLO, and with STARTTLS, TLS and EHLO again,
        since what was said in the clear may have been said by anybody. 4. AUTH. No patient's data is on the wire yet.
        """
        if self._security is Security.IMPLICIT:
            self._secure(conversation, Phase.CONNECT, self._deadlines.connect)
        self._agreed(Phase.BANNER, lambda: conversation.wire.reply(self._deadlines.banner))
        self._agreed(Phase.EHLO, conversation.ehlo)
        if self._security is Security.STARTTLS:
            if not conversation.has_extn("starttls"):  # not offered, or cut out on the way by somebody who would read
                raise self._fault(Phase.STARTTLS, Trouble.TLS, certain=True)
            self._agreed(Phase.STARTTLS, lambda: conversation.docmd("STARTTLS"), refused=Trouble.TLS)
            self._secure(conversation, Phase.STARTTLS, self._deadlines.command)
            self._agreed(Phase.EHLO, conversation.ehlo)
        if self._credentials:
            self._log_in(conversation, self._credentials)

    def _dial(self) -> socket.socket:
        """Return a connected socket, to the first of the host's addresses that answers in time.

        Raises `TransportFault`, and `OSError` where this machine has no socket left.
        """
        until = time.monotonic() + self._deadlines.connect
        try:
            found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            socket.socket().close()  # raises where there is none: then the name was not even asked for
            raise self._fault(Phase.CONNECT, Trouble.DNS) from None
        trouble = Trouble.REFUSED
        for family, kind, protocol, _, address in found:
            try:
                sock = socket.socket(family, kind, protocol)
            except OSError as error:
                if error.errno in _NO_SOCKET_LEFT:  # which is not the server's doing
                    raise
                continue  # the name has an address of a kind that this machine does not speak
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

    def _secure(self, conversation: Conversation, phase: Phase, seconds: float) -> None:
        self._tls = self._tls or _verifying()
        try:
            conversation.secure(self._tls, self._host, seconds)
        except TimeoutError:
            raise self._fault(phase, Trouble.TIMEOUT) from None
        except (ConnectionError, ssl.SSLEOFError):
            raise self._fault(phase, Trouble.DISCONNECTED) from None
        except (OSError, ValueError, SenselessReply):  # SSLError among them: no trust, wrong host, too old
            raise self._fault(phase, Trouble.TLS, certain=True) from None

    def _log_in(self, conversation: Conversation, credentials: Credentials) -> None:
        code = self._answered(Phase.AUTH, lambda: conversation.log_in(credentials.user, credentials.password))
        if code != _LOGGED_IN:
            for_now = code is not None and _REFUSED <= code < _FOR_GOOD
            raise self._fault(Phase.AUTH, Trouble.AUTH, code=code, certain=not for_now)

    def _agreed(self, phase: Phase, step: Callable[[], tuple[int, bytes]], refused: Trouble = Trouble.REFUSED) -> None:
        """Take a step, and raise the fault unless the server agrees to it."""
        code, _ = self._answered(phase, step)
        if code >= _REFUSED:
            for_now = refused is Trouble.REFUSED and code < _FOR_GOOD  # 421 above all (RFC 5321 3.8)
            raise self._fault(phase, Trouble.BUSY if for_now else refused, code=code, certain=code >= _FOR_GOOD)
        if code >= _ASKS_ON:
            raise self._fault(phase, Trouble.PROTOCOL, code=code)

    def _answered(self, phase: Phase, step: Callable[[], T]) -> T:
        """Take a step, and raise the fault unless there is an answer; it refers to nothing the server said."""
        try:
            return step()
        except TimeoutError:
            kind = Trouble.TIMEOUT
        except OSError:
            kind = Trouble.DISCONNECTED
        except SenselessReply:
            kind = Trouble.PROTOCOL
        raise self._fault(phase, kind)

    def _fault(self, phase: Phase, kind: Trouble, *, code: int | None = None, certain: bool = False) -> TransportFault:
        certain = certain or kind is Trouble.PROTOCOL
        return TransportFault(server=self.name, phase=phase, kind=kind, certain=certain, code=code)


def _verifying() -> ssl.SSLContext:
    """Return a context that checks the certificate and the host, for TLS 1.2 or newer (RFC 8314)."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not context.cert_store_stats()["x509_ca"]:  # as it also is, without a word, where no file could be opened
        socket.socket().close()  # raises then: nobody's certificate is to blame
    return context
