"""Every value of the product as JSON knows it; the keys are a contract with scripts outside the project.

Invariants: moments are UTC with `Z`, days are `YYYY-MM-DD`, and a key that scripts rely on is never renamed.
"""

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reminders.cli.words import minutes, plan_counts
from reminders.domain.protocol import line_of

if TYPE_CHECKING:
    from reminders.domain.window import Window
    from reminders.services.answering.requests import RequestView
    from reminders.services.decide import Decision
    from reminders.services.deliver import DeliverOutcome
    from reminders.services.dossier import Dossier
    from reminders.services.explain import EpisodeReason, Explanation
    from reminders.services.overview import ReminderView
    from reminders.services.plan import PlanOutcome
    from reminders.services.preview import Preview
    from reminders.store.clinics import Clinic, Practitioner
    from reminders.store.listing import ListedReminder
    from reminders.store.treatments import TreatmentRow

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
COUNTED = (
    *("sent", "deferred", "failed", "unknown", "cancelled", "expired", "held", "waiting", "too_soon"),
    *("announced", "skipped"),
)


def moment(value: dt.datetime | None) -> str | None:
    """Return a moment as ISO 8601 in UTC with `Z`, to the second."""
    return None if value is None else f"{value.astimezone(dt.UTC).replace(tzinfo=None, microsecond=0).isoformat()}Z"


def day(value: dt.date | None) -> str | None:
    """Return a day as `YYYY-MM-DD`."""
    return None if value is None else value.isoformat()


def window(value: "Window | None") -> dict[str, str] | None:
    """Return the four days of a window."""
    if value is None:
        return None
    return {name: getattr(value, name).isoformat() for name in ("opens", "due", "overdue", "closes")}


def reminder(view: "ReminderView | ListedReminder") -> dict[str, Any]:
    """Return a reminder (product rules, Commands)."""
    return {
        "id": view.id,
        "clinic": view.clinic,
        "patient": view.patient,
        "treatment": view.treatment,
        "protocol": view.protocol,
        "class": str(view.class_name),
        "step": view.step,
        "copy": view.copy,
        "state": str(view.state),
        "reason": None if view.reason is None else str(view.reason),
        "due_at": moment(view.due_at),
        "not_after": moment(view.not_after),
        "window": window(view.window),
        "sent_at": moment(view.sent_at),
        "message_id": view.message_id,
        "attempts": view.attempts,
        "last_fault": view.last_fault,
        "episode": view.episode_id,
    }


def decision(value: "Decision") -> dict[str, Any]:
    """Return the reminders somebody decided on, as they are now."""
    return {"reminders": [reminder(row) for row in value.reminders]}


def clinic(value: "Clinic", practitioners: "list[Practitioner] | None" = None) -> dict[str, Any]:
    """Return a clinic with its settings."""
    plain: dict[str, Any] = {
        name: getattr(value, name)
        for name in (
            *("slug", "name", "timezone", "email", "sender_name", "reply_to", "phone", "booking_url", "address"),
            *("language", "jurisdiction", "country", "region", "daily_limit", "unknown_consent", "colour"),
        )
    }
    plain["sending_days"] = [WEEKDAYS[number] for number in sorted(value.sending_days)]
    plain["sending_hours"] = f"{minutes(value.opens_at)}-{minutes(value.closes_at)}"
    plain["send_at"] = minutes(value.send_at)
    plain["closed_days"] = [day(closed) for closed in sorted(value.closed_days)]
    plain["paused_at"] = moment(value.paused_at)
    if practitioners is not None:
        plain["practitioners"] = [{"name": one.name, "left_on": day(one.left_on)} for one in practitioners]
    return plain


def plan(value: "PlanOutcome") -> dict[str, int]:
    """Return what planning changed."""
    names = ("backlog_held", "patients", "skipped")
    return plan_counts(value) | {name: getattr(value, name) for name in names}


def treatment(row: "TreatmentRow", clinic_slug: str, patient: str, practitioner: str | None = None) -> dict[str, Any]:
    """Return an entry."""
    return {
        "id": row.id,
        "clinic": clinic_slug,
        "patient": patient,
        "ref": row.ref,
        "protocol": row.protocol,
        "on": day(row.day),
        "kind": str(row.kind),
        "practitioner": practitioner,
        "entered_at": moment(row.entered_at),
        "withdrawn_at": moment(row.withdrawn_at),
        "replaced_by": row.replaced_by_id,
    }


def patient(value: "Dossier", staff: Mapping[int, str]) -> dict[str, Any]:
    """Return a patient's record; `staff` holds the practitioners' names by id."""
    person = value.patient
    texts = ("given_name", "family_name", "known_as", "email", "phone", "postal_address", "language")
    plain: dict[str, Any] = {"clinic": value.clinic, "ref": person.ref}
    plain |= {name: getattr(person, name) for name in texts}
    return plain | {
        "birth_date": day(person.birth_date),
        "representative_email": person.representative_email,
        "consent": str(person.consent),
        "status": str(person.status),
        "practitioner": value.practitioner,
        "location": value.location,
        "own_intervals": [{"line": line_of(line) or None, "due": due} for line, due in value.own_intervals.items()],
        "opt_outs": list(value.opt_outs),
        "suppressions": [
            {"scope": one.scope, "reason": str(one.reason), "at": moment(one.at)} for one in value.suppressions
        ],
        "holds": [
            {
                "id": one.id,
                "line": line_of(one.line) if one.line else None,
                "until": day(one.until),
                "code": one.code,
                "at": moment(one.at),
                "ended_at": moment(one.ended_at),
            }
            for one in value.holds
        ],
        "answers": [{"id": one.id, "kind": str(one.kind), "at": moment(one.at)} for one in value.answers],
        "treatments": [
            treatment(row, value.clinic, person.ref, staff.get(row.practitioner_id or 0)) for row in value.treatments
        ],
        "appointments": [
            {
                "id": one.id,
                "on": day(one.day),
                "line": line_of(one.line) if one.line else None,
                "outcome": None if one.outcome is None else str(one.outcome),
            }
            for one in value.appointments
        ],
        "reminders": [reminder(view) for view in value.reminders],
        "notes": [dict(note) for note in person.notes],
        "created_at": moment(person.created_at),
    }


def request(value: "RequestView", now: dt.datetime) -> dict[str, Any]:
    """Return what a patient asked or answered; `phone` is the number to call, `age_days` counts whole days."""
    names = ("id", "clinic", "patient", "practitioner", "contact_by", "contact_when", "scope", "note", "phone")
    return {name: getattr(value, name) for name in names} | {
        "kind": str(value.kind),
        "at": moment(value.at),
        "closed_at": moment(value.closed_at),
        "withdrawn_at": moment(value.withdrawn_at),
        "age_days": (now - value.at).days,
        "day": day(value.day),
        "lines": None if value.lines is None else [line_of(line) for line in value.lines],
    }


def delivered(value: "DeliverOutcome") -> dict[str, Any]:
    """Return what a delivery did."""
    return {
        **{name: getattr(value, name) for name in COUNTED},
        "next_at": moment(value.next_at),
        "stopped": value.stopped,
        "open_until": moment(value.open_until),
        "server": value.server,
    }


def explanation(value: "Explanation") -> dict[str, Any]:
    """Return why each step of a patient was sent, will be, or will not."""
    return {
        "clinic": value.patient.clinic.slug,
        "patient": value.patient.ref,
        "notes": list(value.notes),
        "episodes": [_episode(episode) for episode in value.episodes],
    }


def _episode(value: "EpisodeReason") -> dict[str, Any]:
    run = value.view.run
    return {
        "episode": run.episode.id,
        "line": line_of(run.episode.line),
        "protocol": run.protocol.code if run.protocol else None,
        "on": day(run.day),
        "treatment": run.treatment.ref if run.treatment else None,
        "window": window(run.window),
        "ended_on": day(run.ended_on),
        "notes": list(value.notes),
        "steps": [
            {**reminder(step.view), "sentence": step.sentence, "goes_out_at": moment(step.goes_out_at)}
            for step in value.steps
        ],
    }


def preview(value: "Preview") -> dict[str, Any]:
    """Return a message as it would go out."""
    return {
        "step": value.step,
        "state": str(value.state),
        "due_at": moment(value.due_at),
        "subject": value.subject,
        "headers": dict(value.headers),
        "text": value.text,
        "html": value.html,
        "complaints": list(value.complaints),
        "warnings": list(value.warnings),
    }


def plainly(value: object) -> Any:  # noqa: ANN401 - JSON has no type of its own
    """Return any value of an export as JSON knows it: moments, days, sequences and mappings of them."""
    if isinstance(value, dt.datetime):
        return moment(value)
    if isinstance(value, dt.date):
        return day(value)
    if isinstance(value, Mapping):
        return {str(key): plainly(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | frozenset | set):
        return [plainly(inner) for inner in value]
    return value if isinstance(value, int | float | bool | None) else str(value)
