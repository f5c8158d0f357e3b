"""Holds what a clinic keeps and shows against the advertising rules of its jurisdiction, before a message does.

Invariant: what the rules forbid is refused at entry and names the field, the list and the list's own word, never a
person; what they only frown upon is kept, and can be said.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from reminders.domain.protocol import Protocol
from reminders.errors import BadInput
from reminders.mail.advertising.jurisdiction import Finding, findings, rules_of
from reminders.mail.advertising.word_lists import JURISDICTIONS
from reminders.services.find import sound_clinics
from reminders.store import clinics, protocols, templates
from reminders.store.clinics import Clinic, Location
from reminders.store.database import Transaction

_SHOWN = (
    *(("name", "--name"), ("sender_name", "--sender-name"), ("email", "--email"), ("reply_to", "--reply-to")),
    *(("booking_url", "--booking-url"), ("phone", "--phone"), ("address", "--address")),
)
_SHOWN_OF_A_PLACE = (("booking_url", "--booking-url"), ("phone", "--phone"), ("address", "--address"))
"""A place's name stands in no message."""

PRACTITIONERS = "--practitioner"


class ForbiddenWords(BadInput):
    """{where} holds {what}, which {rules} do not allow in a message: {instead}."""


def clinic_findings(tx: Transaction, clinic: Clinic) -> tuple[Finding, ...]:
    """Return what the lists find in everything stored of a clinic that its patients see, errors first."""
    staff = [one for one in clinics.practitioners(tx, clinic.id) if one.left_on is None]
    return (
        *_findings(_of_clinic(clinic), clinic.jurisdiction, [one.name for one in staff]),
        *_of_details(_of_places(clinics.locations(tx, clinic.id)), clinic.jurisdiction),
    )


def ensure_allowed(tx: Transaction, clinic: Clinic, given: Collection[str], practitioners: Sequence[str] = ()) -> None:
    """Raise `ForbiddenWords` for what was given of a clinic, by column; a given jurisdiction puts it all to the test.

    Under a new jurisdiction that is what is stored of the clinic, its own templates and the labels of the catalogue.
    """
    if "jurisdiction" in given:
        _refuse(clinic_findings(tx, clinic), clinic.jurisdiction)
        _refuse(findings(_of_templates(tx, clinic), clinic.jurisdiction), clinic.jurisdiction)
        _refuse(findings(_of_labels(protocols.current(tx).values()), clinic.jurisdiction), clinic.jurisdiction)
        return
    shown = {option: text for option, text in _of_clinic(clinic).items() if option in _options(given)}
    _refuse(_findings(shown, clinic.jurisdiction, practitioners), clinic.jurisdiction)


def ensure_place_allowed(clinic: Clinic, given: Mapping[str, str]) -> None:
    """Raise `ForbiddenWords` for what was given of a place of a clinic, by column."""
    shown = {option: given[column] for column, option in _SHOWN_OF_A_PLACE if given.get(column)}
    _refuse(_of_details(shown, clinic.jurisdiction), clinic.jurisdiction)


def ensure_labels_allowed(tx: Transaction, given: Iterable[Protocol]) -> tuple[str, ...]:
    """Raise `ForbiddenWords` for the labels of given protocols; return what should be looked at in them.

    The jurisdictions are those that clinics have, all of them while none has any: a label is for every clinic.
    """
    used = sorted({clinic.jurisdiction for clinic in sound_clinics(tx) if clinic.jurisdiction})
    shown = _of_labels(given)
    noted: dict[str, None] = {}
    for jurisdiction in used or JURISDICTIONS:
        found = findings(shown, jurisdiction)
        _refuse(found, jurisdiction)
        noted |= dict.fromkeys(said(one) for one in found)
    return tuple(noted)


def notes_on_clinic(tx: Transaction, clinic: Clinic) -> tuple[str, ...]:
    """Return what should be looked at in the stored details of a clinic, as sentences."""
    return tuple(dict.fromkeys(said(one) for one in clinic_findings(tx, clinic)))


def notes_on_patient(clinic: Clinic, shown_name: str) -> tuple[str, ...]:
    """Return what should be looked at in the name a patient is greeted by: only what no person is called."""
    found = findings({"the name shown in messages": shown_name}, clinic.jurisdiction, spared=[shown_name])
    held = " Messages to this patient would be held until it is changed." if _errors(found) else ""
    return tuple(f"{said(one)}.{held}" for one in found)


def notes_on_practitioners(clinic: Clinic, names: Sequence[str]) -> tuple[str, ...]:
    """Return what should be looked at in the names of people who came in with a file: only what no person is called."""
    found = _of_people("the name of a practitioner", names, clinic.jurisdiction)
    held = " Messages that show it would be held." if _errors(found) else ""
    return tuple(f"{said(one)}.{held}" for one in found)


def forbidden_in_a_name(name: str, jurisdiction: str | None) -> str:
    """Return why a person's name may not stand in a message, as it follows "it holds"; empty where it may."""
    return next((one.what for one in _errors(_of_people("", [name], jurisdiction))), "")


def said(found: Finding) -> str:
    """Return a finding as a clause."""
    return f"{found.where} holds {found.what}: {found.instead}"


def _refuse(found: Iterable[Finding], jurisdiction: str | None) -> None:
    for one in _errors(found):
        raise ForbiddenWords(where=one.where, what=one.what, rules=rules_of(jurisdiction), instead=one.instead)


def _errors(found: Iterable[Finding]) -> list[Finding]:
    return [one for one in found if one.severity == "error"]


def _findings(shown: Mapping[str, str], jurisdiction: str | None, names: Sequence[str]) -> tuple[Finding, ...]:
    """Return findings in a clinic's details and in the names of its people."""
    return (*_of_details(shown, jurisdiction), *_of_people(PRACTITIONERS, names, jurisdiction))


def _of_details(shown: Mapping[str, str], jurisdiction: str | None) -> tuple[Finding, ...]:
    """Return findings in names and addresses: clinics and streets are called what no message may promise."""
    return findings(shown, jurisdiction, details=[line for text in shown.values() for line in text.splitlines()])


def _of_people(where: str, names: Sequence[str], jurisdiction: str | None) -> tuple[Finding, ...]:
    """Return findings in names, each read for itself: what no person is called."""
    found = (one for name in names for one in findings({where: name}, jurisdiction, spared=[name]))
    return tuple(sorted(dict.fromkeys(found), key=lambda one: one.severity))


def _options(columns: Collection[str]) -> set[str]:
    return {option for column, option in _SHOWN if column in columns}


def _of_clinic(clinic: Clinic) -> dict[str, str]:
    return {option: text for column, option in _SHOWN if (text := getattr(clinic, column))}


def _of_places(places: Sequence[Location]) -> dict[str, str]:
    columns = [(place, column, option) for place in places for column, option in _SHOWN_OF_A_PLACE]
    texts = ((f"{option} of a location", getattr(place, column)) for place, column, option in columns)
    shown: dict[str, str] = {}
    for where, text in texts:
        if text:
            shown[where] = f"{shown[where]}\n{text}" if where in shown else text
    return shown


def _of_templates(tx: Transaction, clinic: Clinic) -> dict[str, str]:
    return {
        f"the template of the {one.place.class_name} {one.place.stage} ({one.place.language})": one.source
        for one in templates.all_in_force(tx, clinic.id)
    }


def _of_labels(given: Iterable[Protocol]) -> dict[str, str]:
    labels = ((protocol.code, language, label) for protocol in given for language, label in protocol.label.items())
    return {f"the label of protocol {code} ({language})": label for code, language, label in labels}
