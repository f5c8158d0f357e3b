"""The question before every delivery: is this the database that was sent from, and can the clock be right?

Invariant: where the answer is no, sending is locked before anything is rescued, planned, expired or claimed.
"""

from reminders.clock import Clock
from reminders.domain.clock_check import Verdict
from reminders.services.guarding.lock import lock, lock_state, refusal, suspected
from reminders.services.guarding.place import Place
from reminders.store import doubtful, installation
from reminders.store.database import Database, Transaction


def guard(database: Database, clock: Clock, place: Place | None) -> Verdict:
    """Raise `SendingLocked` when nothing may be sent; else note moment and place, and return the clock's verdict.

    1. Read what this machine remembers (raises `StateUnwritable` where it could not remember). 2. In one transaction:
    judge, and lock or go on. 3. Remember a new place. A crash after 2 leaves a place that nobody remembers and that
    sent nothing: the next delivery takes another one.
    """
    remembered = place.file.read() if place else None
    with database.write(clock.now, "guard") as tx:
        state = lock_state(tx)
        because = state.because or (place.suspicion(tx, remembered) if place else None) or suspected(tx)
        if because is None and place is not None:
            place.enter(tx, remembered)
        elif because is not None and state.because is None:
            lock(tx, because)
        if because is None:
            _note(tx, state.clock)
    if because is not None:
        raise refusal(because)
    if place is not None:
        place.remember()
    return state.clock


def _note(tx: Transaction, verdict: Verdict) -> None:
    """Note the moment under a steady clock; under one that went back, let nobody wait for what it said before."""
    if verdict is Verdict.STEADY:
        installation.see_now(tx)
    elif verdict is Verdict.BEHIND:
        doubtful.attempts_due_again(tx)
