"""The options that several commands share, and how days, numbers and words of the command line are read.

Invariant: what is malformed is refused here, with a sentence that says how to write it and never repeats it (exit 2);
what is well written and means nothing is the services' to refuse.
"""

import contextlib
import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NamedTuple, NoReturn

import typer

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
LARGEST = 2**63 - 1
LONGEST = len(str(LARGEST))
"""What a database's number can be; a longer one would be the driver's error instead of a sentence."""
LONGEST_SPAN = 366
"""Days that one option may name: a year's absence. More is a year that was mistyped."""


class Pair(NamedTuple):
    """One of our columns, and what a file calls it."""

    name: str
    column: str


def malformed(sentence: str) -> NoReturn:
    """Refuse a value, saying how to write it."""
    raise typer.BadParameter(sentence)


def day(text: str) -> dt.date:
    """Read a day of the calendar. 20260325 and 2026-W13-3 are ISO too, and nobody means them."""
    with contextlib.suppress(ValueError):
        if _DAY.fullmatch(text.strip()):
            return dt.date.fromisoformat(text.strip())
    malformed("write a day that exists as YYYY-MM-DD, such as 2026-03-25")


@dataclass(frozen=True, slots=True)
class Span:
    """Days that follow one another, both ends included."""

    first: dt.date
    last: dt.date

    def days(self) -> list[dt.date]:
        """Return each of them."""
        return [self.first + dt.timedelta(days=n) for n in range((self.last - self.first).days + 1)]


def span(text: str) -> Span:
    """Read a day, or the first and the last of several as 2026-12-24..2027-01-02."""
    first, dots, last = text.partition("..")
    found = Span(day(first), day(last if dots else first))
    if found.last < found.first:
        malformed("the last day lies before the first")
    if (found.last - found.first).days >= LONGEST_SPAN:
        malformed(f"give at most {LONGEST_SPAN} days at once")
    return found


def day_or_nothing(text: str) -> dt.date | str:
    """Read a day; an empty text takes the value away."""
    return day(text) if text else ""


def day_or_open(text: str) -> dt.date | str:
    """Read a day, or the word `open` for no end (no value at all would read as a missing option)."""
    if text.strip().lower() == "open":
        return "open"
    with contextlib.suppress(typer.BadParameter):
        return day(text)
    malformed("write a day as YYYY-MM-DD, or open")


def number(text: str) -> int:
    """Read a whole number from 1 up."""
    plain = text.strip()
    if not (plain.isascii() and plain.isdigit() and len(plain) <= LONGEST and 0 < int(plain) <= LARGEST):
        malformed("write a whole number from 1 up")
    return int(plain)


def number_or_nothing(text: str) -> int | str:
    """Read a whole number; an empty text takes the value away."""
    return number(text) if text else ""


def pair(text: str) -> Pair:
    """Read NAME=COLUMN."""
    name, equals, column = text.partition("=")
    if not (equals and name.strip() and column.strip()):
        malformed('write NAME=COLUMN, such as patient_ref="Client ID"')
    return Pair(name.strip(), column.strip())


class Contradiction(typer.BadParameter):
    """Options that do not go together, or of which one is missing; the command line is wrong (exit 2)."""

    def format_message(self) -> str:
        """Return the sentence alone: no single option is at fault."""
        return self.message


def refuse(sentence: str) -> NoReturn:
    """Refuse options that do not go together."""
    raise Contradiction(sentence)


def given(typed: Mapping[str, object], names: Sequence[str]) -> dict[str, object]:
    """Return those of a command's options `names` that were given; `typed` are its `locals()`."""
    return {name: typed[name] for name in names if typed[name] is not None}


def examples(*lines: str) -> str:
    """Return the examples that stand under a command's help, as they are typed."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])


AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead.")]
ClinicSlug = Annotated[str, typer.Option("--clinic", metavar="SLUG", help="The clinic.")]
AnyClinic = Annotated[str | None, typer.Option("--clinic", metavar="SLUG", help="Only this clinic.")]
SlugArgument = Annotated[str, typer.Argument(metavar="SLUG", help="The clinic's short name.")]
PatientRef = Annotated[
    str, typer.Option("--patient", "--ref", metavar="REF", help="The patient, by the clinic's own number.")
]
Line = Annotated[str | None, typer.Option("--line", metavar="LINE", help="Only this line, such as face.")]
Ids = Annotated[list[int], typer.Argument(parser=number, metavar="ID", help="Reminders, by the ids of `list`.")]
Id = Annotated[int, typer.Argument(parser=number, metavar="ID", help="A reminder, by its id in `list`.")]
Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="The reason, kept in the patient's record.")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="The file.")]
