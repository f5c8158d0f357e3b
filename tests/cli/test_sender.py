"""The keys that sign a clinic's mail, from the shell; and doctor asked about one clinic, by one resolver."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from reminders.settings import resolver
from tests.cli.desk import Desk
from tests.support.name_server import NameServer

KEY_KEYS = {"domain", "selector", "state", "clinics", "record", "created_at", "active_at", "retired_at"}
NORTH = ("--clinic", "north")


@pytest.fixture
def names() -> Iterator[NameServer]:
    with NameServer() as running:
        yield running


def test_a_key_is_made_shown_activated_and_retired(desk: Desk, names: NameServer) -> None:
    desk.env["REMINDERS_DNS"] = f"127.0.0.1:{names.port}"
    made = desk.json("sender", "key", *NORTH)
    assert made.keys() == KEY_KEYS
    assert made["record"]["name"] == "reminders-202601._domainkey.north.example"
    assert "".join(made["record"]["strings"]) == made["record"]["value"]
    assert "is not there yet" in desk.fails(1, "sender", "activate", *NORTH)
    names.txt(made["record"]["name"], made["record"]["value"])
    assert desk.json("sender", "activate", *NORTH)["state"] == "active"
    [listed] = desk.json("sender", "list")
    assert (listed["state"], listed["clinics"]) == ("active", ["north"])
    assert "is retired" in desk.run("sender", "retire", *NORTH, "--selector", "reminders-202601")


def test_what_is_to_be_pasted_can_be_copied_line_by_line(desk: Desk) -> None:
    said = desk.run("sender", "key", *NORTH).splitlines()
    [value] = [line for line in said if line.startswith("    value  ")]
    assert value.count('"') == 4
    assert "    name   reminders-202601._domainkey.north.example" in said
    assert "    type   TXT" in said


def test_force_does_without_the_name_service(desk: Desk) -> None:
    desk.run("sender", "key", *NORTH)
    assert "is signed with the key reminders-202601" in desk.run("sender", "activate", *NORTH, "--force")
    assert "reminders-202601" in desk.run("sender", "list")


def test_no_key_yet_is_said(desk: Desk) -> None:
    assert desk.run("sender", "list").startswith("There is no key")
    assert desk.json("sender", "list") == []


@pytest.mark.parametrize(
    "command",
    [
        ("key", "--clinic", "nowhere"),
        ("key", *NORTH, "--selector", "A B"),
        ("activate", *NORTH),
        ("retire", *NORTH, "--selector", "x"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(desk: Desk, command: tuple[str, ...]) -> None:
    desk.fails(3, "sender", *command)


def test_delivery_ends_with_a_sentence_when_its_key_cannot_be_opened(desk: Desk) -> None:
    desk.run("sender", "key", *NORTH)
    desk.run("sender", "activate", *NORTH, "--force")
    with closing(sqlite3.connect(desk.database)) as connection, connection:
        connection.execute("UPDATE dkim_keys SET sealed_key = x'00'")
    assert "cannot be opened" in desk.fails(1, "deliver")


def test_doctor_looks_at_one_clinic_by_one_resolver(desk: Desk, names: NameServer) -> None:
    desk.run("clinic", "set", "north", "--email", "desk@north.clinic", "--reply-to", "desk@north.clinic")
    done = desk.type("doctor", *NORTH, "--resolver", f"127.0.0.1:{names.port}")
    assert done.exit_code == 1
    assert "× sender north.clinic (north): SPF: there is no SPF record" in done.stdout
    assert '    value  "v=DMARC1; p=none"' in done.stdout.splitlines()
    assert ("north.clinic", "TXT") in names.asked
    desk.fails(3, "doctor", "--clinic", "nowhere")


@pytest.mark.parametrize(
    "text", ["", "dns.clinic", "1.2.3.4:0", "1.2.3.4:70000", "1.2.3", "[::1]:x", "1.2.3.4:٥٣", "[::1"]
)
def test_a_resolver_that_is_none_is_refused_wherever_it_is_named(desk: Desk, text: str) -> None:
    desk.fails(2, "doctor", "--resolver", text)
    if text:
        said = desk.type("doctor", REMINDERS_DNS=f"9.9.9.9,{text}")
        assert said.exit_code == 3
        assert "REMINDERS_DNS" in said.stderr


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("9.9.9.9", ("9.9.9.9", 53)),
        ("127.0.0.1:5353", ("127.0.0.1", 5353)),
        ("localhost:5353", ("127.0.0.1", 5353)),
        ("::1", ("::1", 53)),
        ("[::1]", ("::1", 53)),
        ("[2001:db8::1]:5353", ("2001:db8::1", 5353)),
    ],
)
def test_a_resolver_is_an_address_with_or_without_a_port(text: str, read: tuple[str, int]) -> None:
    assert resolver(text) == read
