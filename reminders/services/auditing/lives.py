"""Follows each reminder's life along the audit trail and compares its end with its row (promises 1, 2 and 3).

Invariant: what is reported can be shown from recorded rows alone; what later changes of the calendar or the plan make
unprovable is left out.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Any

from reminders.domain.lifecycle import COUNTS_AS_SENT, FINAL, IN_FLIGHT, MOVES, PENDING, REASONS, Reason, State
from reminders.domain.planner import Action
from reminders.domain.sending_hours import SendingCalendar, is_open
from reminders.store.audit_trail import Entry, told_moment
from reminders.store.evidence import Evidence, ReminderRow

GRACE = dt.timedelta(hours=1)
"""How long after its days a reminder may wait to be expired, and how long a server's answer may take."""

RESCUED_AFTER = dt.timedelta(minutes=5)
"""How long after a lease ran out what it held may stay unsettled: then an unknown message must be shown."""

GONE = COUNTS_AS_SENT | {State.HANDED_OVER}
_STATES = frozenset(State)
_NEED_A_REASON = frozenset({State.HELD, State.FAILED, State.CANCELLED, State.EXPIRED})
_BY_THEMSELVES = frozenset({"rescue", "plan"})
"""Actors that may never send an unknown message again; a person may, and so may a server's late refusal."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One change of state as the trail has it: when, by whom, why, which columns a person's word set, which message.

    `keeps` is the hold that a withdrawal keeps (None: none), "" in an entry that does not tell it.
    """

    state: State
    actor: str
    at: dt.datetime
    reason: object = None
    fields: frozenset[str] = frozenset()
    message: object = None
    keeps: object = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """A clinic's calendar without public holidays, the moment from which it has been as it is, and the clock's repute.

    Public holidays come from a library whose next version may know more of them, which would make past days wrong.
    """

    calendar: SendingCalendar
    since: dt.datetime
    clock_is_believed: bool = True


Problem = tuple[int, int, str, str]
"""A promise's number, the reminder's id, what is wrong, and what to do."""

Told = tuple[int, str, str]
"""A problem of a reminder that is known."""


def problems(known: Evidence, judged: Judged, now: dt.datetime, leases_now: dt.datetime) -> Iterator[Problem]:
    """Yield what is wrong with one patient's reminders; leases have a clock of their own (`database_now`)."""
    lives, again, moved = turns(known.trail), _put_off(known.trail), misplaced(known)
    for row in known.reminders:
        life = lives.pop(row.id, [])
        told = chain(
            _life(row, life),
            _row(row, judged, now, leases_now),
            _days(row, judged),
            witnessed(row, life),
            kept_holds(row, life),
        )
        for promise, problem, advice in chain(told, _later(row, again.get(row.id))):
            yield promise, row.id, problem, advice
        if row.id in moved:
            yield 1, row.id, moved[row.id], _LOOK
    for reminder_id in lives:
        yield 2, reminder_id, "the audit trail tells of it, and its row is gone", _LOOK
    for row in _accepted_twice(known.reminders):
        yield 1, row.id, "its message went out before, for another reminder", _TOLD


def turns(trail: Iterable[Entry]) -> dict[int, list[Turn]]:
    """Return the changes of state of each reminder, oldest first."""
    lives: dict[int, list[Turn]] = defaultdict(list)
    for entry in trail:
        if entry.subject == "reminder" and entry.subject_id is not None:
            state = State.CLAIMED.value if entry.action == "claim" else entry.action
            told = entry.told
            set_ = told.get("fields")
            fields = frozenset(set_) if isinstance(set_, list) else frozenset[str]()
            if state in _STATES:
                what = (told.get("reason"), fields, told.get("message"), told.get("held", ""))
                lives[entry.subject_id].append(Turn(State(state), entry.actor, entry.at, *what))
        elif entry.action == "plan":
            for key, action, state, reason, *more in _changes(entry):
                if state in _STATES:
                    kept = [None] if more and action == _NEW else more
                    keeps = kept[0] if kept else ""
                    lives[key].append(Turn(State(state), entry.actor, entry.at, reason, keeps=keeps))
    return lives


def misplaced(known: Evidence) -> dict[int, str]:
    """Return what is wrong with the rows that have another identity than they were planned with, by id.

    A plan made from such a row misses the step, which may have gone out, and plans it again.
    """
    told: dict[int, tuple[object, ...]] = {}
    for entry in known.trail:
        if entry.action == "plan":
            told |= {key: tuple(more[0]) for key, action, _, _, *more in _changes(entry) if more and action == _NEW}
    real = {row.id: (row.episode_id, row.step, row.copy) for row in known.reminders}
    return {
        key: f"it was planned as the step {told[key][1]} of episode {told[key][0]}, and its row is another step's now"
        for key, identity in real.items()
        if told.get(key, identity) != identity
    }


def _changes(entry: Entry) -> list[Any]:
    changes = entry.told.get("changes")
    return changes if isinstance(changes, list) else []


def kept_holds(row: ReminderRow, life: Sequence[Turn]) -> Iterator[Told]:
    """Yield where a withdrawn reminder does not keep the hold it was in, or came back without it."""
    for before, after in pairwise(life):
        kept = _kept(before)
        if after.state is State.CANCELLED and after.actor != "unlock" and "" not in (kept, after.keeps):
            if kept != after.keeps:
                yield 7 if kept else 2, _ANOTHER_HOLD, _LOOK
        elif before.state is State.CANCELLED and after.state is State.PLANNED and kept:
            yield 7, "it was held before it was withdrawn, and came back without a person's word", _LOOK
    kept = _kept(life[-1]) if life and row.state == State.CANCELLED else ""
    if kept not in ("", row.held_reason):
        yield 7 if kept else 2, _ANOTHER_HOLD, _LOOK


def _kept(turn: Turn) -> object:
    """Return the hold that a withdrawal after this turn keeps, "" where that cannot be told."""
    if turn.state is State.CANCELLED:
        return turn.keeps
    return turn.reason if turn.state is State.HELD else None if turn.state is State.PLANNED else ""


def _life(row: ReminderRow, life: Sequence[Turn]) -> Iterator[Told]:
    """Yield moves that no rule allows, and an end that is not the row's."""
    for before, after in pairwise(life):
        if before.state is State.UNKNOWN and after.state is State.PLANNED and after.actor in _BY_THEMSELVES:
            yield 1, "an unknown message was planned again without a person's word", _LOOK
        elif after.state not in MOVES[before.state] and (after.state is not before.state or after.state in FINAL):
            promise = 1 if before.state in COUNTS_AS_SENT else 2
            yield promise, f"after it was {before.state} it became {after.state}, which no rule allows", _LOOK
    last = life[-1].state.value if life else "nothing"
    if last != row.state:
        yield _freed(row, life), f"its row says {row.state}, the audit trail says {last}", _LOOK


def _freed(row: ReminderRow, life: Sequence[Turn]) -> int:
    """Return the promise that a row breaks which is in another state than the trail says: what it lets out."""
    if not life or row.state not in PENDING:
        return 2
    last = life[-1]
    if last.state in GONE:
        return 1
    if last.state is State.CANCELLED:
        return 4
    return 7 if last.reason == Reason.BACKLOG_HOLD else 2


def witnessed(row: ReminderRow, life: Sequence[Turn]) -> Iterator[Told]:
    """Yield what a row says of its sending and its release, and the trail says otherwise."""
    moments = {turn.state: turn.at for turn in life}
    handed = moments.get(State.HANDED_OVER)
    if row.state in GONE and None not in (handed, row.handed_over_at) and handed != row.handed_over_at:
        yield 3, "its row and the audit trail name different moments at which it was handed over", _LOOK
    answered = moments.get(State.SENT)
    if row.sent_at is not None and answered is not None and row.sent_at not in (answered, row.handed_over_at):
        yield 3, "its row and the audit trail name different moments at which it was sent", _LOOK
    claimed_for = [turn.message for turn in life if turn.state is State.CLAIMED and turn.message is not None]
    if row.state in GONE and claimed_for and row.message_pk not in (None, claimed_for[-1]):
        yield 1, "its row names another message than the one it was claimed for", _LOOK
    released = [turn.at for turn in life if "released_at" in turn.fields and turn.state is State.PLANNED]
    if row.released_at is not None and row.released_at not in released:
        yield 7, "it is marked as released, and the audit trail knows of nobody who released it", _LOOK


def _put_off(trail: Iterable[Entry]) -> dict[int, object]:
    """Return until when each reminder was put off last, as the trail has it; "" for an entry that does not tell it."""
    again: dict[int, object] = {}
    for entry in trail:
        if entry.subject == "reminder" and entry.subject_id is not None and entry.action in _PUTS_OFF:
            again[entry.subject_id] = entry.told.get("again", "")
    return again


def _later(row: ReminderRow, again: object) -> Iterator[Told]:
    """Yield where a planned row waits for a moment until which nobody put it off: it would starve silently."""
    until = told_moment(row.next_attempt_at)
    if row.state == State.PLANNED and until is not None and again not in ("", until):
        yield 2, "it was put off until another moment than the audit trail tells of", _LET_GO


def _row(row: ReminderRow, judged: Judged, now: dt.datetime, leases_now: dt.datetime) -> Iterator[Told]:
    """Yield states that are none, and states without what they stand for."""
    if row.state not in _STATES:
        yield 2, "its state is none of the product's", _LOOK
        return
    state = State(row.state)
    reasons = {reason.value for reason in REASONS.get(state, frozenset[Reason]())}
    if (row.reason is None and state in _NEED_A_REASON) or (row.reason is not None and row.reason not in reasons):
        yield 2, f"it is {state} for the reason {row.reason}, which is none of that state", _LOOK
    if row.sent_at is not None and state not in (State.SENT, State.BOUNCED):
        yield 2, f"it is {state}, and yet it has the moment of a sending", _LOOK
    missing = [name for name in _WITNESSES.get(state, ()) if getattr(row, name) is None]
    if missing:
        yield 2, f"it is {state} without {' and '.join(missing)}", _LOOK
    if state in PENDING and now > row.not_after + GRACE:
        yield 2, f"it is still {state} after its days", _EXPIRES if judged.clock_is_believed else _CLOCK_FIRST
    if state in IN_FLIGHT and (row.lease_until is None or leases_now > row.lease_until + RESCUED_AFTER):
        yield 2, f"it is {state} and its worker is gone", "run `reminders deliver`, which rescues it"


def _days(row: ReminderRow, judged: Judged) -> Iterator[Told]:
    """Yield messages outside their days or the clinic's hours, and windows that open after they end."""
    if min(row.due, row.overdue, row.closes) < row.opens:
        yield 3, "a day of its window lies before the window opens", "run `reminders plan`, then `reminders audit`"
    at = row.handed_over_at
    if row.state not in GONE or at is None:
        return
    if at < row.due_at:
        yield 3, "it went out before its moment", _TOLD
    if at >= row.not_after or (row.sent_at or at) > row.not_after + GRACE:
        yield 3, "it went out after its last day", _TOLD
    if at > judged.since and not is_open(judged.calendar, at):
        yield 3, "it went out outside the clinic's sending hours", _TOLD


def _accepted_twice(rows: Iterable[ReminderRow]) -> Iterator[ReminderRow]:
    """Yield messages whose reminders were handed over at different moments: the same Message-ID went out again."""
    handed: dict[int, set[dt.datetime]] = defaultdict(set)
    known = [(row.handed_over_at, row.message_pk, row) for row in rows if row.state in COUNTS_AS_SENT]
    went = [(at, pk, row) for at, pk, row in known if at is not None and pk is not None]
    for at, message_pk, row in sorted(went, key=lambda one: one[0]):
        handed[message_pk].add(at)
        if len(handed[message_pk]) > 1:
            yield row


_WITNESSES = {
    State.SENT: ("sent_at", "handed_over_at", "message_pk"),
    State.BOUNCED: ("handed_over_at", "message_pk"),
    State.UNKNOWN: ("handed_over_at", "message_pk"),
    State.HANDED_OVER: ("handed_over_at", "message_pk"),
    State.CLAIMED: ("message_pk",),
}
"""What a row must hold to be in a state."""

_NEW = Action.INSERT.value
_ANOTHER_HOLD = "the hold that it keeps while it is withdrawn is not the one that the audit trail tells of"
_PUTS_OFF = frozenset({"wait", State.PLANNED.value})
_LET_GO = "keep a copy of the database; `reminders hold` and then `reminders release` let it go when it is due"
_EXPIRES = "run `reminders deliver`, which lets it expire"
_CLOCK_FIRST = "see to the clock first: by a wrong one its days may not be over; then run `reminders deliver`"
_LOOK = "keep a copy of the database and look at `reminders why`; somebody or something else wrote to it"
_TOLD = "keep a copy of the database and report it: this must not happen"
