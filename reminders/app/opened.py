"""The opened product that every verb works on: its settings, database, keys and clock.

Invariant: it holds values and decides nothing; a transaction begun here has the clock's moment.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from reminders.clock import Clock
from reminders.mail.lines import Lines
from reminders.services.keys import Keys
from reminders.services.points import Observer, nobody
from reminders.settings import Settings
from reminders.store.database import Database, Transaction

if TYPE_CHECKING:
    from reminders.mail.transport import Transport
    from reminders.services.engine import Engine


@dataclass(frozen=True)
class Opened:
    """The product, opened on one database; `transport` stands in for the configured one, `chance` makes jitter."""

    settings: Settings
    database: Database
    keys: Keys
    clock: Clock
    transport: "Transport | None" = None
    observe: Observer = nobody
    chance: random.Random = field(default_factory=random.SystemRandom)
    lines: Lines = field(default_factory=Lines)
    engine: "Engine | None" = None
    """What shares work among several machines; without one, this machine does the work of its own ticks."""

    def __enter__(self) -> Self:
        """Use the app as a context that closes its connections."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections to mail servers and the database."""
        self.lines.close()
        self.database.close()

    @contextmanager
    def _reading(self) -> Iterator[Transaction]:
        with self.database.read(self.clock.now()) as tx:
            yield tx

    @contextmanager
    def _writing(self, actor: str = "cli") -> Iterator[Transaction]:
        with self.database.write(self.clock.now, actor) as tx:
            yield tx
