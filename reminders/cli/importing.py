"""The command that brings in a clinic's export, and tells a person what to look at afterwards.

Invariant: the report is the same in words and in JSON; it names rows, columns and codes, and no patient's name.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reminders.cli import words
from reminders.cli.options import AsJson, ClinicSlug, Pair, examples, pair, refuse
from reminders.cli.output import progress, say, say_json, say_table
from reminders.cli.session import opened

if TYPE_CHECKING:
    from reminders.services.importing.bring_in import Progress
    from reminders.services.importing.report import ImportReport, RowProblem

SHOWN = 20
STAGES = {"read": "Reading", "check": "Checking", "store": "Storing"}


def register(shell: typer.Typer) -> None:
    """Add the command."""
    shell.command(
        "import",
        epilog=examples(
            "reminders import visits.csv --clinic north --dry-run",
            "reminders import visits.csv --clinic north --values services.csv \\",
            "    --errors rejected.csv",
            'reminders import visits.xlsx --clinic north --map patient_ref="Client ID" \\',
            '    --map treated_on="Date" --date-format %d/%m/%Y',
        ),
    )(bring_in)


def bring_in(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV or XLSX file.")],
    clinic: ClinicSlug,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would happen.")] = False,
    errors: Annotated[
        Path | None,
        typer.Option("--errors", metavar="FILE", help="Write the rejected rows there, each with its problem."),
    ] = None,
    mapping: Annotated[
        list[Pair] | None,
        typer.Option("--map", parser=pair, metavar="NAME=COLUMN", help="How the file calls a column; repeat it."),
    ] = None,
    values: Annotated[
        Path | None, typer.Option("--values", metavar="FILE", help="The clinic's service names: value,protocol[,kind].")
    ] = None,
    date_format: Annotated[
        str | None, typer.Option("--date-format", metavar="FORMAT", help="How days are written, such as %d/%m/%Y.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Import a clinic's export of visits from CSV or XLSX.

    A second run of the same file changes nothing. Rejected rows are reported and leave the others unharmed. A file of
    years of visits surprises nobody: what lies too far back is not sent, and a backlog is held for you to release.
    """
    from reminders.services.importing.report import ImportRequest  # noqa: PLC0415 - help needs no services

    pairs = tuple(mapping or ())
    if len({one.name for one in pairs}) < len(pairs):
        refuse("--map names a column twice: give each NAME once")
    request = ImportRequest(file, clinic, dry_run, errors, pairs, values, date_format)
    with opened(ctx) as app, _staged(as_json=as_json) as watch:
        report = app.bring_in(request, watch)
    if as_json:
        say_json(report.as_plain())
        return
    _say_report(report, clinic)


@contextmanager
def _staged(*, as_json: bool) -> Iterator["Progress | None"]:
    """Show how far each stage is."""
    with progress("Importing", as_json=as_json) as tell:
        if tell is None:
            yield None
            return
        show = tell
        yield lambda stage, done, total: show(done, total, STAGES.get(stage, stage))


def _say_report(report: "ImportReport", clinic: str) -> None:
    would = "would be " if report.dry_run else ""
    if report.dry_run:
        say("A dry run: nothing is changed.")
    if report.rows == 0:
        say("The file has no data rows.")
    say(
        f"{words.count(report.rows, 'row').capitalize()}: {report.added} {would}added, "
        f"{report.changed} {would}changed, {report.unchanged} unchanged, {report.rejected} rejected."
    )
    say(
        f"{words.count(report.patients_added, 'patient').capitalize()}, "
        f"{words.count(report.treatments_added, 'treatment')} and "
        f"{words.count(report.appointments_added, 'appointment')} {would}added."
    )
    for sentence in _to_look_at(report):
        say(sentence)
    _say_problems("Rejected rows", report.errors, report.errors_left_out)
    _say_problems("Taken, and to look at", report.warnings, report.warnings_left_out)
    if report.unmapped_services:
        say()
        say("Service names that no protocol is known for (map them in a file and give it as --values):")
        say_table(("name", "rows"), report.unmapped_services)
    for step in report.next_steps:
        say(f"Next: {step}")
    if not report.dry_run and not report.next_steps:
        say(f"Next: `reminders list --clinic {clinic}` shows the plan.")


def _to_look_at(report: "ImportReport") -> list[str]:
    """Return what a person should know, a sentence each; what did not happen is left out."""
    cannot = ", ".join(
        f"{number} {reason.replace('_', ' ')}" for reason, number in report.unreachable.items() if number
    )
    twins = "; ".join(f"{held} like {other}" for held, other in report.possible_duplicates[:SHOWN])
    pairs = (
        (report.planned, f"{words.count(report.planned, 'reminder')} of these patients planned."),
        (
            report.held_as_backlog,
            f"{words.count(report.held_as_backlog, 'reminder')} held as a backlog: `reminders list --state held`.",
        ),
        (cannot, f"Patients who cannot be reached: {cannot}."),
        (
            report.consent_unknown,
            f"{words.count(report.consent_unknown, 'patient')} of unknown consent: see `clinic set --unknown-consent`.",
        ),
        (
            report.touch_up_count,
            f"{words.count(report.touch_up_count, 'row')} taken as a touch-up: the same line within 28 days.",
        ),
        (report.placeholders, f"{words.count(report.placeholders, 'placeholder address', 'placeholder addresses')}."),
        (report.lost_letters, f"{words.count(report.lost_letters, 'patient')} whose name lost letters in the export."),
        (
            report.possible_duplicate_count,
            f"{words.count(report.possible_duplicate_count, 'patient')} held, may be there twice: {twins}.",
        ),
        (report.new_practitioners, f"New practitioners: {'; '.join(report.new_practitioners)}."),
        (report.new_locations, f"New locations: {', '.join(report.new_locations)}."),
        (report.ignored_columns, f"Columns that are not used: {', '.join(report.ignored_columns)}."),
    )
    return [sentence for there, sentence in pairs if there]


def _say_problems(title: str, problems: "tuple[RowProblem, ...]", left_out: int) -> None:
    if not problems:
        return
    say()
    say(f"{title}:")
    shown = problems[:SHOWN]
    say_table(("row", "column", "problem"), ((one.row, one.column, one.problem) for one in shown))
    more = len(problems) - len(shown) + left_out
    if more:
        say(f"… and {more} more: --errors FILE writes the rejected ones, --json lists them.")
