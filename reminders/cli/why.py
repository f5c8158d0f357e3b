"""The command that answers, for every step of a patient: sent when, or when it will be, or why not.

Invariant: no step is left out, and each has one sentence.
"""

from typing import TYPE_CHECKING

import typer

from reminders.cli import documents, words
from reminders.cli.options import AsJson, ClinicSlug, PatientRef, examples
from reminders.cli.output import say, say_json
from reminders.cli.session import opened
from reminders.domain.protocol import line_of

if TYPE_CHECKING:
    from reminders.services.explain import EpisodeReason, Explanation, StepReason


def register(shell: typer.Typer) -> None:
    """Add the command."""
    shell.command(
        "why",
        epilog=examples(
            "reminders why --clinic north --patient 1001", "reminders why --clinic north --patient 1001 --json"
        ),
    )(why)


def why(ctx: typer.Context, clinic: ClinicSlug, patient: PatientRef, as_json: AsJson = False) -> None:
    """Explain every step of a patient: sent, to come, or why not.

    Each step has one sentence: when it was sent, when it will be, or why it is not and what would change that.
    """
    with opened(ctx) as app:
        found = app.why(clinic, patient)
    if as_json:
        say_json(documents.explanation(found))
        return
    _say_person(found)
    for episode in found.episodes:
        say()
        _say_episode(episode)


def _say_person(found: "Explanation") -> None:
    zone = found.patient.clinic.timezone
    say(f"Patient {found.patient.ref} of clinic {found.patient.clinic.slug}; times are those of {zone}.")
    for note in found.notes:
        say(note)
    if not found.episodes:
        say("No treatment is recorded, so there is nothing to remind of.")


def _say_episode(episode: "EpisodeReason") -> None:
    run = episode.view.run
    line = line_of(run.episode.line)
    name = f"{line}: {run.protocol.name} ({run.protocol.code})" if run.protocol else line
    ref = f", entry {run.treatment.ref}" if run.treatment and run.treatment.ref else ""
    say(f"{name}, treated on {words.day(run.day or run.episode.first_day)}{ref}")
    if run.window is not None:
        say(f"  The window {words.window(run.window)}.")
    for note in episode.notes:
        say(f"  {note}")
    if not episode.steps:
        say("  It has no steps.")
    width = max((len(_label(step)) for step in episode.steps), default=0)
    for step in episode.steps:
        number = f"  [{step.view.id}]" if step.view.id is not None else ""
        say(f"  {words.mark(step.view)} {_label(step):<{width}}  {step.sentence}{number}")


def _label(step: "StepReason") -> str:
    name = step.view.step.replace("_", " ")
    return name if step.view.copy == 0 else f"{name} (sent again by hand, {step.view.copy})"
