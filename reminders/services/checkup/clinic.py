"""Examines what a clinic's messages will show and when they may go: its sender, its ways to be reached, its hours.

Invariant: what a message would merely lack is something to look at; what would stop every message is wrong.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import cast

from reminders.domain.sending_hours import next_open
from reminders.errors import RemindersError
from reminders.mail.advertising.jurisdiction import rules_of
from reminders.mail.check import complaints
from reminders.mail.message import Jurisdiction, MessageFacts, MessageLinks
from reminders.mail.render import Renderer
from reminders.services.advertising import clinic_findings, said
from reminders.services.answering.announce import notices_of
from reminders.services.calendar import sending_calendar
from reminders.services.checkup.check import Check, asked
from reminders.services.explain import fault_words
from reminders.store import clinics, transports
from reminders.store.clinics import Clinic
from reminders.store.database import Transaction

AN_INVENTED_PATIENT = MessageFacts(
    clinic_name="An Invented Clinic",
    sender_name="An Invented Clinic",
    sender_address="desk@clinic.example",
    reply_to="desk@clinic.example",
    phone="+44 20 7946 0000",
    booking_url="https://clinic.example/visit",
    postal_address="1 Invented Street, London",
    language="en",
    jurisdiction=None,
    class_name="cosmetic",
    stage="invitation",
    recipient="patient@home.example",
    recipient_is_representative=False,
    patient_name="Alex",
    practitioner=None,
    label="a follow-up consultation",
    opens=dt.date(2027, 3, 3),
    closes=dt.date(2027, 6, 3),
    window_is_open=False,
)

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WANTED = (
    ("address", "the clinic's postal address, which the law of many countries asks for", "--address"),
    ("phone", "a phone number", "--phone"),
    ("reply_to", "a reply address of its own (replies go to the sender's)", "--reply-to"),
    ("booking_url", "a booking link", "--booking-url"),
)


def clinics_checks(tx: Transaction, slug: str | None = None) -> Iterator[Check]:
    """Yield the checks of every clinic, or of one."""
    everyone = clinics.readable_clinics(tx)
    if not everyone:
        yield Check("clinics", ok=None, said="there is none yet", advice="add one with `reminders clinic add`")
    for clinic in everyone:
        if slug in (None, clinic.slug):
            yield from asked(f"clinic {clinic.slug}", partial(_clinic_checks, tx, clinic))


def _clinic_checks(tx: Transaction, clinic: Clinic) -> Iterator[Check]:
    yield _sender(clinic)
    yield from _wording(tx, clinic)
    yield _hours(clinic, tx.now)
    yield from _notices(tx, clinic)
    if clinic.paused_at is not None:
        advice = f"`reminders clinic resume {clinic.slug}` when it shall send again"
        yield Check(f"clinic {clinic.slug}: paused", None, f"since {clinic.paused_at:%Y-%m-%d %H:%M} UTC", advice)


def _sender(clinic: Clinic) -> Check:
    """Say what this clinic's messages lack, and whether its details make a message that may go."""
    name = f"clinic {clinic.slug}: sender"
    wrong = _complaints(clinic)
    if wrong:
        return Check(name, ok=False, said=wrong, advice=f"mend it with `reminders clinic set {clinic.slug}`")
    lacking = [(what, option) for field, what, option in _WANTED if not getattr(clinic, field)]
    if not lacking:
        return Check(name, ok=True, said="its messages say who writes and how to reach the clinic")
    options = " ".join(f"{option} …" for _, option in lacking)
    said = f"its messages lack {'; '.join(what for what, _ in lacking)}"
    return Check(name, ok=None, said=said, advice=f"`reminders clinic set {clinic.slug} {options}`")


def _wording(tx: Transaction, clinic: Clinic) -> Iterator[Check]:
    """Yield what of the clinic's details its advertising rules would refuse today, and what to look at."""
    found = clinic_findings(tx, clinic)
    refused = [one for one in found if one.severity == "error"]
    if found:
        name, listed = f"clinic {clinic.slug}: wording", "; ".join(dict.fromkeys(said(one) for one in refused or found))
        whose = f"{rules_of(clinic.jurisdiction)} {'do not allow' if refused else 'or this product frown upon'} this"
        advice = f"`reminders clinic set {clinic.slug}` with other words"
        yield Check(name, False if refused else None, f"{whose}: {listed}", advice)


def _complaints(clinic: Clinic) -> str:
    """Return why a message with this clinic's details would be refused; empty when it would not."""
    shown = replace(
        AN_INVENTED_PATIENT,
        clinic_name=clinic.name,
        sender_name=clinic.sender_name or clinic.name,
        sender_address=clinic.email,
        reply_to=clinic.reply_to or clinic.email,
        phone=clinic.phone,
        booking_url=clinic.booking_url,
        postal_address=clinic.address,
        jurisdiction=cast("Jurisdiction | None", clinic.jurisdiction),
    )
    try:
        return "; ".join(complaints(Renderer().render(shown, MessageLinks()), shown, MessageLinks()))
    except RemindersError as error:
        return str(error)


def _notices(tx: Transaction, clinic: Clinic) -> Iterator[Check]:
    """Say where a clinic's own mailbox takes no notice that patients asked for something."""
    resting = transports.breaker(tx, notices_of(clinic).name)
    if resting.fault is not None:
        said = f"its mailbox did not take the last note that patients answered ({fault_words(resting.fault)})"
        advice = f"mend the reply-to address; meanwhile look with `reminders requests list --clinic {clinic.slug}`"
        yield Check(f"clinic {clinic.slug}: notes to staff", ok=None, said=said, advice=advice)


def _hours(clinic: Clinic, now: dt.datetime) -> Check:
    name, calendar = f"clinic {clinic.slug}: hours", sending_calendar(clinic, now)
    days = ",".join(_DAYS[day] for day in sorted(clinic.sending_days))
    hours = f"{_time(clinic.opens_at)}-{_time(clinic.closes_at)}"
    upcoming = next_open(calendar, now)
    if upcoming is None:
        advice = f"`reminders clinic set {clinic.slug} --sending-days mon,tue,… --sending-hours 09:00-17:00`"
        return Check(name, ok=False, said="it has no hour in which it sends", advice=advice)
    said = f"it sends {days} {hours} in {clinic.timezone}, next from {upcoming:%Y-%m-%d %H:%M} UTC"
    return Check(name, ok=True, said=said)


def _time(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
