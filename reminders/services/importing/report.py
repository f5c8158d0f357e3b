"""What an import is asked to do, and the report it gives.

Invariant: a report holds row numbers, columns, codes, the clinic's own service names and its staff, and no patient's
name or address; added + changed + unchanged + rejected is the number of rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """A file for a clinic (its slug). `mapping` holds (our column, the file's); `date_format` is strftime's."""

    path: Path
    clinic: str
    dry_run: bool = False
    errors: Path | None = None
    mapping: tuple[tuple[str, str], ...] = ()
    values: Path | None = None
    date_format: str | None = None


class RowProblem(NamedTuple):
    """What is wrong in a row, numbered as a spreadsheet does: the header is 1. An empty column means the whole row."""

    row: int
    column: str
    problem: str

    def as_plain(self) -> dict[str, object]:
        """Return it as JSON knows it."""
        return {"row": self.row, "column": self.column, "problem": self.problem}


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of every row, and what a person should know or do now.

    `errors` and `warnings` list at most `MOST_LISTED`; `errors_left_out` and `warnings_left_out` count the rest (the
    error file has all errors). `unmapped_services` are (name, rows) pairs; `placeholders` and `lost_letters` count
    patients, `unreachable` the file's patients by reason, `consent_unknown` those among them whose consent nobody
    asked; `planned` and `held_as_backlog` count reminders.
    """

    rows: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: int = 0
    errors: tuple[RowProblem, ...] = ()
    warnings: tuple[RowProblem, ...] = ()
    errors_left_out: int = 0
    warnings_left_out: int = 0
    dry_run: bool = False
    patients_added: int = 0
    treatments_added: int = 0
    appointments_added: int = 0
    ignored_columns: tuple[str, ...] = ()
    unmapped_services: tuple[tuple[str, int], ...] = ()
    new_practitioners: tuple[str, ...] = ()
    new_locations: tuple[str, ...] = ()
    touch_ups: tuple[int, ...] = ()
    touch_up_count: int = 0
    placeholders: int = 0
    lost_letters: int = 0
    possible_duplicates: tuple[tuple[str, str], ...] = ()
    possible_duplicate_count: int = 0
    unreachable: Mapping[str, int] = field(default_factory=dict)
    consent_unknown: int = 0
    planned: int = 0
    held_as_backlog: int = 0
    next_steps: tuple[str, ...] = ()

    def as_plain(self) -> dict[str, object]:
        """Return the report as JSON knows it."""
        return {
            "rows": self.rows,
            "added": self.added,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "rejected": self.rejected,
            "errors": [problem.as_plain() for problem in self.errors],
            "warnings": [problem.as_plain() for problem in self.warnings],
            "errors_left_out": self.errors_left_out,
            "warnings_left_out": self.warnings_left_out,
            "dry_run": self.dry_run,
            "patients_added": self.patients_added,
            "treatments_added": self.treatments_added,
            "appointments_added": self.appointments_added,
            "ignored_columns": list(self.ignored_columns),
            "unmapped_services": [{"value": name, "rows": count} for name, count in self.unmapped_services],
            "new_practitioners": list(self.new_practitioners),
            "new_locations": list(self.new_locations),
            "touch_ups": {"count": self.touch_up_count, "rows": list(self.touch_ups)},
            "placeholders": self.placeholders,
            "lost_letters": self.lost_letters,
            "possible_duplicates": {
                "count": self.possible_duplicate_count,
                "patients": [{"held": held, "like": other} for held, other in self.possible_duplicates],
            },
            "unreachable": dict(self.unreachable),
            "consent_unknown": self.consent_unknown,
            "planned": self.planned,
            "held_as_backlog": self.held_as_backlog,
            "next_steps": list(self.next_steps),
        }
