"""The commands about what patients answered: the list of what staff are asked, and closing what is dealt with.

Invariant: what a patient wrote is shown here alone, to the staff it was written for.
"""

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import typer

from reminders.cli import documents, words
from reminders.cli.options import AnyClinic, AsJson, Why, examples, number
from reminders.cli.output import say, say_json, say_table
from reminders.cli.session import opened
from reminders.domain.protocol import line_of

if TYPE_CHECKING:
    from reminders.services.answering.requests import RequestView

ASKED = {
    "consultation_requested": "consultation requested",
    "phone_me": "PHONE: something changed",
    "replied": "replied",
    "booked": "already booked",
    "treated_elsewhere": "treated elsewhere",
    "remind_later": "remind later",
    "wrong_person": "wrong person",
    "stopped": "stopped messages",
}
TIMES = {
    "any": "at any time",
    "morning": "in the morning",
    "afternoon": "in the afternoon",
    "evening": "in the evening",
}
"""When it suits the patient: the call as well as the visit, as the page asks it."""

WAYS = {"phone": "by phone", "email": "by e-mail"}


def register(shell: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="What patients asked or answered, until staff have dealt with it.", no_args_is_help=True)
    group.command(
        "list",
        epilog=examples("reminders requests list", "reminders requests list --clinic north --all --json"),
    )(list_requests)
    closings = (
        'reminders requests close 12 --why "phoned, booked for 3 March"',
        'reminders requests close 12 --untrue --why "was treated here, not elsewhere"',
    )
    group.command("close", epilog=examples(*closings))(close)
    shell.add_typer(group, name="requests")


def list_requests(
    ctx: typer.Context,
    clinic: AnyClinic = None,
    everything: Annotated[bool, typer.Option("--all", help="Also what is closed or withdrawn.")] = False,
    as_json: AsJson = False,
) -> None:
    """List what patients asked or answered.

    Who asks for a call because something changed comes first, then the oldest. It stays on the list until you close it.
    """
    with opened(ctx) as app:
        found = app.requests(clinic, closed=everything)
        now = app.clock.now()
    if as_json:
        say_json([documents.request(view, now) for view in found])
        return
    if not found:
        say("There is nothing on the list." if everything else "Nothing is open.")
        return
    heads = ("id", "since", "clinic", "patient", "what", "with", "how · when it suits", "number", "line", "note")
    say_table(heads, [_row(view, now) for view in found])
    say("`reminders requests close ID --why TEXT` takes one off the list once it is dealt with.")


def close(
    ctx: typer.Context,
    request: Annotated[int, typer.Argument(parser=number, metavar="ID", help="A request, by its id in the list.")],
    why: Why,
    untrue: Annotated[bool, typer.Option("--untrue", help="What was said does not hold: withdraw it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Close a request that is dealt with.

    Reminders that waited for it return where their days last. What a patient said for good stays: treated elsewhere, a
    day to be reminded on, a wrong address, messages stopped. With --untrue the first two are withdrawn, also when they
    are closed already, and the reminders return.
    """
    with opened(ctx) as app:
        found = app.close_request(request, why, untrue=untrue)
        now = app.clock.now()
    if as_json:
        say_json(documents.request(found, now))
        return
    became = "withdrawn" if untrue else "closed"
    say(f"Request {found.id} of patient {found.patient} of clinic {found.clinic} is {became}.")


def _row(view: "RequestView", now: dt.datetime) -> tuple[object, ...]:
    lines = "every line" if view.lines is None else ", ".join(line_of(line) for line in view.lines)
    when = " · ".join(part for part in (WAYS.get(view.contact_by or ""), TIMES.get(view.contact_when or "")) if part)
    if view.scope:
        lines = "all messages" if view.scope == "all" else f"{view.scope} messages"
    return (
        *(view.id, _since(view, now), view.clinic, view.patient, _what(view)),
        *(view.practitioner, when, view.phone or "no number on file", lines, " / ".join(view.note.split("\n"))),
    )


def _what(view: "RequestView") -> str:
    named = ASKED[view.kind]
    if view.day is not None:
        told = f"{view.day:%B %Y}" if view.kind == "treated_elsewhere" else words.day(view.day)
        named = f"{named} ({told})"
    if view.withdrawn_at is not None:
        return f"{named}, withdrawn"
    return f"{named}, closed" if view.closed_at is not None else named


def _since(view: "RequestView", now: dt.datetime) -> str:
    """Return how long a request has waited, or when it came where that is less than an hour."""
    hours = int((now - view.at).total_seconds()) // 3600
    if hours < 1:
        return "just now"
    return words.count(hours, "hour") if hours < 48 else words.count(hours // 24, "day")  # noqa: PLR2004 - two days
