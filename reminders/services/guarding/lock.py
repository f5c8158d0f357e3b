"""The lock on sending: why it is set, what a person is told, and what refuses to work meanwhile.

Invariant: a lock is stored, so that every process on the database sees it, and only a person's word lifts it.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from reminders.clock import Clock
from reminders.domain.clock_check import BUILT_ON, NEEDS_A_PERSON, Seen, Verdict, check
from reminders.errors import CannotDo
from reminders.store import installation, reminders
from reminders.store.audit_trail import Entry, Event, record_many, told_moment
from reminders.store.database import Database, Transaction


class Because(StrEnum):
    """Why sending is locked."""

    RESTORED = "restored"
    COPIED = "copied"
    CLOCK_AHEAD = "clock_ahead"
    CLOCK_BEFORE_BUILD = "clock_before_build"
    OTHER = "other"
    """A word that this version does not know: somebody wrote it into the row, or a newer version did."""


class SendingLocked(CannotDo):
    """Nothing is sent until a person says how things stand ({because}): `reminders doctor` tells more."""


class OlderCopy(SendingLocked):
    """Nothing is sent: messages went out that this database does not know of, as when a backup was put back.

    Run `reminders unlock --as restored --why CODE`: whatever was due by now is then held, for you to look at.
    """


class MovedOrCopied(SendingLocked):
    """Nothing is sent: this database is not where it was, or this machine is not known here: a copy may be in use.

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


class LockedOtherwise(SendingLocked):
    """Nothing is sent: sending is locked for a reason that this version does not know.

    Run `reminders audit`, and look into what was sent; then run `reminders unlock --as restored --why CODE`.
    """


_REFUSALS: dict[Because, type[SendingLocked]] = {
    Because.RESTORED: OlderCopy,
    Because.COPIED: MovedOrCopied,
    Because.CLOCK_AHEAD: ClockAhead,
    Because.CLOCK_BEFORE_BUILD: ClockBeforeBuild,
    Because.OTHER: LockedOtherwise,
}
OF_THE_CLOCK = frozenset({Because.CLOCK_AHEAD, Because.CLOCK_BEFORE_BUILD})
_PUT_OFF = "plan later"
_SUSPECT = {Verdict.AHEAD: Because.CLOCK_AHEAD, Verdict.BEFORE_BUILD: Because.CLOCK_BEFORE_BUILD}


@dataclass(frozen=True, slots=True)
class LockState:
    """Whether sending is locked (`because` is not None), since when, and the latest moment a delivery or a plan saw."""

    because: Because | None
    locked_at: dt.datetime | None
    seen_at: dt.datetime | None
    clock: Verdict


def refusal(because: Because) -> SendingLocked:
    """Return the error that tells a person why nothing is sent and what to do."""
    return _REFUSALS[because](because=because)


def reason(because: Because) -> str:
    """Return in words why sending is locked, as the refusal says it first."""
    return _parts(because)[0]


def way_on(because: Because) -> str:
    """Return what a person can do about it, as the refusal says it after that."""
    return _parts(because)[1]


def _parts(because: Because) -> tuple[str, str]:
    why, _, advice = str(refusal(because)).partition(": ")[2].partition(". ")
    return why, advice.strip()


def lock_state(tx: Transaction) -> LockState:
    """Return how things stand; nothing is locked before `init`."""
    found = installation.standing(tx)
    if found is None:
        return LockState(None, None, None, check(tx.now, Seen(None)))
    seen = Seen(found.seen_at or found.created_at, found.seen_boot)
    return LockState(_because(found), found.locked_at, found.seen_at, check(tx.now, seen, tx.boot))


def _because(found: installation.Standing) -> Because | None:
    if found.locked_at is None and found.locked_because is None:
        return None
    return Because(found.locked_because) if found.locked_because in list(Because) else Because.OTHER


def lock(tx: Transaction, because: Because) -> bool:
    """Lock sending; False when it was locked already."""
    return installation.lock(tx, because)


def refuse_locked(tx: Transaction) -> None:
    """Raise `SendingLocked` where another process, or a person, locked sending meanwhile."""
    found = installation.standing(tx)
    because = _because(found) if found is not None else None
    if because is not None:
        raise refusal(because)


def suspected(tx: Transaction) -> Because | None:
    """Return why the clock is not to be trusted, None when it is: a lock for its sake, or what it says now."""
    state = lock_state(tx)
    if state.because in OF_THE_CLOCK:
        return state.because
    return _SUSPECT.get(state.clock)


def leave_for_later(tx: Transaction, clinic_id: int, patient_ids: Sequence[int], until: dt.datetime = BUILT_ON) -> None:
    """Mark patients as to be planned by the first delivery or plan from `until` on whose clock can be trusted.

    The trail is told, so that an audit does not take the marks for somebody else's.
    """
    reminders.set_replan_at(tx, [(patient_id, until) for patient_id in patient_ids])
    told = {"until": told_moment(until)}
    record_many(tx, [Event(_PUT_OFF, "patient", one, clinic_id, one, told) for one in patient_ids])


def planning_put_off(trail: Iterable[Entry], replan_at: dt.datetime | None) -> bool:
    """Tell whether a patient's row is still marked as the patient's trail says that `leave_for_later` marked it."""
    told = [entry.told.get("until") for entry in trail if entry.action == _PUT_OFF and entry.subject == "patient"]
    return replan_at is not None and told[-1:] == [told_moment(replan_at)]


def planning_waits(tx: Transaction) -> bool:
    """Tell whether somebody waits to be planned until the clock can be trusted."""
    return suspected(tx) is not None and bool(reminders.due_for_replanning(tx, BUILT_ON, 1))


def need_a_sound_clock(database: Database, clock: Clock) -> None:
    """Raise `SendingLocked`, and keep the lock, under a clock whose word would expire what is not over.

    A sound clock's moment is noted once a day, so that who plans and never delivers is not asked after a year.
    """
    with database.read(clock.now()) as tx:
        because, state = suspected(tx), lock_state(tx)
        stale = state.seen_at is None or tx.now - state.seen_at > NEEDS_A_PERSON
    if because is None and not (stale and state.clock is Verdict.STEADY):
        return
    if because is None or state.because is None:
        with database.write(clock.now, "guard") as tx:
            because = suspected(tx)
            if because is None:
                installation.see_now(tx)
            else:
                lock(tx, because)
    if because is not None:
        raise refusal(because)
