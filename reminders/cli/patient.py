"""The commands that enrol a patient, show one, and change what is known of them.

Invariant: only what was typed is changed; an empty text takes an optional value away.
"""

import datetime as dt
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from reminders.cli import patient_care
from reminders.cli.options import (
    AsJson,
    ClinicSlug,
    Line,
    PatientRef,
    day,
    day_or_nothing,
    examples,
    given,
    refuse,
)
from reminders.cli.output import say, say_notes
from reminders.cli.patient_pages import say_language, say_patient
from reminders.cli.session import opened
from reminders.domain.facts import Consent, Status

if TYPE_CHECKING:
    from reminders.services.patient import PatientChange


class Scope(StrEnum):
    """Which messages an opt-out is about."""

    ALL = "all"
    COSMETIC = "cosmetic"
    MEDICAL = "medical"


KNOWN = (
    *("given_name", "family_name", "known_as", "email", "phone", "postal_address", "language", "consent"),
    *("birth_date", "representative_email", "practitioner"),
)
NewRef = Annotated[
    str, typer.Option("--ref", "--patient", metavar="REF", help="The clinic's own number of the patient.")
]
GivenName = Annotated[str | None, typer.Option("--given-name", metavar="TEXT", help="Given name.")]
FamilyName = Annotated[str | None, typer.Option("--family-name", metavar="TEXT", help="Family name.")]
KnownAs = Annotated[str | None, typer.Option("--known-as", metavar="TEXT", help="How messages greet them.")]
Email = Annotated[str | None, typer.Option("--email", metavar="ADDRESS", help="Where messages go.")]
Phone = Annotated[str | None, typer.Option("--phone", metavar="NUMBER", help="For calls.")]
PostalAddress = Annotated[str | None, typer.Option("--postal-address", metavar="TEXT", help="For letters.")]
Language = Annotated[str | None, typer.Option("--language", metavar="CODE", help="Such as en; else the clinic's.")]
ConsentOption = Annotated[Consent | None, typer.Option("--consent", help="What they agreed to.")]
BirthDate = Annotated[
    dt.date | None, typer.Option("--birth-date", parser=day, metavar="DAY", help="Minors get no cosmetic messages.")
]
BirthDateOrNone = Annotated[
    str | None, typer.Option("--birth-date", parser=day_or_nothing, metavar="DAY", help="Minors get no cosmetic ones.")
]
Representative = Annotated[
    str | None, typer.Option("--representative-email", metavar="ADDRESS", help="Who receives mail in their place.")
]
Preferred = Annotated[str | None, typer.Option("--practitioner", metavar="NAME", help="Who they are pointed to.")]


def register(shell: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Patients: enrol, show, change, hold, erase.", no_args_is_help=True, rich_markup_mode=None)
    shell.add_typer(group, name="patient")
    group.command(
        "add",
        epilog=examples(
            "reminders patient add --clinic north --ref 1001 --given-name Ann \\",
            "    --family-name Lee --email ann@mail.example --consent granted",
        ),
    )(add)
    group.command("show", epilog=examples("reminders patient show --clinic north --patient 1001"))(show)
    group.command(
        "set",
        epilog=examples(
            "reminders patient set --clinic north --patient 1001 --phone 555-0100",
            'reminders patient set --clinic north --patient 1001 --email ""',
            "reminders patient set --clinic north --patient 1001 --opt-out cosmetic",
            "reminders patient set --clinic north --patient 1001 --due 14w --line face",
        ),
    )(change)
    patient_care.register(group)


def add(
    ctx: typer.Context,
    clinic: ClinicSlug,
    ref: NewRef,
    *,
    given_name: Annotated[str, typer.Option("--given-name", metavar="TEXT", help="Given name.")],
    family_name: Annotated[str, typer.Option("--family-name", metavar="TEXT", help="Family name.")],
    known_as: KnownAs = None,
    email: Email = None,
    phone: Phone = None,
    postal_address: PostalAddress = None,
    language: Language = None,
    consent: ConsentOption = None,
    birth_date: BirthDate = None,
    representative_email: Representative = None,
    practitioner: Preferred = None,
    as_json: AsJson = False,
) -> None:
    """Enrol a patient under the clinic's own number.

    Nothing is sent without an address. Without --consent it is unknown: a cosmetic message then goes out only where the
    clinic recorded --unknown-consent existing_customer.
    """
    typed = given(locals(), KNOWN)
    with opened(ctx) as app:
        found = app.add_patient(clinic, ref, typed)
        if not as_json:
            say(f"Patient {ref} of clinic {clinic} is enrolled.")
            say_notes(app.patient_notes(clinic, ref))
            if found.patient.recipient is None:
                say("There is no address to write to yet: `reminders patient set … --email ADDRESS`.")
            say_language(app, found)
            say(f"Next: `reminders treatment add --clinic {clinic} --patient {ref} --protocol CODE --on DAY`.")
            return
        say_patient(app, found, as_json=as_json)


def show(ctx: typer.Context, clinic: ClinicSlug, ref: PatientRef, as_json: AsJson = False) -> None:
    """Show what is kept of a patient.

    Who they are, what they wish, what was done, what is to come.
    """
    with opened(ctx) as app:
        say_patient(app, app.show_patient(clinic, ref), as_json=as_json)


def change(
    ctx: typer.Context,
    clinic: ClinicSlug,
    ref: PatientRef,
    *,
    given_name: GivenName = None,
    family_name: FamilyName = None,
    known_as: KnownAs = None,
    email: Email = None,
    phone: Phone = None,
    postal_address: PostalAddress = None,
    language: Language = None,
    consent: ConsentOption = None,
    status: Annotated[Status | None, typer.Option("--status", help="Whether they are a patient still.")] = None,
    birth_date: BirthDateOrNone = None,
    representative_email: Representative = None,
    practitioner: Preferred = None,
    opt_out: Annotated[Scope | None, typer.Option("--opt-out", help="They want no such messages any more.")] = None,
    opt_in: Annotated[Scope | None, typer.Option("--opt-in", help="They asked for such messages again.")] = None,
    due: Annotated[
        str | None, typer.Option("--due", metavar="INTERVAL", help='Their own interval, such as 14w; "" for none.')
    ] = None,
    line: Line = None,
    undo_death: Annotated[
        bool, typer.Option("--undo-death", help="They were recorded as deceased by mistake.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Change what is known of a patient.

    Their reminders are planned again. An empty text takes an optional value away: --email "" leaves nothing to write
    to.
    """
    typed = given(locals(), (*KNOWN, "status"))
    if birth_date is not None:
        typed["birth_date"] = birth_date or None  # an empty day is no day
    from reminders.services.patient import PatientChange  # noqa: PLC0415 - help needs no services

    wanted = PatientChange(typed, opt_out, opt_in, due, line, undo_death=undo_death)
    _check(wanted)
    with opened(ctx) as app:
        found = app.change_patient(clinic, ref, wanted)
        if not as_json:
            say(f"Patient {ref} of clinic {clinic} is changed.")
            say_notes(app.patient_notes(clinic, ref))
            say()
        say_patient(app, found, as_json=as_json)


def _check(wanted: "PatientChange") -> None:
    """Refuse a change whose parts do not go together."""
    if not (wanted.given or wanted.opt_out or wanted.opt_in or wanted.due is not None or wanted.undo_death):
        refuse("Nothing is to be changed: give at least one option")
    if wanted.line is not None and wanted.due is None:
        refuse("--line says for which line --due holds: give both")
    if wanted.opt_out and wanted.opt_in:
        refuse("--opt-out and --opt-in contradict each other: give one of them")
    if wanted.undo_death and "status" not in wanted.given:
        refuse("--undo-death needs the --status they have instead")
