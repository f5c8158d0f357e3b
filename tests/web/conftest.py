"""Fixtures: a patient who was invited, and the pages behind the links of the invitation."""

from collections.abc import Iterator

import httpx2
import pytest

from reminders.app import App
from tests.support.clinic import INVITED_AT, FakeClock, Office, with_one_treated
from tests.support.database import Copies, Templates
from tests.support.site import GENEROUS, Letter, Site, app_of, beside, browsing, letters_in, with_one_invited


@pytest.fixture
def office(copies: Copies, request: pytest.FixtureRequest) -> Iterator[Office]:
    """A clinic with one treated patient; where a test asks for the letter, who was invited a moment ago."""
    if "letter" in request.fixturenames:
        made = Office(copies.copy(with_one_invited, "office"), FakeClock(INVITED_AT))
    else:
        made = Office(copies.copy(with_one_treated, "office"), FakeClock())
    yield made
    made.close()


@pytest.fixture
def letter(templates: Templates) -> Letter:
    """The invitation of the office's patient, delivered on 23 March at 10:00."""
    [found] = letters_in(beside(templates.file(with_one_invited)))
    return found


@pytest.fixture
def app(office: Office) -> App:
    return app_of(office)


@pytest.fixture
def web(app: App) -> Iterator[httpx2.Client]:
    """A client of the pages on a real server."""
    with browsing(app, GENEROUS) as client:
        yield client


@pytest.fixture
def site(app: App) -> Iterator[Site]:
    """The pages in this process."""
    made = Site(app)
    yield made
    made.close()
