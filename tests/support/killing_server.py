"""A mail server that keeps a ledger of what it accepted, and kills the delivery it talks to when a test tells it to.

Invariant: it accepts a message when, and only when, its final dot has come, whatever became of who sent it; so its
ledger is what patients received.
"""

import contextlib
import os
import re
import signal
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

_CHUNK = 700  # bytes: a message of some kilobytes then comes in several pieces
_DOT = b"\r\n.\r\n"
_LAST_LINE = re.compile(rb"\r\n--[^\r\n]+--\r\n\Z")
_MESSAGE_ID = re.compile(rb"^Message-ID:\s*(<[^>]+>)", re.MULTILINE)

PHASES = ("connect", "ehlo", "mail", "rcpt", "data", "body", "last_line", "dot", "replied")
"""What the server notices, in the order of a message: `dot` is before its answer, `replied` after it."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message in the ledger."""

    recipient: str
    message_id: str


class KillingServer:
    """Listens on this machine. `arm` says when to act on the delivery; by default nothing happens to it."""

    def __init__(self, host: str = "127.0.0.1", chunk: int = _CHUNK) -> None:
        self.accepted: list[Accepted] = []
        self._chunk = chunk
        self._lock = threading.Lock()
        self._phase, self._left = "", 0
        self._act: Callable[[], None] = _nothing
        self._listener = socket.create_server((host, 0), backlog=200)
        self.host, self.port = self._listener.getsockname()
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._listen, daemon=True)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)

    def arm(self, phase: str, nth: int, act: Callable[[], None]) -> None:
        """Call `act` when `phase` (or "any") comes the `nth` time from now on, once, before the server goes on."""
        with self._lock:
            self._phase, self._left, self._act = phase, nth, act

    def arm_kill(self, phase: str, nth: int, pid: int) -> None:
        """Kill the process `pid`, a child of a test's, when `phase` comes the `nth` time."""
        self.arm(phase, nth, lambda: _kill(pid))

    def disarm(self) -> None:
        """Let nothing happen any more."""
        self.arm("", 0, _nothing)

    def is_quiet(self) -> bool:
        """Tell whether nothing of a delivery that is over can happen any more: who is armed next is another's."""
        return not any(thread.is_alive() for thread in self._threads[1:])

    def _happens(self, phase: str) -> None:
        with self._lock:
            if self._phase not in ("any", phase):
                return
            self._left -= 1
            act = self._act if self._left == 0 else _nothing
        act()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                self._sockets.append(sock)
                thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, sock: socket.socket) -> None:
        with sock, contextlib.suppress(OSError):
            self._happens("connect")
            sock.sendall(b"220 ledger.test\r\n")
            unread, recipient = b"", ""
            while True:
                while b"\r\n" not in unread:
                    unread += _received(sock, self._chunk)
                line, _, unread = unread.partition(b"\r\n")
                command = line[:4].decode("ascii").lower()
                if command in PHASES:
                    self._happens(command)
                if command == "rcpt":
                    recipient = line.decode("ascii").partition("<")[2].partition(">")[0]
                if command == "data":
                    sock.sendall(b"354 go on\r\n")
                    unread = self._take(sock, unread, recipient)
                    self._happens("replied")
                else:
                    sock.sendall(b"221 bye\r\n" if command == "quit" else b"250 ok\r\n")

    def _take(self, sock: socket.socket, unread: bytes, recipient: str) -> bytes:
        """Read a message to its dot, enter it in the ledger, answer; return what came behind it."""
        content, whole = b"\r\n" + unread, False
        while _DOT not in content:
            self._happens("body")
            if not whole and _LAST_LINE.search(content):
                whole = True
                self._happens("last_line")
            content += _received(sock, self._chunk)
        if not whole:  # it came together with the dot
            self._happens("last_line")
        message, _, behind = content.partition(_DOT)
        self._happens("dot")
        found = _MESSAGE_ID.search(message)
        with self._lock:
            self.accepted.append(Accepted(recipient, found[1].decode("ascii") if found else ""))
        sock.sendall(b"250 2.0.0 taken\r\n")
        return behind


def _received(sock: socket.socket, chunk: int) -> bytes:
    """Return what has come; raise when the other side has gone."""
    if not (received := sock.recv(chunk)):
        raise ConnectionResetError
    return received


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _nothing() -> None:
    return
