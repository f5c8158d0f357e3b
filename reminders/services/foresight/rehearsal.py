"""What stands in for the world while a delivery is rehearsed: a clock, a server that takes all, letters in brief.

Invariant: nothing leaves this process.
"""

import datetime as dt
import html
from dataclasses import dataclass, field, replace
from typing import Any

from reminders.mail import wording
from reminders.mail.check import ensure_sendable
from reminders.mail.message import MessageFacts, MessageLinks, RenderedMessage
from reminders.mail.outcome import Outcome, Phase, Verdict
from reminders.mail.render import Renderer
from reminders.mail.transport import Session

ACCEPTED = 250


@dataclass(slots=True)
class SetClock:
    """A clock that stands where it was set."""

    at: dt.datetime

    def now(self) -> dt.datetime:
        """Return the moment that was set."""
        return self.at


@dataclass(frozen=True, slots=True)
class Nowhere:
    """A transport and its session: whatever it is given is accepted, and forgotten."""

    name: str = "rehearsal"

    def connect(self) -> Session:
        """Return the connection: itself."""
        return self

    def begin(self, _sender: str, _recipient: str) -> None:
        """Do nothing."""

    def agreed(self) -> Outcome | None:
        """Agree to everybody."""
        return None

    def body(self, _content: bytes) -> Outcome | None:
        """Agree to everything."""
        return None

    def dot(self) -> None:
        """Do nothing."""

    def waits_on(self) -> int | None:
        """Answer at once."""
        return None

    def reply(self) -> Outcome:
        """Accept."""
        return Outcome(Verdict.ACCEPTED, None, Phase.DOT, ACCEPTED)

    def abandon(self) -> None:
        """Do nothing."""

    def reset(self) -> bool:
        """Serve on."""
        return True

    def close(self) -> None:
        """Do nothing."""


@dataclass(slots=True)
class OncePerKind:
    """A renderer that writes and checks the first letter of each kind in earnest, and the others in brief.

    A kind is all that a letter shows but whose it is and which days it offers: a broken template stops its letters
    here as it would outside, and a thousand letters do not cost a thousand times the time.
    """

    real: Renderer = field(default_factory=Renderer)
    known: dict[Any, Exception | None] = field(default_factory=dict)

    def version(self, facts: MessageFacts) -> str:
        """Return what changes whenever the words of this kind of message change."""
        return self.real.version(facts)

    def render(self, facts: MessageFacts, links: MessageLinks) -> RenderedMessage:
        """Return the message in brief; raises what the real one of its kind would."""
        day = dt.date(2000, 1, 1)
        kind = replace(facts, recipient="", patient_name="", reminder_keys=(), opens=day, closes=day)
        if kind not in self.known:
            self.known[kind] = self._tried(facts, links)
        if (refused := self.known[kind]) is not None:
            raise refused
        return in_brief(facts, links, self.version(facts))

    def _tried(self, facts: MessageFacts, links: MessageLinks) -> Exception | None:
        try:
            ensure_sendable(self.real.render(facts, links), facts, links)
        except Exception as refused:  # noqa: BLE001 - delivery holds a letter whatever is wrong with it
            return refused
        return None


def in_brief(facts: MessageFacts, links: MessageLinks, version: str) -> RenderedMessage:
    """Return a message with nothing but what every message must say, so that every later check passes quickly."""
    heading = wording.consultation_heading(facts.language)
    ask = links.request_url or facts.phone or facts.booking_url or facts.reply_to
    address = wording.address_on_one_line(facts.postal_address)
    section = [wording.who_sees_the_patient(facts), ask]
    around = [facts.patient_name, facts.clinic_name, address, links.stop_url or "STOP"]
    text = "\n".join([*around, "", heading, "-" * len(heading), *section, ""])
    shown = "".join(f"<p>{html.escape(line)}</p>" for line in around)
    asked = "".join(f"<p>{html.escape(line)}</p>" for line in (heading, *section))
    page = f'<html><body>{shown}<div class="consultation">{asked}</div></body></html>'
    return RenderedMessage(facts.sender_name[:100] or facts.clinic_name[:100], text, page, version)
