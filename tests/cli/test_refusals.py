"""Every way to be refused: the exit code, one sentence, nothing changed, and no address told again.

2: the command line is wrong. 3: bad input. 4: the database needs `reminders init`. 1: it could not be done.
"""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from reminders.store.database import create_or_upgrade
from tests.cli.desk import ADDRESS, CLINIC, OF, PATIENT, PROTOCOL, TREATED, TREATMENT, Desk, assert_a_sentence
from tests.support.clinic import INVITED_AT

NORTH = ("--clinic", "north")
NOBODY = (*NORTH, "--patient", "9999")
ELSEWHERE = ("--clinic", "nowhere", "--patient", "1001")
LOG = ("treatment", "add", *OF, "--protocol", PROTOCOL)
VOID = ("treatment", "void", *NORTH, "--why", "x")
SETTLE = ("settle", "1", "--why", "x")

WRONG_COMMAND_LINES: list[tuple[str, ...]] = [
    ("nonsense",),
    ("list", "--nonsense"),
    ("list", "--clinic"),
    ("list", "extra"),
    ("list", "--state", "lost"),
    ("list", "--limit", "many"),
    ("list", "--limit", "0"),
    ("list", "--from", "01/02/2026"),
    ("list", "--from", "20260102"),
    ("list", "--from", "2026-02-30"),
    ("list", "--from", "2026-02-02", "--to", "2026-02-01"),
    ("list", "--patient", "1001"),
    ("clinic", "add", "south", "--name", "South"),
    ("clinic", "add", *CLINIC[2:], "--jurisdiction", "mars"),
    ("clinic", "add", *CLINIC[2:], "--daily-limit", "none"),
    ("clinic", "add", *CLINIC[2:], "--unknown-consent", "maybe"),
    ("clinic", "set", "north"),
    ("clinic", "set", "north", "--closed", "tomorrow"),
    ("clinic", "set", "north", "--closed", "2026-12-24", "--open", "2026-12-24"),
    ("clinic", "nonsense"),
    ("patient", "add", *NORTH, "--ref", "1"),
    (*PATIENT, "--birth-date", "1990"),
    (*PATIENT, "--consent", "perhaps"),
    (*PATIENT, ADDRESS),
    ("patient", "set", *OF),
    ("patient", "set", *OF, "--status", "asleep"),
    ("patient", "set", *OF, "--opt-out", "botox"),
    ("patient", "set", *OF, "--opt-out", "all", "--opt-in", "all"),
    ("patient", "set", *OF, "--line", "face"),
    ("patient", "set", *OF, "--undo-death"),
    ("patient", "hold", *OF, "--until", "later", "--why", "x"),
    ("patient", "hold", *OF, "--until", "2026-09-01"),
    ("patient", "reply", *OF, "--request", "--close"),
    LOG,
    (*LOG, "--on", "2026-13-01"),
    (*LOG, "--on", TREATED, "--kind", "surgery"),
    VOID,
    (*VOID, "--patient", "1001", "--protocol", PROTOCOL),
    (*VOID, "--ref", "T-1", "--patient", "1001", "--protocol", PROTOCOL, "--on", TREATED),
    ("appointment", "add", *OF, "--on", "soon"),
    ("appointment", "set", "one", "--outcome", "kept"),
    ("appointment", "set", "1", "--outcome", "forgotten"),
    ("import", "x.csv"),
    ("import", "x.csv", *NORTH, "--map", "patient_ref"),
    ("import", "x.csv", *NORTH, "--map", "patient_ref=A", "--map", "patient_ref=B"),
    ("release",),
    ("release", "--all"),
    ("release", *NORTH),
    ("release", "1", *NORTH, "--all"),
    ("release", "99999999999999999999"),
    ("hold", "1"),
    ("hold", "one", "--why", "x"),
    (*SETTLE, "--as", "lost"),
    SETTLE,
    ("retry",),
    ("bounce",),
]

BAD_INPUT: dict[tuple[str, ...], str] = {
    ("list", "--clinic", "nowhere"): "There is no clinic nowhere",
    ("list", *NOBODY): "There is no patient 9999",
    ("why", *ELSEWHERE): "There is no clinic nowhere",
    ("why", *NOBODY): "There is no patient 9999",
    ("preview", *NOBODY): "There is no patient 9999",
    ("preview", *OF, "--step", "nonsense"): "no reminder to come for the step nonsense",
    CLINIC: "There is already a clinic north",
    ("clinic", "add", "No Slug", *CLINIC[3:]): "SLUG:",
    ("clinic", "set", "nowhere", "--phone", "1"): "There is no clinic nowhere",
    ("clinic", "set", "north", "--timezone", "Mars/Base"): "--timezone: there is no such zone",
    ("clinic", "set", "north", "--email", "no address"): "--email: this is not one e-mail address",
    ("clinic", "set", "north", "--email", f"{ADDRESS},{ADDRESS}"): "--email: this is not one e-mail address",
    ("clinic", "set", "north", "--booking-url", "http://x.example"): "--booking-url:",
    ("clinic", "set", "north", "--sending-days", "someday"): "--sending-days:",
    ("clinic", "set", "north", "--sending-hours", "17:00-09:00"): "--sending-hours:",
    ("clinic", "set", "north", "--send-at", "20:00"): "--send-at:",
    ("clinic", "set", "north", "--left", "Dr Nobody"): "There is no such practitioner",
    ("clinic", "pause", "nowhere"): "There is no clinic nowhere",
    ("clinic", "location", "nowhere", "--name", "x"): "There is no clinic nowhere",
    PATIENT: "already has a patient 1001",
    (*PATIENT[:4], "--ref", "2", *PATIENT[6:-4], "--email", "ann@"): "--email: this is not one e-mail address",
    (*PATIENT[:4], "--ref", "2", *PATIENT[6:], "--birth-date", "2030-01-01"): "--birth-date:",
    (*PATIENT[:4], "--ref", "2", *PATIENT[6:], "--practitioner", "Dr Nobody"): "There is no such practitioner",
    ("patient", "show", *NOBODY): "There is no patient 9999",
    ("patient", "show", *ELSEWHERE): "There is no clinic nowhere",
    ("patient", "set", *NOBODY, "--phone", "1"): "There is no patient 9999",
    ("patient", "set", *OF, "--due", "soon"): "is not an interval",
    ("patient", "set", *OF, "--due", "14w", "--line", "moon"): "There is no line moon",
    ("patient", "set", *OF, "--email", "Ann <ann@home.example>"): "--email: this is not one e-mail address",
    ("patient", "set", *OF, "--given-name", "a\x1b[31mb"): "--given-name: it holds a control character",
    ("patient", "hold", *OF, "--until", TREATED, "--why", "x"): "--until: it must lie after today",
    ("patient", "unhold", *OF): "has no open hold",
    ("patient", "reply", *NOBODY): "There is no patient 9999",
    ("patient", "export", *NOBODY): "There is no patient 9999",
    ("patient", "erase", *NOBODY): "There is no patient 9999",
    (*LOG, "--on", "2026-01-06"): "lies in the future",
    (*LOG, "--on", "1899-01-01"): "check the year",
    (*LOG, "--on", "2025-06-01", "--ref", "T-1"): "T-1 is already recorded with other data",
    (*LOG, "--on", TREATED, "--practitioner", "Dr Nobody", "--ref", "T-2"): "There is no such practitioner",
    (*LOG, "--on", TREATED, "--replaces", "T-9"): "There is no recorded treatment T-9",
    ("treatment", "add", *NOBODY, "--protocol", PROTOCOL, "--on", TREATED): "There is no patient 9999",
    ("treatment", "add", *OF, "--protocol", "nothing", "--on", TREATED): "There is no protocol nothing",
    (*VOID, "--ref", "T-9"): "There is no recorded treatment T-9",
    (*VOID, "--patient", "1001", "--protocol", PROTOCOL, "--on", "2025-01-01"): "There is no recorded treatment",
    ("appointment", "add", *NOBODY, "--on", TREATED): "There is no patient 9999",
    ("appointment", "add", *OF, "--on", TREATED, "--line", "moon"): "There is no line moon",
    ("appointment", "set", "99", "--outcome", "kept"): "There is no appointment 99",
    ("import", "missing.csv", *NORTH): "missing.csv",
    ("import", "missing.csv", "--clinic", "nowhere"): "There is no clinic nowhere",
    ("protocol", "import", "missing.yaml"): "missing.yaml",
    ("release", "99"): "There is no reminder 99",
    ("hold", "99", "--why", "x"): "There is no reminder 99",
    ("settle", "99", "--as", "sent", "--why", "x"): "There is no reminder 99",
    ("retry", "99"): "There is no reminder 99",
    ("bounce", "99"): "There is no reminder 99",
}

CANNOT_DO: dict[tuple[str, ...], str] = {
    ("release", "1"): "Reminder 1 is planned, not held",
    ("retry", "1"): "Reminder 1 is planned, not failed",
    ("bounce", "1"): "Reminder 1 is planned, not sent",
    (*SETTLE, "--as", "sent"): "Reminder 1 is planned, not unknown",
    ("preview", *OF, "--out", "/dev/null/letter"): "/dev/null/letter/message.eml cannot be written",
}


@pytest.mark.parametrize("command", WRONG_COMMAND_LINES, ids=" ".join)
def test_a_wrong_command_line_ends_with_2(desk: Desk, command: tuple[str, ...]) -> None:
    assert "--help`." in desk.fails(2, *command)


@pytest.mark.parametrize("command", BAD_INPUT, ids=" ".join)
def test_bad_input_ends_with_3(desk: Desk, command: tuple[str, ...]) -> None:
    assert BAD_INPUT[command] in desk.fails(3, *command)


@pytest.mark.parametrize("command", CANNOT_DO, ids=" ".join)
def test_what_cannot_be_done_ends_with_1(desk: Desk, command: tuple[str, ...]) -> None:
    assert CANNOT_DO[command] in desk.fails(1, *command)


def test_one_wrong_id_among_right_ones_moves_none(desk: Desk) -> None:
    assert "99" in desk.fails(3, "hold", "1", "2", "99", "--why", "x")


def test_a_file_that_is_no_catalogue_changes_nothing(desk: Desk) -> None:
    file = desk.folder / "catalogue.yaml"
    file.write_text("protocols:\n  - code: Not A Code\n", encoding="utf-8")
    assert "nothing was changed" in desk.fails(3, "protocol", "import", str(file))


def test_a_file_that_is_no_table_changes_nothing(desk: Desk) -> None:
    file = desk.folder / "visits.csv"
    file.write_bytes(b"\x00\x01\x02")
    desk.fails(3, "import", str(file), *NORTH)


@pytest.mark.parametrize("command", [TREATMENT, ("list",), ("why", *OF), ("deliver",), ("plan",), ("audit",)])
def test_without_a_database_every_command_asks_for_init(bare_desk: Desk, command: tuple[str, ...]) -> None:
    assert "reminders init" in bare_desk.fails(4, *command)
    assert not bare_desk.database.exists()


def test_a_database_of_an_older_version_asks_for_init(desk: Desk) -> None:
    with closing(sqlite3.connect(desk.database)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
        connection.commit()
    assert "reminders init" in desk.fails(4, "list")


def test_a_database_that_init_did_not_finish_asks_for_it(bare_desk: Desk) -> None:
    create_or_upgrade(f"sqlite:///{bare_desk.database}")
    assert "reminders init" in bare_desk.fails(4, "list")


@pytest.mark.parametrize("content", [b"", b"no database at all, but long enough to look like one" * 40])
def test_a_file_that_is_no_database_is_left_alone(bare_desk: Desk, content: bytes) -> None:
    bare_desk.database.write_bytes(content)
    for command in ("list", "init"):
        done = bare_desk.type(command)
        assert done.exit_code in (1, 4)
        assert_a_sentence(done)
    assert bare_desk.database.read_bytes() == content


def test_the_wrong_key_opens_nothing(desk: Desk) -> None:
    desk.env["REMINDERS_SECRET_KEY"] = "another secret key that is as long as the right one"
    assert "secret key does not open" in desk.fails(1, "list")


def test_no_key_at_all_is_said(desk: Desk) -> None:
    del desk.env["REMINDERS_SECRET_KEY"]
    assert "There is no secret key" in desk.fails(1, "list")


def test_init_in_a_folder_that_is_not_there_is_a_sentence(bare_desk: Desk) -> None:
    bare_desk.env["REMINDERS_DATABASE_URL"] = f"sqlite:///{bare_desk.folder}/missing/reminders.db"
    assert "missing is not there" in bare_desk.fails(3, "init")
    del bare_desk.env["REMINDERS_SECRET_KEY"]
    bare_desk.env["REMINDERS_SECRET_KEY_FILE"] = "/dev/null/reminders.key"
    assert "/dev/null/reminders.key" in bare_desk.fails(1, "init")


def test_every_bad_setting_is_named_at_once_and_none_is_repeated(desk: Desk) -> None:
    bad = {
        "REMINDERS_SMTP_URL": f"ftp://{ADDRESS}",
        "REMINDERS_LISTEN": "here",
        "REMINDERS_LEASE_S": "1",
        "REMINDERS_SECRET_KEY": "short",
        "REMINDERS_BASE_URL": f"//{ADDRESS}",
    }
    done = desk.type("list", **bad)
    assert done.exit_code == 3
    assert_a_sentence(done)
    assert [name for name in bad if name not in done.stderr] == []
    assert "short" not in done.stderr


def test_a_settings_file_is_read_before_the_command(desk: Desk) -> None:
    file = desk.folder / "elsewhere.toml"
    file.write_text(f'database_url = "{desk.env.pop("REMINDERS_DATABASE_URL")}"\n', encoding="utf-8")
    assert len(desk.json("--config", str(file), "list")) == 3
    assert "no configuration file" in desk.fails(3, "--config", "missing.toml", "list")
    file.write_text("this is = = no TOML", encoding="utf-8")
    assert "not a TOML file" in desk.fails(3, "--config", str(file), "list")


def test_nothing_is_delivered_without_a_transport(desk: Desk) -> None:
    desk.clock.set(INVITED_AT)
    del desk.env["REMINDERS_SMTP_URL"]
    assert "No transport is set" in desk.fails(1, "deliver")


def test_a_resting_transport_ends_with_1_and_still_tells_the_outcome(desk: Desk) -> None:
    desk.clock.set(INVITED_AT)
    desk.env["REMINDERS_SMTP_URL"] = "smtp://127.0.0.1:1?tls=never"
    done = desk.type("deliver", "--json")
    assert done.exit_code == 1
    document = json.loads(done.stdout)
    assert (document["sent"], document["failed"]) == (0, 0)
    assert document["stopped"]
    assert document["server"] == "smtp://127.0.0.1:1"
    assert_a_sentence(done)
    assert "reminders doctor" in done.stderr


def test_an_erased_patient_is_told_apart_from_an_unknown_one(desk: Desk) -> None:
    ref = desk.json("patient", "erase", *OF)["ref"]
    assert "was erased" in desk.fails(3, "patient", "set", *NORTH, "--patient", ref, "--phone", "1")


def test_a_broken_promise_ends_the_audit_with_1(desk: Desk) -> None:
    with closing(sqlite3.connect(desk.database)) as connection:
        connection.execute("DELETE FROM reminders WHERE step = 'follow_up'")
        connection.commit()
    done = desk.type("audit")
    assert done.exit_code == 1
    assert "follow_up" in done.stdout
    assert_a_sentence(done)


def test_a_sick_installation_ends_the_examination_with_1(bare_desk: Desk) -> None:
    done = bare_desk.type("doctor")
    assert done.exit_code == 1
    assert "× database" in done.stdout
    assert_a_sentence(done)


def test_a_folder_in_place_of_a_file_is_a_sentence(desk: Desk) -> None:
    folder = Path(shutil.copytree(desk.folder, desk.folder / "copy", ignore=lambda *_: ["copy"]))
    for command in (("import", str(folder), *NORTH), ("protocol", "import", str(folder))):
        desk.fails(3, *command)


def test_a_contradicted_death_stays(desk: Desk) -> None:
    desk.run("patient", "set", *OF, "--status", "deceased")
    assert "--undo-death" in desk.fails(3, "patient", "set", *OF, "--status", "active")
    desk.run("patient", "set", *OF, "--status", "active", "--undo-death")
