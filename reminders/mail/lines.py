"""Keeps connections to mail servers open for the messages to come.

Invariant: a connection is handed out only to the very way it was opened by (server, password and all), and only while
the server is still there and silent; nobody keeps one for long that nothing is sent on.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reminders.mail.transport import Session, Transport

MOST = 100
"""No more are kept: clinics with servers of their own would else have a connection each for each message of a round."""

GOODBYES_S = 5
"""How long goodbyes are waited for: a server that is silent to the first gets no second one."""


@dataclass(slots=True)
class Lines:
    """Open connections that nobody uses now; a new one costs round trips, TLS and a login. For one thread."""

    now: Callable[[], float] = time.monotonic
    _idle: "list[tuple[float, Transport, Session]]" = field(default_factory=list)

    def take(self, transport: "Transport") -> "Session | None":
        """Return a connection that `transport` has opened and that still serves, if there is one."""
        for place in reversed(range(len(self._idle))):  # the last one used is the likeliest to be alive
            _, opened_by, session = self._idle[place]
            if opened_by == transport:
                del self._idle[place]
                if session.reset():
                    return session
                session.abandon()
        return None

    def keep(self, transport: "Transport", session: "Session") -> None:
        """Take back a connection that `transport` has opened, whatever became of the message on it."""
        self._idle.append((self.now(), transport, session))
        if len(self._idle) > MOST:  # without a goodbye, which would be waited for
            self._idle.pop(0)[2].abandon()

    def close(self, *, unused_s: float = 0) -> None:
        """Say goodbye where nothing was sent for so long; nothing a server says to that matters any more."""
        now = self.now()
        while self._idle and self._idle[0][0] <= now - unused_s:
            _, _, session = self._idle.pop(0)
            if self.now() - now < GOODBYES_S:
                session.close()
            else:
                session.abandon()
