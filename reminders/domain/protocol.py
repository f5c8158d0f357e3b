"""What a protocol is: a kind of treatment with its class, line, window and steps, label and course.

Invariant: a protocol is a value; `catalogue_rules.complaints` says what is wrong with one before it rules a window.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from reminders.domain.interval import Interval


class TreatmentClass(StrEnum):
    """The class of a protocol; no message mixes the two."""

    COSMETIC = "cosmetic"
    MEDICAL = "medical"


class Anchor(StrEnum):
    """The day of the window that a step is counted from."""

    OPENS = "opens"
    DUE = "due"
    OVERDUE = "overdue"
    CLOSES = "closes"


STEP_NAMES = ("invitation", "follow_up", "last_call")
"""The stages of a sequence in their order; a protocol of n steps takes the first n. Medical ones have no last."""


@dataclass(frozen=True, slots=True)
class Step:
    """One message of a protocol's sequence: due `offset` after the window's `anchor` day."""

    name: str
    anchor: Anchor
    offset: Interval


@dataclass(frozen=True, slots=True)
class Protocol:
    """One version of a kind of treatment. `min_days` of 0 means none; `label` maps a language to the patient's words.

    A course (`sessions` set) hands over to the protocol `then` from its last session on.
    """

    code: str
    name: str
    label: Mapping[str, str]
    class_name: TreatmentClass
    group: str
    line: str
    opens: Interval
    due: Interval
    overdue: Interval
    closes: Interval
    steps: tuple[Step, ...]
    min_days: int = 0
    source: str = ""
    verified: str = ""
    version: int = 1
    active: bool = True
    sessions: int | None = None
    then: str | None = None
    effective_on: dt.date | None = field(default=None)

    def __hash__(self) -> int:
        """Return a hash that is quickly made: what follows from a protocol is remembered by it."""
        return hash((self.code, self.version))

    @property
    def clock(self) -> str:
        """Return the key of the line across groups ("toxin/face"): what an episode belongs to.

        Two groups may treat one place, and a filler never ends the clock of a toxin.
        """
        return f"{self.group}/{self.line}"

    def label_in(self, language: str) -> str:
        """Return the patient-facing label in `language`, else in English."""
        return self.label.get(language) or self.label["en"]


def names_clock(named: str | None, clock: str) -> bool:
    """Tell whether a line as a person names it ("face", "toxin/face", None for every line) is the one of `clock`."""
    return named is None or named == clock or named == line_of(clock)


def group_of(clock: str) -> str:
    """Return the group of a line's key."""
    return clock.rpartition("/")[0]


def line_of(clock: str) -> str:
    """Return the line's own name, without its group."""
    return clock.rpartition("/")[2]
