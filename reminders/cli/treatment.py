"""The commands that log a treatment, and mark one as entered in error.

Invariant: what an entry leads to is printed with it: its window, and every reminder with its moment and state.
"""

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import typer

from reminders.cli import documents, words
from reminders.cli.options import AsJson, ClinicSlug, Why, day, examples, refuse
from reminders.cli.output import say, say_json, say_table
from reminders.cli.session import opened
from reminders.domain.facts import Kind

if TYPE_CHECKING:
    from reminders.services.overview import EpisodeView


def register(shell: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Treatments: log one, or take one back.", no_args_is_help=True, rich_markup_mode=None)
    shell.add_typer(group, name="treatment")
    group.command(
        "add",
        epilog=examples(
            "reminders treatment add --clinic north --patient 1001 \\",
            "    --protocol botulinum-cosmetic --on 2026-03-02 --ref T-1",
            "reminders treatment add --clinic north --patient 1001 \\",
            "    --protocol botulinum-cosmetic --on 2026-03-03 --ref T-2 --replaces T-1",
        ),
    )(add)
    group.command(
        "void",
        epilog=examples(
            'reminders treatment void --clinic north --ref T-1 --why "wrong patient"',
            "reminders treatment void --clinic north --patient 1001 \\",
            '    --protocol botulinum-cosmetic --on 2026-03-02 --why "entered twice"',
        ),
    )(void)


def add(
    ctx: typer.Context,
    clinic: ClinicSlug,
    *,
    patient: Annotated[str, typer.Option("--patient", metavar="REF", help="The patient, by the clinic's own number.")],
    protocol: Annotated[str, typer.Option("--protocol", metavar="CODE", help="What was done; see `protocol list`.")],
    on: Annotated[dt.date, typer.Option("--on", parser=day, metavar="DAY", help="The day it was done.")],
    practitioner: Annotated[str | None, typer.Option("--practitioner", metavar="NAME", help="Who did it.")] = None,
    ref: Annotated[
        str | None, typer.Option("--ref", metavar="REF", help="The clinic's own number of the entry.")
    ] = None,
    kind: Annotated[Kind, typer.Option("--kind", help="Only a treatment starts the clock.")] = Kind.TREATMENT,
    replaces: Annotated[
        str | None, typer.Option("--replaces", metavar="REF", help="The entry that this one corrects.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Log a treatment, and plan its reminders at once.

    Entering the same again changes nothing. --replaces corrects an entry: steps already sent stay sent.
    """
    from reminders.services.record import NewTreatment  # noqa: PLC0415 - help needs no services

    entry = NewTreatment(patient, protocol, on, practitioner, ref, kind, replaces)
    with opened(ctx) as app:
        logged = app.add_treatment(clinic, entry)
        zone = app.zones()[clinic]
    episode = logged.episode
    if as_json:
        say_json(
            {
                "treatment": documents.treatment(logged.row, clinic, patient, practitioner),
                "window": documents.window(episode.run.window) if episode else None,
                "reminders": [documents.reminder(view) for view in episode.steps] if episode else [],
                "warnings": list(logged.warnings),
            }
        )
        return
    named = f" ({logged.row.ref})" if logged.row.ref else ""
    what = str(kind).replace("_", " ")
    say(f"Logged: {what} {protocol} on {words.day(on)}{named} for patient {patient} of clinic {clinic}.")
    _say_episode(episode, zone, what)
    if episode:
        say(f"`reminders why --clinic {clinic} --patient {patient}` explains each.")
    for warning in logged.warnings:
        say(f"Look twice: {warning}")


def _say_episode(episode: "EpisodeView | None", zone: str, what: str) -> None:
    if episode is None:
        say(f"A {what} never restarts the clock: it has no window and no reminders of its own.")
        return
    run = episode.run
    if run.window is not None:
        say(f"Its window: {words.window(run.window)}.")
    if run.ended_on is not None:
        say(f"It ended on {words.day(run.ended_on)}, when the line was treated again.")
    say()
    shown = say_table(
        ("step", "goes out", "state"),
        ((view.step, words.moment(view.due_at, zone), words.state(view)) for view in episode.steps),
    )
    say() if shown else say("It has no reminders.")


def void(
    ctx: typer.Context,
    clinic: ClinicSlug,
    why: Why,
    ref: Annotated[str | None, typer.Option("--ref", metavar="REF", help="The entry, by the clinic's number.")] = None,
    patient: Annotated[str | None, typer.Option("--patient", metavar="REF", help="Or its patient …")] = None,
    protocol: Annotated[str | None, typer.Option("--protocol", metavar="CODE", help="… with its protocol …")] = None,
    on: Annotated[dt.date | None, typer.Option("--on", parser=day, metavar="DAY", help="… and its day.")] = None,
    as_json: AsJson = False,
) -> None:
    """Mark a treatment as entered in error.

    Its reminders are withdrawn, and those of the line's earlier treatment return where their days last.
    """
    others = (patient, protocol, on)
    if ref is None and None in others:
        refuse("Name the entry with --ref, or with all of --patient, --protocol and --on")
    if ref is not None and others != (None, None, None):
        refuse("Name the entry either with --ref or with --patient, --protocol and --on")
    from reminders.services.log_treatment import NamedTreatment  # noqa: PLC0415 - help needs no services

    with opened(ctx) as app:
        row, person = app.void_treatment(clinic, NamedTreatment(ref, patient, protocol, on), why)
    if as_json:
        say_json({"treatment": documents.treatment(row, clinic, person)})
        return
    say(f"The {row.protocol} of {words.day(row.day)} of patient {person} is marked as entered in error.")
    say(f"`reminders why --clinic {clinic} --patient {person}` shows what became of its reminders.")
