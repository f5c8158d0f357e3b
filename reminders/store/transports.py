"""What is remembered of each way by which mail leaves: its faults, its rest, and how much of its rate is left.

Kept in the database, so that a restart resets nothing and all machines go by the same. A recipients' domain that puts
off what comes by a way has a row of its own, named by the way and a keyed hash.

Invariant: faults count in a row; one accepted message clears them.
"""

import datetime as dt
from collections.abc import Collection, Container, Iterable, Mapping
from dataclasses import asdict, dataclass

from sqlalchemy import bindparam, delete, insert, or_, select, update

from reminders.store.database import Transaction
from reminders.store.rows import insert_unless_there
from reminders.store.schema import transports


@dataclass(frozen=True, slots=True)
class Breaker:
    """A transport's state: faults and policy refusals in a row, until when it rests (None: it works).

    `ramp` is how many messages a round may have since it rested; None is as many as usual.
    """

    name: str
    faults: int = 0
    refused_in_a_row: int = 0
    open_until: dt.datetime | None = None
    fault: str | None = None
    ramp: int | None = None


@dataclass(frozen=True, slots=True)
class Level:
    """How many messages a transport's rate left at a moment (of the database's clock)."""

    messages: float
    at: dt.datetime


_C = transports.c
_STATE = (_C.name, _C.faults, _C.refused_in_a_row, _C.open_until, _C.fault, _C.ramp)
_BY_NAMES = select(*_STATE).where(_C.name.in_(bindparam("names", expanding=True)))
_COUNTED = (
    select(_C.name)
    .where(or_(_C.faults != 0, _C.refused_in_a_row != 0, *(c.is_not(None) for c in (_C.open_until, _C.fault, _C.ramp))))
    .limit(1)
)
_COUNTED_OF = _COUNTED.where(_C.name.in_(bindparam("names", expanding=True)))
_LIMITED = select(*_STATE, _C.level, _C.level_at).where(
    or_(*(c.is_not(None) for c in (_C.open_until, _C.ramp, _C.level)))
)
_LEVELS = (
    select(_C.name, _C.level, _C.level_at)
    .where(_C.name.in_(bindparam("names", expanding=True)))
    .order_by(_C.name)
    .with_for_update(key_share=True)
)
_KEEP = update(transports).where(_C.name == bindparam("key"))


def breaker(tx: Transaction, name: str) -> Breaker:
    """Return the breaker of the transport `name` (scheme, host and port; never credentials)."""
    return breakers(tx, [name]).get(name) or Breaker(name)


def breakers(tx: Transaction, names: Collection[str]) -> dict[str, Breaker]:
    """Return those of these that anything was ever counted against, by name."""
    return {row[0]: Breaker(*row) for row in tx.connection.execute(_BY_NAMES, {"names": list(names)})}


def any_counted(tx: Transaction) -> bool:
    """Tell whether anything is counted against anybody."""
    return tx.connection.execute(_COUNTED).first() is not None


def counted_against(tx: Transaction, names: Collection[str]) -> bool:
    """Tell whether anything is counted against one of these."""
    return tx.connection.execute(_COUNTED_OF, {"names": list(names)}).first() is not None


def limited(tx: Transaction) -> list[tuple[Breaker, Level | None]]:
    """Return whatever may not be used, or not as usual, with what its rate leaves where it has one."""
    rows = tx.connection.execute(_LIMITED).all()
    return [(Breaker(*row[:6]), None if row[6] is None else Level(row[6], row[7])) for row in rows]


def keep(tx: Transaction, state: Breaker) -> None:
    """Store the state of a breaker."""
    keep_all(tx, [state], breakers(tx, [state.name]))


def keep_all(tx: Transaction, states: Iterable[Breaker], there: Container[str]) -> None:
    """Store these states, by a statement for those that are `there` and one for those that are not."""
    rows = [{"key": state.name, **asdict(state), "changed_at": tx.now} for state in states]
    if old := [row for row in rows if row["key"] in there]:
        tx.connection.execute(_KEEP, old)
    if new := [{name: said for name, said in row.items() if name != "key"} for row in rows if row["key"] not in there]:
        tx.connection.execute(insert(transports), new)


def forget(tx: Transaction, name: str) -> None:
    """Forget everything about the transport `name`."""
    tx.connection.execute(delete(transports).where(_C.name == name))


def forget_domains(tx: Transaction, before: dt.datetime) -> None:
    """Forget the domains of which nothing was heard since."""
    idle = _C.name.like(f"% for {'_' * 64}") & (_C.changed_at < before)
    tx.connection.execute(delete(transports).where(idle))


def take_levels(tx: Transaction, names: Collection[str], unseen: Collection[str]) -> dict[str, Level]:
    """Return what the rates of these leave, and keep others from taking of it until the transaction ends.

    A rate that is missing leaves as much as it ever does. The rows are waited for in the order of their names
    (`server`); those `unseen` so far are made before any is held, in that order too.
    """
    for name in sorted(unseen):
        insert_unless_there(tx.connection, transports, {"name": name, "changed_at": tx.now})
    rows = tx.connection.execute(_LEVELS, {"names": list(names)})
    return {name: Level(level, at) for name, level, at in rows if level is not None}


def keep_levels(tx: Transaction, levels: Mapping[str, Level]) -> None:
    """Store what rates leave now, by the names of their transports."""
    rows = [{"key": name, "level": level.messages, "level_at": level.at} for name, level in levels.items()]
    if rows:
        tx.connection.execute(_KEEP, rows)
