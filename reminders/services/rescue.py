"""Takes reminders from workers whose lease ran out; the first thing every delivery does.

What had not been handed over goes back to the plan, since no conforming server can have accepted it. What had been
handed over becomes `unknown` and is never sent again by itself. A message that killed its worker three times, while it
was written or in its body, waits for a person.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from reminders.clock import Clock
from reminders.domain.lifecycle import Reason, State
from reminders.domain.retry import RESCUE_LIMIT
from reminders.services.guarding.lock import lock_state, suspected
from reminders.services.plan import PlanOutcome, plan_readable
from reminders.store import lapses
from reminders.store.database import Database, Transaction, database_now
from reminders.store.lapses import Lapsed


@dataclass(frozen=True, slots=True)
class Rescued:
    """How many reminders went back to the plan, became unknown, or failed; and what planning them anew did."""

    planned: int = 0
    unknown: int = 0
    failed: int = 0
    plan: PlanOutcome = field(default_factory=PlanOutcome)


def rescue(database: Database, clock: Clock) -> Rescued:
    """Take every lapsed reminder in one transaction; a crash leaves them lapsed, for the next rescue.

    Leases are judged by the moment before it waited for its turn to write: who made it wait may have kept those who
    live from renewing theirs, too.

    Nothing is taken while sending is locked: of an older copy nobody knows what became of it since.
    """
    with database.read(clock.now()) as tx:
        asked_at = database_now(tx)
        if not lapses.lapsed(tx, asked_at) or _must_wait(tx):
            return Rescued()
    counted: Counter[State] = Counter()
    with database.write(clock.now, "rescue") as tx:
        if _must_wait(tx):
            return Rescued()
        back = []
        for one in lapses.lapsed(tx, asked_at):
            state, reason = verdict(one)
            if lapses.rescue(tx, one, state, reason):
                counted[state] += 1
                back += [one] if state is State.PLANNED else []
        plan = _plan(tx, back)
    return Rescued(counted[State.PLANNED], counted[State.UNKNOWN], counted[State.FAILED], plan)


def _must_wait(tx: Transaction) -> bool:
    """Tell whether sending is locked, or the clock is wrong: all leases would seem over, and all days past."""
    return lock_state(tx).because is not None or suspected(tx) is not None


def verdict(one: Lapsed) -> tuple[State, Reason | None]:
    """Return what becomes of a reminder whose worker is gone."""
    if one.state is State.HANDED_OVER:
        return State.UNKNOWN, None
    if one.deaths >= RESCUE_LIMIT:
        return State.FAILED, Reason.TOO_MANY_ATTEMPTS
    return State.PLANNED, None


def _plan(tx: Transaction, back: Sequence[Lapsed]) -> PlanOutcome:
    """Plan those who came back: the plan left them alone while the worker had them, whatever was recorded since."""
    outcome = PlanOutcome()
    for clinic_id in sorted({one.held.clinic_id for one in back}):
        patient_ids = sorted({one.held.patient_id for one in back if one.held.clinic_id == clinic_id})
        outcome += plan_readable(tx, clinic_id, patient_ids)
    return outcome
