"""The commands by which staff decide on single reminders: release, hold, settle, retry, and a message that came back.

Invariant: of several ids all are moved or none; the reminders are printed as they are afterwards.
"""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from reminders.cli import documents, words
from reminders.cli.options import AnyClinic, AsJson, Id, Ids, Why, examples, number, refuse
from reminders.cli.output import say, say_json, say_table
from reminders.cli.session import opened
from reminders.domain.lifecycle import State

if TYPE_CHECKING:
    from reminders.app import App
    from reminders.services.decide import Decision
    from reminders.store.listing import ListedReminder

UTC = "UTC"
PLANNED_AGAIN, RELEASED = "Planned again", "Released"
LET_GO = (PLANNED_AGAIN, RELEASED)
STOPPED = {
    State.CANCELLED: "Reminder {id} does not go out, it stays withdrawn:",
    State.EXPIRED: "Reminder {id} does not go out any more:",
}
"""What the facts make at once of a reminder that a person lets go, and how that is said."""


class Settled(StrEnum):
    """What a person may say of an unknown message."""

    SENT = "sent"
    PLANNED = "planned"


def register(shell: typer.Typer) -> None:
    """Add the commands."""
    shell.command("release", epilog=examples("reminders release 17 18", "reminders release --clinic north --all"))(
        release
    )
    shell.command("hold", epilog=examples('reminders hold 17 18 --why "ask the practitioner first"'))(hold)
    shell.command("settle", epilog=examples('reminders settle 17 --as sent --why "found in the server\'s log"'))(settle)
    shell.command("retry", epilog=examples("reminders retry 17"))(retry)
    shell.command("bounce", epilog=examples("reminders bounce 17", "reminders bounce 17 --complaint"))(bounce)


def release(
    ctx: typer.Context,
    ids: Annotated[
        list[int] | None, typer.Argument(parser=number, metavar="ID", help="Reminders, by the ids of `list`.")
    ] = None,
    clinic: AnyClinic = None,
    everything: Annotated[bool, typer.Option("--all", help="Everything held at --clinic.")] = False,
    as_json: AsJson = False,
) -> None:
    """Let held reminders go.

    They are planned again, and never held as a backlog again. --all applies the backlog rule first,
    so that it lets go the whole backlog.
    """
    if ids and (everything or clinic):
        refuse("Give either ids, or --clinic with --all")
    if not ids and not (everything and clinic):
        refuse("Name the reminders by their ids, or give --clinic together with --all")
    with opened(ctx) as app:
        decided = app.release(ids) if ids else app.release_all(clinic or "")
        _say(app, decided, RELEASED, "Nothing is held there: nothing was released.", as_json=as_json)


def hold(ctx: typer.Context, ids: Ids, why: Why, as_json: AsJson = False) -> None:
    """Keep planned reminders back until you release them."""
    with opened(ctx) as app:
        _say(app, app.hold(ids, why), "Held", "Nothing was held.", as_json=as_json)


def settle(
    ctx: typer.Context,
    reminder: Id,
    state: Annotated[Settled, typer.Option("--as", help="Whether it arrived, or is to go again.")],
    why: Why,
    as_json: AsJson = False,
) -> None:
    """Decide what became of a message whose fate is unknown.

    `sent` believes that it arrived. `planned` sends it again, and is refused until 15 minutes after it was handed over,
    because a late answer may still settle it.
    """
    with opened(ctx) as app:
        _say(app, app.settle(reminder, State(state), why), "Settled", "Nothing was settled.", as_json=as_json)


def retry(ctx: typer.Context, ids: Ids, as_json: AsJson = False) -> None:
    """Plan failed reminders again."""
    with opened(ctx) as app:
        _say(app, app.retry(ids), PLANNED_AGAIN, "Nothing was planned again.", as_json=as_json)


def bounce(
    ctx: typer.Context,
    reminder: Id,
    complaint: Annotated[bool, typer.Option("--complaint", help="Its reader called it unwanted.")] = False,
    as_json: AsJson = False,
) -> None:
    """Note that a sent message came back.

    The clinic no longer writes to its address.
    """
    with opened(ctx) as app:
        decided = app.came_back(reminder, complaint=complaint)
        _say(app, decided, "Recorded", "Nothing was recorded.", as_json=as_json)


def _say(app: "App", decided: "Decision", done: str, nothing: str, *, as_json: bool) -> None:
    if as_json:
        say_json(documents.decision(decided))
        return
    if not decided.reminders:
        say(nothing)
        return
    known = app.zones()
    stopped = [row for row in decided.reminders if row.state in STOPPED and done in LET_GO]
    if len(stopped) < len(decided.reminders):
        say(f"{done}: {words.count(len(decided.reminders) - len(stopped), 'reminder')}.")
    for row in stopped:
        say(f"{STOPPED[row.state].format(id=row.id)} {_because(row, known.get(row.clinic, UTC))}")
    say_table(
        ("id", "patient", "step", "due", "state"),
        (
            (row.id, row.patient, row.step, words.moment(row.due_at, known.get(row.clinic, UTC)), words.state(row))
            for row in decided.reminders
        ),
    )


def _because(row: "ListedReminder", zone: str) -> str:
    from reminders.services.explain import reason_words  # noqa: PLC0415 - help needs no services

    return reason_words(row, zone)
