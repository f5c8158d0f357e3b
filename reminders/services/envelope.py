"""What a delivery works with, and a letter on its way.

Invariant: an envelope's bytes do not change once they are made; its connection is its own.
"""

import datetime as dt
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from reminders.clock import Clock
from reminders.mail.form_letter import FormLetters
from reminders.mail.lines import Lines
from reminders.mail.outcome import Outcome
from reminders.mail.render import Renderer
from reminders.mail.transport import Session, Transport
from reminders.services.breaker import Breakers
from reminders.services.choose import Letter
from reminders.services.guarding.place import Place
from reminders.services.insist import Patience
from reminders.services.keys import Keys
from reminders.services.letter import MintedLinks
from reminders.services.points import Observer, never, nothing, unwatched
from reminders.services.signing import Sign, unsigned
from reminders.services.subjects import Lookup
from reminders.services.ways import OwnWays, Way
from reminders.store.database import Database
from reminders.store.messages import Versions


@dataclass(frozen=True, slots=True)
class Worker:
    """What a delivery works with.

    Once `stop` says so nothing more is claimed and nothing more passes the fence; what has passed it is finished.
    `beat` is called wherever a server or the database may have kept it waiting: a long delivery is no dead one.
    `holding` is told how many answers are in hand that the database has not taken yet, and 0 once it has. `lines` are
    the connections that deliveries before left open; this one leaves its own for `lines_last_s` after their last use.
    `transport`, its `breakers` and its `rate` are all clinics' but those that have a way of their own (`own`).
    """

    database: Database
    clock: Clock
    keys: Keys
    renderer: Renderer
    transport: Transport | None
    breakers: Breakers
    lease: dt.timedelta
    link_base: str | None
    observe: Observer
    chance: random.Random
    sign: Sign = unsigned
    stop: Callable[[], bool] = never
    beat: Callable[[], None] = nothing
    patience: Patience = field(default_factory=Patience)
    place: Place | None = None
    holding: Callable[[int], object] = unwatched
    lookup: Lookup = field(default_factory=Lookup)
    lines: Lines = field(default_factory=Lines)
    lines_last_s: float = 0
    rate: int | None = None
    own: OwnWays = field(default_factory=OwnWays)
    letters: FormLetters = field(init=False)
    shared: Way | None = field(init=False)

    def __post_init__(self) -> None:
        """Make what this delivery uses all along: the forms of its letters, and the way that clinics share."""
        object.__setattr__(self, "letters", FormLetters(self.renderer))
        shared = None if self.transport is None else Way(self.transport, self.breakers, self.rate)
        object.__setattr__(self, "shared", shared)

    def way(self, clinic_id: int) -> Way | None:
        """Return by which way a clinic's mail leaves: its own, else the shared one; None where it cannot leave now."""
        if clinic_id in self.own:
            return self.own.of(clinic_id)
        return self.shared


@dataclass(slots=True)
class Envelope:
    """A letter with its bytes and, while it is on its way, its connection."""

    letter: Letter
    content: bytes
    blanked: bytes
    minted: MintedLinks | None
    versions: Versions
    pattern: bytes | None = None
    """What the bytes have in common with others of the same form, to be kept against."""
    session: Session | None = None
    kept_line: bool = False
    """Whether its connection had carried messages before: one that the server may have had enough of."""
    outcome: Outcome | None = None
    fenced: bool = False
    """Whether its fence may stand: then nobody but this round knows that there was no dot."""
    dotted: bool = False
    """Whether its final dot may have gone out: before that, nobody can have received it."""
