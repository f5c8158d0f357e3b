"""The look ahead, as typed: rows for people, a document for programs, and a database that stays as it was."""

import hashlib
from pathlib import Path

import pytest

from tests.cli.desk import Desk


def test_it_prints_each_message_with_its_day_and_its_patient(desk: Desk) -> None:
    said = desk.run("simulate", "--clinic", "north", "--days", "200")
    assert "Mon 23 Mar 2026" in said
    assert "10:00" in said
    assert "invitation of botulinum-cosmetic" in said
    assert "3 messages to 1 patient" in said


def test_its_document_names_every_message_and_what_is_kept_back(desk: Desk) -> None:
    found = desk.json("simulate", "--clinic", "north", "--days", "90")
    assert (found["clinic"], found["from"], found["to"]) == ("north", "2026-01-05", "2026-04-05")
    [message] = found["messages"]
    assert message == {
        "day": "2026-03-23",
        "at": "2026-03-23T10:00:00Z",
        "patient": "1001",
        "class": "cosmetic",
        "message": "invitation",
        "reminders": [{"step": "invitation", "protocol": "botulinum-cosmetic"}],
    }
    assert found["kept_back"] == []


def test_it_leaves_the_database_as_it_is(desk: Desk) -> None:
    before = hashlib.sha256(Path(desk.database).read_bytes()).hexdigest()
    desk.run("simulate", "--clinic", "north")
    assert hashlib.sha256(Path(desk.database).read_bytes()).hexdigest() == before


@pytest.mark.parametrize("days", ["0", "731", "soon"])
def test_a_number_of_days_that_is_none_is_refused(desk: Desk, days: str) -> None:
    assert "--days" in desk.fails(2, "simulate", "--clinic", "north", "--days", days)


def test_a_clinic_that_is_not_there_is_bad_input(desk: Desk) -> None:
    assert "There is no clinic south" in desk.fails(3, "simulate", "--clinic", "south")
