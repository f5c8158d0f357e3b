"""What the tests of services may ask for by name, and which of them are run on SQLite alone."""

import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from reminders.store.database import Database, create_or_upgrade
from tests.services.delivered import INVITED, House
from tests.services.import_desk import Desk
from tests.support.backends import on_both
from tests.support.database import Copies, Templates

_FILES = "about reading files; what is stored of them is in test_import_visits.py and test_import_whole.py, on both"
_WORDS = "about words and pictures; the rows they come from are read by every test of a delivery, on both"
_REPLIES = "about what a mail server answers; its rows are in test_deliver_once.py and test_rescue.py, on both"

_DAYS = "about days and counts; that a backlog is held, and where it ends, is tried on both beside it"

ALONE = {
    "test_import_corpus.py": _FILES,
    "test_import_days.py": _FILES,
    "test_import_error_file_place.py": _FILES,
    "test_import_errors.py": _FILES,
    "test_import_file.py": _FILES,
    "test_import_memory.py": f"ten seconds long, and {_FILES}",
    "test_import_patients.py": _FILES,
    "test_import_services.py": _FILES,
    "test_import_workbook.py": _FILES,
    "test_advertising.py": _WORDS,
    "test_answer_changed.py": _WORDS,
    "test_letter_language.py": _WORDS,
    "test_logo.py": _WORDS,
    "test_patient_page.py": _WORDS,
    "test_templates.py": _WORDS,
    "test_why_and_preview.py": _WORDS,
    "test_deliver_refused.py": _REPLIES,
    "test_deliver_held.py::test_what_was_due_on_the_previous_sending_day_is_no_backlog": _DAYS,
    "test_deliver_held.py::test_a_released_backlog_goes_out_and_is_never_held_again": _DAYS,
    "test_deliver_held.py::test_many_messages_of_a_mended_template_are_a_backlog": _DAYS,
    "test_foresight.py::test_what_it_tells_is_what_then_happens": "its twin there is on PostgreSQL",
    "test_foresight.py::test_a_second_clinic_is_left_out": "its twin there is on PostgreSQL",
    "test_audit_facts.py": "each of its kinds is tried on both by test_tamperings.py",
    "test_audit_identity.py": "its kinds are tried on both by test_tamperings.py",
    "test_audit_plan.py": "about rows that are compared in memory; test_tamperings.py changes such rows on both",
    "test_audit_quiet.py::test_months_of_everything_leave_the_audit_nothing_to_say": "its twin there is on PostgreSQL",
}
"""Test files (or single tests) that are run on SQLite alone, and why: there is time for the others on both."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    on_both(metafunc, ALONE)


def delivered(url: str) -> None:
    """Make the database of a clinic whose one patient, 1001, got her invitation."""
    create_or_upgrade(url)
    with tempfile.TemporaryDirectory() as folder:
        made = House(url, Path(folder)).found()
        made.treat("1001")
        assert made.deliver().sent == 1
        made.database.close()


@pytest.fixture
def delivered_file(templates: Templates) -> Path:
    """Return the file of such a clinic, to be copied."""
    return templates.file(delivered)


@pytest.fixture
def desk(database: Database, tmp_path: Path) -> Iterator[Desk]:
    """Return a clinic's front desk with a file to import."""
    with closing(Desk(database, tmp_path)) as made:
        yield made


@pytest.fixture
def house(copies: Copies, tmp_path: Path) -> Iterator[House]:
    """Return a clinic whose one patient, 1001, got her invitation a moment ago."""
    made = House(copies.copy(delivered), tmp_path / "out")
    made.clock.at = INVITED
    yield made
    made.database.close()


@pytest.fixture
def new_house(database_url: str, tmp_path: Path) -> Iterator[House]:
    """Return a clinic without patients."""
    made = House(database_url, tmp_path / "out").found()
    yield made
    made.database.close()
