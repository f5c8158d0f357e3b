"""Places on this machine that no connection can be made to: one that refuses, and one that never answers.

Invariant: neither reaches beyond this machine, and both end with their `with` block.
"""

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(slots=True)
class Place:
    """A host and a port."""

    host: str
    port: int


@contextlib.contextmanager
def refusing() -> Iterator[Place]:
    """Give a port that is taken, and at which nobody listens: it refuses every connection."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield Place(*bound.getsockname())


@contextlib.contextmanager
def black_hole() -> Iterator[Place]:
    """Give a port whose queue is full and never emptied: whoever knocks hears nothing."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        place = Place(*listener.getsockname())
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex((place.host, place.port))
        yield place
