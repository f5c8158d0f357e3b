"""Mail servers for tests, on this machine: a real one that records what it accepts, and a rude one that misbehaves.

Both run in threads and stop with their `with` block. The real one is aiosmtpd, with TLS and passwords if asked for; its
replies can be scripted. The rude one is a bare socket that says, or does not say, whatever a test wants at a step.
"""

import asyncio
import contextlib
import dataclasses
import socket
import ssl
import struct
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Coroutine, Iterator, Mapping
from typing import Any, Protocol, Self

import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER = "clinic"
PASSWORD = "pâss word:%/@"


@dataclasses.dataclass(frozen=True, slots=True)
class Certificates:
    """A private authority: contexts for a server it vouches for, and for a client that trusts it."""

    server: ssl.SSLContext
    client: ssl.SSLContext


def certificates(*names: str) -> Certificates:
    """Return contexts for a server with `names` (default: this machine's) and for a client that trusts its issuer."""
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert(*(names or ("localhost", "127.0.0.1"))).configure_cert(server)
    authority.configure_trust(client)
    return Certificates(server, client)


@dataclasses.dataclass(frozen=True, slots=True)
class Received:
    """A message the server accepted. `peer` tells connections apart; `at` is on the monotonic clock."""

    peer: tuple[str, int]
    mail_from: str
    rcpt_tos: tuple[str, ...]
    content: bytes
    at: float
    tls: bool


class RealServer:
    """A mail server that accepts everything, except where `script` holds a reply for the next such command.

    `script["RCPT"].append("550 5.1.1 no such user")` is said once, to the next RCPT; "DOT" is the reply to the message.
    `host` and `port` say where it listens, `greetings` how its clients introduced themselves.
    """

    def __init__(self, *, starttls: ssl.SSLContext | None, implicit: ssl.SSLContext | None, auth: bool) -> None:
        self.script: dict[str, deque[str]] = defaultdict(deque)
        self.messages: list[Received] = []
        self.greetings: list[str] = []
        self.connections: set[tuple[str, int]] = set()
        self.host, self.port = "127.0.0.1", 0
        self._implicit = implicit
        self._make = lambda: _Scripted(self, starttls, auth=auth)
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        listening = self._loop.create_server(self._make, self.host, 0, ssl=self._implicit)
        server = self._loop.run_until_complete(listening)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - the library's name
        """Record a message, or say what the script holds."""
        if self.script["DOT"]:
            return self.script["DOT"].popleft()
        sender, content = envelope.mail_from or "", envelope.original_content or b""
        peer = (str(session.peer[0]), int(session.peer[1])) if session.peer else ("", 0)
        tls = server.transport is not None and server.transport.get_extra_info("ssl_object") is not None
        self.messages.append(Received(peer, sender, tuple(envelope.rcpt_tos), content, time.monotonic(), tls))
        return "250 2.0.0 taken"


def real_server(
    *, starttls: ssl.SSLContext | None = None, implicit: ssl.SSLContext | None = None, auth: bool = False
) -> RealServer:
    """Return a recording server to be used in a `with`; `auth` asks for `USER` and `PASSWORD`."""
    return RealServer(starttls=starttls, implicit=implicit, auth=auth)


class _Scripted(SMTP):
    def __init__(self, server: RealServer, tls: ssl.SSLContext | None, *, auth: bool) -> None:
        super().__init__(
            server,
            hostname="real.test",
            tls_context=tls,
            require_starttls=tls is not None,
            auth_required=auth,
            authenticator=_knows if auth else None,
        )
        self._server = server

    async def _unless_scripted(self, command: str, otherwise: Callable[[], Coroutine[Any, Any, None]]) -> None:
        if self._server.script[command]:
            await self.push(self._server.script[command].popleft())
        else:
            await otherwise()

    async def smtp_EHLO(self, hostname: str) -> None:  # noqa: N802
        self._server.greetings.append(hostname)
        if self.session and self.session.peer:
            self._server.connections.add((str(self.session.peer[0]), int(self.session.peer[1])))
        await self._unless_scripted("EHLO", lambda: super(_Scripted, self).smtp_EHLO(hostname))

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802
        await self._unless_scripted("MAIL", lambda: super(_Scripted, self).smtp_MAIL(arg))

    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802
        await self._unless_scripted("RCPT", lambda: super(_Scripted, self).smtp_RCPT(arg))

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        await self._unless_scripted("DATA", lambda: super(_Scripted, self).smtp_DATA(arg))

    async def smtp_RSET(self, arg: str) -> None:  # noqa: N802
        await self._unless_scripted("RSET", lambda: super(_Scripted, self).smtp_RSET(arg))

    async def smtp_QUIT(self, arg: str) -> None:  # noqa: N802
        await self._unless_scripted("QUIT", lambda: super(_Scripted, self).smtp_QUIT(arg))


def _knows(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: object) -> AuthResult:
    known = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=known, handled=False)


class Behaviour(Protocol):
    """What the rude server does at a step, instead of answering as it should."""

    def act(self, sock: socket.socket, stopped: threading.Event) -> bool:
        """Do it; false ends the connection."""
        ...


@dataclasses.dataclass(frozen=True, slots=True)
class Say:
    """Says these lines, and then goes on, or hangs up."""

    lines: str
    hang_up: bool = False

    def act(self, sock: socket.socket, stopped: threading.Event) -> bool:  # noqa: ARG002 - says it at once
        sock.sendall(self.lines.encode("latin-1") + b"\r\n")
        return not self.hang_up


@dataclasses.dataclass(frozen=True, slots=True)
class HangUp:
    """Closes the connection: with a goodbye (FIN), or as a machine that lost its memory (RST)."""

    reset: bool = False

    def act(self, sock: socket.socket, stopped: threading.Event) -> bool:  # noqa: ARG002 - goes at once
        if self.reset:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False


@dataclasses.dataclass(frozen=True, slots=True)
class Silence:
    """Says nothing more until the server is stopped."""

    def act(self, sock: socket.socket, stopped: threading.Event) -> bool:  # noqa: ARG002 - says nothing
        stopped.wait()
        return False


@dataclasses.dataclass(frozen=True, slots=True)
class InTurn:
    """Does one thing after the other."""

    behaviours: tuple[Behaviour, ...]

    def act(self, sock: socket.socket, stopped: threading.Event) -> bool:
        return all(behaviour.act(sock, stopped) for behaviour in self.behaviours)


@dataclasses.dataclass(frozen=True, slots=True)
class Await:
    """Waits until the test sets `event`, and goes on."""

    event: threading.Event

    def act(self, sock: socket.socket, stopped: threading.Event) -> bool:  # noqa: ARG002 - says nothing
        return self.event.wait(10)


@dataclasses.dataclass(frozen=True, slots=True)
class Drip:
    """Writes one byte every twentieth of a second, for ever: first `start`, then the letter x."""

    start: bytes = b"250-"

    def act(self, sock: socket.socket, stopped: threading.Event) -> bool:
        sent = 0
        with contextlib.suppress(OSError):
            while not stopped.wait(0.05):
                sock.sendall(self.start[sent : sent + 1] or b"x")
                sent += 1
        return False


_USUAL = {
    "banner": "220 rude.test ESMTP",
    "ehlo": "250-rude.test\r\n250-AUTH PLAIN LOGIN\r\n250 STARTTLS",
    "starttls": "220 go on",
    "auth": "235 welcome",
    "mail": "250 2.1.0 ok",
    "rcpt": "250 2.1.5 ok",
    "data": "354 go on",
    "dot": "250 2.0.0 taken",
    "rset": "250 2.0.0 ok",
    "quit": "221 2.0.0 bye",
}
LAST_LINE = b"the last line\r\n"
"""A body that ends so lets `RudeServer` act after the whole body and before the dot: step "last_line"."""


class RudeServer:
    """A plain socket that behaves as a mail server except at the steps named in `script`.

    Steps: banner, ehlo, starttls, handshake, auth, mail, rcpt, data, body (right after DATA), last_line, dot, rset,
    quit. A step may be a list of behaviours, one for each time it comes. `accepted` are the bodies that were ended by a
    dot and not refused, `unfinished` those cut off; `gone` is set when a connection has been closed by the server.
    """

    def __init__(
        self, script: Mapping[str, Behaviour | list[Behaviour]] | None = None, *, pipelining: bool = False
    ) -> None:
        offers = {"ehlo": "250-rude.test\r\n250-PIPELINING\r\n250 AUTH PLAIN LOGIN"} if pipelining else {}
        self._usual = _USUAL | offers
        self.accepted: list[bytes] = []
        self.unfinished: list[bytes] = []
        self.commands: list[str] = []
        self.gone = threading.Event()
        self._script = {
            step: deque(acts if isinstance(acts, list) else [acts]) for step, acts in (script or {}).items()
        }
        self._forever = {step: acts for step, acts in (script or {}).items() if not isinstance(acts, list)}
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)  # a reader that stops is soon felt
        self.host, self.port = self._listener.getsockname()

    def __enter__(self) -> Self:
        self._start(self._listen)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(timeout=10)

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                self._sockets.append(sock)
                self._start(self._serve, sock)

    def _serve(self, sock: socket.socket) -> None:
        with sock, contextlib.suppress(OSError, ValueError), sock.makefile("rb") as lines:
            if self._act("banner", sock):
                self._converse(sock, lines)
            lines.close()
        self.gone.set()

    def _converse(self, sock: socket.socket, lines: Any) -> None:  # noqa: ANN401 - a buffered reader
        for line in lines:
            command = line.split()[0].decode("ascii", errors="replace").lower()
            self.commands.append(line.decode("latin-1").strip())
            going_on = self._act(command, sock)
            if command == "data" and going_on and self._said_354():
                going_on = self._act("body", sock, silent=True) and self._take(sock, lines)
            if not going_on or command == "quit" or (command == "starttls" and not self._act("handshake", sock)):
                return

    def _said_354(self) -> bool:
        behaviour = self._forever.get("data", Say("354"))
        return isinstance(behaviour, Say) and behaviour.lines.startswith("354")

    def _take(self, sock: socket.socket, lines: Iterator[bytes]) -> bool:
        body = b""
        for line in lines:
            if line == b".\r\n":
                refused = "dot" in self._script
                going_on = self._act("dot", sock)
                (self.unfinished if refused else self.accepted).append(body)
                return going_on
            body += line.removeprefix(b".") if line.startswith(b"..") else line
            if line == LAST_LINE and not self._act("last_line", sock, silent=True):
                break
        self.unfinished.append(body)
        return False

    def _act(self, step: str, sock: socket.socket, *, silent: bool = False) -> bool:
        waiting = self._script.get(step)
        behaviour = waiting.popleft() if waiting else self._forever.get(step)
        if behaviour is None and not silent:
            behaviour = Say(self._usual.get(step, "500 what?"))
        return behaviour is None or behaviour.act(sock, self._stopped)
