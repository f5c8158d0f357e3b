"""What one run of the command line is given, and the opening of the product for it.

Invariant: nothing heavy is imported before a command needs the database, so that help and wrong options answer at once.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

import typer

from reminders.errors import RemindersError

if TYPE_CHECKING:
    from reminders.app import App
    from reminders.clock import Clock
    from reminders.services.engine import Engine
    from reminders.settings import Settings


_WAITS = (
    "The clock cannot be right, so planning waits: what is recorded counts, and the plan follows once the clock is set"
    " and `reminders unlock --as clock --why CODE` has said so. `reminders doctor` tells more."
)


class Pages(Protocol):
    """The face for browsers, which the entry point hands in: no face knows another."""

    def serve(self, app: "App", listening: Callable[[str], None]) -> None:
        """Serve the pages until the process is asked to end; calls `listening` with their address."""
        ...

    def demo(self, app: "App", place: str, inbox: Path) -> AbstractContextManager[str]:
        """Serve the pages and the sample's inbox on HOST:PORT while the context lasts; gives their address."""
        ...


Opens = Callable[[], AbstractContextManager["App"]]
"""Opens the product; closes it at the context's end."""


class Duty(Protocol):
    """The clock, which the entry point hands in: no face knows another."""

    def work(self, settings: "Settings", opens: Opens, began: "Callable[[App], None]") -> None:
        """Keep the clock until the process is asked to end; calls `began` once it ticks."""
        ...

    def run(
        self, settings: "Settings", opens: Opens, opens_pages: Opens, listening: "Callable[[App, str], None]"
    ) -> None:
        """Keep the clock and serve the pages, each on an opening of its own; calls `listening` with their address."""
        ...


@dataclass(frozen=True, slots=True)
class Session:
    """The settings' file, the pages, the clock, and what stands in for the machine's time and its transport.

    `engine` binds what shares work among several machines, where it can be.
    """

    config: Path | None = None
    clock: "Clock | None" = None
    given: Mapping[str, Any] = field(default_factory=dict)
    pages: Pages | None = None
    duty: Duty | None = None
    engine: "Callable[[Settings], Engine | None] | None" = None

    def with_config(self, config: Path) -> Self:
        """Return the same session with another settings' file."""
        return dataclasses.replace(self, config=config)


def settings_of(ctx: typer.Context) -> "Settings":
    """Return the settings this command runs with."""
    from reminders.settings import load_settings  # noqa: PLC0415 - help needs no settings

    return load_settings(ctx.obj.config)


def engine_of(ctx: typer.Context) -> "Engine | None":
    """Return what shares work among several machines, None where nothing does."""
    return ctx.obj.engine(settings_of(ctx)) if ctx.obj.engine else None


@contextmanager
def opened(ctx: typer.Context, **more: Any) -> Iterator["App"]:  # noqa: ANN401 - as `open_app` takes them
    """Open the product for one command, and close it afterwards; `more` is for `open_app`."""
    from reminders.app import open_app  # noqa: PLC0415 - help needs no database

    with open_app(settings_of(ctx), ctx.obj.clock, **ctx.obj.given, **more) as app:
        yield app
        with suppress(RemindersError):  # what was done is done, whatever became of the database since
            if app.planning_waits():
                typer.echo(_WAITS, err=True)
