"""The lock on sending: why it is set, what a person is told, and what refuses to work meanwhile.

Invariant: a lock is stored, so that every process on the database sees it, and only a person's word lifts it.
"""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from reminders.clock import Clock
from reminders.domain.clock_check import Verdict, check
from reminders.errors import CannotDo
from reminders.store import installation
from reminders.store.database import Database, Transaction


class Because(StrEnum):
    """Why sending is locked."""

    RESTORED = "restored"
    COPIED = "copied"
    CLOCK_AHEAD = "clock_ahead"
    CLOCK_BEFORE_BUILD = "clock_before_build"


class SendingLocked(CannotDo):
    """Nothing is sent until a person says how things stand ({because}): `reminders doctor` tells more."""


class OlderCopy(SendingLocked):
    """Nothing is sent: messages went out that this database does not know of, as when a backup was put back.

    Run `reminders unlock --as restored --why CODE`: whatever was due by now is then held, for you to look at.
    """


class MovedOrCopied(SendingLocked):
    """Nothing is sent: this database is not where it was, and a copy of it may be sending elsewhere.

    If it was moved and nothing was sent since: `reminders unlock --as moved --why CODE`. If it is a backup that was
    put back: `reminders unlock --as restored --why CODE`. If the other one goes on sending, leave this one locked.
    """


class ClockAhead(SendingLocked):
    """Nothing is sent or planned: the machine's clock jumped far ahead, and what it says would expire what is due.

    Set the clock if it is wrong; then run `reminders unlock --as clock --why CODE`.
    """


class ClockBeforeBuild(SendingLocked):
    """Nothing is sent or planned: the machine's clock shows a day before this program was made.

    Set the clock, and let it keep time from the network; then run `reminders unlock --as clock --why CODE`.
    """


_REFUSALS: dict[Because, type[SendingLocked]] = {
    Because.RESTORED: OlderCopy,
    Because.COPIED: MovedOrCopied,
    Because.CLOCK_AHEAD: ClockAhead,
    Because.CLOCK_BEFORE_BUILD: ClockBeforeBuild,
}
OF_THE_CLOCK = frozenset({Because.CLOCK_AHEAD, Because.CLOCK_BEFORE_BUILD})
_SUSPECT = {Verdict.AHEAD: Because.CLOCK_AHEAD, Verdict.BEFORE_BUILD: Because.CLOCK_BEFORE_BUILD}


@dataclass(frozen=True, slots=True)
class LockState:
    """Whether sending is locked (`because` is not None), since when, and the latest moment a delivery saw."""

    because: Because | None
    locked_at: dt.datetime | None
    seen_at: dt.datetime | None
    clock: Verdict


def refusal(because: Because) -> SendingLocked:
    """Return the error that tells a person why nothing is sent and what to do."""
    return _REFUSALS[because](because=because)


def lock_state(tx: Transaction) -> LockState:
    """Return how things stand; nothing is locked before `init`."""
    found = installation.standing(tx)
    if found is None:
        return LockState(None, None, None, check(tx.now, None))
    because = Because(found.locked_because) if found.locked_because else None
    return LockState(because, found.locked_at, found.seen_at, check(tx.now, found.seen_at))


def lock(tx: Transaction, because: Because) -> bool:
    """Lock sending; False when it was locked already."""
    return installation.lock(tx, because)


def refuse_locked(tx: Transaction) -> None:
    """Raise `SendingLocked` where another process, or a person, locked sending meanwhile."""
    found = installation.standing(tx)
    if found is not None and found.locked_because is not None:
        raise refusal(Because(found.locked_because))


def suspected(tx: Transaction) -> Because | None:
    """Return why the clock is not to be trusted, None when it is: a lock for its sake, or what it says now."""
    state = lock_state(tx)
    if state.because in OF_THE_CLOCK:
        return state.because
    return _SUSPECT.get(state.clock)


def need_a_sound_clock(database: Database, clock: Clock) -> None:
    """Raise `SendingLocked`, and keep the lock, under a clock whose word would expire what is not over."""
    with database.read(clock.now()) as tx:
        because = suspected(tx)
        known = because is None or lock_state(tx).because is not None
    if because is None:
        return
    if not known:
        with database.write(clock.now, "guard") as tx:
            lock(tx, because)
    raise refusal(because)
