"""The command that sends everything that is due now, and says when there is something to do again.

Invariant: it exits 0 when its round is done whatever the outcomes, 1 when the transport rests and 130 after Ctrl-C; the
outcome is printed in every case. What is kept no longer is dropped after everything else, and never fails a delivery.
"""

import datetime as dt
import os
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

import typer

from reminders.cli import documents, words
from reminders.cli.options import AsJson, examples
from reminders.cli.output import progress, say, say_json
from reminders.cli.session import opened
from reminders.domain.lifecycle import Reason, State
from reminders.errors import CannotDo, RemindersError

if TYPE_CHECKING:
    from reminders.app import App
    from reminders.services.deliver import DeliverOutcome
    from reminders.stopping import Stop

ENDED = "Ended by Ctrl-C: what was on its way was finished, and the rest waits for the next `reminders deliver`."
LEFT = (
    "Left at once: what was on its way is settled by the next delivery, once its lease has run out; what a mail server "
    "owes an answer for is then in doubt, see `reminders list --state unknown`."
)
NOT_TIDIED = "What is kept no longer could not be dropped, and the next delivery tries again."


class TransportRests(CannotDo):
    """The mail server {server} cannot be used now ({fault}): nothing is claimed for it before {until}.

    Nothing is lost meanwhile. `reminders doctor` shows what is wrong with it.
    """


@dataclass(slots=True)
class Standing:
    """What stands after a delivery, in reminders: due or put off by the server, and held as a backlog, by clinic.

    `ticking` says that a clock runs beside it, which goes on by itself.
    """

    due: int = 0
    backlogs: Counter[str] = field(default_factory=Counter)
    ticking: bool = False


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
    every few minutes, by cron for example: two at a time are safe. Once a day it drops what is kept no longer.
    """
    from reminders.stopping import Stop, stopping_within  # noqa: PLC0415 - help needs no signals

    stop = Stop(_leave)
    with opened(ctx) as app, stopping_within(stop, leave=_leave):
        with progress("Delivering", as_json=as_json) as watch:
            outcome = app.deliver(watch, stop=stop.asked)
        known = set(app.zones().values())
        if as_json:
            say_json(documents.delivered(outcome))
        else:
            now = app.clock.now()
            for sentence in sentences(outcome, stand(app, outcome, now), known, now):
                say(sentence)
        _tidy(app, stop)
    if stop.interrupted():
        raise KeyboardInterrupt(ENDED)
    if outcome.stopped is not None:
        raise TransportRests(server=outcome.server, fault=_fault(outcome.stopped), until=_rests_until(outcome, known))


def _leave(code: int) -> NoReturn:
    """End the process from within a signal: it was asked twice, or something did not come to its end."""
    os.write(2, f"{LEFT}\n".encode())
    os._exit(code)


def _tidy(app: "App", stop: "Stop") -> None:
    """Drop what is kept no longer, as the clock does where one runs."""
    try:
        app.tidy_once_a_day(lambda: not stop.asked())
    except RemindersError as error:
        typer.echo(f"{NOT_TIDIED} {error}", err=True)


def stand(app: "App", outcome: "DeliverOutcome", now: dt.datetime) -> Standing:
    """Look up what the counts of a delivery do not tell: who waits for what, and where a backlog is held."""
    from reminders.services.overview import Filter  # noqa: PLC0415 - help needs no services

    pulse = app.pulse()
    standing = Standing(ticking=not (pulse.stopped or pulse.dead))
    if outcome.stopped:
        with app.list(Filter(states=(State.PLANNED,), due_to=now + dt.timedelta(seconds=1))) as found:
            for view in found:
                put_off = view.last_fault and view.reason is None
                standing.due += bool(view.wake_at <= now or put_off)
    if outcome.held:
        with app.list(Filter(states=(State.HELD,))) as found:
            standing.backlogs.update(view.clinic for view in found if view.reason is Reason.BACKLOG_HOLD)
    return standing


def sentences(
    outcome: "DeliverOutcome", standing: Standing, known_zones: Collection[str], now: dt.datetime
) -> list[str]:
    """Return what a delivery did and when the next one has something to do; `known_zones` are the clinics'."""
    said = [sentence for number, sentence in _happened(outcome, standing) if number]
    if outcome.stopped is not None:
        until, wait = _rests_until(outcome, known_zones), words.count(standing.due, "reminder")
        said.append(f"The mail server rests until {until}: {_fault(outcome.stopped)}. Waiting for it: {wait}.")
    if not said:
        said = ["Nothing was due: nothing was sent."]
    elif not outcome.sent:
        said = ["Nothing was sent.", *said]
    if outcome.next_at is None:
        said.append("Nothing is planned: there is nothing to deliver until something is recorded or released.")
    elif outcome.next_at <= now and standing.ticking:
        said.append("There is more to do right now: the clock that runs beside this does it.")
    elif outcome.next_at <= now:
        said.append("There is more to do right now: run `reminders deliver` again.")
    else:
        said.append(f"The next delivery has something to do on {_when(outcome.next_at, known_zones)}.")
    return said


def _happened(outcome: "DeliverOutcome", standing: Standing) -> list[tuple[int, str]]:
    def of(number: int) -> str:
        return words.count(number, "reminder")

    put_off, too_late = outcome.deferred - outcome.waiting, outcome.expired - outcome.too_soon
    return [
        (outcome.sent, f"Sent {of(outcome.sent)}."),
        (
            outcome.waiting,
            f"{of(outcome.waiting)} waiting for another message of the same patient, or for the distance from one.",
        ),
        (put_off, f"{of(put_off)} put off by the mail server; tried again later."),
        (outcome.failed, f"{of(outcome.failed)} refused for good: `reminders list --state failed` shows them."),
        (
            outcome.unknown,
            f"{of(outcome.unknown)} in doubt, accepted or not: `reminders list --state unknown`, then `settle`.",
        ),
        (outcome.cancelled, f"{of(outcome.cancelled)} withdrawn by the facts."),
        (too_late, f"{of(too_late)} expired: the allowed days have passed."),
        (outcome.too_soon, f"{of(outcome.too_soon)} expired: another message would have been too close before."),
        (outcome.held, f"{of(outcome.held)} held for a person: `reminders list --state held` shows them."),
        (
            outcome.announced,
            f"{words.count(outcome.announced, 'answer')} of patients announced: `reminders requests list` shows them.",
        ),
        (
            outcome.skipped,
            f"{words.count(outcome.skipped, 'patient')} left out: their rows cannot be read, see `reminders doctor`.",
        ),
        *((number, _backlog(clinic, of(number))) for clinic, number in sorted(standing.backlogs.items())),
    ]


def _backlog(clinic: str, count: str) -> str:
    return f"Held as a backlog of clinic {clinic}: {count}. `reminders release --clinic {clinic} --all` lets them go."


def _fault(short: str) -> str:
    from reminders.services.explain import fault_words  # noqa: PLC0415 - help needs no services

    return fault_words(short)


def _rests_until(outcome: "DeliverOutcome", known_zones: Collection[str]) -> str:
    return _when(outcome.open_until, known_zones) if outcome.open_until else "its next try"


def _when(value: dt.datetime, known_zones: Collection[str]) -> str:
    """Return a moment in the clinics' own time where they share one, else in UTC."""
    zone = next(iter(known_zones)) if len(known_zones) == 1 else "UTC"
    return f"{words.moment(value, zone)} ({zone})"
