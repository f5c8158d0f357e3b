"""Counts what the backlog rule goes by: what is overdue, what it holds, and what a clinic usually sends.

Invariant: an answer takes as long for a clinic with a million reminders as for one with a thousand.
"""

import datetime as dt
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, and_, bindparam, case, func, or_, select

from reminders.domain.lifecycle import COUNTS_AS_SENT, Reason, State
from reminders.store.among import among
from reminders.store.database import Transaction
from reminders.store.rows import pieces
from reminders.store.schema import reminders


def _late() -> ColumnElement[bool]:
    """Match what would go out late; what is too late already goes out no more, and keeps nothing else back."""
    c = reminders.c
    waiting = and_(c.clinic_id == bindparam("clinic"), c.state == State.PLANNED, c.due_at < bindparam("before"))
    return and_(waiting, c.not_after > bindparam("now"), c.released_at.is_(None), c.left_by_limit.is_(False))


def _held_back() -> ColumnElement[bool]:
    """Match what the backlog rule holds, as long as its days last."""
    c = reminders.c
    held = and_(c.state == State.HELD, c.reason == Reason.BACKLOG_HOLD, c.clinic_id == bindparam("clinic"))
    return and_(held, c.due_at < bindparam("before"), c.not_after > bindparam("now"))


def _how_many(condition: ColumnElement[bool]) -> Select[int]:
    found = select(reminders.c.id).where(condition).limit(bindparam("most")).subquery()
    return select(func.count()).select_from(found)


_HOW_MANY_LATE, _HOW_MANY_HELD = _how_many(_late()), _how_many(_held_back())
LATE = (
    select(reminders.c.id, reminders.c.state, reminders.c.clinic_id, reminders.c.patient_id)
    .where(_late())
    .order_by(reminders.c.id)
)
"""What would go out late of a clinic's (parameters `clinic`, `before`, `now`)."""


def overdue_count(tx: Transaction, clinic_id: int, before: dt.datetime, most: int | None = None) -> int:
    """Count what the backlog rule counts: due before `before`, neither released nor left by the limit.

    What it holds already counts as well, or else the rest of a backlog that comes in pieces (an import, a treatment at
    a time) would go out. Zero when nothing of it is still planned. Counting stops at `most`: what is held may be long.
    """
    asked = {"clinic": clinic_id, "before": before, "now": tx.now}
    planned: int = tx.connection.execute(_HOW_MANY_LATE, asked | {"most": most or sys.maxsize}).scalar_one()
    if planned in (0, most):
        return planned
    left = most - planned if most else sys.maxsize
    return planned + int(tx.connection.execute(_HOW_MANY_HELD, asked | {"most": left}).scalar_one())


@dataclass(frozen=True, slots=True)
class Standing:
    """How many reminders are planned, held as a backlog, and, of both, overdue without having been released."""

    planned: int = 0
    held: int = 0
    overdue: int = 0


def standing(tx: Transaction, patient_ids: Iterable[int], before: dt.datetime) -> Standing:
    """Count these patients' reminders; `overdue` is what was due before `before`."""
    found = [tx.connection.execute(_STANDING, {"asked": piece, "late": before}).one() for piece in pieces(patient_ids)]
    return Standing(*map(sum, zip(*found, strict=True))) if found else Standing()


def _standing() -> Select[int, int, int]:
    c = reminders.c
    planned, held = c.state == State.PLANNED, and_(c.state == State.HELD, c.reason == Reason.BACKLOG_HOLD)
    late = and_(or_(planned, held), c.due_at < bindparam("late"), c.released_at.is_(None))
    counts = [func.count(case((condition, 1))) for condition in (planned, held, late)]
    return select(counts[0], counts[1], counts[2]).where(among(c.patient_id))


_STANDING = _standing()


def sent_between(tx: Transaction, clinic_id: int, spans: Sequence[tuple[dt.datetime, dt.datetime]]) -> list[int]:
    """Count the reminders that may have reached their patients in each span (its end excluded), in the spans' order."""
    if not spans:
        return []
    asked: dict[str, object] = {"clinic": clinic_id}
    for place, (begin, end) in enumerate(spans):
        asked |= {f"begin_{place}": begin, f"end_{place}": end}
    counts = tx.connection.execute(_sent_in(len(spans)), asked).one()
    return [int(count) for count in counts]


@lru_cache(maxsize=64)
def _sent_in(spans: int) -> Select[Any]:
    """Return the question for so many spans at once: it is asked at every planning, and for 20 of them or more."""
    c = reminders.c
    counts = []
    for place in range(spans):
        begin: BindParameter[dt.datetime] = bindparam(f"begin_{place}")
        end: BindParameter[dt.datetime] = bindparam(f"end_{place}")
        answered = and_(c.sent_at >= begin, c.sent_at < end)
        unanswered = and_(c.handed_over_at >= begin, c.handed_over_at < end, c.sent_at.is_(None))
        sent = and_(c.clinic_id == bindparam("clinic"), c.state.in_(COUNTS_AS_SENT), or_(answered, unanswered))
        counts.append(select(func.count()).select_from(reminders).where(sent).scalar_subquery())
    return select(*counts)
