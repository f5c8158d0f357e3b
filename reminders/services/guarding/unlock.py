"""Lifts the lock on sending by a person's word, and does first what that word asks for.

Invariant: after an older copy was put back, nothing that may have been sent since it was made goes out by itself.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from reminders.clock import Clock
from reminders.domain.clock_check import Verdict
from reminders.errors import BadInput, CannotDo
from reminders.services.guarding.lock import Because, LockState, lock_state, reason, suspected
from reminders.services.guarding.looked import forget
from reminders.services.guarding.place import Place
from reminders.services.guarding.state_file import Remembered
from reminders.store import audit_trail, doubtful, heartbeats, installation, places
from reminders.store.database import Database, Transaction

_CODE = re.compile(r"[A-Za-z0-9_-]{1,63}")


class Answer(StrEnum):
    """What a person may say of a locked installation."""

    MOVED = "moved"
    RESTORED = "restored"
    CLOCK = "clock"


ANSWERS: dict[Because, tuple[Answer, ...]] = {
    Because.RESTORED: (Answer.RESTORED,),
    Because.COPIED: (Answer.MOVED, Answer.RESTORED),
    Because.CLOCK_AHEAD: (Answer.CLOCK,),
    Because.CLOCK_BEFORE_BUILD: (Answer.CLOCK,),
    Because.OTHER: (Answer.RESTORED,),
}


class NotLocked(CannotDo):
    """Sending is not locked: there is nothing to unlock, and nothing was changed."""


class WrongAnswer(CannotDo):
    """Sending is locked for another reason: {why}. Only `--as {answers}` unlocks it, and nothing was changed."""


class ClockStillWrong(CannotDo):
    """The machine's clock still shows a day before this program was made: set it first. Nothing was changed."""


class BadCode(BadInput):
    """--why cannot be used: give a short code of letters, digits, - and _, such as new-disk."""


@dataclass(frozen=True, slots=True)
class Unlocked:
    """What was locked (None: the clock was only behind), and how many reminders are held for a person now."""

    because: Because | None
    answer: Answer
    held: int


def unlock(database: Database, clock: Clock, place: Place | None, answer: Answer, why: str) -> Unlocked:
    """Lift the lock in one transaction, then remember the place. `why` is a code that goes on the audit trail.

    A crash between the two leaves a database that does not know this machine's place: it locks itself again.
    """
    if not _CODE.fullmatch(why):
        raise BadCode
    remembered = place.file.read() if place else None
    with database.write(clock.now, "unlock") as tx:
        state = lock_state(tx)
        because = state.because or (place.suspicion(tx, remembered) if place else None) or suspected(tx)
        _check(because, state, answer)
        put_back = _put_back(tx, place, remembered) if answer is Answer.RESTORED else None
        held = _doubt(tx) if put_back else 0
        if answer is Answer.CLOCK:
            installation.see_now(tx)
            doubtful.attempts_due_again(tx)
        elif place is not None:
            _move_in(tx, place, remembered, answer)
        if answer is not Answer.CLOCK:
            heartbeats.stop_all(tx)  # the clocks that the copy knows ticked elsewhere
        installation.unlock(tx, answer, why, put_back)
    if place is not None and answer is not Answer.CLOCK:
        place.remember()
        forget(place)
    return Unlocked(because, answer, held)


def _check(because: Because | None, state: LockState, answer: Answer) -> None:
    """Refuse an answer that does not fit what is locked, or what the next delivery would lock.

    That a copy was put back is always heard: who put it back may know more than any count.
    """
    behind = answer is Answer.CLOCK and state.clock is not Verdict.STEADY
    if because is None and not behind and answer is not Answer.RESTORED:
        raise NotLocked
    if because is not None and answer not in ANSWERS[because]:
        raise WrongAnswer(why=reason(because), answers=" or ".join(ANSWERS[because]))
    if answer is Answer.CLOCK and state.clock is Verdict.BEFORE_BUILD:
        raise ClockStillWrong


def _put_back(tx: Transaction, place: Place | None, remembered: Remembered | None) -> installation.PutBack:
    """Return between which of its entries the trail lost some, for whoever holds a checkpoint of the lost ones."""
    changes = [e for e in audit_trail.entries(tx, subject="installation") if e.action in ("lock", "unlock")]
    is_locked = bool(changes) and changes[-1].action == "lock"
    last = changes[-1].id - 1 if is_locked else audit_trail.last_number(tx)
    memories = [remembered] if remembered else place.file.others() if place else []
    return installation.PutBack(last, max((memory.trail for memory in memories), default=0))


def _doubt(tx: Transaction) -> int:
    """Hold what may have gone out, and whatever is planned later for a moment before now; return how many are held."""
    installation.doubt(tx)
    return doubtful.hold_doubtful(tx)


def _move_in(tx: Transaction, place: Place, remembered: Remembered | None, answer: Answer) -> None:
    """Take a place here: after an older copy a new one, and no other machine's memory counts against it any more."""
    if answer is Answer.RESTORED:
        places.align(tx)
        remembered = None
    place.enter(tx, remembered)
