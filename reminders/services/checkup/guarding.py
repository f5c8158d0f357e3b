"""Examines the lock on sending: whether it is set, whether the next delivery would set it, and this machine's memory.

Invariant: looking changes nothing, makes no file, and takes no place.
"""

from collections.abc import Iterator

from reminders.domain.clock_check import Verdict
from reminders.services.checkup.check import Check
from reminders.services.guarding.lock import LockState, lock_state, reason, suspected, way_on
from reminders.services.guarding.place import Place, place_here
from reminders.services.guarding.state_file import Remembered, StateUnwritable
from reminders.settings import Settings
from reminders.store.database import Transaction

_RIGHT_CLOCK = "set the machine's clock if it is wrong; if it is right, `reminders unlock --as clock --why CODE`"


def guard_checks(tx: Transaction, settings: Settings) -> Iterator[Check]:
    """Yield whether sending is locked, whether the clock went back, and where this machine remembers its place."""
    place, state = place_here(tx, settings), lock_state(tx)
    if place is None:
        return
    try:
        remembered = place.file.peek()
    except StateUnwritable as error:
        yield Check("place", ok=False, said=str(error), advice="set REMINDERS_STATE to a folder of its own")
        return
    yield _lock(tx, state, place, remembered)
    if state.clock is Verdict.BEHIND:
        said = f"it is behind the latest delivery's moment ({state.seen_at:%Y-%m-%d %H:%M} UTC)"
        yield Check("clock went back", ok=None, said=said, advice=_RIGHT_CLOCK)
    yield _place(place, remembered)


def _lock(tx: Transaction, state: LockState, place: Place, remembered: Remembered | None) -> Check:
    if state.because is not None:
        since = f" since {state.locked_at:%Y-%m-%d %H:%M} UTC" if state.locked_at else ""
        said = f"locked{since}: {reason(state.because)}"
        return Check("sending", ok=False, said=said, advice=way_on(state.because))
    coming = place.suspicion(tx, remembered) or suspected(tx)
    if coming is not None:
        said = f"the next delivery will lock it: {reason(coming)}"
        return Check("sending", ok=False, said=said, advice=way_on(coming))
    seen = f"the clock was right at {state.seen_at:%Y-%m-%d %H:%M} UTC" if state.seen_at else "no delivery yet"
    return Check("sending", ok=True, said=f"not locked, {seen}")


def _place(place: Place, remembered: Remembered | None) -> Check:
    said = "none taken yet"
    if remembered:
        said = f"{place.file.path} remembers how many rounds were sent from here: {remembered.fences}"
    return Check("place", ok=True, said=said)
