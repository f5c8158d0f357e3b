"""Finds which reminders a list begins with, before anything else of them is read.

Invariant: the work grows with what is listed and with the number of clinics, not with what is planned behind it. Two
states have no index of their own, `cancelled` and `expired`: a list of them alone walks until it has found enough.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, FromClause, Select, and_, any_, false, func, or_, select, true

from reminders.domain.lifecycle import COUNTS_AS_SENT, IN_FLIGHT, REASONS, State
from reminders.store.schema import clinics, installation, reminders
from reminders.store.transaction import Transaction

_WENT_OUT = COUNTS_AS_SENT | IN_FLIGHT | {State.FAILED}
"""States that a reminder comes to only once it was due, and in which no plan gives it another moment."""

_CLOCKS_DIFFER = dt.timedelta(days=1)
"""So far behind the latest delivery's the clock of whoever asks may be, and still sees everything."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a listed reminder; None is any. `due_to` is excluded."""

    clinic_id: int | None = None
    patient_id: int | None = None
    state: State | None = None
    due_from: dt.datetime | None = None
    due_to: dt.datetime | None = None

    @property
    def everywhere(self) -> bool:
        """Tell whether no clinic is named."""
        return self.clinic_id is None and self.patient_id is None


def narrowed(tx: Transaction, asked: Asked, states: Iterable[State] | None, limit: int | None) -> ColumnElement[bool]:
    """Return the condition on `reminders` that all who fit meet, and where there is a `limit`, few others."""
    each = [asked] if states is None else [_at_most(tx, replace(asked, state=one)) for one in sorted(set(states))]
    if limit is None:
        return or_(false(), *(and_(true(), *_conditions(one, reminders)) for one in each))
    return or_(false(), *(_is_among(tx, reminders.c.id, _first(tx, one, limit)) for one in each))


def _conditions(asked: Asked, table: FromClause) -> Iterator[ColumnElement[bool]]:
    """Yield it as conditions on a table of reminders, worded so that the narrowest index answers them."""
    c = table.c
    if asked.patient_id is not None:
        yield c.patient_id == asked.patient_id
    elif asked.clinic_id is not None:
        yield c.clinic_id == asked.clinic_id
    elif asked.due_to is not None:
        yield c.clinic_id.in_(select(clinics.c.id))  # the moments stand in an index behind their clinic
    if asked.state is not None:
        yield c.state == asked.state
    if asked.state is State.HELD:
        yield c.reason.in_(sorted(REASONS[State.HELD]))
    if asked.due_from is not None:
        yield c.due_at >= asked.due_from
    if asked.due_to is not None:
        yield c.due_at < asked.due_to


def _first(tx: Transaction, asked: Asked, limit: int) -> Select[int]:
    """Return the query for the ids of the first that fit: of every clinic's first ones, where none is named.

    What is held is little, and is found in an order of its own.
    """
    mine, theirs = reminders.alias("mine"), reminders.alias("theirs")
    found = select(mine.c.id).where(*_conditions(asked, mine))
    if asked.state is State.HELD:
        return found
    # PostgreSQL would sort all that is due at one moment; SQLite's index goes on by the id
    order = (mine.c.due_at, mine.c.id) if tx.connection.dialect.name == "sqlite" else (mine.c.due_at,)
    found = found.order_by(*order).limit(limit)
    if not asked.everywhere:
        return found
    of_each = found.where(mine.c.clinic_id == clinics.c.id).correlate(clinics)
    every = select(theirs.c.id).join_from(clinics, theirs, _is_among(tx, theirs.c.id, of_each))
    return every.order_by(theirs.c.due_at, theirs.c.id).limit(limit)


def _is_among(tx: Transaction, key: ColumnElement[int], found: Select[int]) -> ColumnElement[bool]:
    """Match rows by the ids that a query finds, looking each up by its key; PostgreSQL would join an IN instead."""
    if tx.connection.dialect.name == "sqlite":
        return key.in_(found)
    return key == any_(func.array(found.scalar_subquery()))


def _at_most(tx: Transaction, asked: Asked) -> Asked:
    """Add the moment behind which nothing is in this state, where there is one; a clock may have gone back since."""
    if asked.state not in _WENT_OUT:
        return asked
    seen = tx.connection.execute(select(installation.c.seen_at)).scalar()
    latest = max(at for at in (tx.now, seen) if at) + _CLOCKS_DIFFER
    return replace(asked, due_to=min(at for at in (asked.due_to, latest) if at))
