"""Where the file of rejected rows may go: nowhere that something else stands."""

from pathlib import Path

import pytest

from reminders.errors import BadInput
from reminders.services.importing.bring_in import ImportRequest, bring_in
from tests.support.clinic import Office

VISITS = "patient_ref,given_name,email\nP1,Ada,ada@p.example\n"


@pytest.fixture
def visits(empty_office: Office, tmp_path: Path) -> Path:
    empty_office.add_clinic()
    path = tmp_path / "visits.csv"
    path.write_text(VISITS, encoding="utf-8")
    return path


def bring(office: Office, path: Path, errors: Path | None = None) -> None:
    request = ImportRequest(path, "riverside", errors=errors)
    bring_in(office.database, office.clock, office.keys, request)


def refuse(office: Office, path: Path, errors: Path) -> None:
    with pytest.raises(BadInput):
        bring(office, path, errors)
    assert office.rows() == []


def test_the_error_file_never_replaces_the_database_or_any_other_file(
    empty_office: Office, visits: Path, tmp_path: Path
) -> None:
    key = tmp_path / "reminders.key"
    key.write_text("the only key", encoding="utf-8")
    for taken in (tmp_path / "office.db", key, tmp_path, visits):
        refuse(empty_office, visits, taken)
    assert key.read_text(encoding="utf-8") == "the only key"
    assert (tmp_path / "office.db").stat().st_size > 0


def test_an_empty_file_and_an_earlier_error_file_are_replaced(
    empty_office: Office, visits: Path, tmp_path: Path
) -> None:
    errors = tmp_path / "rejected.csv"
    errors.touch()
    bring(empty_office, visits, errors)
    written = errors.read_bytes()
    assert b"problem" in written
    bring(empty_office, visits, errors)
    assert errors.read_bytes() == written


def test_the_database_is_no_export(empty_office: Office, tmp_path: Path) -> None:
    empty_office.add_clinic()
    with pytest.raises(BadInput, match="this installation's database"):
        bring(empty_office, tmp_path / "office.db")
