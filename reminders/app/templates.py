"""A clinic's own templates: examined, kept, shown, compared, brought back, withdrawn.

Invariant: every verb is one service; what needs no installation (examining a file) needs none here either.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

from reminders import paths
from reminders.app.opened import Opened
from reminders.mail.message import Jurisdiction, MessageClass, MessageFacts, Stage
from reminders.mail.render import Renderer
from reminders.mail.templates.check import check_template, example
from reminders.mail.templates.file import Complaint, TemplateUnreadable, decoded
from reminders.mail.templates.trial import try_template
from reminders.services import preview, template_preview, templates
from reminders.services.find import the_clinic
from reminders.services.templates import Listed, Saved, Version
from reminders.services.typed import JURISDICTIONS
from reminders.store.templates import Place, StoredTemplate


def try_file(
    content: bytes, class_name: str, stage: str, language: str, jurisdiction: str | None
) -> tuple[Complaint, ...]:
    """Examine a file for a message of an invented clinic; without a jurisdiction in all of them."""
    first, *also = _asked(jurisdiction)
    try:
        return try_template(decoded(content), _usual(class_name, stage, language, first), also=also)
    except TemplateUnreadable as unreadable:
        return unreadable.complaints


def try_shipped(jurisdiction: str | None) -> Iterator[tuple[Path, tuple[Complaint, ...]]]:
    """Examine every template that travels with the product."""
    renderer, (first, *also) = Renderer(), _asked(jurisdiction)
    for path in sorted((paths.templates() / "email").glob("*/*/*.txt")):
        usual = _usual(path.parent.parent.name, path.parent.name, path.stem, first)
        yield path, check_template(path.read_text(encoding="utf-8"), usual, renderer, also)


def _asked(jurisdiction: str | None) -> Sequence[Jurisdiction]:
    return cast("Sequence[Jurisdiction]", (str(jurisdiction),) if jurisdiction else JURISDICTIONS)


def _usual(class_name: str, stage: str, language: str, jurisdiction: Jurisdiction) -> MessageFacts:
    return example(cast("MessageClass", class_name), cast("Stage", stage), language, jurisdiction)


class TemplateVerbs(Opened):
    """A clinic's own templates."""

    def save_template(self, slug: str, place: Place, content: bytes) -> Saved:
        """Examine a file and put it in force at a clinic."""
        return templates.save(self.database, self.clock, "cli", slug, place, decoded(content))

    def restore_template(self, slug: str, place: Place, version: int) -> Saved:
        """Put the words of an older version in force again."""
        return templates.restore(self.database, self.clock, "cli", slug, place, version)

    def withdraw_template(self, slug: str, place: Place) -> StoredTemplate:
        """Go back to the shipped words."""
        with self._writing() as tx:
            return templates.withdraw(tx, slug, place)

    def templates(self, slug: str | None) -> list[Listed]:
        """Return what is in force."""
        with self._reading() as tx:
            return templates.list_templates(tx, slug)

    def template(self, slug: str, place: Place, version: int | None) -> StoredTemplate:
        """Return one template: in force, or one of its versions."""
        with self._reading() as tx:
            clinic = the_clinic(tx, slug)
            if version is None:
                return templates.the_template(tx, clinic, place)
            return templates.version_of(tx, clinic, place, version)

    def template_versions(self, slug: str, place: Place) -> list[Version]:
        """Return every version of a template with its differences."""
        with self._reading() as tx:
            return templates.versions(tx, the_clinic(tx, slug), place)

    def try_template_at(self, slug: str, place: Place, content: bytes) -> tuple[Complaint, ...]:
        """Examine a file with a clinic's details."""
        with self._reading() as tx:
            shown = templates.shown_at(tx, the_clinic(tx, slug), place)
        try:
            return try_template(decoded(content), shown)
        except TemplateUnreadable as unreadable:
            return unreadable.complaints

    def try_stored_templates(self, slug: str | None) -> Iterator[tuple[Listed, tuple[Complaint, ...]]]:
        """Examine every template in force."""
        with self._reading() as tx:
            yield from templates.try_stored(tx, slug)

    def preview_template(self, slug: str, ref: str, step: str | None, content: bytes) -> preview.Preview:
        """Return a patient's message as a file would word it."""
        source = decoded(content)
        with self._reading() as tx:
            found, base = the_clinic(tx, slug), self.settings.link_base
            return template_preview.preview_template(tx, self.keys, base, found, ref, step, source)
