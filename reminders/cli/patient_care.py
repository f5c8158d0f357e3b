"""The commands that keep a patient's messages back, note an answer, hand out a record and erase it.

Invariant: what holds a patient's reminders back is planned with it at once; an erasure says what it could not clean.
"""

import datetime as dt
from typing import Annotated, Any

import typer

from reminders.cli.documents import patient as patient_document
from reminders.cli.documents import plainly
from reminders.cli.options import AsJson, ClinicSlug, Line, PatientRef, day_or_open, examples, refuse
from reminders.cli.output import say, say_json
from reminders.cli.patient_pages import say_patient, staff_names
from reminders.cli.session import opened
from reminders.domain.lifecycle import Reason


def register(group: typer.Typer) -> None:
    """Add the commands to those about patients."""
    group.command(
        "hold",
        epilog=examples(
            "reminders patient hold --clinic north --patient 1001 \\",
            "    --until 2026-09-01 --why travel",
            "reminders patient hold --clinic north --patient 1001 \\",
            "    --line face --until open --why practitioner",
        ),
    )(hold)
    group.command("unhold", epilog=examples("reminders patient unhold --clinic north --patient 1001"))(unhold)
    group.command(
        "reply",
        epilog=examples(
            "reminders patient reply --clinic north --patient 1001",
            "reminders patient reply --clinic north --patient 1001 --request",
            "reminders patient reply --clinic north --patient 1001 --close",
        ),
    )(reply)
    group.command("export", epilog=examples("reminders patient export --clinic north --patient 1001 > 1001.json"))(
        export
    )
    group.command("erase", epilog=examples("reminders patient erase --clinic north --patient 1001"))(erase)


def hold(
    ctx: typer.Context,
    clinic: ClinicSlug,
    ref: PatientRef,
    until: Annotated[
        object, typer.Option("--until", parser=day_or_open, metavar="DAY|open", help="First day it no longer holds.")
    ],
    why: Annotated[str, typer.Option("--why", metavar="CODE", help="A short private code, such as travel.")],
    line: Line = None,
    as_json: AsJson = False,
) -> None:
    """Keep a patient's reminders back for now.

    They return on the day of --until, or with `patient unhold` when it is `open`, where their days last.
    """
    end = until if isinstance(until, dt.date) else None
    with opened(ctx) as app:
        found = app.hold_patient(clinic, ref, line, end, why)
        if as_json:
            say_patient(app, found, as_json=True)
            return
    lasts = f"until {end}" if end else "until `reminders patient unhold`"
    say(f"Patient {ref} of clinic {clinic} is on hold{f' on {line}' if line else ''} {lasts}.")


def unhold(ctx: typer.Context, clinic: ClinicSlug, ref: PatientRef, line: Line = None, as_json: AsJson = False) -> None:
    """End a patient's holds, of one line or all.

    Their reminders return where their days last.
    """
    with opened(ctx) as app:
        found = app.end_holds(clinic, ref, line)
        if as_json:
            say_patient(app, found, as_json=True)
            return
    say(f"No hold{f' on {line}' if line else ''} keeps patient {ref} of clinic {clinic} back any more.")


def reply(
    ctx: typer.Context,
    clinic: ClinicSlug,
    ref: PatientRef,
    request: Annotated[bool, typer.Option("--request", help="They asked for a consultation.")] = False,
    close: Annotated[bool, typer.Option("--close", help="Their answers are dealt with.")] = False,
    as_json: AsJson = False,
) -> None:
    """Note that a patient answered.

    Further reminders wait until you close the answer.
    """
    if request and close:
        refuse("--request and --close contradict each other: give one of them")
    kind = Reason.CONSULTATION_REQUESTED if request else Reason.REPLIED
    with opened(ctx) as app:
        found = app.log_answer(clinic, ref, None if close else kind)
        if as_json:
            say_patient(app, found, as_json=True)
            return
    if close:
        say(f"The answers of patient {ref} are closed: what waited for them returns where its days last.")
        return
    what = "asked for a consultation" if request else "replied"
    say(f"Patient {ref} {what}: further reminders wait until `reminders patient reply … --close`.")


def export(ctx: typer.Context, clinic: ClinicSlug, ref: PatientRef, _as_json: AsJson = False) -> None:
    """Print everything kept of a patient, as JSON.

    The record, the messages as they were sent, and the audit extract.
    """
    with opened(ctx) as app:
        found = app.export_patient(clinic, ref)
        record = patient_document(found["dossier"], staff_names(app, clinic))
    document: dict[str, Any] = {"patient": record}
    document |= {name: plainly(value) for name, value in found.items() if name != "dossier"}
    say_json(document)


def erase(ctx: typer.Context, clinic: ClinicSlug, ref: PatientRef, as_json: AsJson = False) -> None:
    """Erase who a patient is, for good.

    Names, addresses, messages and notes go. Days, states and numbers stay, and the address as a keyed
    hash, so that no import has them written to again.
    """
    with opened(ctx) as app:
        outcome = app.erase_patient(clinic, ref)
    if as_json:
        say_json({"clinic": clinic, "ref": outcome.ref, "files_cleaned": outcome.files_cleaned})
        return
    say(f"The patient is erased; what must stay is kept under {outcome.ref}.")
    if outcome.also_stopped:
        say(f"The address is not written to any more, for {outcome.also_stopped} other patient(s) of it either.")
    if outcome.files_cleaned:
        say("No byte of their name or address is left in the database's files. Backups made before still hold them.")
    else:
        say(
            "No row holds their name or address any more; PostgreSQL's files may until it vacuums and recycles its log."
        )
