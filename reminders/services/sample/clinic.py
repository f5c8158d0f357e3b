"""Writes the script of a sample clinic: its patients, two years of treatments, and two months with the product.

Invariant: the same moment gives the same clinic, person by person and day by day; nobody in it exists.
"""

import datetime as dt
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from reminders.domain.protocol import Protocol
from reminders.domain.sending_hours import local_day, moment
from reminders.mail.inbox import Mailbox
from reminders.services.sample.cast import MAILBOXES, cast
from reminders.services.sample.script import (
    COLLEAGUE,
    DOCTOR,
    HARBOUR,
    LEAVING,
    NURSE,
    WILLOW,
    Event,
    Import,
    Leave,
    Pause,
    ReleaseAll,
    Rule,
    Script,
    working_day,
)
from reminders.services.sample.visits import newcomers, regulars

ZONE = "Europe/London"
OPENS, DELIVERS = 9 * 60 + 10, 10 * 60 + 5
"""When the desk enters the day's events and when reminders are delivered, in minutes after local midnight."""

DAYS = 64
REGULARS, DUE_AT_BRANCH, LATER_AT_BRANCH = 210, 64, 12
_SEED = 20240229


@dataclass(frozen=True, slots=True)
class SampleClinic:
    """A clinic as it is enrolled: its slug, its settings as typed, its practitioners, its locations."""

    slug: str
    given: Mapping[str, str]
    practitioners: Sequence[str]
    locations: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Sample:
    """The clinics, what happens on each day from the first to the last, how some mailboxes behave, whom to show."""

    clinics: tuple[SampleClinic, ...]
    days: tuple[tuple[dt.date, tuple[Event, ...]], ...]
    mailboxes: Mapping[str, Mailbox]
    shown: str


CLINICS = (
    SampleClinic(
        WILLOW,
        {
            "name": "Willow Lane Clinic",
            "timezone": ZONE,
            "email": "hello@willow-lane.example",
            "sender_name": "Willow Lane Clinic",
            "phone": "+44 20 7946 0142",
            "booking_url": "https://book.willow-lane.example/",
            "address": "14 Willow Lane\nLondon",
            "jurisdiction": "uk",
            "colour": "#4a6b3f",
            "sending_days": "mon,tue,wed,thu,fri,sat",
            "sending_hours": "09:00-18:00",
            "daily_limit": "25",
        },
        (DOCTOR, COLLEAGUE, NURSE, LEAVING),
        {"Riverside": {"address": "2 Quay Street\nLondon", "phone": "+44 20 7946 0187"}},
    ),
    SampleClinic(
        HARBOUR,
        {
            "name": "Harbour Street Skin Clinic",
            "timezone": "America/New_York",
            "email": "care@harbour-street.example",
            "phone": "+1 212 555 0142",
            "booking_url": "https://harbour-street.example/book",
            "address": "310 Harbour Street\nNew York, NY",
            "jurisdiction": "us",
            "sending_days": "mon,tue,wed,thu,fri,sat,sun",
            "sending_hours": "00:00-24:00",
        },
        ("Dr June Park",),
        {},
    ),
)


def sample(now: dt.datetime, protocols: Iterable[Protocol]) -> Sample:
    """Return the sample clinic as it is to stand at the moment `now`, treated by these protocols."""
    today = local_day(ZONE, now)
    last = today if moment(ZONE, today, DELIVERS) <= now else today - dt.timedelta(days=1)
    catalogue = {protocol.code: protocol for protocol in protocols}
    chance = random.Random(_SEED)  # noqa: S311 - the same clinic every time is what is wanted
    last = working_day(last)
    script = Script(working_day(last - dt.timedelta(days=DAYS)), last, today, catalogue, chance)
    script.on(script.first, Import(WILLOW, regulars(script, REGULARS)))
    shown = cast(script)
    _milestones(script)
    events = [(day, tuple(script.days[day])) for day in sorted(script.days)]
    return Sample(CLINICS, tuple(events), MAILBOXES, shown)


def _milestones(script: Script) -> None:
    """Script what happens to the clinics as a whole."""
    script.on(script.first + dt.timedelta(days=1), ReleaseAll(WILLOW))
    script.on(script.ago(45), Leave(LEAVING))
    peel = script.catalogue["peel-medium"]
    script.on(script.ago(13), Rule(replace(peel, steps=peel.steps[:1])))
    rows = newcomers(script, DUE_AT_BRANCH, LATER_AT_BRANCH)
    script.on(script.ago(1), Import(HARBOUR, rows), Pause(HARBOUR))
