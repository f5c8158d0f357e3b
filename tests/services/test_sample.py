"""The sample clinic's script: the same every time, possible on any day, and about nobody."""

import datetime as dt
import unicodedata

import pytest

from reminders.domain.facts import Outcome
from reminders.services.catalogue_file import starter_catalogue
from reminders.services.sample.clinic import Sample, sample
from reminders.services.sample.script import Attend, Book, Enrol, Import, Treat
from tests.support.facts import utc

NOW = utc("2026-11-23 12:30")
DAYS = [NOW + dt.timedelta(days=number, hours=number) for number in range(0, 800, 29)]
CATALOGUE = starter_catalogue()


def _people(story: Sample) -> list[dict[str, str]]:
    events = [event for _, events in story.days for event in events]
    imported = [dict(row) for event in events if isinstance(event, Import) for row in event.rows]
    return imported + [{name: str(value) for name, value in e.given.items()} for e in events if isinstance(e, Enrol)]


def test_the_same_moment_gives_the_same_clinic() -> None:
    assert sample(NOW, CATALOGUE) == sample(NOW, CATALOGUE)


@pytest.mark.parametrize("now", DAYS, ids=str)
def test_nothing_happens_before_it_could_have_happened(now: dt.datetime) -> None:
    for day, events in sample(now, CATALOGUE).days:
        assert day <= now.date()
        for event in events:
            if isinstance(event, Treat):
                assert event.entry.day <= day
            if isinstance(event, Book):
                assert event.day > day
            if isinstance(event, Attend) and event.outcome is not Outcome.CANCELLED:
                assert event.day <= day


def test_two_years_of_treatments_lie_behind_it() -> None:
    treated = [
        dt.date.fromisoformat(one["treated_on"]) for one in _people(sample(NOW, CATALOGUE)) if "treated_on" in one
    ]
    assert min(treated) < NOW.date() - dt.timedelta(days=700)
    assert max(treated) <= NOW.date()
    assert len(treated) > 700


def test_no_address_and_no_number_can_reach_anybody() -> None:
    for person in _people(sample(NOW, CATALOGUE)):
        for column in ("email", "representative_email"):
            assert person.get(column, "").endswith(".example") or not person.get(column)
        assert person["phone"].startswith("+44 7700 900")


def test_its_people_write_their_names_in_many_scripts() -> None:
    letters = {
        letter for person in _people(sample(NOW, CATALOGUE)) for letter in person["given_name"] if letter.isalpha()
    }
    scripts = {unicodedata.name(letter).split()[0] for letter in letters}
    assert len(scripts) >= 8
