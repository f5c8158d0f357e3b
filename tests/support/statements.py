"""Lets every database of a test run share what SQLAlchemy compiled: a test opens hundreds, all of two kinds.

Invariant: a statement is compiled once for each kind of database, and what is compiled is what the product would run.
SQLAlchemy keeps compiled statements by engine, and by the very object that stands for the database's dialect; one
process of the product has one engine and compiles once, while a run of the tests spent a fifth of its time so.
"""

from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine
from sqlalchemy.engine.interfaces import Dialect


class _Shared(dict[Any, Any]):
    """Compiled statements by the name of the dialect, rather than by its object."""

    def get(self, key: Any, default: Any = None, /) -> Any:  # noqa: ANN401 - SQLAlchemy's own keys and values
        return super().get(_named(key), default)

    def __setitem__(self, key: Any, compiled: Any, /) -> None:  # noqa: ANN401 - SQLAlchemy's own keys and values
        super().__setitem__(_named(key), compiled)


def _named(key: tuple[Dialect, Any]) -> tuple[str, Any]:
    dialect, *rest = key
    return f"{dialect.name}+{dialect.driver}", *rest


def share_compiled() -> None:
    """Let every engine of this process, and of those it forks, use the same compiled statements from now on."""
    shared = _Shared()

    def use(connection: Connection) -> None:
        connection.execution_options(compiled_cache=shared)

    event.listen(Engine, "engine_connect", use)


def pytest_configure() -> None:
    share_compiled()
