"""The commands about a clinic's own templates: keep, list, show, compare, bring back, withdraw.

Invariant: what is kept was examined first; where one complaint is an error nothing was changed, and the exit code is 3.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import typer

from reminders.cli import documents, template_check, words
from reminders.cli.options import AnyClinic, AsJson, ClinicSlug, File, examples
from reminders.cli.output import say, say_json, say_table
from reminders.cli.session import opened
from reminders.cli.template_options import (
    ClassName,
    Code,
    In,
    Number,
    OneVersion,
    StepName,
    complaint_documents,
    content,
    errors_among,
    place,
    say_complaints,
)
from reminders.errors import BadInput

if TYPE_CHECKING:
    from reminders.services.templates import Saved
    from reminders.store.templates import StoredTemplate


class NotSaved(BadInput):
    """The template was not saved, and nothing was changed: {found} stand above."""


def register(shell: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="A clinic's own templates.", no_args_is_help=True, rich_markup_mode=None)
    shell.add_typer(group, name="template")
    group.command(
        "check",
        epilog=examples(
            "reminders template check",
            "reminders template check cosmetic/invitation/en.txt",
            "reminders template check words.txt --clinic north --step last_call",
        ),
    )(template_check.check)
    group.command("set", epilog=_at("set", " words.txt"))(save)
    group.command("list", epilog=examples("reminders template list", "reminders template list --json"))(list_templates)
    group.command("show", epilog=_at("show", " > words.txt"))(show)
    group.command("versions", epilog=_at("versions", ""))(versions)
    group.command("restore", epilog=_at("restore", " 2"))(restore)
    group.command("withdraw", epilog=_at("withdraw", ""))(withdraw)
    group.command(
        "preview",
        epilog=examples(
            "reminders template preview --clinic north --patient 1001 words.txt",
            "reminders template preview --clinic north --patient 1001 words.txt \\",
            "    --step follow_up --out mail",
        ),
    )(template_check.preview)


def _at(command: str, rest: str) -> str:
    """Return the example of a command that is told which template it is about."""
    first = f"reminders template {command} --clinic north --class cosmetic \\"
    return examples(first, f"    --step invitation --language en{rest}")


def save(
    ctx: typer.Context,
    file: File,
    clinic: ClinicSlug,
    class_name: ClassName,
    step: StepName,
    language: In,
    protocol: Code = "",
    as_json: AsJson = False,
) -> None:
    """Put a file in force as a clinic's own template.

    It is examined first, with the clinic's details; an error refuses it. What is sent from now on uses it, and what
    waits for a mended template goes out with the next delivery.
    """
    given = content(file)
    with opened(ctx) as app:
        at = place(class_name, step, language, protocol)
        saved = _kept(lambda: app.save_template(clinic, at, given), str(file), as_json=as_json)
    _say_saved(saved, clinic, str(file), as_json=as_json)


def list_templates(ctx: typer.Context, clinic: AnyClinic = None, as_json: AsJson = False) -> None:
    """List the templates that clinics keep of their own."""
    with opened(ctx) as app:
        found = app.templates(clinic)
    if as_json:
        say_json([_document(one.clinic, one.template) for one in found])
        return
    if not found:
        say("No clinic has a template of its own: the shipped ones are used.")
        return
    say_table(
        ("clinic", "class", "step", "protocol", "language", "version", "saved"),
        (
            (
                *(one.clinic, one.template.place.class_name, one.template.place.stage, one.template.place.protocol),
                *(one.template.place.language, one.template.version, words.moment(one.template.created_at, None)),
            )
            for one in found
        ),
    )


def show(
    ctx: typer.Context,
    clinic: ClinicSlug,
    class_name: ClassName,
    step: StepName,
    language: In,
    protocol: Code = "",
    version: OneVersion = None,
    as_json: AsJson = False,
) -> None:
    """Print a clinic's own template as it was written.

    Edit it and `set` it again, or keep it.
    """
    with opened(ctx) as app:
        found = app.template(clinic, place(class_name, step, language, protocol), version)
    if as_json:
        say_json({**_document(clinic, found), "source": found.source})
        return
    say(found.source.rstrip("\n"))


def versions(
    ctx: typer.Context,
    clinic: ClinicSlug,
    class_name: ClassName,
    step: StepName,
    language: In,
    protocol: Code = "",
    as_json: AsJson = False,
) -> None:
    """Print every version of a template, and what changed."""
    with opened(ctx) as app:
        found = app.template_versions(clinic, place(class_name, step, language, protocol))
    if as_json:
        say_json([{**_document(clinic, one.template), "differences": list(one.differences)} for one in found])
        return
    for one in found:
        withdrawn = one.template.withdrawn_at
        ended = f", withdrawn on {words.moment(withdrawn, None)}" if withdrawn else ""
        say(f"Version {one.template.version}, saved on {words.moment(one.template.created_at, None)}{ended}.")
        for line in one.differences:
            say(f"    {line}")


def restore(
    ctx: typer.Context,
    version: Number,
    clinic: ClinicSlug,
    class_name: ClassName,
    step: StepName,
    language: In,
    protocol: Code = "",
    as_json: AsJson = False,
) -> None:
    """Put the words of an older version in force again.

    They become a new version, and are examined like any others.
    """
    name = f"version {version}"
    with opened(ctx) as app:
        at = place(class_name, step, language, protocol)
        saved = _kept(lambda: app.restore_template(clinic, at, version), name, as_json=as_json)
    _say_saved(saved, clinic, name, as_json=as_json)


def withdraw(
    ctx: typer.Context,
    clinic: ClinicSlug,
    class_name: ClassName,
    step: StepName,
    language: In,
    protocol: Code = "",
    as_json: AsJson = False,
) -> None:
    """Go back to the shipped words; the versions stay."""
    with opened(ctx) as app:
        found = app.withdraw_template(clinic, place(class_name, step, language, protocol))
    if as_json:
        say_json(_document(clinic, found))
        return
    say(f"Version {found.version} is withdrawn. `reminders template restore` brings it back.")


def _kept(keep: "Callable[[], Saved]", name: str, *, as_json: bool) -> "Saved":
    """Keep a template; where it is refused, print every complaint before the sentence."""
    from reminders.services.templates import TemplateRefused  # noqa: PLC0415 - help needs no services

    try:
        return keep()
    except TemplateRefused as refused:
        if as_json:
            say_json({"saved": False, "complaints": complaint_documents(name, refused.complaints)})
        else:
            say_complaints(name, refused.complaints)
        raise NotSaved(found=words.count(errors_among(refused.complaints), "error")) from None


def _say_saved(saved: "Saved", clinic: str, name: str, *, as_json: bool) -> None:
    if as_json:
        complaints = complaint_documents(name, saved.complaints)
        say_json({**_document(clinic, saved.template), "saved": saved.fresh, "complaints": complaints})
        return
    say_complaints(name, saved.complaints)
    if saved.fresh:
        say(f"Version {saved.template.version} is in force: what is sent from now on uses it.")
    else:
        say(f"These words are in force already, as version {saved.template.version}: nothing was changed.")


def _document(clinic: str, found: "StoredTemplate") -> dict[str, Any]:
    at = found.place
    return {
        "clinic": clinic,
        "class": at.class_name,
        "step": at.stage,
        "protocol": at.protocol or None,
        "language": at.language,
        "version": found.version,
        "check_version": found.check_version,
        "saved_at": documents.moment(found.created_at),
        "withdrawn_at": documents.moment(found.withdrawn_at),
    }
