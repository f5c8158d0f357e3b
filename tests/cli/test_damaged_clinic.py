"""A clinic whose own row was damaged: every command says which one it is and what to do, and the others go on."""

import sqlite3
from contextlib import closing

import pytest

from tests.cli.desk import CLINIC, OF, PATIENT, PROTOCOL, TREATED, Desk, assert_a_sentence

NO_ZONE = ("timezone = 'Mars/Olympus'", "timezone = 'Europe'", "timezone = '../zone'", "timezone = ''")
NO_HOURS = ("opens_at = 'nine'", "sending_days = 'monday'")
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("list", "--clinic", "north"),
    ("why", *OF),
    ("preview", *OF),
    ("simulate", "--clinic", "north"),
    ("patient", "show", *OF),
    ("patient", "set", *OF, "--opt-out", "all"),
    ("treatment", "add", *OF, "--protocol", PROTOCOL, "--on", TREATED),
    ("hold", "1", "--why", "x"),
    ("clinic", "pause", "north"),
    ("clinic", "set", "north", "--phone", "020 7946 0001"),
)


def damage(desk: Desk, what: str) -> None:
    with closing(sqlite3.connect(desk.database)) as connection:
        connection.execute(f"UPDATE clinics SET {what} WHERE slug = 'north'")  # noqa: S608 - a statement of this test
        connection.commit()


def second_clinic(desk: Desk) -> None:
    """Enrol a clinic south, with a patient of the same number who was treated on the same day."""
    for command in (CLINIC, PATIENT, ("treatment", "add", *OF, "--protocol", PROTOCOL, "--on", TREATED)):
        desk.run(*("south" if word == "north" else word for word in command))


@pytest.mark.parametrize("what", [NO_ZONE[0], NO_HOURS[0]])
def test_a_command_names_the_clinic_whose_settings_cannot_be_read(desk: Desk, what: str) -> None:
    damage(desk, what)
    before = desk.content()
    for command in COMMANDS:
        done = desk.type(*command)
        assert done.exit_code == 1, command
        assert_a_sentence(done)
        known = "north" if command[0] != "hold" or what in NO_ZONE else "table clinics"  # by a reminder's number
        for word in (known, "`reminders doctor`", "restore the last backup"):
            assert word in done.stderr, command
    assert desk.content() == before


@pytest.mark.parametrize("what", [NO_ZONE[1], *NO_HOURS])
def test_the_list_shows_the_other_clinics_and_then_says_what_it_left_out(desk: Desk, what: str) -> None:
    second_clinic(desk)
    damage(desk, what)
    for arguments, shown in ((("list",), "south"), (("list", "--json"), '"clinic": "south"')):
        done = desk.type(*arguments)
        assert done.exit_code == 1
        assert done.stdout.count(shown) == 3
        assert "north" not in done.stdout
        assert "Left out are the reminders of north" in done.stderr
    assert len(desk.json("list", "--clinic", "south")) == 3
    assert "1 patient left out" in desk.run("plan")
    desk.run("deliver")
    assert "north" in desk.type("audit").stdout


@pytest.mark.parametrize("what", NO_ZONE)
def test_a_time_zone_that_is_none_is_set_anew(desk: Desk, what: str) -> None:
    before = desk.json("list")
    damage(desk, what)
    assert "reminders clinic set north --timezone ZONE" in desk.fails(1, "why", *OF)
    assert "its zone cannot be read" in desk.run("clinic", "list")
    desk.run("clinic", "set", "north", "--timezone", "Europe/London")
    assert desk.json("list") == before


def test_the_doctor_of_a_clinic_without_a_zone_says_so_and_goes_on(desk: Desk) -> None:
    damage(desk, NO_ZONE[0])
    doctor = desk.type("doctor", "--clinic", "north").stdout
    assert "× clinic north: What is stored as the time zone of clinic north is none" in doctor
    assert "transport: file:" in doctor
