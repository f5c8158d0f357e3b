"""Keeps a clinic's own templates: saved once proven, shown, compared, brought back, withdrawn.

Invariant: what is kept was examined with the clinic's own details, in a process of its own, outside any transaction;
one error refuses it and changes nothing. No version is ever changed or lost.
"""

import dataclasses
import difflib
from collections.abc import Iterator
from typing import cast

from reminders.clock import Clock
from reminders.domain.protocol import STEP_NAMES, TreatmentClass
from reminders.errors import BadInput
from reminders.mail.advertising.jurisdiction import check_version
from reminders.mail.message import Jurisdiction, MessageClass, MessageFacts, Stage
from reminders.mail.templates.check import example
from reminders.mail.templates.file import Complaint
from reminders.mail.templates.trial import try_template
from reminders.mail.words import LANGUAGES
from reminders.services.find import sound_clinics, the_clinic
from reminders.services.letter import label_in
from reminders.store import protocols, templates
from reminders.store.clinics import Clinic
from reminders.store.database import Database, Transaction
from reminders.store.templates import Place, StoredTemplate


class TemplateRefused(BadInput):
    """The template was not saved, and nothing was changed: {problem}."""

    def __init__(self, complaints: tuple[Complaint, ...]) -> None:
        """Keep the complaints, of which the sentence says the errors."""
        self.complaints = complaints
        wrong = [one for one in complaints if one.severity == "error"]
        said = "; ".join(f"line {one.line}: {one.what}" if one.line else one.what for one in wrong)
        super().__init__(problem=said)


class NoSuchTemplate(BadInput):
    """Clinic {clinic} has no template of its own for {place}: `reminders template list` shows those there are."""


class NoSuchVersion(BadInput):
    """The template has no version {version}: `reminders template versions` shows them."""


class NoSuchPlace(BadInput):
    """There is no such message: {problem}."""


@dataclasses.dataclass(frozen=True, slots=True)
class Saved:
    """A template in force; `fresh` is False where the same words were in force before. `complaints` are warnings."""

    template: StoredTemplate
    complaints: tuple[Complaint, ...]
    fresh: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Listed:
    """A template in force, with the slug of its clinic."""

    clinic: str
    template: StoredTemplate


@dataclasses.dataclass(frozen=True, slots=True)
class Version:
    """One version, and the lines in which it differs from the one before, as `diff -u` writes them."""

    template: StoredTemplate
    differences: tuple[str, ...]


def save(database: Database, clock: Clock, actor: str, slug: str, place: Place, source: str) -> Saved:
    """Examine a template and put it in force as a new version; raises `TemplateRefused`.

    1. Read the clinic's details. 2. Examine, in another process and with no transaction open. 3. Keep it. A crash
    before the last step leaves everything as it was.
    """
    with database.read(clock.now()) as tx:
        clinic = the_clinic(tx, slug)
        _check_place(tx, place)
        shown = shown_at(tx, clinic, place)
    complaints = try_template(source, shown)
    if any(one.severity == "error" for one in complaints):
        raise TemplateRefused(complaints)
    with database.write(clock.now, actor) as tx:
        before = templates.in_force(tx, clinic.id, place)
        if before is not None and before.source == source:
            return Saved(before, complaints, fresh=False)
        return Saved(templates.add_version(tx, clinic.id, place, source, check_version()), complaints, fresh=True)


def restore(database: Database, clock: Clock, actor: str, slug: str, place: Place, version: int) -> Saved:
    """Put the words of an older version in force again, as a new version; they are examined like any others."""
    with database.read(clock.now()) as tx:
        wanted = version_of(tx, the_clinic(tx, slug), place, version)
    return save(database, clock, actor, slug, place, wanted.source)


def withdraw(tx: Transaction, slug: str, place: Place) -> StoredTemplate:
    """Take a clinic's own template back, so that the shipped words are used; raises `NoSuchTemplate`."""
    found = the_template(tx, the_clinic(tx, slug), place)
    templates.withdraw(tx, found)
    return dataclasses.replace(found, withdrawn_at=tx.now)


def list_templates(tx: Transaction, slug: str | None) -> list[Listed]:
    """Return what is in force at one clinic or at all."""
    everyone = sound_clinics(tx) if slug is None else [the_clinic(tx, slug)]
    slugs = {clinic.id: clinic.slug for clinic in everyone}
    return [Listed(slugs[one.clinic_id], one) for one in templates.all_in_force(tx) if one.clinic_id in slugs]


def the_template(tx: Transaction, clinic: Clinic, place: Place) -> StoredTemplate:
    """Return the clinic's own template in force, or raise `NoSuchTemplate`."""
    found = templates.in_force(tx, clinic.id, place)
    if found is None:
        raise NoSuchTemplate(clinic=clinic.slug, place=in_words(place))
    return found


def version_of(tx: Transaction, clinic: Clinic, place: Place, version: int) -> StoredTemplate:
    """Return one version, in force or not; raises `NoSuchTemplate` or `NoSuchVersion`."""
    found = {one.version: one for one in _versions(tx, clinic, place)}
    if version not in found:
        raise NoSuchVersion(version=version)
    return found[version]


def versions(tx: Transaction, clinic: Clinic, place: Place) -> list[Version]:
    """Return every version, oldest first, each with its differences from the one before."""
    found, before = [], ""
    for one in _versions(tx, clinic, place):
        lines = difflib.unified_diff(before.splitlines(), one.source.splitlines(), lineterm="", n=1)
        found.append(Version(one, tuple(lines)[2:] if before else ()))
        before = one.source
    return found


def try_stored(tx: Transaction, slug: str | None) -> Iterator[tuple[Listed, tuple[Complaint, ...]]]:
    """Yield every template in force with what would be said about it if it were saved today."""
    for listed in list_templates(tx, slug):
        clinic = the_clinic(tx, listed.clinic)
        yield listed, try_template(listed.template.source, shown_at(tx, clinic, listed.template.place))


def shown_at(tx: Transaction, clinic: Clinic, place: Place) -> MessageFacts:
    """Return an ordinary message of a clinic to an invented patient."""
    usual = example(
        cast("MessageClass", place.class_name),
        cast("Stage", place.stage),
        place.language,
        cast("Jurisdiction | None", clinic.jurisdiction),
    )
    protocol = protocols.current(tx).get(place.protocol)
    return dataclasses.replace(
        usual,
        clinic_name=clinic.name,
        sender_name=clinic.sender_name or clinic.name,
        sender_address=clinic.email,
        reply_to=clinic.reply_to or clinic.email,
        phone=clinic.phone,
        booking_url=clinic.booking_url,
        postal_address=clinic.address,
        country=clinic.country,
        colour=clinic.colour,
        label=label_in(protocol, place.language) if protocol else usual.label,
    )


def in_words(place: Place) -> str:
    """Return what a template is for, such as "cosmetic follow_up in en (filler-lips)"."""
    protocol = f" ({place.protocol})" if place.protocol else ""
    return f"{place.class_name} {place.stage} in {place.language}{protocol}"


def _versions(tx: Transaction, clinic: Clinic, place: Place) -> list[StoredTemplate]:
    found = templates.versions(tx, clinic.id, place)
    if not found:
        raise NoSuchTemplate(clinic=clinic.slug, place=in_words(place))
    return found


def _check_place(tx: Transaction, place: Place) -> None:
    for what, given, known in (
        ("class", place.class_name, tuple(TreatmentClass)),
        ("step", place.stage, STEP_NAMES),
        ("language", place.language, LANGUAGES),
    ):
        if given not in known:
            raise NoSuchPlace(problem=f"a {what} is one of {', '.join(known)}")
    if place.protocol:
        protocol = protocols.current(tx).get(place.protocol)
        if protocol is None:
            raise NoSuchPlace(problem="there is no such protocol; `reminders protocol list` shows the codes")
        if protocol.class_name != place.class_name:
            raise NoSuchPlace(problem=f"the protocol {place.protocol} is {protocol.class_name}")
