"""The list of reminders: its filters, its days in each clinic's own zone, and its length without bounds."""

import pytest

from tests.cli.desk import CLINIC, OF, PATIENT, PROTOCOL, TREATED, Desk

AUCKLAND = ("--clinic", "far")


@pytest.fixture
def two_clinics(desk: Desk) -> Desk:
    """North in London, and one in Auckland, where the invitation's moment is still Sunday in UTC."""
    desk.run("clinic", "add", "far", *CLINIC[3:5], "--timezone", "Pacific/Auckland", "--email", "desk@far.example")
    desk.run(*PATIENT[:2], *AUCKLAND, *PATIENT[4:])
    desk.run("treatment", "add", *AUCKLAND, "--patient", "1001", "--protocol", PROTOCOL, "--on", TREATED)
    return desk


def test_days_are_those_of_each_clinic(two_clinics: Desk) -> None:
    both = two_clinics.json("list", "--from", "2026-03-23", "--to", "2026-03-23")
    assert [(one["clinic"], one["due_at"]) for one in both] == [
        ("far", "2026-03-22T21:00:00Z"),
        ("north", "2026-03-23T10:00:00Z"),
    ]
    assert two_clinics.json("list", "--from", "2026-03-22", "--to", "2026-03-22") == []
    assert len(two_clinics.json("list", *AUCKLAND, "--from", "2026-03-23", "--to", "2026-03-23")) == 1


def test_a_limit_counts_what_fits(two_clinics: Desk) -> None:
    assert len(two_clinics.json("list")) == 6
    assert len(two_clinics.json("list", "--limit", "4")) == 4
    (first,) = two_clinics.json("list", "--from", "2026-03-24", "--limit", "1")
    assert first["step"] == "follow_up"


def test_a_patient_is_one_of_a_clinic(two_clinics: Desk) -> None:
    assert {one["clinic"] for one in two_clinics.json("list", *OF)} == {"north"}


def test_several_states_may_be_asked_for(desk: Desk) -> None:
    desk.run("hold", "1", "--why", "x")
    states = [one["state"] for one in desk.json("list", "--state", "held", "--state", "planned")]
    assert states == ["held", "planned", "planned"]
    assert [one["id"] for one in desk.json("list", "--state", "held")] == [1]


def test_the_edges_of_the_calendar_are_days_too(desk: Desk) -> None:
    assert len(desk.json("list", "--from", "1900-01-01", "--to", "9999-12-31")) == 3


def test_an_empty_list_is_an_empty_document(new_desk: Desk) -> None:
    assert new_desk.json("list") == []
    assert new_desk.json("list", "--from", "2026-01-01") == []
