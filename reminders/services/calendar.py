"""A clinic's sending calendar as a value: its own days and hours, its closed days, its country's public holidays.

Invariant: the domain sees closed days as one set; where they come from is known here only.
"""

import datetime as dt
from collections.abc import Mapping
from functools import lru_cache

from reminders.domain.facts import Rules
from reminders.domain.protocol import Protocol
from reminders.domain.sending_hours import SendingCalendar
from reminders.errors import BadInput
from reminders.services.find import with_zone
from reminders.store import protocols
from reminders.store.clinics import Clinic
from reminders.store.database import Transaction

_YEARS_BACK, _YEARS_AHEAD = 3, 6


class UnknownCountry(BadInput):
    """There are no public holidays known for country {country} {region}: give ISO 3166 codes, such as GB and SCT."""


def sending_calendar(clinic: Clinic, now: dt.datetime) -> SendingCalendar:
    """Return the clinic's calendar for windows that reach a few years around `now`; raises `ClinicWithoutZone`."""
    return _calendar(clinic, now.year)


@lru_cache(maxsize=512)
def _calendar(clinic: Clinic, year: int) -> SendingCalendar:
    closed = clinic.closed_days
    if clinic.country:
        closed |= public_holidays(clinic.country, clinic.region or "", year)
    return SendingCalendar(
        zone=with_zone(clinic).timezone,
        weekdays=clinic.sending_days,
        opens_at=clinic.opens_at,
        closes_at=clinic.closes_at,
        send_at=clinic.send_at,
        closed=closed,
    )


@lru_cache(maxsize=64)
def public_holidays(country: str, region: str, year: int) -> frozenset[dt.date]:
    """Return the public holidays of a country (and region) around `year`; raises `UnknownCountry`."""
    import holidays  # noqa: PLC0415 - slow to import, and clinics without a country never need it

    years = range(year - _YEARS_BACK, year + _YEARS_AHEAD)
    try:
        return frozenset(holidays.country_holidays(country, subdiv=region or None, years=years))
    except NotImplementedError:
        raise UnknownCountry(country=country, region=region) from None


def rules_for(tx: Transaction, clinic: Clinic) -> Rules:
    """Return what the clinic goes by at the transaction's moment."""
    return rules_from(clinic, protocols.current(tx), tx.now)


def rules_from(clinic: Clinic, catalogue: Mapping[str, Protocol], now: dt.datetime) -> Rules:
    """Return what the clinic goes by at the moment `now`, under this catalogue."""
    return Rules(
        protocols=catalogue,
        calendar=sending_calendar(clinic, now),
        unknown_is_customer=clinic.unknown_consent == "existing_customer",
    )
