"""Enrolling clinics and keeping the catalogue they go by.

Invariant: every verb is one service; nothing is decided here.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reminders.app.opened import Opened
from reminders.domain.protocol import Protocol
from reminders.services import advertising, catalogue, catalogue_file, clinic, plan, ways
from reminders.services.find import clinic_named, the_clinic
from reminders.store import clinics, logos, protocols
from reminders.store.clinics import Clinic, Practitioner


class ClinicVerbs(Opened):
    """Enrolling clinics and keeping the catalogue they go by."""

    def add_clinic(self, slug: str, given: Mapping[str, Any], practitioners: Sequence[str]) -> Clinic:
        """Enrol a clinic."""
        with self._writing() as tx:
            return clinic.add_clinic(tx, slug, given, practitioners)

    def change_clinic(
        self,
        slug: str,
        given: Mapping[str, Any],
        practitioners: Sequence[str] = (),
        left: Sequence[str] = (),
        closed: Sequence[dt.date] = (),
        opened: Sequence[dt.date] = (),
    ) -> tuple[Clinic, plan.PlanOutcome]:
        """Change a clinic's settings and replan it."""
        with self._writing() as tx:
            return clinic.change_clinic(tx, slug, given, practitioners, left, closed, opened)

    def clinic_notes(self, slug: str) -> tuple[str, ...]:
        """Return what the advertising rules frown upon in a clinic's stored details, as sentences."""
        with self._reading() as tx:
            return advertising.notes_on_clinic(tx, the_clinic(tx, slug))

    def give_transport(self, slug: str, url: str) -> str:
        """Give a clinic a transport of its own; return its scheme, host and port."""
        with self._writing() as tx:
            return ways.give_transport(tx, self.keys, slug, url)

    def share_transport(self, slug: str) -> None:
        """Let a clinic send over the transport of the settings."""
        with self._writing() as tx:
            ways.share_transport(tx, slug)

    def clinic_transports(self) -> dict[str, str | None]:
        """Return the scheme, host and port of every clinic's own transport, by slug; None for one nobody can open."""
        with self._reading() as tx:
            return ways.names_of(tx, self.keys)

    def pause_clinic(self, slug: str, *, paused: bool) -> tuple[Clinic, plan.PlanOutcome]:
        """Pause or resume a clinic."""
        with self._writing() as tx:
            return clinic.set_paused(tx, slug, paused=paused)

    def add_location(self, slug: str, name: str, given: Mapping[str, Any]) -> Clinic:
        """Add or change a place of a clinic."""
        with self._writing() as tx:
            return clinic.add_location(tx, slug, name, given)

    def clinics(self) -> list[tuple[Clinic, list[Practitioner]]]:
        """Return every clinic with its practitioners."""
        with self._reading() as tx:
            found = [clinic_named(tx, slug) for slug in clinics.slugs(tx).values()]
            return [(one, clinics.practitioners(tx, one.id)) for one in found]

    def practitioners(self, slug: str) -> list[Practitioner]:
        """Return a clinic's practitioners, those who left too."""
        with self._reading() as tx:
            return clinics.practitioners(tx, the_clinic(tx, slug).id)

    def clinics_with_logo(self) -> frozenset[str]:
        """Return the slugs of the clinics that keep a logo."""
        with self._reading() as tx:
            kept = logos.clinics_with_logo(tx)
            return frozenset(slug for clinic_id, slug in clinics.slugs(tx).items() if clinic_id in kept)

    def protocols(self) -> list[Protocol]:
        """Return the catalogue's current versions, by code."""
        with self._reading() as tx:
            return sorted(protocols.current(tx).values(), key=lambda protocol: protocol.code)

    def import_protocols(self, path: Path) -> catalogue.CatalogueOutcome:
        """Take a catalogue file in, as a whole or not at all, and replan whom it touches."""
        found = catalogue_file.read_catalogue(path)
        with self._writing() as tx:
            return catalogue.import_catalogue(tx, found)

    def export_protocols(self) -> str:
        """Return the catalogue as a file that people can read and edit."""
        return catalogue_file.write_catalogue(self.protocols())
