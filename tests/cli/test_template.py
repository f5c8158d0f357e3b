"""The commands about templates, typed on a real installation: what they print, change and refuse."""

import json
import re
from pathlib import Path

import pytest

from tests.cli.desk import Desk, assert_a_sentence
from tests.support.clinic import INVITED_AT

AT = ("--clinic", "north", "--class", "cosmetic", "--step", "invitation", "--language", "en")
SUBJECT = "Subject: {% if sender %}{{ sender }}: a consultation{% else %}A consultation{% endif %}"
KEYS = {"clinic", "class", "step", "protocol", "language", "version", "check_version", "saved_at", "withdrawn_at"}


@pytest.fixture
def good(desk: Desk) -> Path:
    return written(desk, "good.txt", "Our very own words.")


@pytest.fixture
def bad(desk: Desk) -> Path:
    return written(desk, "bad.txt", "Fine.\n\n{{ nobody }}")


def written(desk: Desk, name: str, words: str) -> Path:
    path = desk.folder / name
    path.write_text(f"{SUBJECT}\n\n{words}\n", encoding="utf-8")
    return path


def test_a_good_file_is_checked_without_an_installation(bare_desk: Desk) -> None:
    said = bare_desk.run("template", "check", str(written(bare_desk, "good.txt", "Fine.")))
    assert said == "Looked at 1 template: nothing is wrong.\n"


def test_every_complaint_is_a_line_that_names_file_line_and_severity(desk: Desk, bad: Path) -> None:
    done = desk.type("template", "check", str(bad))
    assert done.exit_code == 3
    assert re.fullmatch(rf"{re.escape(str(bad))}:5: error: .+\n", done.stdout)
    assert_a_sentence(done)


def test_a_warning_is_printed_and_is_no_failure(desk: Desk) -> None:
    long = written(desk, "long.txt", "This sentence goes on " + "and on " * 12 + "until it ends.")
    assert ": warning: a sentence has " in desk.run("template", "check", str(long))


def test_complaints_as_json_are_one_document(desk: Desk, bad: Path) -> None:
    done = desk.type("template", "check", str(bad), "--json")
    document = json.loads(done.stdout)
    assert (done.exit_code, document["templates"], document["errors"]) == (3, 1, 1)
    [complaint] = document["complaints"]
    assert (complaint["template"], complaint["line"], complaint["severity"]) == (str(bad), 5, "error")


def test_a_file_is_for_the_message_that_its_folders_name(desk: Desk) -> None:
    folder = desk.folder / "cosmetic" / "last_call"
    folder.mkdir(parents=True)
    path = folder / "en.txt"
    path.write_text(f"{SUBJECT}\n\n{'Come. ' * 90}\n", encoding="utf-8")
    assert "at most 80" in desk.type("template", "check", str(path)).stdout
    assert "nothing is wrong" in desk.run("template", "check", str(path), "--step", "invitation")


def test_a_file_is_checked_with_a_clinics_own_rules(desk: Desk) -> None:
    path = written(desk, "words.txt", "Time for your Botox.")
    desk.run("clinic", "set", "north", "--jurisdiction", "uk")
    assert desk.type("template", "check", str(path), "--clinic", "north").exit_code == 3
    assert desk.type("template", "check", str(path), "--jurisdiction", "uk").exit_code == 3


@pytest.mark.parametrize("content", [b"\xff\xfe", b"", b"\x00", b"a" * 70_000, b"Subject: a\n\nb\xe9\n"])
def test_a_file_that_is_no_template_is_refused_in_sentences(desk: Desk, content: bytes) -> None:
    path = desk.folder / "odd.txt"
    path.write_bytes(content)
    done = desk.type("template", "check", str(path))
    assert (done.exit_code, "Traceback" in done.output) == (3, False)
    desk.fails(3, "template", "set", *AT, str(path))


def test_a_file_that_is_not_there_is_one_sentence(desk: Desk) -> None:
    for command in (("check",), ("set", *AT), ("preview", "--clinic", "north", "--patient", "1001")):
        desk.fails(1, "template", *command, "no-such-file.txt")


def test_everything_shipped_and_stored_is_checked_at_once(desk: Desk, good: Path) -> None:
    desk.run("template", "set", *AT, str(good))
    document = desk.json("template", "check", "--jurisdiction", "uk")
    assert (document["errors"], document["templates"]) == (0, 6 * 7 + 1)


def test_a_template_is_set_listed_shown_and_sent(desk: Desk, good: Path) -> None:
    assert "Version 1 is in force" in desk.run("template", "set", *AT, str(good))
    [listed] = desk.json("template", "list")
    assert set(listed) == KEYS
    assert (listed["clinic"], listed["version"], listed["protocol"]) == ("north", 1, None)
    assert "north" in desk.run("template", "list")
    assert desk.run("template", "show", *AT) == good.read_text(encoding="utf-8")
    desk.clock.set(INVITED_AT)
    desk.run("deliver")
    [message] = desk.outbox()
    assert "Our very own words." in message.read_text(encoding="utf-8")


def test_setting_the_same_words_again_changes_nothing(desk: Desk, good: Path) -> None:
    desk.run("template", "set", *AT, str(good))
    assert "nothing was changed" in desk.run("template", "set", *AT, str(good))


def test_a_bad_file_is_not_set(desk: Desk, bad: Path) -> None:
    before = desk.content()
    done = desk.type("template", "set", *AT, str(bad))
    assert (done.exit_code, desk.content()) == (3, before)
    assert done.stdout.startswith(f"{bad}:5: error: ")
    assert_a_sentence(done)
    assert not json.loads(desk.type("template", "set", *AT, str(bad), "--json").stdout)["saved"]


def test_versions_are_shown_compared_brought_back_and_withdrawn(desk: Desk, good: Path) -> None:
    desk.run("template", "set", *AT, str(good))
    desk.run("template", "set", *AT, str(written(desk, "other.txt", "Other words.")))
    said = desk.run("template", "versions", *AT)
    assert "-Our very own words." in said
    assert "+Other words." in said
    assert [one["version"] for one in desk.json("template", "versions", *AT)] == [1, 2]
    assert desk.json("template", "show", *AT, "--version", "1")["source"] == good.read_text(encoding="utf-8")
    assert desk.json("template", "restore", *AT, "1")["version"] == 3
    assert desk.json("template", "withdraw", *AT)["withdrawn_at"]
    assert "shipped ones" in desk.run("template", "list")
    desk.fails(3, "template", "withdraw", *AT)
    desk.fails(3, "template", "restore", *AT, "9")


def test_what_there_is_not_is_refused(desk: Desk, good: Path) -> None:
    desk.fails(3, "template", "set", "--clinic", "south", *AT[2:], str(good))
    desk.fails(3, "template", "set", *AT, "--protocol", "nothing", str(good))
    desk.fails(2, "template", "set", *AT[:-1], "tlh", str(good))
    desk.fails(3, "template", "show", *AT)


def test_a_file_is_previewed_as_the_patient_would_see_it_and_nothing_is_kept(desk: Desk, good: Path) -> None:
    before = desk.content()
    command = ("template", "preview", "--clinic", "north", "--patient", "1001", str(good))
    said = desk.run(*command, "--out", str(desk.folder / "mail"))
    assert "Our very own words." in said
    assert "Hello Ann," in said
    assert "Our very own words." in (desk.folder / "mail" / "message.html").read_text(encoding="utf-8")
    assert "Our very own words." in desk.json(*command)["text"]
    assert desk.content() == before


def test_a_bad_file_has_no_preview(desk: Desk, bad: Path) -> None:
    said = desk.fails(1, "template", "preview", "--clinic", "north", "--patient", "1001", str(bad))
    assert "line 5" in said
