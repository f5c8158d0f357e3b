"""A mail server without a wire: says to each message what a script tells it to, and keeps what it accepted.

Invariant: as with a real server, a message is accepted at its final dot or not at all, and what is accepted is on the
list even where the answer is lost.
"""

import datetime as dt
import enum
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from email.parser import BytesHeaderParser

from reminders.mail.outcome import Outcome, Phase, TransportFault, Trouble, Verdict, lost, refusal


class Mood(enum.StrEnum):
    """What the server does with the next message."""

    ACCEPT = "accept"
    CLOSED = "closed"
    RCPT_LATER = "rcpt_later"
    RCPT_NEVER = "rcpt_never"
    DROP_BEFORE_DOT = "drop_before_dot"
    DOT_LATER = "dot_later"
    DOT_NEVER = "dot_never"
    TAKEN_AND_DROPPED = "taken_and_dropped"
    DROPPED_AT_DOT = "dropped_at_dot"


@dataclass(frozen=True, slots=True)
class Letter:
    """An accepted message: when, to whom, and its bytes."""

    at: dt.datetime
    recipient: str
    message_id: str
    content: bytes


@dataclass(slots=True)
class Post:
    """The server; `moods` is used up message by message, then it accepts everything."""

    now: Callable[[], dt.datetime]
    moods: deque[Mood] = field(default_factory=deque)
    letters: list[Letter] = field(default_factory=list)
    name: str = "script://post"

    def connect(self) -> "PostSession":
        """Open a session; raises `TransportFault` where the mood is closed."""
        if self.moods and self.moods[0] is Mood.CLOSED:
            self.moods.popleft()
            raise TransportFault(server=self.name, phase=Phase.CONNECT, kind=Trouble.REFUSED, certain=False, code=None)
        return PostSession(self)


@dataclass(slots=True)
class PostSession:
    """One connection; see `reminders.mail.transport.Session` for what its steps promise."""

    post: Post
    mood: Mood = Mood.ACCEPT
    recipient: str = ""
    content: bytes = b""
    sound: bool = True

    def begin(self, sender: str, recipient: str) -> None:  # noqa: ARG002 - it takes every sender
        """Take the recipient down, and change the mood."""
        self.mood = self.post.moods.popleft() if self.post.moods else Mood.ACCEPT
        self.recipient, self.content = recipient, b""

    def agreed(self) -> Outcome | None:
        """Refuse the recipient, where the mood says so."""
        if self.mood is Mood.RCPT_LATER:
            return refusal(Phase.RCPT, 451, "4.7.1 later")
        if self.mood is Mood.RCPT_NEVER:
            return refusal(Phase.RCPT, 550, "5.1.1 no such user")
        return None

    def body(self, content: bytes) -> Outcome | None:
        """Take the body, or break off."""
        if self.mood is Mood.DROP_BEFORE_DOT:
            self.sound = False
            return lost(Phase.BODY, dot_sent=False)
        self.content = content
        return None

    def dot(self) -> None:
        """Accept what was written, unless the mood refuses it."""
        if self.mood in (Mood.ACCEPT, Mood.CLOSED, Mood.TAKEN_AND_DROPPED):
            named = str(BytesHeaderParser().parsebytes(self.content)["Message-ID"]).strip()
            self.post.letters.append(Letter(self.post.now(), self.recipient, named, self.content))

    def waits_on(self) -> int | None:
        """Return `None`: it answers at once."""
        return None

    def reply(self) -> Outcome:
        """Say what became of the dot."""
        match self.mood:
            case Mood.DOT_LATER:
                return refusal(Phase.DOT, 451, "4.3.0 later")
            case Mood.DOT_NEVER:
                return refusal(Phase.DOT, 554, "5.7.1 no")
            case Mood.TAKEN_AND_DROPPED | Mood.DROPPED_AT_DOT:
                self.sound = False
                return lost(Phase.DOT, dot_sent=True)
        return Outcome(Verdict.ACCEPTED, None, Phase.DOT)

    def abandon(self) -> None:
        """Drop the connection."""
        self.sound = False

    def reset(self) -> bool:
        """Tell whether the connection still serves."""
        return self.sound

    def close(self) -> None:
        """Say goodbye."""
