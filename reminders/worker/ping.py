"""Asks a dead-man's-switch for a page now and then, so that somebody is told when this program falls silent.

Invariants: no tick waits for it and none fails by it, whatever is at the other end; the address, whose path is a
secret, stands in no log. It is asked only while all is well: its silence is the alarm.
"""

import socket
import ssl
import threading
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import SplitResult, urlsplit

from reminders.clock import Monotonic
from reminders.log import Log

EVERY_S = 60.0
LIMIT_S = 10.0
SAID_AGAIN_S = 3600.0
_LONGEST_LINE = 1024
_PORTS = {"https": 443, "http": 80}


class NotTaken(Exception):
    """The other end answered, but not with a success."""


@dataclass(slots=True)
class Ping:
    """Asks `url` in a thread of its own, at most once in `EVERY_S` seconds, for at most `limit_s` seconds each time."""

    url: str
    time: Monotonic
    log: Log
    limit_s: float = LIMIT_S
    tls: ssl.SSLContext | None = None
    _asked_at: float | None = None
    _said_at: float | None = None
    _wanted: threading.Event = field(default_factory=threading.Event)
    _over: bool = False
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Begin; nothing is asked before the first `well`."""
        self._thread = threading.Thread(target=self._run, name="ping", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Ask no more; what is being asked now is left to itself."""
        self._over = True
        self._wanted.set()

    def well(self) -> None:
        """Say that all is well; returns at once."""
        now = self.time.monotonic()
        if self._asked_at is None or now - self._asked_at >= EVERY_S:
            self._asked_at = now
            self._wanted.set()

    def _run(self) -> None:
        while self._wanted.wait() and not self._over:
            self._wanted.clear()
            try:
                self.ask()
            except Exception as error:  # noqa: BLE001 - a sink that is down stops nothing; its text may hold the address
                self._failed(error)

    def ask(self) -> None:
        """Get the page; raises whatever hindered it, `NotTaken` for an answer that is no success (2xx)."""
        parts = urlsplit(self.url)
        until = self.time.monotonic() + self.limit_s
        port = parts.port or _PORTS[parts.scheme]
        with socket.create_connection((parts.hostname or "", port), timeout=self.limit_s) as plain:
            plain.settimeout(self._left(until))
            if parts.scheme == "https":
                context = self.tls or ssl.create_default_context()
                with context.wrap_socket(plain, server_hostname=parts.hostname) as secure:
                    self._exchange(secure, parts, until)
            else:
                self._exchange(plain, parts, until)

    def _exchange(self, sock: socket.socket, parts: SplitResult, until: float) -> None:
        """Send the request and read the first line of the answer; a redirect is followed nowhere."""
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = (f"GET {target} HTTP/1.1", f"Host: {parts.netloc}", "User-Agent: reminders", "Connection: close")
        sock.settimeout(self._left(until))
        sock.sendall("\r\n".join((*lines, "", "")).encode("ascii"))
        said = b""
        while b"\n" not in said and len(said) < _LONGEST_LINE:
            sock.settimeout(self._left(until))
            if not (piece := sock.recv(_LONGEST_LINE)):
                break
            said += piece
        code = said.partition(b"\n")[0].split()[1:2]
        if not said.startswith(b"HTTP/") or not code or not code[0].startswith(b"2"):
            raise NotTaken

    def _left(self, until: float) -> float:
        left = until - self.time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def _failed(self, error: Exception) -> None:
        now = self.time.monotonic()
        if self._said_at is None or now - self._said_at >= SAID_AGAIN_S:
            self._said_at = now
            self.log.warning("the dead-man's switch cannot be reached", problem=type(error).__name__)
