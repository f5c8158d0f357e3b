"""The options of the commands about templates, how a file is read, and how a complaint is printed.

Invariant: a complaint is one line of the form `file:line: error: …` that programs can read.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reminders.cli.options import number
from reminders.cli.output import say
from reminders.errors import CannotDo

if TYPE_CHECKING:
    from reminders.mail.templates.file import Complaint
    from reminders.store.templates import Place


class Class(StrEnum):
    """The class of a message."""

    COSMETIC = "cosmetic"
    MEDICAL = "medical"


class Step(StrEnum):
    """The step of a message."""

    INVITATION = "invitation"
    FOLLOW_UP = "follow_up"
    LAST_CALL = "last_call"


class Language(StrEnum):
    """What messages are written in."""

    EN = "en"
    ES = "es"
    FR = "fr"
    DE = "de"
    PL = "pl"
    PT = "pt"
    AR = "ar"


class Rules(StrEnum):
    """Whose advertising rules hold."""

    US = "us"
    UK = "uk"
    AU = "au"
    EU = "eu"


ClassName = Annotated[Class, typer.Option("--class", help="The class of the message.")]
StepName = Annotated[Step, typer.Option("--step", help="The step of the message.")]
In = Annotated[Language, typer.Option("--language", help="What it is written in.")]
Code = Annotated[str, typer.Option("--protocol", metavar="CODE", help="For this protocol alone.")]
AnyClass = Annotated[Class | None, typer.Option("--class", help="The class; else the file's folder says it.")]
AnyStep = Annotated[Step | None, typer.Option("--step", help="The step; else the file's folder says it.")]
AnyLanguage = Annotated[Language | None, typer.Option("--language", help="The language; else the file's name says it.")]
AnyRules = Annotated[Rules | None, typer.Option("--jurisdiction", help="Whose rules; else all of them.")]
Number = Annotated[int, typer.Argument(parser=number, metavar="VERSION", help="The version, as `versions` counts it.")]
OneVersion = Annotated[int | None, typer.Option("--version", parser=number, metavar="N", help="An older one.")]


class FileUnreadable(CannotDo):
    """{path} cannot be read ({problem}): give a template's file."""


def place(class_name: Class, step: Step, language: Language, protocol: str) -> "Place":
    """Return what a template is for."""
    from reminders.store.templates import Place  # noqa: PLC0415 - help needs no database

    return Place(str(class_name), str(step), str(language), protocol.strip())


def content(file: Path) -> bytes:
    """Return a file's bytes, not more of them than a template may have."""
    from reminders.mail.templates.file import LARGEST_SOURCE  # noqa: PLC0415 - help needs no templates

    try:
        with file.open("rb") as opened:
            return opened.read(LARGEST_SOURCE + 1)
    except OSError as error:
        raise FileUnreadable(path=file, problem=error.strerror or "the system refuses it") from None


def say_complaints(name: str, complaints: "Iterable[Complaint]") -> None:
    """Print each complaint with the file and the line it is about."""
    for one in complaints:
        where = f"{name}:{one.line}" if one.line else name
        say(f"{where}: {one.severity}: {one.what}")


def complaint_documents(name: str, complaints: "Sequence[Complaint]") -> list[dict[str, object]]:
    """Return complaints as JSON knows them."""
    return [{"template": name, "line": one.line, "severity": one.severity, "problem": one.what} for one in complaints]


def errors_among(complaints: "Iterable[Complaint]") -> int:
    """Return how many of the complaints are errors."""
    return sum(one.severity == "error" for one in complaints)
