"""The commands that keep the clock, alone or with the pages; what ticks is handed in by the entry point.

Invariant: they say in a sentence what they do and where, and end well when they are asked to end.
"""

import sys
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from reminders import paths
from reminders.cli.options import examples
from reminders.cli.output import say
from reminders.cli.serving import PATIENCE_MS, NoPages
from reminders.cli.session import engine_of, opened, settings_of
from reminders.errors import CannotDo

if TYPE_CHECKING:
    from reminders.app import App


class NoClock(CannotDo):
    """This program was started without its clock: start it as `reminders`."""


def register(shell: typer.Typer) -> None:
    """Add the commands."""
    shell.command("run", epilog=examples("reminders run", "reminders run --unit > reminders.service"))(run)
    shell.command("worker", epilog=examples("reminders worker", "REMINDERS_LOG=json reminders worker"))(worker)


def run(
    ctx: typer.Context,
    unit: Annotated[bool, typer.Option("--unit", help="Print a unit by which systemd keeps it, and end.")] = False,
) -> None:
    """Serve the pages and keep the clock, on one machine.

    Plans, sends what is due, puts right what a dead worker left, and drops what is kept no longer, by itself, until
    SIGTERM or Ctrl-C: what is on its way then comes to its end, within half a minute. A database that is away is
    waited for. Should the clock die, the program ends with 75 for its supervisor to start it anew.
    """
    if unit:
        sys.stdout.write(paths.service_unit().read_text(encoding="utf-8"))
        return
    if ctx.obj.pages is None:
        raise NoPages
    if ctx.obj.duty is None:
        raise NoClock
    pages = partial(opened, ctx, busy_ms=PATIENCE_MS)
    ctx.obj.duty.run(
        settings_of(ctx),
        partial(opened, ctx, engine=engine_of(ctx)),
        pages,
        lambda app, address: _say(app, f"The pages are at {address}, and the clock ticks"),
    )


def worker(ctx: typer.Context) -> None:
    """Keep the clock: send what is due by itself, without pages.

    It also plans, puts right what a dead worker left, and drops what is kept no longer. On PostgreSQL any
    number of machines may, and with the extra `distributed` they share the work; with SQLite it runs where the
    database is. Two by mistake are safe. It ends as `reminders run` does.
    """
    if ctx.obj.duty is None:
        raise NoClock
    opens = partial(opened, ctx, engine=engine_of(ctx))
    ctx.obj.duty.work(settings_of(ctx), opens, lambda app: _say(app, "The clock ticks"))


def _say(app: "App", what: str) -> None:
    say(f"{what} on {app.database.url}. Ctrl-C ends it.")
    if not app.settings.smtp_url:
        say("No REMINDERS_SMTP_URL is set: nothing is sent before it is.")
    sys.stdout.flush()  # who watches over a service reads this from a pipe
