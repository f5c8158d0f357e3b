"""A cable between a program and everything it talks to, that a test can pull out: packets are lost, and nobody is told.

Invariant: whoever is cut off hears nothing, no refusal and no goodbye; put in again, the cable carries what comes then.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

from tests.support.postgres import Cluster

_NOWHERE = "02:00:00:00:00:fe"


class Cable(Protocol):
    """What lies between."""

    within: tuple[str, ...]
    """What the program's command begins with."""

    def database(self, name: str) -> str:
        """Return the address of a database, for the program behind the cable."""
        ...

    def place(self, port: int) -> str:
        """Return HOST:PORT for it, of a server that listens at `port` of `near`."""
        ...

    def pull(self) -> None:
        """Cut it off."""
        ...

    def plug(self) -> None:
        """Put it in again."""
        ...


@dataclass
class Namespace:
    """A network namespace, joined to this machine by two virtual cards; its neighbour can be made unreachable."""

    cluster: Cluster
    number: int = field(default_factory=lambda: os.getpid() % 16_000)

    def __post_init__(self) -> None:
        self.name = f"reminders-{self.number}"
        self._here, self._there = f"rh{self.number}", f"rt{self.number}"
        base = self.number * 4
        self.near = f"10.203.{base // 256}.{base % 256 + 1}"
        self._far = f"10.203.{base // 256}.{base % 256 + 2}"
        self.within = ("ip", "netns", "exec", self.name)

    def make(self) -> None:
        """Make it; raises `CalledProcessError` or `OSError` where that is not permitted."""
        _ip("netns", "add", self.name)
        _ip("link", "add", self._here, "type", "veth", "peer", "name", self._there, "netns", self.name)
        _ip("address", "add", f"{self.near}/30", "dev", self._here)
        _ip("link", "set", self._here, "up")
        _ip("-n", self.name, "address", "add", f"{self._far}/30", "dev", self._there)
        _ip("-n", self.name, "link", "set", self._there, "up")
        _ip("-n", self.name, "link", "set", "lo", "up")
        self.cluster.listen(self.near)

    def remove(self) -> None:
        for words in (("link", "delete", self._here), ("netns", "delete", self.name)):
            with contextlib.suppress(subprocess.CalledProcessError, OSError):
                _ip(*words)

    def database(self, name: str) -> str:
        return f"postgresql://postgres@{self.near}:5432/{name}"

    def place(self, port: int) -> str:
        return f"{self.near}:{port}"

    def pull(self) -> None:
        there = ("dev", self._there, "lladdr", _NOWHERE, "nud", "permanent")
        here = ("dev", self._here, "lladdr", _NOWHERE, "nud", "permanent")
        _ip("-n", self.name, "neighbour", "replace", self.near, *there)
        _ip("neighbour", "replace", self._far, *here)

    def plug(self) -> None:
        _ip("-n", self.name, "neighbour", "delete", self.near, "dev", self._there)
        _ip("neighbour", "delete", self._far, "dev", self._here)


def _ip(*words: str) -> None:
    subprocess.run((shutil.which("ip") or "ip", *words), check=True, capture_output=True, timeout=20)


@dataclass
class Relays:
    """Relays on this machine, one for each server: where no namespace may be made. They are told to carry nothing."""

    cluster: Cluster
    near: str = "127.0.0.1"
    within: tuple[str, ...] = ()
    _carries: threading.Event = field(default_factory=threading.Event)
    _sockets: list[socket.socket] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._carries.set()

    def remove(self) -> None:
        self._carries.set()
        for sock in self._sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def database(self, name: str) -> str:
        folder = parse_qs(urlsplit(self.cluster.url(name)).query)["host"][0]
        file = str(next(Path(folder).glob(".s.PGSQL.*[0-9]")))
        return f"postgresql://postgres@127.0.0.1:{self._relay(socket.AF_UNIX, file)}/{name}?sslmode=disable"

    def place(self, port: int) -> str:
        return f"127.0.0.1:{self._relay(socket.AF_INET, ('127.0.0.1', port))}"

    def pull(self) -> None:
        self._carries.clear()

    def plug(self) -> None:
        self._carries.set()

    def _relay(self, family: socket.AddressFamily, there: object) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        self._sockets.append(listener)
        self._start(self._listen, listener, family, there)
        return int(listener.getsockname()[1])

    def _listen(self, listener: socket.socket, family: socket.AddressFamily, there: object) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.socket(family)
                self._sockets += [near, far]
                self._carries.wait()
                far.connect(there)  # type: ignore[arg-type] # what the family takes
                self._start(self._carry, near, far)
                self._start(self._carry, far, near)

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while sent := source.recv(65536):
                self._carries.wait()
                target.sendall(sent)
            target.shutdown(socket.SHUT_WR)

    def _start(self, act: object, *given: object) -> None:
        threading.Thread(target=act, args=given, daemon=True).start()  # type: ignore[arg-type]


@contextlib.contextmanager
def cable(cluster: Cluster) -> Iterator[Namespace | Relays]:
    """Give a namespace's cable; where none may be made, one of relays, which is said."""
    made = Namespace(cluster)
    try:
        made.make()
    except (subprocess.CalledProcessError, OSError):
        made.remove()
        relays = Relays(cluster)
        print("\nNO NETWORK NAMESPACES HERE: the machine is cut off by relays that carry nothing.")  # noqa: T201 - loudly
        try:
            yield relays
        finally:
            relays.remove()
        return
    try:
        yield made
    finally:
        made.remove()
