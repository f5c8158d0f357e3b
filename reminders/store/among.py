"""Asks for many keys with one parameter, so that a statement's text is the same however many there are.

A list with a parameter for each would be written, read and planned anew for every number of keys, which takes longer
than finding the rows. Invariant: the keys come as values of their own, never as text of the statement.
"""

import json
from collections.abc import Collection
from typing import Any, Self

from sqlalchemy import Boolean, ColumnElement, Dialect, Integer, String, Text, bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import TypeDecorator, TypeEngine


class _Keys(TypeDecorator[Collection[Any]]):
    """Keys as one value: a JSON text on SQLite, an array on PostgreSQL."""

    impl = Text
    cache_ok = True

    def __init__(self, *, texts: bool) -> None:
        """Take keys that are numbers, or `texts`."""
        super().__init__()
        self.texts = texts

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the database's own type."""
        array = ARRAY(Text() if self.texts else Integer())
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else array)

    def process_bind_param(self, value: Collection[Any] | None, dialect: Dialect) -> str | list[Any]:
        """Return the keys as the database takes them."""
        keys = list(value or ())
        return json.dumps(keys, ensure_ascii=False) if dialect.name == "sqlite" else keys


class _Among(FunctionElement[bool]):
    """Whether a column's value is one of the keys."""

    type = Boolean()
    inherit_cache = True

    def self_group(self, against: OperatorType | None = None) -> Self:  # noqa: ARG002 - SQLAlchemy's own signature
        """Stand as it is: `… = 1`, which SQLite's lack of truth values would have added, is answered by no index."""
        return self


def among(column: ColumnElement[Any], name: str = "asked") -> ColumnElement[bool]:
    """Return the condition that `column` is one of the keys given as the parameter `name`."""
    return _Among(column, bindparam(name, type_=_Keys(texts=isinstance(column.type, String))))


@compiles(_Among)
def _any_of(element: _Among, compiler: SQLCompiler, **given: Any) -> str:  # noqa: ANN401 - SQLAlchemy's own signature
    column, asked = (compiler.process(one, **given) for one in element.clauses)
    return f"{column} = ANY ({asked})"


@compiles(_Among, "sqlite")
def _in_list(element: _Among, compiler: SQLCompiler, **given: Any) -> str:  # noqa: ANN401 - SQLAlchemy's own signature
    column, asked = (compiler.process(one, **given) for one in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({asked}))"  # noqa: S608 - a parameter's mark
