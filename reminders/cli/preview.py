"""The command that shows a message exactly as it would be sent.

Invariant: nothing is sent and nothing is stored; the files it writes are readable by their owner alone.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reminders.cli import documents, words
from reminders.cli.options import AsJson, ClinicSlug, PatientRef, examples
from reminders.cli.output import say, say_json, write_file
from reminders.cli.session import opened
from reminders.domain.protocol import STEP_NAMES
from reminders.errors import CannotDo
from reminders.mail.compose import as_page

if TYPE_CHECKING:
    from reminders.services.preview import Preview


class WouldBeRefused(CannotDo):
    """This message would not be sent, for {count}: mend the wording or the detail, then look again."""


def register(shell: typer.Typer) -> None:
    """Add the command."""
    shell.command(
        "preview",
        epilog=examples(
            "reminders preview --clinic north --patient 1001",
            "reminders preview --clinic north --patient 1001 --step follow_up --out mail",
        ),
    )(preview)


def preview(
    ctx: typer.Context,
    clinic: ClinicSlug,
    patient: PatientRef,
    step: Annotated[
        str | None, typer.Option("--step", metavar="NAME", help=f"{', '.join(STEP_NAMES)}; else the next one.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Write message.eml, message.html and message.txt there.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show a message exactly as it would be sent.

    It is the patient's next one, or that of --step: headers, subject and text. The HTML part is
    written with --out. Links are made when a message is sent: those shown here open nothing.
    """
    with opened(ctx) as app:
        found = app.preview(clinic, patient, step)
        zone = app.zones()[clinic]
    written = write_message(found, out) if out is not None else []
    finish(found, zone, written, as_json=as_json)


def finish(found: "Preview", zone: str, written: list[Path], *, as_json: bool) -> None:
    """Print a message; raises `WouldBeRefused` where it would not be sent."""
    if as_json:
        say_json({**documents.preview(found), "files": [str(path) for path in written]})
    else:
        say_message(found, zone)
        for path in written:
            say(f"Written: {path}")
    if found.complaints:
        raise WouldBeRefused(count=words.count(len(found.complaints), "complaint"))


def say_message(found: "Preview", zone: str) -> None:
    """Print a message's headers and text, when it is due, and what would be refused in it."""
    for name, value in found.headers:
        say(f"{name}: {value}")
    say()
    say(found.text.rstrip("\n"))
    say()
    step = found.step.replace("_", " ")
    say(f"-- This is the {step}, {found.state}; it is due on {words.moment(found.due_at, zone)} ({zone}).")
    if found.together:
        others = ", ".join(f"{protocol} {name.replace('_', ' ')}" for protocol, name in found.together)
        say(f"-- It goes out as one message with: {others}.")
    if found.stage != found.step:
        say(f"-- {_worded_as(found)}")
    say(f"-- Beside the text stands an HTML part of {len(found.html)} characters; --out DIR writes it.")
    for complaint in found.complaints:
        say(f"-- It would be refused: {complaint}")
    for warning in found.warnings:
        say(f"-- Look at this: {warning}")


def _worded_as(found: "Preview") -> str:
    stage = found.stage.replace("_", " ")
    if found.together:
        return f"It is worded as the {stage}, the earliest among what goes out in it."
    return f"It is worded as the {stage}, because nothing was sent yet in this episode."


def write_message(found: "Preview", folder: Path) -> list[Path]:
    """Write a message's parts into a folder; return the files."""
    contents = {
        "message.eml": found.content,
        "message.html": as_page(found.content).encode(),
        "message.txt": found.text.encode(),
    }
    for name, content in contents.items():
        write_file(folder / name, content)
    return [folder / name for name in contents]
