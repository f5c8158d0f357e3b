"""Counts what becomes of a file's rows while they pass, and makes the report, with what a person should do next.

Invariants: every row is counted once; a file with a name in every row where staff or services should be is refused
before anything is stored.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from reminders.domain.backlog import overdue_before
from reminders.domain.sending_hours import SendingCalendar
from reminders.errors import BadInput
from reminders.services.advertising import notes_on_practitioners
from reminders.services.importing.commit import Stored
from reminders.services.importing.errors import Findings
from reminders.services.importing.judge import Judged
from reminders.services.importing.people import folded
from reminders.services.importing.reach import is_clinics_backlog, waiting_backlog
from reminders.services.importing.report import ImportReport, ImportRequest
from reminders.store import reminders
from reminders.store.clinics import Clinic
from reminders.store.database import Transaction

MOST_NAMES = 500
"""More practitioners, or places, than this in one file are none."""

MOST_SERVICES = 2_000
MOST_LISTED = 1_000


class TooManyNames(BadInput):
    """The column {column!r} holds more than {most} different names: is it the right column? Nothing was stored."""


class Tally:
    """Counts rows as they are judged and stored."""

    def __init__(
        self, clinic: Clinic, calendar: SendingCalendar, request: ImportRequest, ignored: Sequence[str]
    ) -> None:
        """Begin with nothing counted."""
        self._clinic, self._calendar, self._request, self._ignored = clinic, calendar, request, tuple(ignored)
        self.rows = 0
        self._rejected = 0
        self._ambiguous = 0
        self._unmapped: Counter[str] = Counter()
        self._names: dict[str, set[str]] = {"practitioner": set(), "location": set()}
        self._all = Stored()
        self._touch_ups = 0
        self._duplicates = 0

    @property
    def settled(self) -> int:
        """Return how many rows are done with."""
        return self._rejected + sum(self._all.fates.values())

    def judged(self, judged: Judged) -> None:
        """Count a row that was read; raises `TooManyNames`."""
        self.rows += 1
        self._rejected += judged.row is None
        self._ambiguous += any("two different days" in problem for _, problem in (*judged.errors, *judged.warnings))
        for name in judged.unmapped:
            if name in self._unmapped or len(self._unmapped) < MOST_SERVICES:
                self._unmapped[name] += 1
        if judged.row:
            for column, name in (
                ("practitioner", judged.row.practitioner),
                ("location", judged.row.values.get("location", "")),
            ):
                self._names[column].add(folded(name))
                if len(self._names[column]) > MOST_NAMES:
                    raise TooManyNames(column=column, most=MOST_NAMES)

    def stored(self, stored: Stored, findings: Findings) -> None:
        """Count what one transaction came to."""
        for problem in stored.rejected:
            findings.error(problem)
        for problem in stored.warnings:
            findings.warn(problem)
        total = self._all
        self._rejected += len(stored.rejected)
        total.fates.update(stored.fates)
        total.counts.update(stored.counts)
        total.unreachable.update(stored.unreachable)
        total.practitioners |= stored.practitioners
        total.locations |= stored.locations
        self._touch_ups += len(stored.touch_ups)
        self._duplicates += len(stored.duplicates)
        total.touch_ups += stored.touch_ups[: MOST_LISTED - len(total.touch_ups)]
        total.duplicates += stored.duplicates[: MOST_LISTED - len(total.duplicates)]

    def report(self, tx: Transaction, findings: Findings) -> ImportReport:
        """Return the report, once everything is stored."""
        total = self._all
        planned, held = self._reminders(tx)
        errors, warnings = findings.first_errors(), findings.first_warnings()
        return ImportReport(
            rows=self.rows,
            added=total.fates["added"],
            changed=total.fates["changed"],
            unchanged=total.fates["unchanged"],
            rejected=self._rejected,
            errors=errors,
            warnings=warnings,
            errors_left_out=findings.errors_count - len(errors),
            warnings_left_out=findings.warnings_count - len(warnings),
            dry_run=self._request.dry_run,
            patients_added=total.counts["patients"],
            treatments_added=total.counts["treatments"],
            appointments_added=total.counts["appointments"],
            ignored_columns=self._ignored,
            unmapped_services=tuple(self._unmapped.most_common()),
            new_practitioners=tuple(sorted(total.practitioners)),
            new_locations=tuple(sorted(total.locations)),
            touch_ups=tuple(sorted(total.touch_ups)),
            touch_up_count=self._touch_ups,
            placeholders=total.counts["placeholders"],
            lost_letters=total.counts["lost_letters"],
            possible_duplicates=tuple(total.duplicates),
            possible_duplicate_count=self._duplicates,
            unreachable=dict(total.unreachable.most_common()),
            consent_unknown=total.counts["consent_unknown"],
            planned=planned,
            held_as_backlog=held,
            next_steps=tuple(self._next_steps(held)),
        )

    def _reminders(self, tx: Transaction) -> tuple[int, int]:
        """Return how many reminders are planned and held; a dry run adds up what was undone."""
        counts = self._all.counts
        if not self._request.dry_run:
            return counts["planned"], counts["backlog"]
        before = overdue_before(self._calendar, tx.now)
        stored = max(reminders.overdue_count(tx, self._clinic.id, before), waiting_backlog(tx, self._clinic.id))
        if not is_clinics_backlog(tx, self._clinic.id, self._calendar, counts["overdue"] + stored):
            return counts["standing"], 0
        return counts["standing"] - counts["overdue"], counts["overdue"]

    def _next_steps(self, held: int) -> Iterator[str]:
        clinic, total = self._clinic.slug, self._all
        if self._request.dry_run:
            yield "Nothing was stored: run it again without --dry-run when the report is as it should be."
        if self._unmapped:
            yield (
                f"Service names that are not mapped: {len(self._unmapped)}; their rows were not taken: write each into "
                "the values file as value,protocol,kind (or ignore) and import again with --values."
            )
        if self._ambiguous:
            yield f"Rows with days that may be read two ways: {self._ambiguous}; give --date-format."
        if self._rejected and self._request.errors:
            name = self._request.errors.name
            yield f"Rows not taken: {self._rejected}; mend them in {name} and import that file."
        elif self._rejected:
            yield f"Rows not taken: {self._rejected}; with --errors FILE they come as a file to mend and import."
        if held:
            yield (
                f"Reminders held as a backlog: {held}; look with `reminders list --clinic {clinic} --state held`, "
                f"then let them go with `reminders release --clinic {clinic} --all`."
            )
        if self._duplicates:
            yield (
                f"Patients who seem to be known under another number too: {self._duplicates}; they are on hold "
                "(possible_duplicate): compare them with `reminders patient show`."
            )
        yield from self._about_people()
        if total.practitioners:
            yield "New practitioners were added: check that none is another spelling of one you have."
            yield from notes_on_practitioners(self._clinic, sorted(total.practitioners))
        if self._touch_ups:
            yield (
                f"Rows within 28 days of a treatment, which count as touch-ups: {self._touch_ups}; they do not restart "
                "the clock: correct one that was a treatment with `reminders treatment add --replaces`."
            )

    def _about_people(self) -> Iterator[str]:
        total = self._all
        if total.unreachable["no_email"]:
            yield f"Patients without a usable e-mail address: {total.unreachable['no_email']}; ask at the next visit."
        unasked = total.counts["consent_unknown"]
        if unasked:
            yield (
                f"Patients not written to because their consent is unknown: {unasked}; ask at the next visit, or, "
                "where your law lets a clinic write to its own patients, say so with "
                f"`reminders clinic set {self._clinic.slug} --unknown-consent existing_customer`."
            )
        if total.counts["lost_letters"]:
            yield (
                f"Patients with a question mark for a letter of their name: {total.counts['lost_letters']}; "
                "it was lost in the export: export as UTF-8 and import again, or correct the names."
            )
