"""Says whether several machines share the work here, and whether anything is wrong with what they share it by.

Invariant: nothing is wrong with an installation whose machines each do the work of their own ticks.
"""

from collections.abc import Iterator

from reminders.services.checkup.check import Check
from reminders.services.engine import Engine
from reminders.store import jobs
from reminders.store.database import Transaction

NAME = "engine"
SILENT_S = 60
"""A worker that said nothing for so long is dead: they give a sign of life every few seconds."""
_START = "start `reminders worker`, or `reminders run`, on the machines that are to share the work"
_DEAD = "the workers that live take them over within a minute; if they stay, see the log"


def engine_checks(tx: Transaction, engine: Engine | None) -> Iterator[Check]:
    """Yield which engine is bound, and how it does; raises what its tables lack."""
    if engine is None:
        yield Check(NAME, ok=True, said="local: each process that keeps the clock does the work of its own ticks")
        return
    engine.need_schema(tx)
    found = jobs.standing(tx, SILENT_S)
    said = (
        f"distributed; workers (four on each machine): {found.workers}, jobs that wait: {found.waiting},"
        f" at work: {found.at_work}"
    )
    if found.stalled:
        yield Check(NAME, ok=False, said=f"{said}, left by a dead worker: {found.stalled}", advice=_DEAD)
    elif not found.workers:
        yield Check(NAME, ok=None, said=said, advice=_START)
    else:
        yield Check(NAME, ok=True, said=said)
