"""The command that serves the pages; what listens is handed in by the entry point, for no face knows another.

Invariant: it says where the pages are once they can be reached, and ends well when it is asked to end.
"""

import sys
from typing import TYPE_CHECKING

import typer

from reminders.cli.options import examples
from reminders.cli.output import say
from reminders.cli.session import opened
from reminders.errors import CannotDo

if TYPE_CHECKING:
    from reminders.app import App

PATIENCE_MS = 2_500
"""A person waits for the page: better told to try again soon than left before an empty window for half a minute."""


class NoPages(CannotDo):
    """This program was started without its pages: start it as `reminders`."""


def register(shell: typer.Typer) -> None:
    """Add the command."""
    shell.command(
        "serve",
        epilog=examples("reminders serve", "REMINDERS_LISTEN=127.0.0.1:8080 reminders serve"),
    )(serve)


def serve(ctx: typer.Context) -> None:
    """Serve the pages behind the links of the messages.

    They listen on REMINDERS_LISTEN until SIGTERM or Ctrl-C. Patients reach them by REMINDERS_BASE_URL: put a web server
    with a certificate before them, on this machine, that passes the name and the client's address on.
    """
    if ctx.obj.pages is None:
        raise NoPages
    with opened(ctx, busy_ms=PATIENCE_MS) as app:
        ctx.obj.pages.serve(app, lambda address: _say(app, address))


def _say(app: "App", address: str) -> None:
    say(f"The pages are at {address}. Ctrl-C ends them.")
    if app.settings.link_base is None:
        say("No https REMINDERS_BASE_URL is set: messages carry no links to them yet.")
    sys.stdout.flush()  # who watches over a service reads this from a pipe
