"""The command that makes the stored reminders agree with the facts.

Invariant: it prints what it changed; run again at once, it changes nothing.
"""

import typer

from reminders.cli import documents, words
from reminders.cli.options import AsJson, examples
from reminders.cli.output import progress, say, say_json
from reminders.cli.session import opened


def register(shell: typer.Typer) -> None:
    """Add the command."""
    shell.command("plan", epilog=examples("reminders plan", "reminders plan --json"))(plan)


def plan(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Make the stored reminders agree with the facts.

    It says what changed. Every other command plans the patients it touches, so there is usually nothing left to do.
    """
    with opened(ctx) as app, progress("Planning", as_json=as_json) as watch:
        outcome = app.plan(watch)
    if as_json:
        say_json(documents.plan(outcome))
        return
    looked = words.count(outcome.patients, "patient")
    if outcome.skipped:
        say(f"{words.count(outcome.skipped, 'patient')} left out: their rows cannot be read, see `reminders doctor`.")
    if not outcome.changes and not outcome.backlog_held:
        say(f"Looked at {looked}: every reminder agrees with the facts, nothing was changed.")
        return
    say(f"Looked at {looked}. Reminders: {words.plan(outcome)}.")
    if outcome.backlog_held:
        say(
            f"{words.count(outcome.backlog_held, 'reminder')} held as a backlog: look with "
            "`reminders list --state held`, let go with `reminders release --clinic SLUG --all`."
        )
