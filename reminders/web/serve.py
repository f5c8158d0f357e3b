"""Listens for browsers where the settings say, until the process is asked to end.

Invariant: no path, no address and no token is written to any log; what is being answered when the end is asked for is
answered.
"""

import errno
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from types import FrameType
from typing import Any, cast

import uvicorn

from reminders.app import App, nouns  # noqa: F401 - nobody's request waits until it is loaded
from reminders.errors import CannotDo
from reminders.web.demo_mailbox import Mailbox
from reminders.web.limits import Limits
from reminders.web.quiet import few_words
from reminders.web.site import build_site
from reminders.web.wire import Wire

_WAITING = 256  # connections that the system holds until we take them
_LAST_ANSWERS_S = 10
_IDLE_S = 5
_HANGS_UP = getattr(signal, "SIGHUP", None)
_UNREAD_MS = 20_000
_PROXIES = ["127.0.0.1", "::1"]  # X-Forwarded-For is a client's own invention unless a proxy of this machine wrote it
_PROBLEMS = {
    errno.EADDRINUSE: "another program listens there",
    errno.EACCES: "the system reserves that port",
    errno.EADDRNOTAVAIL: "this machine has no such address",
}


@dataclass(frozen=True, slots=True)
class Here:
    """What else this process does: `lives` tells whether its clock ticks, `ends` is told every signal at once.

    `asked` tells whether a signal came before the pages did.
    """

    lives: Callable[[], bool]
    ends: Callable[[int], object]
    asked: Callable[[], bool] = lambda: False


class CannotListen(CannotDo):
    """The pages cannot be served on {place}: {problem}. Choose another place with REMINDERS_LISTEN."""


def serve(
    app: App,
    listening: Callable[[str], None],
    limits: Limits | None = None,
    here: Here | None = None,
    door: socket.socket | None = None,
) -> None:
    """Serve the pages until SIGTERM or Ctrl-C; calls `listening` with the address once browsers can come.

    `here` is what else this process does, `door` what already listens. Raises `CannotListen`.
    """
    with closing(door or open_door(app.settings.listen)) as taken, few_words(app.clock):
        server = _server(app, taken, limits, here=here)

        def heard(number: int, frame: FrameType | None) -> None:
            """Take a signal before the library does; those that it passes on when it has ended are over."""
            if not server.started:
                server.handle_exit(number, frame)

        before = {number: signal.signal(number, heard) for number in (signal.SIGTERM, signal.SIGINT)}
        if _HANGS_UP is not None and signal.getsignal(_HANGS_UP) is not signal.SIG_IGN:  # the library does not know it
            before[_HANGS_UP] = signal.signal(_HANGS_UP, server.handle_exit)
        server.should_exit = here is not None and here.asked()
        try:
            listening(_address(taken))
            server.run(sockets=[taken])
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


@contextmanager
def served(
    app: App,
    place: str | None = None,
    limits: Limits | None = None,
    mailbox: Mailbox | None = None,
    here: Here | None = None,
) -> Iterator[str]:
    """Serve the pages from a thread while the context lasts; gives their address. Port 0 takes a free one."""
    with closing(open_door(place or app.settings.listen)) as door, few_words(app.clock):
        server = _server(app, door, limits, mailbox, here)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, name="pages")
        thread.start()
        try:
            yield _address(door)
        finally:
            server.should_exit = True
            thread.join()


class _Server(uvicorn.Server):
    """The library's server, which passes on at once that the process is asked to end."""

    def __init__(self, config: uvicorn.Config, here: Here | None) -> None:
        super().__init__(config)
        self._here = here

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._here is not None:
            self._here.ends(sig)
        super().handle_exit(sig, frame)


def _server(
    app: App,
    door: socket.socket,
    limits: Limits | None,
    mailbox: Mailbox | None = None,
    here: Here | None = None,
) -> uvicorn.Server:
    limits = limits or Limits()
    site = build_site(app, limits, _place(door), mailbox, here.lives if here else None)
    config = uvicorn.Config(
        cast("Any", site),
        loop="asyncio",
        http=cast("Any", partial(Wire, limits=limits)),
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=_PROXIES,
        backlog=_WAITING,
        timeout_keep_alive=_IDLE_S,
        timeout_graceful_shutdown=_LAST_ANSWERS_S,
    )
    return _Server(config, here)


def open_door(place: str) -> socket.socket:
    """Return a socket that listens on HOST:PORT; raises `CannotListen`."""
    host, _, port = place.rpartition(":")
    try:
        family, _, _, _, address = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)[0]
        return _impatient(socket.create_server(address[:2], family=family, backlog=_WAITING))
    except OSError as error:
        problem = _PROBLEMS.get(error.errno or 0, "the host is no address of this machine")
        raise CannotListen(place=place, problem=problem) from None


def _impatient(door: socket.socket) -> socket.socket:
    """Set what every accepted connection inherits: to send at once, and to end when nobody takes what was sent."""
    door.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # a head and its body are two writes: 40 ms otherwise
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # on Linux
        door.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNREAD_MS)
    return door


def _place(door: socket.socket) -> str:
    host, port = door.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _address(door: socket.socket) -> str:
    return f"http://{_place(door)}"
