"""A mail server in memory that misbehaves in every phase, and tells what it really accepted.

Invariant: a message is accepted at its dot or never, whatever the server then says or keeps to itself; what was not
accepted is never told of.
"""

import datetime as dt
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from reminders.mail.outcome import Outcome, Phase, TransportFault, Trouble, Verdict, lost, refusal
from reminders.mail.transport import Session
from tests.simulation.options import Rates

MESSAGE_ID = re.compile(rb"^Message-ID: (\S+)", re.MULTILINE | re.IGNORECASE)
LATER = ((Phase.MAIL, 421, "4.3.2 closing"), (Phase.RCPT, 451, "4.7.1 greylisted"), (Phase.RCPT, 452, "4.2.2 full"))
NEVER = ((Phase.RCPT, 554, "5.7.1 policy"), (Phase.RCPT, 552, "5.2.2 full"))
AT_THE_DOT = ((451, "4.3.0 later"), (421, "4.3.2 closing"), (554, "5.7.1 spam"), (552, "5.2.3 too long"))
FAULTS = (
    (Phase.CONNECT, Trouble.REFUSED, False),
    (Phase.BANNER, Trouble.TIMEOUT, False),
    (Phase.STARTTLS, Trouble.TLS, True),
    (Phase.AUTH, Trouble.AUTH, True),
    (Phase.CONNECT, Trouble.DNS, False),
)

Accept = Callable[[str, str, str, bytes], None]


@dataclass(slots=True)
class Server:
    """A server whose moods come from `rates`; `accept` is told sender, recipient, Message-ID and content."""

    chance: random.Random
    rates: Rates
    accept: Accept
    pass_time: Callable[[dt.timedelta], None]
    is_down: Callable[[], bool]
    dead_mailboxes: set[str] = field(default_factory=set)
    calm: bool = False
    twice: bool = False
    """A planted bug: every dot counts twice."""

    name: str = "virtual"

    def connect(self) -> Session:
        """Open a session, or fail as servers do."""
        if self.is_down() or self.happens(self.rates.connect):
            phase, kind, certain = self.chance.choice(FAULTS)
            raise TransportFault(server=self.name, phase=phase, kind=kind, certain=certain, code=None)
        return Conversation(self)

    def happens(self, rate: float) -> bool:
        """Let chance decide, unless all is calm."""
        return not self.calm and self.chance.random() < rate

    def dawdle(self) -> None:
        """Keep the client waiting for a while, sometimes."""
        if self.happens(self.rates.slow):
            self.pass_time(dt.timedelta(seconds=self.chance.choice([1, 20, 45, 90, 600])))


@dataclass(slots=True)
class Conversation:
    """One connection."""

    server: Server
    sender: str = ""
    recipient: str = ""
    content: bytes = b""
    said: Outcome | None = None

    def begin(self, sender: str, recipient: str) -> None:
        """Take sender and recipient down."""
        self.sender, self.recipient = sender, recipient

    def agreed(self) -> Outcome | None:
        """Agree to them, or refuse one of them."""
        server = self.server
        server.dawdle()
        if self.recipient in server.dead_mailboxes:
            return refusal(Phase.RCPT, 550, "5.1.1 no such user")
        if server.happens(server.rates.broken_before / 2):
            return lost(Phase.RCPT, dot_sent=False)
        if server.happens(server.rates.later / 2):
            return refusal(*server.chance.choice(LATER))
        return refusal(*server.chance.choice(NEVER)) if server.happens(server.rates.never / 2) else None

    def body(self, content: bytes) -> Outcome | None:
        """Take the content, or break off."""
        self.content = content
        self.server.dawdle()
        if self.server.happens(self.server.rates.broken_before / 2):
            return lost(Phase.BODY, dot_sent=False)
        return None

    def dot(self) -> None:
        """Accept the message, or not; what is said of it comes later."""
        server = self.server
        if server.happens(server.rates.silent_lost):
            self.said = lost(Phase.DOT, dot_sent=True)
        elif server.happens((server.rates.later + server.rates.never) / 2):
            self.said = refusal(Phase.DOT, *server.chance.choice(AT_THE_DOT))
        else:
            self._accept()

    def _accept(self) -> None:
        found = MESSAGE_ID.search(self.content.replace(b"\r\n ", b" ").replace(b"\n ", b" "))
        name = found.group(1).decode() if found else ""
        for _ in range(2 if self.server.twice else 1):
            self.server.accept(self.sender, self.recipient, name, self.content)
        silent = self.server.happens(self.server.rates.silent_accepted)
        self.said = lost(Phase.DOT, dot_sent=True) if silent else Outcome(Verdict.ACCEPTED, None, Phase.DOT, 250)

    def waits_on(self) -> int | None:
        """Answer when asked."""
        return None

    def reply(self) -> Outcome:
        """Say what became of it."""
        return self.said or lost(Phase.DOT, dot_sent=True)

    def abandon(self) -> None:
        """Forget what was not accepted."""

    def reset(self) -> bool:
        """Serve on, mostly."""
        return not self.server.happens(self.server.rates.broken_before)

    def close(self) -> None:
        """Say goodbye."""
