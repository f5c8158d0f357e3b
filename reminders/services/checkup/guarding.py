"""Examines the lock on sending: whether it is set, whether the next delivery would set it, and this machine's memory.

Invariant: looking changes nothing, makes no file, and takes no place.
"""

from collections.abc import Iterator

from reminders.domain.clock_check import Verdict
from reminders.services.checkup.check import Check
from reminders.services.guarding.lock import Because, LockState, lock_state, refusal, suspected
from reminders.services.guarding.place import Place, place_here
from reminders.services.guarding.state_file import Remembered, StateUnwritable
from reminders.settings import Settings
from reminders.store.database import Transaction

_SAID = {
    Because.RESTORED: "messages went out that this database does not know of: it is an older copy",
    Because.COPIED: "this database is not where it was: it was moved, or it is a copy",
    Because.CLOCK_AHEAD: "the machine's clock jumped far ahead",
    Because.CLOCK_BEFORE_BUILD: "the machine's clock shows a day before this program was made",
    Because.OTHER: "for a reason that this version does not know",
}
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
        said = f"locked{since}: {_SAID[state.because]}"
        return Check("sending", ok=False, said=said, advice=_advice(state.because))
    coming = place.suspicion(tx, remembered) or suspected(tx)
    if coming is not None:
        said = f"the next delivery will lock it: {_SAID[coming]}"
        return Check("sending", ok=False, said=said, advice=_advice(coming))
    seen = f"the clock was right at {state.seen_at:%Y-%m-%d %H:%M} UTC" if state.seen_at else "no delivery yet"
    return Check("sending", ok=True, said=f"not locked, {seen}")


def _advice(because: Because) -> str:
    """Return what the refusal of a delivery tells a person to do."""
    return str(refusal(because)).partition(": ")[2]


def _place(place: Place, remembered: Remembered | None) -> Check:
    said = f"{place.file.path} remembers {remembered.fences} rounds sent from here" if remembered else "none taken yet"
    return Check("place", ok=True, said=said)
