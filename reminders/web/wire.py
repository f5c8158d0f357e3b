"""Keeps a connection only as long as it asks something: HTTP/1.1 as uvicorn speaks it, with bounds and our headers.

Invariant: a request that is not there whole within its seconds ends its connection, whether its head or its body is
late; there are never more connections than twice `Limits.connections`; what is no HTTP is answered with our headers.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from reminders.web.guard import CROWDED, SECURITY
from reminders.web.limits import Limits

_SAID = b"This is no request that can be answered.\n"
_NO_HTTP = b"".join(
    (
        b"HTTP/1.1 400 Bad Request\r\n",
        b"content-type: text/plain; charset=utf-8\r\n",
        b"content-length: %d\r\n" % len(_SAID),
        b"connection: close\r\n",
        *(f"{name.lower()}: {value}\r\n".encode() for name, value in SECURITY),
        b"\r\n",
        _SAID,
    )
)


class Wire(H11Protocol):
    """One connection of a client."""

    def __init__(self, *, limits: Limits, **given: Any) -> None:  # noqa: ANN401 - uvicorn's own, handed on as they are
        """Take the bounds, and what uvicorn gives every connection."""
        super().__init__(**given)
        self._limits = limits
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Take a connection, or drop it where there is no room: each costs a file, and the database needs some too."""
        super().connection_made(transport)
        if len(self.connections) > 2 * self._limits.connections:
            transport.abort()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a connection that ended."""
        self._stop_waiting()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        """Take what was read; the guard is told when too many are connected, and knows whom to answer even so."""
        self.app_state = {CROWDED: len(self.connections) > self._limits.connections}
        super().handle_events()
        self._watch()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words, which lack our headers
        """Answer what is no HTTP; but nothing where an answer has begun: h11 would raise, and asyncio log it."""
        cycle: RequestResponseCycle | None = self.cycle  # None before the first request, whatever uvicorn declares
        if cycle is None or not cycle.response_started or (cycle.response_complete and not cycle.more_body):
            self.transport.write(_NO_HTTP)
        if cycle is not None:
            cycle.disconnected = True
            cycle.message_event.set()
        self.transport.close()

    def _watch(self) -> None:
        """Wait for the rest of a request, counted from its beginning or from the end of the answer before."""
        cycle: RequestResponseCycle | None = self.cycle
        whole = cycle is not None and not cycle.more_body and not cycle.response_complete
        if whole or self.transport.is_closing():
            self._stop_waiting()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(self._limits.request_s, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
