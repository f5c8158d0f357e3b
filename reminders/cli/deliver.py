"""The command that sends everything that is due now, and says when there is something to do again.

Invariant: it exits 0 when its round is done whatever the outcomes, and 1 when the transport rests; the outcome is
printed in both cases.
"""

import datetime as dt
from collections.abc import Collection
from typing import TYPE_CHECKING

import typer

from reminders.cli import documents, words
from reminders.cli.options import AsJson, examples
from reminders.cli.output import progress, say, say_json
from reminders.cli.session import opened, zones
from reminders.errors import CannotDo

if TYPE_CHECKING:
    from reminders.services.deliver import DeliverOutcome


class TransportRests(CannotDo):
    """The mail server cannot be used now ({fault}): nothing is claimed before {until}, and nothing is lost meanwhile.

    `reminders doctor` shows what is wrong with it.
    """


def register(shell: typer.Typer) -> None:
    """Add the command."""
    shell.command(
        "deliver",
        epilog=examples(
            "reminders deliver",
            "reminders deliver --json",
        ),
    )(deliver)


def deliver(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Send everything that is due now, then end.

    What a killed delivery left is put right first. Outside a clinic's sending hours nothing of it goes out. Run it
    every few minutes, by cron for example: two at a time are safe.
    """
    with opened(ctx) as app:
        with progress("Delivering", as_json=as_json) as watch:
            outcome = app.deliver(watch)
        known = set(zones(app).values())
        now = app.clock.now()
    if as_json:
        say_json(documents.delivered(outcome))
    else:
        for sentence in sentences(outcome, known, now):
            say(sentence)
    if outcome.stopped is not None:
        until = _when(outcome.open_until, known) if outcome.open_until else "its next try"
        raise TransportRests(fault=outcome.stopped, until=until)


def sentences(outcome: "DeliverOutcome", known_zones: Collection[str], now: dt.datetime) -> list[str]:
    """Return what a delivery did and when the next one has something to do; `known_zones` are the clinics'."""
    said = [sentence for number, sentence in _happened(outcome) if number]
    if not said:
        said = ["Nothing was due: nothing was sent."]
    elif not outcome.sent:
        said = ["Nothing was sent.", *said]
    if outcome.next_at is None:
        said.append("Nothing is planned: there is nothing to deliver until something is recorded or released.")
    elif outcome.next_at <= now:
        said.append("There is more to do right now: run `reminders deliver` again.")
    else:
        said.append(f"The next delivery has something to do on {_when(outcome.next_at, known_zones)}.")
    return said


def _happened(outcome: "DeliverOutcome") -> list[tuple[int, str]]:
    def of(number: int) -> str:
        return words.count(number, "reminder")

    return [
        (outcome.sent, f"Sent {of(outcome.sent)}."),
        (outcome.deferred, f"{of(outcome.deferred)} put off by the mail server; tried again later."),
        (outcome.failed, f"{of(outcome.failed)} refused for good: `reminders list --state failed` shows them."),
        (
            outcome.unknown,
            f"{of(outcome.unknown)} in doubt, accepted or not: `reminders list --state unknown`, then `settle`.",
        ),
        (outcome.cancelled, f"{of(outcome.cancelled)} withdrawn by the facts."),
        (outcome.expired, f"{of(outcome.expired)} expired: the allowed days have passed."),
        (outcome.held, f"{of(outcome.held)} held for a person: `reminders list --state held` shows them."),
    ]


def _when(value: dt.datetime, known_zones: Collection[str]) -> str:
    """Return a moment in the clinics' own time where they share one, else in UTC."""
    zone = next(iter(known_zones)) if len(known_zones) == 1 else "UTC"
    return f"{words.moment(value, zone)} ({zone})"
