"""The states of a reminder, the reasons each may carry, and the legal moves between them.

Invariant: every state change in the store is one of `MOVES`; `docs/lifecycle.md` draws exactly these.
"""

from enum import StrEnum

from reminders.errors import CannotDo


class State(StrEnum):
    """Where a reminder is (product rules, States of a reminder)."""

    PLANNED = "planned"
    HELD = "held"
    CLAIMED = "claimed"
    HANDED_OVER = "handed_over"
    SENT = "sent"
    BOUNCED = "bounced"
    UNKNOWN = "unknown"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Reason(StrEnum):
    """Why a reminder is in its state."""

    SNOOZED = "snoozed"
    CLINIC_PAUSED = "clinic_paused"
    WAITING_TO_MERGE = "waiting_to_merge"
    HELD_FOR_REVIEW = "held_for_review"
    BACKLOG_HOLD = "backlog_hold"
    TEMPLATE_BROKEN = "template_broken"
    REJECTED_BY_SERVER = "rejected_by_server"
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    NO_EMAIL = "no_email"
    NO_CONSENT = "no_consent"
    OPTED_OUT = "opted_out"
    BOUNCED_ADDRESS = "bounced_address"
    COMPLAINED = "complained"
    DECEASED = "deceased"
    INACTIVE = "inactive"
    UNDER_AGE = "under_age"
    NO_REPRESENTATIVE = "no_representative"
    TREATED_AGAIN = "treated_again"
    ENTERED_IN_ERROR = "entered_in_error"
    BOOKED = "booked"
    CONSULTATION_REQUESTED = "consultation_requested"
    REPLIED = "replied"
    ON_HOLD = "on_hold"
    PATIENT_ERASED = "patient_erased"
    PROTOCOL_CHANGED = "protocol_changed"
    TOO_LATE = "too_late"
    TOO_SOON = "too_soon"


REASONS: dict[State, frozenset[Reason]] = {
    State.PLANNED: frozenset({Reason.SNOOZED, Reason.CLINIC_PAUSED, Reason.WAITING_TO_MERGE}),
    State.HELD: frozenset({Reason.HELD_FOR_REVIEW, Reason.BACKLOG_HOLD, Reason.TEMPLATE_BROKEN}),
    State.FAILED: frozenset({Reason.REJECTED_BY_SERVER, Reason.TOO_MANY_ATTEMPTS}),
    State.CANCELLED: frozenset(
        {
            Reason.NO_EMAIL,
            Reason.NO_CONSENT,
            Reason.OPTED_OUT,
            Reason.BOUNCED_ADDRESS,
            Reason.COMPLAINED,
            Reason.DECEASED,
            Reason.INACTIVE,
            Reason.UNDER_AGE,
            Reason.NO_REPRESENTATIVE,
            Reason.TREATED_AGAIN,
            Reason.ENTERED_IN_ERROR,
            Reason.BOOKED,
            Reason.CONSULTATION_REQUESTED,
            Reason.REPLIED,
            Reason.ON_HOLD,
            Reason.PATIENT_ERASED,
            Reason.PROTOCOL_CHANGED,
        }
    ),
    State.EXPIRED: frozenset({Reason.TOO_LATE, Reason.TOO_SOON}),
}
"""The reasons a state may carry; states that are missing carry none. Held, failed, cancelled and expired need one."""

MOVES: dict[State, frozenset[State]] = {
    State.PLANNED: frozenset({State.CLAIMED, State.HELD, State.CANCELLED, State.EXPIRED}),
    State.HELD: frozenset({State.PLANNED, State.CANCELLED, State.EXPIRED}),
    State.CLAIMED: frozenset(
        {State.HANDED_OVER, State.PLANNED, State.HELD, State.CANCELLED, State.EXPIRED, State.FAILED}
    ),
    State.HANDED_OVER: frozenset({State.SENT, State.PLANNED, State.FAILED, State.UNKNOWN}),
    State.SENT: frozenset({State.BOUNCED}),
    State.UNKNOWN: frozenset({State.SENT, State.PLANNED, State.FAILED, State.BOUNCED}),
    State.FAILED: frozenset({State.PLANNED}),
    State.CANCELLED: frozenset({State.PLANNED, State.HELD}),
    State.BOUNCED: frozenset(),
    State.EXPIRED: frozenset(),
}
"""The legal moves. Unknown moves by a person or by evidence only: the late answer of the same attempt, or a bounce."""

FINAL = frozenset({State.SENT, State.BOUNCED, State.EXPIRED})
"""What never goes out (again) by itself and is never planned anew. A sent one may still come back."""

COUNTS_AS_SENT = frozenset({State.SENT, State.BOUNCED, State.UNKNOWN})
"""What the patient may have received: it fixes the distance and the wording of later messages."""

IN_FLIGHT = frozenset({State.CLAIMED, State.HANDED_OVER})
"""What a worker has; the plan leaves it alone."""

PENDING = frozenset({State.PLANNED, State.HELD})
"""What may still go out and expires when its days have passed."""

_NEED_A_REASON = frozenset({State.HELD, State.FAILED, State.CANCELLED, State.EXPIRED})


class IllegalMove(CannotDo):
    """A reminder that is {before} cannot become {after} ({reason})."""


def check_move(before: State, after: State, reason: Reason | None) -> None:
    """Raise `IllegalMove` unless `before` may become `after` (or keep its state) carrying `reason`."""
    allowed = after in MOVES[before] or (after == before and after not in FINAL)
    reasoned = reason in REASONS.get(after, frozenset()) if reason else after not in _NEED_A_REASON
    if not (allowed and reasoned):
        raise IllegalMove(before=before, after=after, reason=reason or "no reason")
