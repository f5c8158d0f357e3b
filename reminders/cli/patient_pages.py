"""Shows a patient's record, as a page for people or as one document for scripts.

Invariant: both tell the same.
"""

from typing import TYPE_CHECKING

from reminders.cli import documents, words
from reminders.cli.output import say, say_json, say_table
from reminders.domain.protocol import line_of

if TYPE_CHECKING:
    from reminders.app import App
    from reminders.services.dossier import Dossier


def staff_names(app: "App", slug: str) -> dict[int, str]:
    """Return the names of a clinic's practitioners, by id."""
    return {one.id: one.name for clinic, staff in app.clinics() if clinic.slug == slug for one in staff}


def say_language(app: "App", found: "Dossier") -> None:
    """Say in which language a patient is written to, where it is not the one they have."""
    from reminders.mail.words import language_of, written  # noqa: PLC0415 - help needs no words

    tag = found.patient.language
    if tag and written(tag) is None:
        usual = {clinic.slug: language_of(clinic.language) for clinic, _ in app.clinics()}[found.clinic]
        say(f"Messages cannot be written in {tag}: this patient gets them in the clinic's language ({usual}).")


def say_patient(app: "App", found: "Dossier", *, as_json: bool) -> None:
    """Print a patient's record."""
    staff = staff_names(app, found.clinic)
    if as_json:
        say_json(documents.patient(found, staff))
        return
    zone = {clinic.slug: clinic.timezone for clinic, _ in app.clinics()}[found.clinic]
    for name, value in _person(found):
        say(f"{name:<16}{value}")
    say_language(app, found)
    for sentence in _wishes(found, zone):
        say(sentence)
    _say_visits(found, staff)
    say()
    shown = say_table(
        ("id", "step", "protocol", "due", "state"),
        (
            (view.id or "-", view.step, view.protocol, words.moment(view.due_at, zone), words.state(view))
            for view in found.reminders
        ),
    )
    if not shown:
        say("There are no reminders.")
    else:
        say(f"`reminders why --clinic {found.clinic} --patient {found.patient.ref}` explains each.")


def _person(found: "Dossier") -> list[tuple[str, str]]:
    """Return the lines of who the patient is; what is not known is left out."""
    person = found.patient
    name = " ".join(part for part in (person.given_name, person.family_name) if part)
    lines = [
        ("Patient", f"{person.ref} of clinic {found.clinic}"),
        ("Name", f"{name} (known as {person.known_as})" if person.known_as else name),
        ("E-mail", person.email or "none"),
        ("Representative", person.representative_email),
        ("Phone", person.phone),
        ("Address", person.postal_address),
        ("Language", person.language),
        ("Born", words.day(person.birth_date)),
        ("Practitioner", found.practitioner),
        ("Location", found.location),
        ("Status", str(person.status)),
        ("Consent", str(person.consent).replace("_", " ")),
    ]
    return [(label, value) for label, value in lines if value]


def _wishes(found: "Dossier", zone: str) -> list[str]:
    """Return what holds for this patient alone, a sentence each."""
    said = [f"Own interval on {line_of(line) or 'every line'}: {due}." for line, due in found.own_intervals.items()]
    said += [f"Opted out of {'everything' if scope == 'all' else f'{scope} messages'}." for scope in found.opt_outs]
    said += [
        f"The address is not written to ({one.scope}): {str(one.reason).replace('_', ' ')} "
        f"on {words.moment(one.at, zone)}."
        for one in found.suppressions
    ]
    said += [
        f"On hold on {line_of(one.line) if one.line else 'every line'} "
        f"{f'until {words.day(one.until)}' if one.until else 'until somebody ends it'} ({one.code})."
        for one in found.holds
        if one.ended_at is None
    ]
    said += [
        f"Open answer: {str(one.kind).replace('_', ' ')} on {words.moment(one.at, zone)}." for one in found.answers
    ]
    return said


def _say_visits(found: "Dossier", staff: dict[int, str]) -> None:
    if found.treatments:
        say()
        say_table(
            ("treated on", "protocol", "kind", "practitioner", "ref", "entry"),
            (
                (
                    *(words.day(row.day), row.protocol, str(row.kind).replace("_", " ")),
                    *(staff.get(row.practitioner_id or 0), row.ref),
                    _entry(withdrawn=row.withdrawn_at is not None, replaced=row.replaced_by_id is not None),
                )
                for row in found.treatments
            ),
        )
    if found.appointments:
        say()
        say_table(
            ("appointment", "on", "line", "outcome"),
            (
                (one.id, words.day(one.day), line_of(one.line) if one.line else "every line", one.outcome or "open")
                for one in found.appointments
            ),
        )


def _entry(*, withdrawn: bool, replaced: bool) -> str:
    if replaced:
        return "replaced"
    return "entered in error" if withdrawn else ""
