"""The commands by which a person lifts the lock on sending, and keeps a copy of everything.

Invariant: what follows from a word is said before it is forgotten: how many reminders wait for a person now.
"""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reminders.cli import words
from reminders.cli.options import AsJson, examples
from reminders.cli.output import say, say_json
from reminders.cli.session import opened, settings_of

if TYPE_CHECKING:
    from reminders.services.backup import Backup
    from reminders.services.guarding.unlock import Unlocked

MB = 1_000_000


class Said(StrEnum):
    """What a person may say of a locked installation."""

    MOVED = "moved"
    RESTORED = "restored"
    CLOCK = "clock"


def register(shell: typer.Typer) -> None:
    """Add the commands."""
    shell.command("backup", epilog=examples("reminders backup /media/usb/reminders-2026-03-25.db"))(backup)
    shell.command(
        "unlock",
        epilog=examples(
            "reminders unlock --as moved --why new-disk",
            "reminders unlock --as restored --why disk-crash",
            "reminders unlock --as clock --why clock-was-set",
        ),
    )(unlock)


def backup(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The copy, a file that is not there yet.")],
    as_json: AsJson = False,
) -> None:
    """Keep a consistent copy of the database while everything runs.

    Keep a copy of the secret key too, in another place: without it the copy opens nothing. PostgreSQL is copied with
    its program pg_dump.
    """
    with opened(ctx) as app:
        made = app.back_up(file)
    if as_json:
        say_json({"file": str(made.place), "bytes": made.size})
        return
    settings = settings_of(ctx)
    key = "" if settings.secret_key else f" The secret key {settings.secret_key_file} is not in it: keep a copy apart."
    say(f"Copied the database to {made.place}, {_size(made.size)}.{key}")
    say(_how_to_put_back(made))


def unlock(
    ctx: typer.Context,
    answer: Annotated[Said, typer.Option("--as", help="How things stand.")],
    why: Annotated[str, typer.Option("--why", metavar="CODE", help="A short code for the audit trail.")],
    as_json: AsJson = False,
) -> None:
    """Let sending go on after it locked itself.

    `moved`: the database was moved, and nothing was sent elsewhere. `restored`: an older copy was put back; whatever
    was due by now is held, because it may have been sent since the copy was made. `clock`: the machine's clock is
    right.
    """
    from reminders.services.guarding.unlock import Answer  # noqa: PLC0415 - help needs no services

    with opened(ctx) as app:
        done = app.unlock(Answer(answer.value), why)
    if as_json:
        say_json({"because": done.because, "as": done.answer, "held": done.held})
        return
    for sentence in _sentences(done):
        say(sentence)


def _sentences(done: "Unlocked") -> list[str]:
    said = ["Sending is unlocked: the next delivery sends what is due."]
    if done.held:
        said.append(
            f"{words.count(done.held, 'reminder')} held: each may have been sent since the copy was made. Look into "
            "the mail server's log, then `reminders list --state held`, and `reminders release ID` what did not go out."
        )
    if done.answer.value == Said.RESTORED.value:
        said.append("What was recorded since the copy was made is not here: record it again, opt-outs first.")
    return said


def _how_to_put_back(made: "Backup") -> str:
    if made.is_file:
        return (
            "To put it back: stop the program, remove the database's -wal and -shm files, copy this file over the "
            "database, and run `reminders doctor`. Sending is then locked until `reminders unlock --as restored`."
        )
    return (
        "To put it back: stop the program, `pg_restore --clean --if-exists --dbname=NAME` this file, and run "
        "`reminders doctor`. Sending is then locked until `reminders unlock --as restored`."
    )


def _size(size: int) -> str:
    return f"{size / MB:.1f} MB" if size >= MB else f"{max(size // 1000, 1)} kB"
