"""Fixtures: a patient who was invited, and the pages behind the links of the invitation."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from reminders.app import App
from tests.support.clinic import Office
from tests.support.site import GENEROUS, Letter, Site, app_of, browsing, invited


@pytest.fixture
def letter(office: Office, tmp_path: Path) -> Letter:
    """The invitation of the office's patient, delivered on 23 March at 10:00."""
    return invited(office, tmp_path / "letters")


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
