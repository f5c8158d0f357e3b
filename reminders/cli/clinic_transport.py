"""The command that gives a clinic a mail server of its own, or lets it use the shared one again.

Invariant: an address with its password comes from a file or standard input, never from the command line, where other
users and the shell's history would see it; what is printed names scheme, host and port alone.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reminders.cli.options import AsJson, SlugArgument, examples, refuse
from reminders.cli.output import say, say_json
from reminders.cli.session import opened
from reminders.errors import BadInput

if TYPE_CHECKING:
    from reminders.store.clinics import Clinic

LONGEST = 10_000
CLOSED = "cannot be opened"
UrlFile = Annotated[
    str | None,
    typer.Option(
        "--url-file",
        metavar="FILE",
        help="A file with smtp://user:password@host:587 or the like; - reads it here.",
    ),
]


class UnreadableUrlFile(BadInput):
    """The file {path} with the address of the mail server cannot be read: check its name and its mode."""


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command(
        "transport",
        epilog=examples(
            "reminders clinic transport north --url-file north-smtp.txt",
            "pass show north/smtp | reminders clinic transport north --url-file -",
            "reminders clinic transport north --shared",
        ),
    )(transport)


def transport(
    ctx: typer.Context,
    slug: SlugArgument,
    url_file: UrlFile = None,
    shared: Annotated[bool, typer.Option("--shared", help="Send by the server of REMINDERS_SMTP_URL again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Give a clinic a mail server of its own, or take it back.

    It is stored encrypted. With `rate=600` among its options the server gets at most 600 messages a minute.
    """
    if shared == (url_file is not None):
        refuse("Give either --url-file or --shared")
    url = _read(url_file) if url_file is not None else None
    with opened(ctx) as app:
        if url is None:
            app.share_transport(slug)
        name = None if url is None else app.give_transport(slug, url)
    if as_json:
        say_json({"clinic": slug, "transport": name})
    elif name is None:
        say(f"Clinic {slug} sends by the server of REMINDERS_SMTP_URL, with all that have none of their own.")
    else:
        say(f"Clinic {slug} sends by {name} from the next delivery on. `reminders doctor --clinic {slug}` tries it.")


def name(clinic: "Clinic", own: Mapping[str, str | None]) -> str | None:
    """Return the scheme, host and port of the clinic's own transport; None where it shares one."""
    return (own[clinic.slug] or CLOSED) if clinic.slug in own else None


def _read(path: str) -> str:
    try:
        if path == "-":
            return typer.get_text_stream("stdin").read(LONGEST)
        with Path(path).open(encoding="utf-8") as file:
            return file.read(LONGEST)
    except (OSError, ValueError):
        raise UnreadableUrlFile(path=path) from None
