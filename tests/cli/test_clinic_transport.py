"""`reminders clinic transport`: a clinic's own mail server, given without anybody seeing its password."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from reminders.cli.session import Session
from tests.cli.desk import TREATMENT, Desk
from tests.support.clinic import INVITED_AT
from tests.support.smtp_server import RealServer, real_server

SECRET = "smtps://me:hush-hush@mail.north.example"


@pytest.fixture
def server() -> Iterator[RealServer]:
    with real_server() as made:
        yield made


def given(desk: Desk, url: str) -> Path:
    path = desk.folder / "north.txt"
    path.write_text(f"{url}\n", encoding="utf-8")
    return path


def test_a_clinic_gets_a_server_of_its_own_and_shares_again(desk: Desk) -> None:
    assert desk.json("clinic", "list")[0]["transport"] is None
    said = desk.run("clinic", "transport", "north", "--url-file", str(given(desk, SECRET)))
    assert "smtps://mail.north.example:465" in said
    assert desk.json("clinic", "list")[0]["transport"] == "smtps://mail.north.example:465"
    listed = desk.run("clinic", "list")
    assert "mail by" in listed
    assert "hush" not in said + listed + desk.run("clinic", "list", "--json")
    assert desk.json("clinic", "transport", "north", "--shared") == {"clinic": "north", "transport": None}
    assert "mail by" not in desk.run("clinic", "list")


def test_an_address_may_come_from_standard_input(desk: Desk) -> None:
    args = ["clinic", "transport", "north", "--url-file", "-", "--json"]
    session = Session(clock=desk.clock)
    done = CliRunner().invoke(desk.shell, args, env=desk.env, obj=session, input=f"{SECRET}\n")
    assert (done.exit_code, json.loads(done.stdout)["transport"]) == (0, "smtps://mail.north.example:465")


@pytest.mark.parametrize("url", ["http://me:hush@mail.example", "smtp://me:hush@mail.example?rate=many", ""])
def test_what_is_no_address_of_a_server_changes_nothing(desk: Desk, url: str) -> None:
    said = desk.fails(3, "clinic", "transport", "north", "--url-file", str(given(desk, url)))
    assert "hush" not in said


def test_what_is_typed_wrongly_is_said(desk: Desk) -> None:
    desk.fails(2, "clinic", "transport", "north")
    desk.fails(2, "clinic", "transport", "north", "--shared", "--url-file", "x")
    assert "cannot be read" in desk.fails(3, "clinic", "transport", "north", "--url-file", "nowhere.txt")
    desk.fails(3, "clinic", "transport", "nowhere", "--shared")


def test_without_a_shared_server_the_clinic_with_its_own_sends(desk: Desk) -> None:
    desk.run(*TREATMENT)
    desk.env["REMINDERS_SMTP_URL"] = ""
    desk.clock.set(INVITED_AT)
    assert "No transport is set" in desk.fails(1, "deliver")
    with real_server() as own:
        url = f"smtp://127.0.0.1:{own.port}?tls=never&rate=600"
        desk.run("clinic", "transport", "north", "--url-file", str(given(desk, url)))
        assert desk.json("deliver")["sent"] == 1
        assert len(own.messages) == 1


def checks(desk: Desk, *args: str) -> dict[str, dict[str, object]]:
    return {check["name"]: check for check in json.loads(desk.type("doctor", *args, "--json").stdout)["checks"]}


def test_the_check_up_tries_every_clinics_own_server_and_names_no_password(desk: Desk, server: RealServer) -> None:
    desk.run("clinic", "transport", "north", "--url-file", str(given(desk, "smtp://me:hush@127.0.0.1:1?tls=never")))
    found = checks(desk)
    assert (found["clinic north: transport"]["ok"], found["transport"]["ok"]) == (False, True)
    assert "hush" not in repr(found)
    url = f"smtp://127.0.0.1:{server.port}?tls=never"
    desk.run("clinic", "transport", "north", "--url-file", str(given(desk, url)))
    found = checks(desk, "--clinic", "north", "--mail", "me@north.example")
    assert found["clinic north: transport"]["ok"] is True
    assert "transport" not in found
    assert found["test mail"]["ok"] is True
    assert [message.rcpt_tos for message in server.messages] == [("me@north.example",)]


def test_the_check_up_says_where_a_clinics_server_cannot_be_opened(desk: Desk) -> None:
    desk.run("clinic", "transport", "north", "--url-file", str(given(desk, SECRET)))
    with closing(sqlite3.connect(desk.database)) as connection:
        connection.execute("UPDATE clinic_transports SET sealed = x'00'")
        connection.commit()
    check = checks(desk)["clinic north: transport"]
    assert check["ok"] is False
    assert "clinic transport north --url-file" in str(check["said"])
    assert desk.json("clinic", "list")[0]["transport"] == "cannot be opened"
