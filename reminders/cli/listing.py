"""The command that lists reminders.

Invariant: a list of any length is read, judged and printed row by row.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from reminders.cli import words
from reminders.cli.documents import reminder
from reminders.cli.options import AnyClinic, AsJson, day, examples, number, refuse
from reminders.cli.output import say, say_table, stream_json
from reminders.cli.session import opened
from reminders.domain.lifecycle import State
from reminders.domain.sending_hours import local_day, moment
from reminders.errors import CannotDo

if TYPE_CHECKING:
    from reminders.services.overview import ReminderView

COLUMNS = ("id", "clinic", "patient", "treatment", "protocol", "step", "due", "state")


class LeftOut(CannotDo):
    """Left out are the reminders of {clinics}: what is stored of such a clinic itself cannot be read.

    `reminders doctor` says how to mend it; where it cannot be mended, restore the last backup.
    """


@dataclass(frozen=True, slots=True)
class Days:
    """The days, both inclusive and each in its clinic's own zone, that are asked for."""

    first: dt.date | None
    last: dt.date | None

    def bounds(self, known_zones: Mapping[str, str]) -> tuple[dt.datetime | None, dt.datetime | None]:
        """Return the moments between which every clinic's days lie."""
        each = known_zones.values() or ("UTC",)
        after = self.last + dt.timedelta(days=1) if self.last and self.last < dt.date.max else None
        begins = self.first if self.first != dt.date.min else None  # no zone's midnight may lie before the calendar
        starts = min(moment(zone, begins) for zone in each) if begins else None
        return starts, max(moment(zone, after) for zone in each) if after else None

    def hold(self, view: "ReminderView", zone: str) -> bool:
        """Tell whether a reminder falls on one of the days."""
        on = local_day(zone, view.due_at)
        return (self.first is None or self.first <= on) and (self.last is None or on <= self.last)


def register(shell: typer.Typer) -> None:
    """Add the command."""
    shell.command(
        "list",
        epilog=examples(
            "reminders list --clinic north --from 2026-06-01 --to 2026-06-30",
            "reminders list --state held --state unknown",
            "reminders list --clinic north --patient 1001 --json",
        ),
    )(list_reminders)


def list_reminders(
    ctx: typer.Context,
    clinic: AnyClinic = None,
    patient: Annotated[
        str | None, typer.Option("--patient", metavar="REF", help="Only this patient of --clinic.")
    ] = None,
    state: Annotated[
        list[State] | None,
        typer.Option("--state", metavar="STATE", help=f"Repeat it for more: {', '.join(State)}."),
    ] = None,
    first: Annotated[
        dt.date | None, typer.Option("--from", parser=day, metavar="DAY", help="Due on this day or later.")
    ] = None,
    last: Annotated[
        dt.date | None, typer.Option("--to", parser=day, metavar="DAY", help="Due on this day or earlier.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", parser=number, metavar="N", help="At most so many; all of them without it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List reminders in the order in which they fall due.

    Days are each clinic's own.
    """
    if patient is not None and clinic is None:
        refuse("--patient is the number a clinic gave: name the --clinic too")
    if first and last and last < first:
        refuse("--to lies before --from: no day is in between")
    from reminders.services.overview import Filter  # noqa: PLC0415 - help needs no services

    days, left_out = Days(first, last), set[str]()
    with opened(ctx) as app:
        known = app.zones()
        zones = {clinic: known[clinic]} if clinic in known else known
        starts, ends = days.bounds(zones)
        states = tuple(state) if state else None
        exact = not (first or last) or len({*zones.values()}) == 1  # else some lie on no day of their own clinic
        wanted = Filter(clinic, patient, states, starts, ends, limit if exact else None)
        with app.list(wanted) as found:
            readable = _of_readable(found, known, left_out)
            views = islice((view for view in readable if days.hold(view, known[view.clinic])), limit)
            if as_json:
                stream_json(reminder(view) for view in views)
            elif not say_table(COLUMNS, _rows(views, known)) and not left_out:
                say("No reminder fits.")
    if left_out:
        raise LeftOut(clinics=", ".join(sorted(left_out)))


def _of_readable(
    found: "Iterable[ReminderView]", known_zones: Mapping[str, str], left_out: set[str]
) -> "Iterator[ReminderView]":
    """Yield the reminders of clinics with a time zone; the slugs of the others are kept in `left_out`."""
    for view in found:
        if view.clinic in known_zones:
            yield view
        else:
            left_out.add(view.clinic)


def _rows(views: "Iterator[ReminderView]", known_zones: Mapping[str, str]) -> Iterator[tuple[object, ...]]:
    for view in views:
        yield (
            *(view.id, view.clinic, view.patient, view.treatment, view.protocol, view.step),
            *(words.moment(view.due_at, known_zones[view.clinic]), words.state(view)),
        )
