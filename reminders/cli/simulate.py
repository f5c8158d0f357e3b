"""The command that looks ahead: who would receive what on which day if nothing changed.

Invariant: nothing is sent and nothing is stored.
"""

from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from reminders.cli import words
from reminders.cli.documents import day as iso_day
from reminders.cli.documents import moment as iso_moment
from reminders.cli.options import AsJson, ClinicSlug, examples, malformed, number
from reminders.cli.output import progress, say, say_json, say_table
from reminders.cli.session import opened

if TYPE_CHECKING:
    from reminders.services.foresight.simulate import Foreseen, Foresight

LONGEST, USUAL = 730, 90
COLUMNS = ("day", "time", "patient", "class", "message", "steps")


def register(shell: typer.Typer) -> None:
    """Add the command."""
    shell.command(
        "simulate",
        epilog=examples("reminders simulate --clinic north", "reminders simulate --clinic north --days 365 --json"),
    )(simulate)


def _days(text: str) -> int:
    found = number(text)
    return found if found <= LONGEST else malformed(f"write a number of days from 1 to {LONGEST}")


def simulate(
    ctx: typer.Context,
    clinic: ClinicSlug,
    days: Annotated[
        int | None,
        typer.Option("--days", parser=_days, metavar="N", help="How far ahead: 90 without it, at most 730."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show who would receive what on which day.

    Nothing is sent and nothing is stored: the time passes on a private copy of the clinic, without names, with the
    program's own planning and delivery. It is taken that nobody answers, nobody is treated, nothing is changed, and
    the mail server is well. With --json:
    `clinic`, `from`, `to`, `messages` [{`day`, `at`, `patient`, `class`, `message`, `reminders` [{`step`,
    `protocol`}]}], `kept_back` [{`state`, `reason`, `count`}] (what falls due in that time and would not go), and
    `locked`: why sending is locked, or null.
    """
    with opened(ctx) as app, progress("Looking ahead", as_json=as_json) as watch:
        found = app.simulate(clinic, days or USUAL, watch)
    if as_json:
        say_json(_document(found))
        return
    zone = found.clinic.timezone
    if found.messages:
        say_table(COLUMNS, (_row(one, zone) for one in found.messages))
        say()
    people = len({one.patient for one in found.messages})
    span = f"From today to {words.day(found.last)}, if nothing changes"
    told = f"{words.count(len(found.messages), 'message')} to {words.count(people, 'patient')}"
    say(f"{span}: {told}. Times are those of {zone}.")
    if found.locked is not None:
        why = str(found.locked).replace("_", " ")
        say(f"Sending is locked ({why}): none of this goes out until that is lifted. `reminders doctor` tells more.")
    if found.clinic.paused_at is not None:
        say("The clinic is paused: nothing goes out until it is resumed.")
    for state, reason, count in found.kept_back:
        why = f" ({str(reason).replace('_', ' ')})" if reason else ""
        say(f"Would not go: {words.count(count, 'reminder')}, {str(state).replace('_', ' ')}{why}.")


def _row(one: "Foreseen", zone: str) -> tuple[str, ...]:
    steps = " + ".join(f"{step.replace('_', ' ')} of {protocol}" for step, protocol in one.reminders)
    local = one.at.astimezone(ZoneInfo(zone))
    return words.day(one.day), f"{local:%H:%M}", one.patient, one.class_name, one.kind.replace("_", " "), steps


def _document(found: "Foresight") -> dict[str, Any]:
    return {
        "clinic": found.clinic.slug,
        "from": iso_day(found.first),
        "to": iso_day(found.last),
        "messages": [
            {
                "day": iso_day(one.day),
                "at": iso_moment(one.at),
                "patient": one.patient,
                "class": one.class_name,
                "message": one.kind,
                "reminders": [{"step": step, "protocol": protocol} for step, protocol in one.reminders],
            }
            for one in found.messages
        ],
        "kept_back": [
            {"state": str(state), "reason": None if reason is None else str(reason), "count": count}
            for state, reason, count in found.kept_back
        ],
        "locked": None if found.locked is None else str(found.locked),
    }
