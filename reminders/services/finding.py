"""What an audit found: which promise is broken, where, and what to do about it.

Invariant: a finding names rows by ids and refs, never a person.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

MOST = 1000
"""How many findings are kept; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken promise (by its number in the product's rules); without a clinic it is about the installation."""

    promise: int
    clinic: str | None
    patient_ref: str | None
    reminder_id: int | None
    problem: str
    advice: str
    about_trail: bool = False
    """Whether the trail itself is in doubt: then nothing may be certified by it."""


@dataclass(frozen=True, slots=True)
class AuditReport:
    """Every finding (none: the promises hold), how many more there are, and how much was looked at.

    `checkpoint` is where a checkpoint was written; `notes` say what else a reader has to know: that nothing ran for
    long, that sending is locked, that the clock is not believed.
    """

    findings: tuple[Finding, ...]
    checked: Mapping[str, int]
    more: int = 0
    checkpoint: Path | None = None
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Findings:
    """Collects findings within bounds."""

    kept: list[Finding] = field(default_factory=list)
    more: int = 0

    def add(self, finding: Finding) -> None:
        """Keep a finding, or count it when there are too many already."""
        if len(self.kept) < MOST:
            self.kept.append(finding)
        else:
            self.more += 1
