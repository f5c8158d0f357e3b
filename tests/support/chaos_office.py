"""One clinic that delivers to a chaos server, put back to its beginning for each scenario, and what became of it.

Invariant: every scenario starts from the same facts, at the same moment and with the same chance; only the server
differs. The database's file stays the same, its content is written anew, so that a scenario costs some milliseconds.
"""

import contextlib
import dataclasses
import datetime as dt
import random
import sqlite3
import ssl
from pathlib import Path

from reminders.domain.lifecycle import State
from reminders.mail.smtp import Credentials, Security, SmtpTransport
from reminders.mail.smtp_session import Deadlines
from reminders.store import transports
from reminders.store.transports import Breaker
from tests.support.clinic import INVITED_AT, FakeClock, Listening, Office

LONG = Deadlines(connect=10, banner=10, command=10, dot_reply=10, transaction=40, quit=10)


def impatient(phase: str, seconds: float = 0.25) -> Deadlines:
    """Return limits that are short where `phase` is waited for, and long elsewhere."""
    match phase:
        case "banner":
            return dataclasses.replace(LONG, banner=seconds, command=seconds)
        case "connect":
            return dataclasses.replace(LONG, connect=seconds)
        case "body" | "dot":  # where it speaks before the dot and does not end, it is heard out for a command's time
            return dataclasses.replace(LONG, command=seconds, dot_reply=seconds, transaction=10 + seconds)
        case "quit":
            return dataclasses.replace(LONG, quit=seconds)
    return dataclasses.replace(LONG, command=seconds)


@dataclasses.dataclass(frozen=True, slots=True)
class Came:
    """What became of the first message: its state, what was counted, and what the transport does next."""

    state: State
    reason: str | None
    attempts: int
    refusals: int
    again_in: dt.timedelta | None
    faults: int
    refused_in_a_row: int
    rests: bool
    suppressed: int
    cancelled: int


class ChaosOffice(Office):
    """An office whose whole database can be put back to its beginning."""

    def __init__(self, path: Path, beginning: Path) -> None:
        super().__init__(f"sqlite:///{path}", FakeClock(INVITED_AT))
        self._path, self._beginning = path, beginning

    def begin_again(self, seed: int = 1) -> None:
        """Put every fact, the time and the chance back to the beginning."""
        with (
            contextlib.closing(sqlite3.connect(self._beginning)) as beginning,
            contextlib.closing(sqlite3.connect(self._path)) as mine,
        ):
            beginning.backup(mine)
        self.clock.set(INVITED_AT)
        self.chance = random.Random(seed)

    def breaker(self, transport: SmtpTransport) -> Breaker:
        """Return the transport's breaker as it is kept."""
        with self.read() as tx:
            return transports.breaker(tx, transport.name)

    def came(self, transport: SmtpTransport) -> Came:
        """Return what became of the invitation of the first patient."""
        row, kept = self.row(), self.breaker(transport)
        with contextlib.closing(sqlite3.connect(self._path)) as connection:
            [refusals] = connection.execute("SELECT refusals FROM reminders WHERE id = ?", (row.id,)).fetchone()
            [suppressed] = connection.execute("SELECT count(*) FROM suppressions").fetchone()
        now = self.clock.now()
        return Came(
            state=row.state,
            reason=row.reason,
            attempts=row.attempts,
            refusals=refusals,
            again_in=row.next_attempt_at - now if row.next_attempt_at else None,
            faults=kept.faults,
            refused_in_a_row=kept.refused_in_a_row,
            rests=kept.open_until is not None and kept.open_until > now,
            suppressed=suppressed,
            cancelled=self.states().get("cancelled bounced_address", 0),
        )


def way(
    server: Listening,
    security: Security = Security.NEVER,
    *,
    deadlines: Deadlines = LONG,
    log_in: bool = False,
    tls: ssl.SSLContext | None = None,
) -> SmtpTransport:
    """Return the way to the server, with TLS or a password where the scenario needs them."""
    credentials = Credentials("clinic", "a password") if log_in else None
    return SmtpTransport(server.host, server.port, security, credentials, tls_context=tls, deadlines=deadlines)
