"""The commands that book a day for a patient, and note what became of it.

Invariant: the id that `add` prints is the one that `set` takes.
"""

import datetime as dt
from typing import Annotated

import typer

from reminders.cli import words
from reminders.cli.options import AsJson, ClinicSlug, Line, PatientRef, day, examples, number
from reminders.cli.output import say, say_json
from reminders.cli.session import opened
from reminders.domain.facts import Outcome


def register(shell: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        help="Appointments: booked, and what became of them.", no_args_is_help=True, rich_markup_mode=None
    )
    shell.add_typer(group, name="appointment")
    group.command(
        "add",
        epilog=examples(
            "reminders appointment add --clinic north --patient 1001 \\", "    --on 2026-06-10 --line face"
        ),
    )(add)
    group.command("set", epilog=examples("reminders appointment set 17 --outcome kept"))(settle)


def add(
    ctx: typer.Context,
    clinic: ClinicSlug,
    ref: PatientRef,
    on: Annotated[dt.date, typer.Option("--on", parser=day, metavar="DAY", help="The day that is booked.")],
    line: Line = None,
    as_json: AsJson = False,
) -> None:
    """Note a booked consultation or treatment.

    The line's reminders stop, every line's without --line. They return when it is missed or cancelled, or when nothing
    is logged within 7 days of it. A day that was cancelled, missed or kept is open again when it is booked again.
    """
    with opened(ctx) as app:
        booked = app.add_appointment(clinic, ref, on, line)
    if as_json:
        document = {"id": booked, "clinic": clinic, "patient": ref, "on": on.isoformat(), "line": line}
        say_json(document | {"outcome": None})
        return
    say(f"Appointment {booked}: patient {ref} of clinic {clinic} on {words.day(on)}, {line or 'every line'}, open.")
    say(f"Afterwards: `reminders appointment set {booked} --outcome kept` (or missed, or cancelled).")


def settle(
    ctx: typer.Context,
    appointment: Annotated[int, typer.Argument(parser=number, metavar="ID", help="The appointment.")],
    outcome: Annotated[Outcome, typer.Option("--outcome", help="What became of it.")],
    as_json: AsJson = False,
) -> None:
    """Note what became of an appointment."""
    with opened(ctx) as app:
        quiet = app.set_outcome(appointment, outcome)
    if as_json:
        say_json({"id": appointment, "outcome": str(outcome)})
        return
    peace = f"nothing that it stopped goes out before {words.day(quiet)}"
    after = {
        Outcome.KEPT: "reminders return if no treatment is logged within 7 days of it.",
        Outcome.MISSED: f"{peace}; `reminders why` tells what returns.",
        Outcome.CANCELLED: "reminders whose days last are planned again.",
    }
    say(f"Appointment {appointment} is recorded as {outcome}: {after[outcome]}")
