"""Commands under a clock that cannot be right say that planning waits for it, and record all the same."""

import json

from tests.cli.desk import Desk
from tests.support.clinic import INVITED_AT
from tests.support.facts import utc

IN_2036 = utc("2036-03-01 12:00")
WAITS = "planning waits"


def test_what_is_recorded_under_a_wrong_clock_is_said_to_wait(desk: Desk) -> None:
    desk.clock.set(INVITED_AT)
    before = desk.json("list")
    desk.clock.set(IN_2036)
    done = desk.type("clinic", "set", "north", "--sending-days", "mon,tue", "--json")
    assert done.exit_code == 0
    json.loads(done.stdout)
    assert WAITS in done.stderr
    assert WAITS in desk.type("list").stderr
    desk.clock.set(INVITED_AT)
    assert [row["state"] for row in desk.json("list")] == [row["state"] for row in before]
    assert WAITS not in desk.type("list").stderr
    desk.run("deliver")
    assert len(desk.outbox()) == 1


def test_the_doctors_advice_can_be_followed_before_anything_was_locked(desk: Desk) -> None:
    desk.clock.set(IN_2036)
    assert "unlock --as clock" in desk.type("doctor").output
    desk.run("unlock", "--as", "clock", "--why", "a-long-rest")
    assert WAITS not in desk.type("list").stderr


def test_looking_ahead_says_that_sending_is_locked(desk: Desk) -> None:
    assert desk.json("simulate", "--clinic", "north")["locked"] is None
    desk.clock.set(IN_2036)
    assert desk.json("simulate", "--clinic", "north")["locked"] == "clock_ahead"
    assert desk.type("plan").exit_code == 1
    desk.clock.set(INVITED_AT)
    assert desk.json("simulate", "--clinic", "north")["locked"] == "clock_ahead"
    assert "Sending is locked (clock ahead)" in desk.run("simulate", "--clinic", "north")


def test_an_audit_after_a_year_says_that_nothing_ran_and_not_that_all_is_well(desk: Desk) -> None:
    desk.clock.set(INVITED_AT)
    desk.run("deliver")
    assert "Every promise holds." in desk.run("audit")
    assert desk.json("audit")["notes"] == []
    desk.run("hold", *[str(row["id"]) for row in desk.json("list", "--state", "planned")], "--why", "look")
    desk.clock.advance(days=20)
    said = desk.run("audit")
    assert "Nothing was planned or delivered here since 2026-03-23 10:00 UTC, 20 days ago" in said
    assert "Every promise holds." not in said
    desk.clock.set(IN_2036)
    done = desk.type("audit")
    assert "unlock --as clock" in done.stdout
    assert done.exit_code == 1
