"""Takes reminders from workers whose lease ran out; the first thing every delivery does.

What had not been handed over goes back to the plan, since no conforming server can have accepted it. What had been
handed over becomes `unknown` and is never sent again by itself. A message whose body killed its worker three times
waits for a person.
"""

from dataclasses import dataclass

from reminders.clock import Clock
from reminders.domain.lifecycle import Reason, State
from reminders.domain.retry import RESCUE_LIMIT
from reminders.store import outbox
from reminders.store.database import Database
from reminders.store.outbox import Lapsed


@dataclass(frozen=True, slots=True)
class Rescued:
    """How many reminders went back to the plan, became unknown, or failed."""

    planned: int = 0
    unknown: int = 0
    failed: int = 0


def rescue(database: Database, clock: Clock) -> Rescued:
    """Take every lapsed reminder in one transaction; a crash leaves them lapsed, for the next rescue."""
    counted = {State.PLANNED: 0, State.UNKNOWN: 0, State.FAILED: 0}
    with database.read(clock.now()) as tx:
        if not outbox.lapsed(tx):
            return Rescued()
    with database.write(clock.now(), "rescue") as tx:
        for one in outbox.lapsed(tx):
            state, reason = verdict(one)
            if outbox.rescue(tx, one, state, reason):
                counted[state] += 1
    return Rescued(counted[State.PLANNED], counted[State.UNKNOWN], counted[State.FAILED])


def verdict(one: Lapsed) -> tuple[State, Reason | None]:
    """Return what becomes of a reminder whose worker is gone."""
    if one.state is State.HANDED_OVER:
        return State.UNKNOWN, None
    if one.body_begun and one.rescues + 1 >= RESCUE_LIMIT:
        return State.FAILED, Reason.TOO_MANY_ATTEMPTS
    return State.PLANNED, None
