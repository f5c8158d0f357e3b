"""Column types that keep the house's two kinds of time apart, and the metadata every table belongs to.

Invariant: a naive datetime never reaches the database, and a moment always comes back aware, in UTC.
"""

import datetime as dt
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, DateTime, Dialect, MetaData, String, bindparam
from sqlalchemy.sql.operators import OperatorType, eq, in_op
from sqlalchemy.types import TypeDecorator

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class NaiveMoment(TypeError):
    """A moment was given without its zone: a mistake in the program."""


class Moment(TypeDecorator[dt.datetime]):
    """An aware moment; kept in UTC, on SQLite without an offset so that its text sorts by time."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """Refuse a naive value; give SQLite the naive UTC text it can compare."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise NaiveMoment
        utc = value.astimezone(dt.UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        """Return what makes the text of the above on SQLite in one call: moments are most of what is stored."""
        return _as_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], dt.datetime | None]:  # noqa: ARG002 - SQLAlchemy's own signature
        """Return what makes a stored value an aware one, in UTC: one call, since moments are most of what is read."""
        return _of_text if dialect.name == "sqlite" else _of_server


def _as_text(value: dt.datetime | None) -> str | None:
    if value is None:
        return None
    if value.tzinfo is dt.UTC:  # the text of any other moment is not known by the moment's equals: a clock is set back
        return _of_utc(value)
    if value.tzinfo is None:
        raise NaiveMoment
    return _of_utc(value.astimezone(dt.UTC))


@lru_cache(maxsize=4096)
def _of_utc(value: dt.datetime) -> str:
    return value.replace(tzinfo=None).isoformat(" ", "microseconds")


def _of_text(value: str | None) -> dt.datetime | None:
    return None if value is None else dt.datetime.fromisoformat(value).replace(tzinfo=dt.UTC)


def _of_server(value: dt.datetime | None) -> dt.datetime | None:
    return None if value is None else value.astimezone(dt.UTC)


class StateCode(TypeDecorator[str]):
    """The state of a reminder; comparisons with it are written into the statement's text, in sorted order.

    A partial index (`WHERE state IN ('held', 'planned')`) surely serves a statement whose text says the same. With
    bound parameters a set in another order, or a generic plan of PostgreSQL, would walk the whole table. Only codes of
    the lifecycle stand there, quoted by the dialect.
    """

    impl = String(16)
    cache_ok = True

    class Comparator(TypeDecorator.Comparator[str]):
        """Writes the codes of `==` and `in_` as literals."""

        def operate(self, op: OperatorType, *other: Any, **kwargs: Any) -> ColumnElement[Any]:  # noqa: ANN401 - SQLAlchemy's own signature
            """Compare as a column does, with literal codes."""
            if op is eq and isinstance(other[0], str):
                other = (bindparam(None, str(other[0]), String, literal_execute=True),)
            elif op is in_op and isinstance(other[0], list | tuple | set | frozenset):
                codes = sorted(str(code) for code in other[0])
                other = (bindparam(None, codes, String, expanding=True, literal_execute=True),)
            return super().operate(op, *other, **kwargs)

    comparator_factory = Comparator
