"""Enrols clinics and keeps their settings; a changed calendar or rule replans the clinic in the same transaction.

Invariant: a clinic's settings are checked as a whole, and nothing is stored when a part is wrong.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from reminders.domain.sending_hours import local_day
from reminders.errors import BadInput
from reminders.mail.palette import web_colour
from reminders.services import advertising, typed
from reminders.services.calendar import public_holidays
from reminders.services.find import clinic_named, the_clinic, the_practitioner
from reminders.services.logo import change_logo
from reminders.services.plan import PlanOutcome, plan_clinic
from reminders.store import clinics
from reminders.store.clinics import Clinic
from reminders.store.database import Transaction


class ClinicExists(BadInput):
    """There is already a clinic {slug}: change it with `reminders clinic set {slug}`."""


DEFAULTS: Mapping[str, object] = {
    "language": "en",
    "sending_days": frozenset(range(5)),
    "opens_at": 9 * 60,
    "closes_at": 17 * 60,
}
"""Monday to Friday, 09:00 to 17:00 (product rules, Commands)."""


def add_clinic(tx: Transaction, slug: str, given: Mapping[str, Any], practitioners: Sequence[str] = ()) -> Clinic:
    """Enrol a clinic; `given` holds what was typed, by column (`sending_hours` as one text)."""
    typed.slug(slug)
    if clinics.clinic_by_slug(tx, slug) is not None:
        raise ClinicExists(slug=slug)
    logo, given = _logo_in(given)
    values = {**DEFAULTS, **clinic_values(given, tx.now)}
    clinic = clinics.add_clinic(tx, slug=slug, **values)
    if logo:
        change_logo(tx, clinic.id, Path(logo))
    for name in practitioners:
        clinics.add_practitioner(tx, clinic.id, typed.shown_name("--practitioner", name))
    advertising.ensure_allowed(tx, the_clinic(tx, slug), ("jurisdiction",))
    return the_clinic(tx, slug)


def change_clinic(
    tx: Transaction,
    slug: str,
    given: Mapping[str, Any],
    practitioners: Sequence[str] = (),
    left: Sequence[str] = (),
    closed: Sequence[dt.date] = (),
    opened: Sequence[dt.date] = (),
) -> tuple[Clinic, PlanOutcome]:
    """Change what is given, add practitioners, mark who `left` today, close and open days; then replan the clinic."""
    before = clinic_named(tx, slug)
    logo, given = _logo_in(given)
    values = clinic_values(given, tx.now, before)
    if values:
        clinics.change_clinic(tx, before.id, values)
    if logo is not None:
        change_logo(tx, before.id, Path(logo) if logo else None)
    known = {practitioner.name for practitioner in clinics.practitioners(tx, before.id)}
    for name in practitioners:
        if typed.shown_name("--practitioner", name) not in known:
            clinics.add_practitioner(tx, before.id, typed.shown_name("--practitioner", name))
    if left:
        today = local_day(the_clinic(tx, slug).timezone, tx.now)
        for name in left:
            clinics.set_practitioner_left(tx, the_practitioner(tx, before, name).id, today)
    if closed or opened:
        clinics.set_closed_days(tx, before.id, closed, opened)
    clinic = the_clinic(tx, slug)
    advertising.ensure_allowed(tx, clinic, values, practitioners)
    return clinic, plan_clinic(tx, clinic)


def set_paused(tx: Transaction, slug: str, *, paused: bool) -> tuple[Clinic, PlanOutcome]:
    """Pause or resume all sending of a clinic; after a long pause the backlog rule decides what goes out."""
    clinic = the_clinic(tx, slug)
    if paused != (clinic.paused_at is not None):
        clinics.change_clinic(tx, clinic.id, {"paused_at": tx.now if paused else None})
    clinic = the_clinic(tx, slug)
    return clinic, plan_clinic(tx, clinic)


def add_location(tx: Transaction, slug: str, name: str, given: Mapping[str, Any]) -> Clinic:
    """Add a place of a clinic, or change its address, phone or booking URL."""
    clinic = the_clinic(tx, slug)
    checks: dict[str, Callable[[str], str]] = {
        "address": lambda v: typed.postal_address("--address", v),
        "phone": lambda v: typed.shown_name("--phone", v),
        "booking_url": lambda v: typed.web_address("--booking-url", v),
    }
    values = {key: checks[key](value) for key, value in given.items()}
    name = typed.text("--name", name)
    advertising.ensure_place_allowed(clinic, values)
    place = next((place for place in clinics.locations(tx, clinic.id) if place.name == name), None)
    if place is None:
        place = clinics.add_location(tx, clinic.id, name)
    clinics.change_location(tx, place.id, values)
    return clinic


def clinic_values(given: Mapping[str, object], now: dt.datetime, before: Clinic | None = None) -> dict[str, object]:
    """Return the checked columns of a clinic from what was typed; `before` is the clinic that is changed."""
    checks: dict[str, Callable[[Any], object]] = {
        "name": lambda v: typed.shown_name("--name", v),
        "timezone": typed.zone,
        "email": lambda v: typed.address("--email", v),
        "sender_name": lambda v: typed.shown_name("--sender-name", v),
        "reply_to": lambda v: typed.address("--reply-to", v),
        "phone": lambda v: typed.shown_name("--phone", v),
        "booking_url": lambda v: typed.web_address("--booking-url", v),
        "address": lambda v: typed.postal_address("--address", v),
        "language": typed.language_of_mail,
        "jurisdiction": lambda v: typed.one_of("--jurisdiction", v, typed.JURISDICTIONS),
        "country": lambda v: typed.text("--country", v).upper(),
        "region": lambda v: typed.text("--region", v).upper(),
        "sending_days": typed.sending_days,
        "send_at": lambda v: typed.minutes("--send-at", v),
        "daily_limit": typed.limit,
        "colour": web_colour,
        "unknown_consent": lambda v: typed.one_of("--unknown-consent", v, ("existing_customer", "no")),
    }
    values: dict[str, object] = {}
    for name, value in given.items():
        if name == "sending_hours":
            values["opens_at"], values["closes_at"] = typed.sending_hours(str(value))
        else:
            values[name] = None if value == "" and before is not None and name in _OPTIONAL else checks[name](value)
    if values.get("unknown_consent") == "no":
        values["unknown_consent"] = None
    _check_together(values, now, before)
    return values


def _logo_in(given: Mapping[str, Any]) -> tuple[str | None, dict[str, Any]]:
    """Return the logo's file ("" takes the logo away, None leaves it), and the rest of what was typed."""
    rest = dict(given)
    return rest.pop("logo", None), rest


_OPTIONAL = frozenset(
    {
        "colour",
        "sender_name",
        "reply_to",
        "phone",
        "booking_url",
        "address",
        "jurisdiction",
        "country",
        "region",
        "send_at",
        "daily_limit",
    }
)
"""What an empty text takes away again in `clinic set`."""


def _check_together(values: Mapping[str, object], now: dt.datetime, before: Clinic | None) -> None:
    def current(name: str, default: object = None) -> object:
        return values[name] if name in values else getattr(before, name, default) if before else default

    opens, closes, send_at = current("opens_at", 9 * 60), current("closes_at", 17 * 60), current("send_at")
    if (
        isinstance(send_at, int)
        and isinstance(opens, int)
        and isinstance(closes, int)
        and not opens <= send_at < closes
    ):
        raise typed.BadValue(field="--send-at", problem="it must lie within the sending hours")
    if current("country") and ("country" in values or "region" in values):
        public_holidays(str(current("country")), str(current("region") or ""), now.year)
    if current("region") and not current("country"):
        raise typed.BadValue(field="--region", problem="it needs --country")
