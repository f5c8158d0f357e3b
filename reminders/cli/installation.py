"""The commands that make an installation, and show one with made-up patients.

Invariant: `init` says what it made, what is missing or wrong before anything can be sent, and what to type next.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reminders.cli import words
from reminders.cli.options import AsJson, examples
from reminders.cli.output import say, say_json
from reminders.cli.session import engine_of, settings_of

if TYPE_CHECKING:
    from reminders.services.install import Installed
    from reminders.settings import Settings

NO_TRANSPORT = (
    "No transport is set, so nothing can be sent: set REMINDERS_SMTP_URL, for example to "
    "smtp://user:password@host:587, or to file:outbox, which writes each message into a folder."
)
TRUSTED = (
    "It was in use within a day, so it goes on sending from here. If it is a copy that was put back, run "
    "`reminders unlock --as restored --why CODE` before anything is delivered."
)
NO_BASE_URL = (
    "No https REMINDERS_BASE_URL is set: messages carry no request and stop links, and patients ask and stop by phone "
    "and reply."
)


def register(shell: typer.Typer) -> None:
    """Add the commands."""
    shell.command(
        "init", epilog=examples("reminders init", "REMINDERS_DATABASE_URL=sqlite:///clinic.db reminders init")
    )(init)
    shell.command("demo", epilog=examples("reminders demo", "reminders demo --once --dir sample"))(demo)


def init(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Create or upgrade the database, and make the secret key.

    Run again it changes nothing. Before an upgrade of existing data SQLite's file is copied beside itself.
    """
    from reminders.app import init as install  # noqa: PLC0415 - help needs no database

    settings = settings_of(ctx)
    made = install(settings, ctx.obj.clock, engine_of(ctx))
    if as_json:
        say_json(_document(made, settings))
        return
    for sentence in _sentences(made, settings):
        say(sentence)


def demo(
    ctx: typer.Context,
    directory: Annotated[
        Path | None, typer.Option("--dir", metavar="DIR", help="The sample's folder, instead of demo.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Print the outcome and end.")] = False,
) -> None:
    """Show a complete sample clinic with an inbox of its own.

    It logs treatments, plans, and sends what is due. The patients are made up and no mail leaves the machine. On a
    terminal its inbox stays open until Ctrl-C, with the pages behind the links of the messages, so that the other
    commands can be tried on it.
    """
    from reminders.cli.demo import demo as show  # noqa: PLC0415 - help needs no sample

    show(directory, once=once, pages=ctx.obj.pages)


def _document(made: "Installed", settings: "Settings") -> dict[str, object]:
    return {
        "database": made.database,
        "database_made": made.database_made,
        "upgraded_from": made.upgraded_from,
        "revision": made.revision,
        "key_made": made.key_made,
        "key_file": str(settings.secret_key_file) if not settings.secret_key else None,
        "protocols_added": made.protocols_added,
        "transport_set": settings.smtp_url is not None,
        "links_set": settings.link_base is not None,
        "clinics": made.clinics,
        "trusted": made.trusted,
        "shared_made": made.shared_made,
        "wrong": [{"name": check.name, "said": check.said, "advice": check.advice} for check in made.wrong],
    }


def _sentences(made: "Installed", settings: "Settings") -> list[str]:
    where = made.database
    said = []
    if made.database_made:
        said.append(f"Made the database {where}.")
    elif made.upgraded_from:
        said.append(f"Upgraded the database {where} from revision {made.upgraded_from} to {made.revision}.")
    else:
        said.append(f"The database {where} is there and up to date.")
    if made.key_made:
        key = settings.secret_key_file
        said.append(f"Made the secret key {key}: keep a copy of it apart from the database, which it alone opens.")
    if made.protocols_added:
        said.append(f"Added {words.count(made.protocols_added, 'starter protocol')}: `reminders protocol list`.")
    if made.shared_made:
        said.append("Made or upgraded the tables by which several machines share the work.")
    if made.trusted:
        said.append(TRUSTED)
    said += [f"Look at this first: {check.name}: {check.said}. {check.advice}" for check in made.wrong]
    if settings.smtp_url is None:
        said.append(NO_TRANSPORT)
    if settings.link_base is None:
        said.append(NO_BASE_URL)
    return [*said, *_next(made)]


def _next(made: "Installed") -> list[str]:
    """Return what to do now: begin, or go on with a database that somebody used before."""
    if not made.clinics:
        return [
            "Next: `reminders clinic add`, then `reminders patient add` and `reminders treatment add`; or `import`.",
            "`reminders doctor` examines everything, `reminders demo` shows a sample clinic.",
        ]
    again = (
        "Next: `reminders doctor`, which examines everything. If this is a copy that was put back, run "
        "`reminders unlock --as restored --why CODE` before anything is delivered."
    )
    held = words.count(made.clinics, "clinic")
    return [f"It holds {held}: `reminders clinic list`.", "Next: `reminders doctor`." if made.trusted else again]
