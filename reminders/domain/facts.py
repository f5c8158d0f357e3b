"""What is known of one patient and one clinic: the facts from which every reminder is derived.

Invariant: plain values without a name, an address or a text; entries marked as entered in error never reach them.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from reminders.domain.answers import Answer
from reminders.domain.interval import Interval
from reminders.domain.lifecycle import Reason, State
from reminders.domain.protocol import Protocol, TreatmentClass
from reminders.domain.sending_hours import SendingCalendar
from reminders.domain.window import Window

EVERY_LINE = ""
"""The key of an own interval that holds for every line."""

OPT_OUT_ALL = "all"


class Kind(StrEnum):
    """What was done at a visit; only a `treatment` starts the clock."""

    TREATMENT = "treatment"
    TOUCH_UP = "touch_up"
    REVIEW = "review"


class Consent(StrEnum):
    """What the patient agreed to."""

    GRANTED = "granted"
    DENIED = "denied"
    UNKNOWN = "unknown"
    EXISTING_CUSTOMER = "existing_customer"


class Status(StrEnum):
    """Whether the patient is one who may be written to at all."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    DECEASED = "deceased"


class Outcome(StrEnum):
    """What became of an appointment."""

    KEPT = "kept"
    MISSED = "missed"
    CANCELLED = "cancelled"


class Treatment(NamedTuple):
    """A visit as logged; `episode_id` is set on the kind `treatment` alone."""

    id: int
    protocol: str
    day: dt.date
    kind: Kind = Kind.TREATMENT
    episode_id: int | None = None
    practitioner_id: int | None = None
    ref: str | None = None


class Episode(NamedTuple):
    """One run of the clock of a line. `counts_as_sent` names steps sent under the entry that this one corrects."""

    id: int
    line: str
    first_day: dt.date
    counts_as_sent: frozenset[str] = frozenset()


class Appointment(NamedTuple):
    """A booked consultation or treatment; without a line it stands for every line.

    `noted_on` is the clinic's local day on which the outcome was noted.
    """

    id: int
    day: dt.date
    line: str | None = None
    outcome: Outcome | None = None
    noted_on: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """Not before `until`, or without it not until a person says; on one line or on all."""

    id: int
    line: str | None = None
    until: dt.date | None = None


@dataclass(frozen=True, slots=True)
class PatientFacts:
    """Everything about one patient that decides what is sent.

    `opt_outs` holds "all" or classes; `blocked` the reasons for which the recipient's address is suppressed, by class;
    `answers` those that hold: open, or lasting and not taken back; `own_due` a line or `EVERY_LINE`.
    """

    id: int
    clinic_id: int
    status: Status = Status.ACTIVE
    consent: Consent = Consent.GRANTED
    birth_date: dt.date | None = None
    has_email: bool = True
    has_representative: bool = False
    erased: bool = False
    opt_outs: frozenset[str] = frozenset()
    blocked: frozenset[tuple[str, Reason]] = frozenset()
    answers: tuple[Answer, ...] = ()
    own_due: Mapping[str, Interval] = field(default_factory=dict)
    treatments: tuple[Treatment, ...] = ()
    episodes: tuple[Episode, ...] = ()
    appointments: tuple[Appointment, ...] = ()
    holds: tuple[Hold, ...] = ()


@dataclass(frozen=True, slots=True)
class Rules:
    """What a clinic goes by: its catalogue, its calendar, and how it reads an unknown consent."""

    protocols: Mapping[str, Protocol]
    calendar: SendingCalendar
    unknown_is_customer: bool = False


@dataclass(frozen=True, slots=True)
class Reminder:
    """A reminder as it is stored: one step of one episode, `copy` 0 being the plan's own.

    `wake_at` is when delivery looks at it: the latest of `due_at`, `next_attempt_at` and `snoozed_until`.
    `released` remembers that a person let it go; `waited` that it has waited for another message once; `held_reason`,
    of a withdrawn one, that it was held before, and is held again when the facts want it back. `oversleeps` says that
    its row has delivery look at it later than that, which nothing asks for. `went_at` is when it went out, or may have;
    `message` the stored message it was last claimed for.
    """

    id: int
    episode_id: int
    step: str
    state: State
    reason: Reason | None
    protocol: str
    class_name: TreatmentClass
    treatment_id: int | None
    window: Window
    due_at: dt.datetime
    not_after: dt.datetime
    copy: int = 0
    next_attempt_at: dt.datetime | None = None
    snoozed_until: dt.datetime | None = None
    released: bool = False
    waited: bool = False
    held_reason: Reason | None = None
    oversleeps: bool = False
    went_at: dt.datetime | None = None
    message: int | None = None

    @property
    def wake_at(self) -> dt.datetime:
        """Return the first moment at which it may be claimed."""
        return max(moment for moment in (self.due_at, self.next_attempt_at, self.snoozed_until) if moment)
