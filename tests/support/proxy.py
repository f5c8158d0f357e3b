"""Stands between the program and a PostgreSQL server, and cuts a connection at the COMMIT a test chooses.

Invariant: it changes no byte. What it does to a COMMIT: `unsent` never reaches the server, `unanswered` is carried out
and its answer swallowed, `late` reaches the server only after the program has learnt that its connection is gone.
"""

import contextlib
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, urlsplit

UNSENT, UNANSWERED, LATE = "unsent", "unanswered", "late"
_COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"
_LOCK = b"pg_advisory_xact_lock"


class Proxy:
    """Listens on this machine and speaks to the server's socket file; `url` leads through it."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        folder = parse_qs(parts.query)["host"][0]
        self._server = str(next(Path(folder).glob(".s.PGSQL.*[0-9]")))
        self._listener = socket.create_server(("127.0.0.1", 0))
        host, port = self._listener.getsockname()
        user = parts.username or "postgres"
        self.url = f"postgresql://{user}@{host}:{port}{parts.path}?sslmode=disable&gssencmode=disable"
        self.cuts = 0
        self.release = threading.Event()
        """Lets a COMMIT that is late go on to the server; set a moment after the next writer asks for its lock."""
        self._late = False
        self._how: str | None = None
        self._act: Callable[[], object] | None = None
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._listen, daemon=True)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self.release.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._sockets:
            _end(sock)
        for thread in self._threads:
            thread.join(10)
        for sock in self._sockets:
            sock.close()

    def arm(self, how: str, act: Callable[[], object] | None = None) -> None:
        """Cut the connection of the next writer at its COMMIT, once; `act` comes just before the program learns of it.

        An `unsent` COMMIT has then not been carried out, an `unanswered` one has.
        """
        self._how, self._act = how, act

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._server)
                self._sockets += [client, server]
                swallow = threading.Event()
                self._start(self._forth, client, server, swallow)
                self._start(self._back, client, server, swallow)

    def _start(self, act: object, *given: object) -> None:
        thread = threading.Thread(target=act, args=given, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _forth(self, client: socket.socket, server: socket.socket, swallow: threading.Event) -> None:
        writes = False
        with contextlib.suppress(OSError):
            while sent := client.recv(65536):
                if _LOCK in sent:
                    writes = True
                    self._somebody_asks()
                if _COMMIT in sent:
                    how = self._cut_now() if writes else None
                    writes = False
                    if how is not None:
                        self._cut(how, sent, client, server, swallow)
                        return
                server.sendall(sent)
        _end(server)

    def _somebody_asks(self) -> None:
        """Let a late COMMIT go on a moment after somebody has begun to wait for its outcome."""
        if self._late and not self.release.is_set():
            timer = threading.Timer(0.1, self.release.set)
            self._threads.append(timer)
            timer.start()

    def _cut_now(self) -> str | None:
        with self._lock:
            how, self._how = self._how, None
            self.cuts += how is not None
            self._late = self._late or how == LATE
        return how

    def _cut(
        self, how: str, sent: bytes, client: socket.socket, server: socket.socket, swallow: threading.Event
    ) -> None:
        swallow.set()
        if how == UNANSWERED:  # the other thread hangs up once the answer has come
            server.sendall(sent)
            return
        self._happen()
        _end(client)
        if how == LATE:
            self.release.wait(30)
            server.sendall(sent)
        _end(server)

    def _back(self, client: socket.socket, server: socket.socket, swallow: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while said := server.recv(65536):
                if swallow.is_set():
                    self._happen()
                    break
                client.sendall(said)
        _end(client)

    def _happen(self) -> None:
        act, self._act = self._act, None
        if act is not None:
            act()


def _end(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
