"""A mail server that behaves, at any phase of any connection, as rudely as a test says, and keeps a ledger of the dots.

Invariant: the ledger holds a message when, and only when, its final dot arrived and was not clearly refused: whoever
could have it, has it. What a patient received is never more than the ledger.
"""

import contextlib
import os
import re
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

PHASES = ("banner", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "body", "dot", "rset", "quit")
"""Where a server may misbehave: at the reply to each; `body` is once all of the message but its dot has been read."""

USUAL = {
    "banner": b"220 chaos.test ESMTP\r\n",
    "ehlo": b"250-chaos.test\r\n250-AUTH PLAIN LOGIN\r\n250 STARTTLS\r\n",
    "starttls": b"220 2.0.0 go on\r\n",
    "auth": b"235 2.7.0 welcome\r\n",
    "mail": b"250 2.1.0 ok\r\n",
    "rcpt": b"250 2.1.5 ok\r\n",
    "data": b"354 go on\r\n",
    "body": b"",
    "dot": b"250 2.0.0 taken\r\n",
    "rset": b"250 2.0.0 ok\r\n",
    "quit": b"221 2.0.0 bye\r\n",
}
_DOT = b"\r\n.\r\n"
_LAST_LINE = re.compile(rb"\r\n--[^\r\n]+--\r\n\Z")
_MESSAGE_ID = re.compile(rb"^Message-ID:\s*(<[^>]+>)", re.MULTILINE)
_REFUSAL = re.compile(rb"(([45][0-9]{2})-[^\r\n]*\r\n(\2-[^\r\n]*\r\n)*\2|[45][0-9]{2})( [^\r\n]*)?\r\n")
_GO_ON = re.compile(rb"^354[ \r\n]", re.MULTILINE)
_CHUNK = 16 * 1024


class Over(Exception):
    """This connection has ended, or shall end now."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A message in the ledger; `confirmed` says that its sender was told so."""

    recipient: str
    message_id: str
    confirmed: bool


Act = Callable[["Talk", bytes], None]
"""What the server does at a phase, given what it usually says there; raises `Over` to end the connection."""
Script = Mapping[str, Act]


class ChaosServer:
    """Listens on this machine. `behave` says how every connection from now on goes; at first each goes well.

    `said` are the commands that came in the clear, `safely` those that came under TLS. `acted` is set once the server
    has done what the script says at a phase: a test need not guess when.
    """

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.ledger: list[Taken] = []
        self.said: list[str] = []
        self.safely: list[str] = []
        self.connections = 0
        self.acted = threading.Event()
        self._context, self._implicit, self.pipelining = context, False, False
        self._scripts: Callable[[int], Script] = _no_script
        self._talks: list[Talk] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _CHUNK)  # a reader that stops is soon felt
        self.host, self.port = self._listener.getsockname()

    def __enter__(self) -> Self:
        thread = threading.Thread(target=self._listen, daemon=True)
        thread.start()
        self._threads.append(thread)
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._join()

    def behave(
        self,
        script: Script | Callable[[int], Script],
        *,
        tls: ssl.SSLContext | None = None,
        implicit: bool = False,
        pipelining: bool = False,
    ) -> None:
        """End every connection and forget everything; from now on go by `script`, or by one for each connection.

        With `pipelining` it is offered, which a script's own reply to EHLO may do as well.
        """
        self._join()
        self.ledger, self.said, self.safely, self.connections = [], [], [], 0
        self.acted.clear()
        self._context, self._implicit, self.pipelining = tls or self._context, implicit, pipelining
        self._scripts = script if callable(script) else lambda _: script

    def calm(self) -> None:
        """End every connection and behave well from the next on; now the ledger is complete, and it stays."""
        self.settle()
        self._scripts = _no_script

    def settle(self) -> None:
        """End every connection: now the ledger is complete."""
        self._join()

    def trust(self, context: ssl.SSLContext) -> None:
        """Show this certificate from the next connection on."""
        self._context = context

    def _join(self) -> None:
        talks, self._talks = self._talks, []
        for talk in talks:
            talk.hang_up()
        for talk in talks:
            if talk.thread is not None:
                talk.thread.join(10)

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                talk = Talk(self, sock, self._scripts(self.connections), self._context)
                self.connections += 1
                talk.thread = threading.Thread(target=talk.run, args=(self._implicit,), daemon=True)
                self._talks.append(talk)
                talk.thread.start()


class Talk:
    """One connection, from the server's side."""

    thread: threading.Thread | None = None

    def __init__(
        self, server: ChaosServer, sock: socket.socket, script: Script, context: ssl.SSLContext | None
    ) -> None:
        self.server, self._sock, self._script, self._context = server, sock, script, context
        self._below = socket.socket(fileno=os.dup(sock.fileno()))
        self.over = threading.Event()
        self._unread = b""
        self._reply = b""
        self._recipient = ""

    def run(self, implicit: bool) -> None:  # noqa: FBT001 - handed over by the thread
        """Go through the conversation until either side ends it."""
        try:
            if implicit:
                self._handshake()
            self.act("banner")
            while self._obey(self.line()):
                pass
        except (OSError, ValueError, Over):
            pass
        finally:
            self.hang_up()
            self._sock.close()
            self._below.close()

    def hang_up(self) -> None:
        """End the connection, from any thread."""
        self.over.set()
        with contextlib.suppress(OSError):
            self._below.shutdown(socket.SHUT_RDWR)

    # what a behaviour is made of
    def say(self, content: bytes) -> None:
        """Write these bytes, whatever they are."""
        self._reply += content
        self._sock.sendall(content)
        self.server.acted.set()

    def say_in_the_clear(self, content: bytes) -> None:
        """Write these bytes below TLS, where there is TLS."""
        self._below.sendall(content)
        self.server.acted.set()

    def close(self, *, reset: bool = False, half: bool = False) -> None:
        """Close with a goodbye (FIN), or a reset (RST), or only the half that writes."""
        if half:
            self._below.shutdown(socket.SHUT_WR)
        elif reset:
            self._below.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            self._below.close()
            self._sock.close()  # the last handle: it is this that sends the reset
        else:
            self.hang_up()
        self.server.acted.set()

    def listen_on(self) -> None:
        """Say nothing, and read until the other side has gone."""
        self.server.acted.set()
        while True:
            self._unread += self._received()

    def stop_reading(self) -> None:
        """Do nothing at all until the other side gives up, or the test ends: what it sends fills the buffers."""
        self.server.acted.set()
        self.over.wait()
        raise Over

    def line(self) -> bytes:
        """Return the next line, without its end."""
        while b"\r\n" not in self._unread:
            self._unread += self._received()
        line, _, self._unread = self._unread.partition(b"\r\n")
        return line

    def act(self, phase: str) -> None:
        """Do what the script says at a phase, else what is usual."""
        usual, self._reply = USUAL[phase], b""
        if phase == "ehlo" and self.server.pipelining:
            usual = pipelining(usual)
        if phase in self._script:
            self._script[phase](self, usual)
        elif usual:
            self._reply = usual
            self._sock.sendall(usual)

    def _received(self) -> bytes:
        received = self._sock.recv(_CHUNK)
        if not received:
            raise Over
        return received

    def _obey(self, line: bytes) -> bool:
        command, text = line[:4].decode("latin-1").lower(), line.decode("latin-1")
        safe = isinstance(self._sock, ssl.SSLSocket)
        (self.server.safely if safe else self.server.said).append(text)
        if command == "auth":
            self.act("auth")
        elif command == "star":
            self.act("starttls")
            self._handshake()
        elif command == "data":
            self.act("data")
            if _GO_ON.search(self._reply):
                self._take()
        elif command in ("ehlo", "mail", "rcpt", "rset", "quit"):
            self._recipient = text.partition("<")[2].partition(">")[0] if command == "rcpt" else self._recipient
            self.act(command)
        else:
            self._sock.sendall(b"500 5.5.2 what?\r\n")
        return command != "quit"

    def _handshake(self) -> None:
        if "handshake" in self._script:
            self._script["handshake"](self, b"")
        if self._context is None:
            raise Over
        self._sock = self._context.wrap_socket(self._sock, server_side=True)

    def _take(self) -> None:
        """Read a message to its dot, enter it in the ledger, answer; however that ends."""
        self._unread, whole = b"\r\n" + self._unread, False
        try:
            while _DOT not in self._unread:
                if not whole and _LAST_LINE.search(self._unread):
                    whole = True
                    self.act("body")
                self._unread += self._received()
        except (OSError, Over):
            if _DOT in self._unread:  # it came all the same, and who knows what became of it
                self._enter(self._unread.partition(_DOT)[0], b"")
            raise
        message, _, self._unread = self._unread.partition(_DOT)
        try:
            self.act("dot")
        finally:
            self._enter(message, self._reply)

    def _enter(self, message: bytes, reply: bytes) -> None:
        if _REFUSAL.fullmatch(reply):
            return
        found = _MESSAGE_ID.search(message)
        name = found[1].decode("ascii") if found else ""
        self.server.ledger.append(Taken(self._recipient, name, reply.startswith(b"2")))


def pipelining(ehlo: bytes) -> bytes:
    """Return the reply to EHLO with the offer of PIPELINING in it."""
    return ehlo.replace(b"\r\n", b"\r\n250-PIPELINING\r\n", 1)


def _no_script(_number: int) -> Script:
    return {}
