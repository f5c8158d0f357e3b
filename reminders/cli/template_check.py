"""The commands that examine templates, and show a patient's message as a file would word it.

Invariant: both change nothing; every complaint is printed, and an error among them makes the exit code 3.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reminders.cli import words
from reminders.cli.options import AnyClinic, AsJson, ClinicSlug, File, PatientRef
from reminders.cli.output import progress, say, say_json
from reminders.cli.preview import finish, write_message
from reminders.cli.session import opened
from reminders.cli.template_options import (
    AnyClass,
    AnyLanguage,
    AnyRules,
    AnyStep,
    Class,
    Language,
    Step,
    complaint_documents,
    content,
    errors_among,
    place,
    say_complaints,
)
from reminders.errors import BadInput

if TYPE_CHECKING:
    from reminders.mail.templates.file import Complaint

Found = tuple[str, "tuple[Complaint, ...]"]
Meant = tuple[Class, Step, Language]


class TemplatesWrong(BadInput):
    """{found} found in {count}: mend what stands above; `docs/templates.md` says what can be written."""


def check(
    ctx: typer.Context,
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE …]", help="Templates; else all there are.")
    ] = None,
    clinic: AnyClinic = None,
    class_name: AnyClass = None,
    step: AnyStep = None,
    language: AnyLanguage = None,
    jurisdiction: AnyRules = None,
    as_json: AsJson = False,
) -> None:
    """Examine templates and print every complaint with its line.

    Without a FILE: the shipped ones, and those that clinics keep (of one clinic with --clinic). With --clinic a
    FILE is examined with that clinic's details and rules. Nothing is changed.
    """
    with progress("Examining", as_json=as_json) as watch:
        found: list[Found] = []
        for one in _examined(ctx, files or (), clinic, (class_name, step, language), jurisdiction):
            found.append(one)
            if watch:
                watch(len(found), None)
    _report(found, as_json=as_json)


def preview(
    ctx: typer.Context,
    file: File,
    clinic: ClinicSlug,
    patient: PatientRef,
    step: AnyStep = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Write message.eml, message.html and message.txt there.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show a patient's message as a file would word it.

    Nothing is kept and nothing is sent; links in it open nothing.
    """
    given = content(file)
    with opened(ctx) as app:
        found = app.preview_template(clinic, patient, str(step) if step else None, given)
        zone = app.zones()[clinic]
    written = write_message(found, out) if out is not None else []
    finish(found, zone, written, as_json=as_json)


def _examined(
    ctx: typer.Context,
    files: Sequence[Path],
    clinic: str | None,
    meant: tuple[Class | None, Step | None, Language | None],
    jurisdiction: str | None,
) -> Iterator[Found]:
    if not files:
        yield from _everything(ctx, clinic, jurisdiction)
    elif clinic is not None:
        with opened(ctx) as app:
            for file in files:
                at = place(*_meant(file, *meant), "")
                yield str(file), app.try_template_at(clinic, at, content(file))
    else:
        from reminders.app.templates import try_file  # noqa: PLC0415 - help needs no templates

        for file in files:
            class_name, step, language = _meant(file, *meant)
            yield str(file), try_file(content(file), str(class_name), str(step), str(language), jurisdiction)


def _everything(ctx: typer.Context, clinic: str | None, jurisdiction: str | None) -> Iterator[Found]:
    from reminders.app.templates import try_shipped  # noqa: PLC0415 - as above

    with opened(ctx) as app:
        if clinic is None:
            for path, complaints in try_shipped(jurisdiction):
                yield str(path), complaints
        for listed, complaints in app.try_stored_templates(clinic):
            at = listed.template.place
            parts = (listed.clinic, at.class_name, at.stage, at.protocol, at.language)
            yield f"{'/'.join(part for part in parts if part)}@{listed.template.version}", complaints


def _meant(file: Path, class_name: Class | None, step: Step | None, language: Language | None) -> Meant:
    """Return what a file is for: as given, else as its path says (`cosmetic/follow_up/fr.txt`), else the usual."""
    folders = (file.parent.parent.name, file.parent.name, file.stem)
    named = [next((one for one in kind if one == part), None) for kind, part in zip(_KINDS, folders, strict=True)]
    return (
        class_name or Class(named[0] or Class.COSMETIC),
        step or Step(named[1] or Step.INVITATION),
        language or Language(named[2] or Language.EN),
    )


_KINDS = (Class, Step, Language)


def _report(found: Sequence[Found], *, as_json: bool) -> None:
    every = [(name, one) for name, complaints in found for one in complaints]
    wrong = errors_among(one for _, one in every)
    if as_json:
        complaints = [document for name, one in every for document in complaint_documents(name, [one])]
        say_json({"templates": len(found), "errors": wrong, "complaints": complaints})
    else:
        for name, one in every:
            say_complaints(name, [one])
        if not every:
            say(f"Looked at {words.count(len(found), 'template')}: nothing is wrong.")
        elif not wrong:
            say(f"Looked at {words.count(len(found), 'template')}: none has an error.")
    if wrong:
        raise TemplatesWrong(found=words.count(wrong, "error"), count=words.count(len(found), "template"))
