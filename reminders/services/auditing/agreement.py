"""Compares what is stored with what the facts ask for, step by step (promises 2 to 4).

Invariant: of what differs, only two things are no finding: what was in order until time alone changed it, and what
waits for a plan that a recorded entry says was put off.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from reminders.domain.facts import PatientFacts, Reminder, Rules
from reminders.domain.lifecycle import Reason, State
from reminders.domain.planner import Action, Change, reconcile, wanted
from reminders.services.auditing.codes import LOOSENED
from reminders.services.auditing.lives import misplaced
from reminders.services.guarding.lock import planning_put_off
from reminders.store import facts, reminders
from reminders.store.database import Transaction
from reminders.store.evidence import Evidence

PLAN = "run `reminders plan`, which mends it; if it comes back, keep a copy of the database and report it"
_OVERSLEEPS = "it is planned, and its row has every delivery pass it over until later than it is due"
_INSTANT = dt.timedelta(microseconds=1)
_STATES, _REASONS = frozenset(State), frozenset({None, *Reason})

Disagreement = tuple[int, int, int | None, str, str]
"""The patient's id, a promise's number, the reminder's id, what is wrong, and what to do."""


@dataclass(frozen=True, slots=True)
class _Subject:
    """One patient's facts and stored reminders."""

    known: PatientFacts
    stored: Sequence[Reminder]
    rules: Rules


def disagreements(tx: Transaction, known: Mapping[int, Evidence], rules: Mapping[int, Rules]) -> Iterator[Disagreement]:
    """Yield what differs of these patients; `rules` by clinic. A row in a state that is none is told of elsewhere."""
    sound = [
        key
        for key, one in known.items()
        if all(row.state in _STATES and row.reason in _REASONS for row in one.reminders)
    ]
    recorded, stored = facts.facts(tx, sound), reminders.stored(tx, sound)
    for key in sound:
        awake = [replace(one, oversleeps=False) for one in stored[key]]  # that is told apart from other differences
        subject = _Subject(recorded[key], awake, rules[known[key].person.clinic_id])
        if planning_put_off(known[key].trail, known[key].person.replan_at):
            continue
        moved = misplaced(known[key])
        for change in _differences(subject, known[key].person.replan_at, tx.now):
            complaint = _complaint(change)
            if complaint is not None:
                promise, problem, advice = complaint
                advice = LOOSENED if moved else advice  # planning would write again what went out under another name
                yield key, promise, change.reminder.id if change.reminder else None, problem, advice
        for one in stored[key]:
            if one.oversleeps and tx.now < one.not_after:
                yield key, 2, one.id, _OVERSLEEPS, LOOSENED if moved else PLAN


def _differences(subject: _Subject, replan_at: dt.datetime | None, now: dt.datetime) -> list[Change]:
    """Return what differs now, without what time alone changed since the patient was planned last."""
    found = reconcile(subject.stored, wanted(subject.known, subject.rules, now), now)
    if not found or replan_at is None or replan_at > now:
        return list(found)
    in_order = _in_order_since(subject, replan_at, now)
    return [change for change in found if change.reminder is None or change.reminder.id not in in_order]


def _in_order_since(subject: _Subject, replan_at: dt.datetime, now: dt.datetime) -> set[int]:
    """Return the reminders that were as the facts ask at some moment since just before `replan_at`.

    That moment is when time alone changes the plan, which the facts themselves must say: a patient is planned whenever
    facts change, so until then the rows were in order. Another moment was not written by the product.
    """
    before = replan_at - _INSTANT
    plan = wanted(subject.known, subject.rules, before)
    if plan.next_change != replan_at:
        return set()
    in_order = _agreeing(subject, before)
    at: dt.datetime | None = replan_at
    while at is not None and at <= now:
        in_order |= _agreeing(subject, at)
        at = wanted(subject.known, subject.rules, at).next_change
    return in_order


def _agreeing(subject: _Subject, at: dt.datetime) -> set[int]:
    changes = reconcile(subject.stored, wanted(subject.known, subject.rules, at), at)
    return {one.id for one in subject.stored} - {change.reminder.id for change in changes if change.reminder}


def _complaint(change: Change) -> tuple[int, str, str] | None:
    """Return what it means that the facts ask for something else than is stored; None for days that have passed."""
    reminder, want = change.reminder, change.wanted
    if change.action is Action.INSERT and want is not None:
        return 2, f"the step {want.step} of the {want.protocol} due {want.window.due} is not stored", PLAN
    if change.action is Action.WITHDRAW and reminder and reminder.state is not State.CANCELLED:
        return 4, f"it is {reminder.state}, and the facts withhold it ({change.reason})", LOOSENED
    if change.action is Action.RESTORE and reminder:
        return 4, f"it was withdrawn ({reminder.reason}), and what withheld it is gone from the facts", LOOSENED
    if change.action is Action.MOVE and want is not None:
        return 3, "its days, its window or its treatment are not those that the facts ask for", PLAN
    return None
