"""`reminders deliver` begun by cron or by hand: it tidies once a day, knows of a clock beside it, and hears Ctrl-C."""

import dataclasses
import datetime as dt
import json
import os
import signal
import sqlite3
from contextlib import closing

import pytest

from reminders.services.points import Point
from tests.cli.desk import Desk, assert_a_sentence
from tests.support.clinic import INVITED_AT, Once


@pytest.fixture
def busy(new_desk: Desk) -> Desk:
    """Return a clinic of three patients whose invitations are due."""
    desk = new_desk
    desk.open_for_business()
    for ref in ("1002", "1003"):
        named = ("--given-name", "Bea", "--family-name", "Low", "--email", f"b{ref}@home.example")
        desk.run("patient", "add", "--clinic", "north", "--ref", ref, *named, "--consent", "granted")
        treated = ("--protocol", "botulinum-cosmetic", "--on", "2026-01-05")
        desk.run("treatment", "add", "--clinic", "north", "--patient", ref, *treated)
    desk.clock.set(INVITED_AT)
    return desk


def states(desk: Desk) -> list[str]:
    return sorted(row["state"] for row in desk.json("list") if row["step"] == "invitation")


def rows(desk: Desk, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(desk.database)) as connection:
        return connection.execute(query).fetchall()


def begin_a_clock(desk: Desk, at: dt.datetime) -> None:
    """Leave a clock's sign of life."""
    moment = f"{at:%Y-%m-%d %H:%M:%S}.000000"
    with closing(sqlite3.connect(desk.database)) as connection:
        connection.execute("INSERT INTO heartbeats VALUES ('clock-1', ?, ?, NULL)", (moment, moment))
        connection.commit()


@pytest.mark.parametrize(("point", "as_json"), [(Point.CLAIMED, False), (Point.FENCED, True)], ids=["text", "json"])
def test_a_delivery_ended_by_ctrl_c_says_what_it_did_and_leaves_nothing_in_doubt(
    busy: Desk, point: Point, *, as_json: bool
) -> None:
    pressed = Once(point, lambda: os.kill(os.getpid(), signal.SIGINT))
    interrupted = dataclasses.replace(busy, given={"observe": pressed})
    done = interrupted.type("deliver", *(["--json"] if as_json else []))
    assert pressed.done
    assert done.exit_code == 130
    assert_a_sentence(done)
    assert "Ended by Ctrl-C" in done.stderr
    if as_json:
        assert json.loads(done.stdout)["unknown"] == 0
    else:
        assert "run `reminders deliver` again" in done.stdout
    assert set(states(busy)) <= {"sent", "planned"}
    assert len(busy.outbox()) == states(busy).count("sent") < 3
    busy.run("deliver")
    assert (states(busy), len(busy.outbox())) == (["sent"] * 3, 3)


def test_a_delivery_that_is_terminated_leaves_the_rest_to_the_clock_where_one_runs(busy: Desk) -> None:
    begin_a_clock(busy, INVITED_AT)
    asked = Once(Point.CLAIMED, lambda: os.kill(os.getpid(), signal.SIGTERM))
    said = dataclasses.replace(busy, given={"observe": asked}).run("deliver")
    assert "the clock that runs beside this does it" in said
    assert "run `reminders deliver` again" not in said
    assert set(states(busy)) <= {"sent", "planned"}


def test_deliveries_alone_drop_what_is_kept_no_longer_once_a_day(busy: Desk) -> None:
    busy.run("deliver")
    kept = "SELECT count(*) FROM messages WHERE content IS NOT NULL"
    assert rows(busy, kept) == [(3,)]
    busy.clock.advance(days=91)
    busy.run("deliver")
    assert rows(busy, f"{kept} AND rendered_at < '2026-06-01'") == [(0,)]
    told = "SELECT count(*) FROM audit WHERE action = 'tidy'"
    assert rows(busy, told) == [(2,)]
    busy.clock.advance(hours=23)
    busy.run("deliver")
    assert rows(busy, told) == [(2,)]
    busy.clock.advance(hours=2)
    busy.run("deliver")
    assert rows(busy, told) == [(3,)]
    assert busy.json("audit")["findings"] == []


def test_what_cannot_be_dropped_fails_no_delivery(busy: Desk) -> None:
    with closing(sqlite3.connect(busy.database)) as connection:
        connection.execute(
            "CREATE TRIGGER full BEFORE INSERT ON audit WHEN new.action = 'tidy'"
            " BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
        )
        connection.commit()
    done = busy.type("deliver")
    assert (done.exit_code, states(busy)) == (0, ["sent"] * 3), done.output
    assert "could not be dropped" in done.stderr
    assert_a_sentence(done)


def test_a_transport_that_rests_keeps_nothing_from_being_dropped(busy: Desk) -> None:
    busy.env["REMINDERS_SMTP_URL"] = "smtp://127.0.0.1:1?tls=never"
    assert busy.type("deliver").exit_code == 1
    assert rows(busy, "SELECT count(*) FROM audit WHERE action = 'tidy'") == [(1,)]
