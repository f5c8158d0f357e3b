"""A mail scanner that opens every link of every mail changes no row.

The short form runs with every test; `make scanner` runs the full one: 1,000 mails, each of their links 50 times.
"""

from pathlib import Path

import pytest

from tests.support.clinic import INVITED_AT, Office
from tests.support.site import GENEROUS, Letter, Site, app_of, browsing, letters, rows


def written_to(office: Office, folder: Path, count: int) -> list[Letter]:
    """Treat so many patients and let the invitation of each go out."""
    office.add_clinic()
    office.add_due(count)
    office.clock.set(INVITED_AT)
    office.plan()
    found = letters(office, folder)
    assert len(found) == count
    return found


def paths_of(found: list[Letter]) -> list[str]:
    return [path for letter in found for path in (f"/p/{letter.request}", f"/u/{letter.stop}")]


def test_f44_a_scanner_that_opens_every_link_changes_no_row(empty_office: Office, tmp_path: Path) -> None:
    links = paths_of(written_to(empty_office, tmp_path / "letters", 40))
    before = rows(empty_office)
    with browsing(app_of(empty_office), GENEROUS) as web:
        for _ in range(3):
            for path in links:
                assert web.get(path).status_code == 200
                assert web.head(path).status_code == 200
    assert rows(empty_office) == before


@pytest.mark.storm
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("half", ["the first half", "the second half"])  # two cores share the work
def test_f44_a_thousand_mails_opened_fifty_times_change_no_row(empty_office: Office, tmp_path: Path, half: str) -> None:
    assert half
    links = paths_of(written_to(empty_office, tmp_path / "letters", 500))
    before = rows(empty_office)
    site = Site(app_of(empty_office))
    for _ in range(50):
        for path in links:
            assert site.ask("GET", path).status == 200
            assert site.ask("HEAD", path).status == 200
    site.close()
    assert rows(empty_office) == before
