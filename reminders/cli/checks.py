"""The commands that verify the promises on the live database, and examine the installation.

Invariant: both change nothing, print everything they looked at, and exit 1 when something is wrong.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reminders.cli import words
from reminders.cli.options import AnyClinic, AsJson, examples, malformed
from reminders.cli.output import progress, say, say_json, say_table
from reminders.cli.sender import entry_document, say_entry
from reminders.cli.session import engine_of, opened, settings_of
from reminders.errors import CannotDo

if TYPE_CHECKING:
    from reminders.services.audit import AuditReport
    from reminders.services.checkup.doctor import Check


LOOKED_AT = {
    "trail_entries": ("entry of the trail", "entries of the trail"),
    "clinics": ("clinic",),
    "patients": ("patient",),
    "reminders": ("reminder",),
    "messages": ("message",),
}
"""What an audit counts, in words for one and for many of it."""


class PromiseBroken(CannotDo):
    """The audit found {found}: keep a copy of the database, and do what stands beside each."""


class NotWell(CannotDo):
    """The examination found {found}: mend what stands beside each, and run `reminders doctor` again."""


def register(shell: typer.Typer) -> None:
    """Add the commands."""
    shell.command(
        "audit", epilog=examples("reminders audit", "reminders audit --checkpoint /media/usb/reminders.checkpoint")
    )(audit)
    shell.command("doctor", epilog=examples("reminders doctor", "reminders doctor --mail me@clinic.example"))(doctor)


def audit(
    ctx: typer.Context,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            "--checkpoint", metavar="FILE", help="Write a signed note of the trail there, to be kept elsewhere."
        ),
    ] = None,
    against: Annotated[
        list[Path] | None,
        typer.Option("--against", metavar="FILE", help="Check that the trail continues from that note; repeatable."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Verify the promises on the live database.

    Nobody got a message twice, too early or against their wish; none was lost; no clinic wrote to another's patient;
    the audit trail is whole. Nothing is changed. The exit code is 1 when a promise is broken.
    """
    with opened(ctx) as app, progress("Auditing", as_json=as_json) as watch:
        report = app.audit(watch, against=against or (), checkpoint=checkpoint)
    broken = len(report.findings) + report.more
    if as_json:
        say_json(_audit_document(report))
    else:
        _say_audit(report, checkpoint)
    if broken:
        raise PromiseBroken(found=words.count(broken, "broken promise"))


def _audit_document(report: "AuditReport") -> dict[str, object]:
    return {
        "sound": not report.findings,
        "findings": [
            {
                "promise": one.promise,
                "clinic": one.clinic,
                "patient": one.patient_ref,
                "reminder": one.reminder_id,
                "problem": one.problem,
                "advice": one.advice,
            }
            for one in report.findings
        ],
        "more": report.more,
        "notes": list(report.notes),
        "checked": dict(report.checked),
        "checkpoint": str(report.checkpoint) if report.checkpoint else None,
    }


def _say_audit(report: "AuditReport", asked: Path | None) -> None:
    looked = ", ".join(words.count(number, *LOOKED_AT.get(what, (what,))) for what, number in report.checked.items())
    say(f"Looked at {looked or 'nothing'}.")
    if report.checkpoint:
        say(f"Wrote a checkpoint to {report.checkpoint}: keep it on another machine.")
    elif asked is not None:
        left = f"{asked} was left as it was" if asked.exists() else f"Nothing was written to {asked}"
        say(f"{left}: no checkpoint is taken while the trail is in doubt.")
    for note in report.notes:
        say(note)
    if not report.findings:
        say("No promise is broken, but see to what stands above." if report.notes else "Every promise holds.")
        return
    say_table(
        ("promise", "clinic", "patient", "reminder", "what is wrong", "what to do"),
        (
            (one.promise, one.clinic, one.patient_ref, one.reminder_id, one.problem, one.advice)
            for one in report.findings
        ),
    )
    if report.more:
        say(f"… and {report.more} more.")


def doctor(
    ctx: typer.Context,
    mail: Annotated[
        str | None, typer.Option("--mail", metavar="ADDRESS", help="Send a test mail there as well.")
    ] = None,
    clinic: AnyClinic = None,
    resolver: Annotated[
        str | None,
        typer.Option("--resolver", metavar="HOST[:PORT]", help="Ask this resolver about the senders' domains."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what is wrong with the installation, and how to mend it.

    Database, key, clock, catalogue, clinics, transport, links, the senders' DNS (SPF, DKIM, DMARC, replies) and
    templates are looked at, whatever state they are in. Nothing is changed. The exit code is 1 when something is wrong.
    """
    from reminders.app import examine  # noqa: PLC0415 - help needs no database

    settings = settings_of(ctx)
    if resolver is not None:
        settings = settings.model_copy(update={"dns": _resolvers(resolver)})
    checks = examine(settings, mail, ctx.obj.clock, clinic, engine_of(ctx))
    wrong = sum(check.ok is False for check in checks)
    if as_json:
        say_json({"well": not wrong, "checks": [_check_document(check) for check in checks]})
    else:
        _say_checks(checks)
    if wrong:
        raise NotWell(found=words.count(wrong, "thing that is wrong", "things that are wrong"))


def _resolvers(text: str) -> tuple[str, ...]:
    from reminders.settings import resolver as read  # noqa: PLC0415 - help needs no settings

    try:
        read(text)
    except ValueError as error:
        malformed(str(error))
    return (text,)


def _check_document(check: "Check") -> dict[str, object]:
    paste = entry_document(check.paste) if check.paste else None
    return {"name": check.name, "ok": check.ok, "said": check.said, "advice": check.advice, "paste": paste}


def _say_checks(checks: "tuple[Check, ...]") -> None:
    marks = {True: "✓", False: "×", None: "?"}
    for check in checks:
        say(f"{marks[check.ok]} {check.name}: {check.said}")
        if check.advice:
            say(f"    {check.advice}")
        if check.paste:
            say_entry(check.paste)
