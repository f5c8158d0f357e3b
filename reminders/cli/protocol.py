"""The commands about the catalogue of protocols: look at it, take it out to edit, bring it back.

Invariant: what `export` prints, `import` takes back unchanged.
"""

import sys

import typer

from reminders.cli import words
from reminders.cli.documents import plan as plan_document
from reminders.cli.options import AsJson, File, examples
from reminders.cli.output import say, say_json, say_notes, say_table
from reminders.cli.session import opened


def register(shell: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="The catalogue of protocols.", no_args_is_help=True, rich_markup_mode=None)
    shell.add_typer(group, name="protocol")
    group.command("list", epilog=examples("reminders protocol list", "reminders protocol list --json"))(list_protocols)
    group.command("import", epilog=examples("reminders protocol import catalogue.yaml"))(bring_in)
    group.command("export", epilog=examples("reminders protocol export > catalogue.yaml"))(export)


def list_protocols(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the protocols with their lines, windows and steps."""
    from reminders.domain.definition import as_plain  # noqa: PLC0415 - help needs no catalogue

    with opened(ctx) as app:
        found = app.protocols()
    if as_json:
        say_json([as_plain(protocol) for protocol in found])
        return
    if not found:
        say("The catalogue is empty: `reminders init` brings the starter protocols.")
        return
    say_table(
        ("code", "name", "class", "line", "opens", "due", "overdue", "closes", "steps", "version", "state"),
        (
            (
                *(one.code, one.name, one.class_name, one.line, one.opens, one.due, one.overdue, one.closes),
                *(len(one.steps), one.version, "on" if one.active else "off until a practitioner sets it"),
            )
            for one in found
        ),
    )


def bring_in(ctx: typer.Context, file: File, as_json: AsJson = False) -> None:
    """Take in a catalogue file, as a whole or not at all.

    Every difference becomes a new version, and what is not sent yet is planned again. Leaving a protocol out of
    the file changes nothing.
    """
    with opened(ctx) as app:
        outcome = app.import_protocols(file)
    if as_json:
        codes = {name: list(getattr(outcome, name)) for name in ("added", "changed", "unchanged")}
        say_json({**codes, "plan": plan_document(outcome.plan), "warnings": list(outcome.warnings)})
        return
    for verb, codes_of in (("Added", outcome.added), ("Changed", outcome.changed)):
        if codes_of:
            say(f"{verb}: {', '.join(codes_of)}.")
    say_notes(outcome.warnings)
    if not (outcome.added or outcome.changed):
        say("Nothing differs from the stored catalogue: nothing was changed.")
        return
    say(f"Reminders planned again: {words.plan(outcome.plan)}.")


def export(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Print the catalogue as a file to edit.

    It is YAML, with --json JSON; `import` reads both.
    """
    if as_json:
        list_protocols(ctx, as_json=True)
        return
    with opened(ctx) as app:
        sys.stdout.write(app.export_protocols())
