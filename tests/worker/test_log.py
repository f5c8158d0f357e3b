"""The log: lines of known fields, nothing of anybody in them, and nobody waits for whoever reads them."""

import contextlib
import io
import json
import logging
import os
import threading
from typing import Literal

import pytest

from reminders.errors import CannotDo
from reminders.log import FIELDS, IN_OUR_WORDS, LONGEST, Log, only_known, opened_log, sentence_of
from reminders.services.configured import NoTransport
from reminders.services.guarding.lock import Because, refusal
from reminders.store.faults import DatabaseBusy
from tests.support.clinic import FakeClock

PLANTED = (
    "ada@home.example",
    "Ada Lovelace <ada@home.example>",
    "https://reminders.clinic.example/p/xyz",
    "smtp://user:hunter2@mail.example:587",
    "GET /u/short-token",
    "kG7xQ2mZ0aBvC9dE1fH3jK5lN8pR4sT6uW7yX0zA1bC",
)


@pytest.mark.parametrize("value", PLANTED)
@pytest.mark.parametrize("name", sorted(FIELDS - {"level", "at"}))
def test_no_address_token_or_url_stands_in_any_field(name: str, value: str) -> None:
    shown = str(only_known(None, "info", {name: f"before {value} behind"})[name])
    for secret in ("ada@", "xyz", "hunter2", "short-token", "kG7x"):
        assert secret not in shown
    assert shown.startswith("before")


@pytest.mark.parametrize("because", Because)
def test_a_sentence_of_ours_is_said_to_its_end(because: Because) -> None:
    error = refusal(because)
    assert only_known(None, "warning", {"said": sentence_of(error)}) == {"said": str(error)}


def test_of_a_text_that_is_not_ours_only_so_much_is_said() -> None:
    shown = str(only_known(None, "info", {"said": "a long story " * 100})["said"])
    assert len(shown) == LONGEST


def test_a_field_that_is_not_on_the_list_is_dropped() -> None:
    given = {"event": "sent", "sent": 3, "given_name": "Ada", "patient": "1001", "recipient": "x", "exc_info": True}
    assert only_known(None, "info", given) == {"event": "sent", "sent": 3}


def test_a_value_that_is_no_word_or_number_is_named_by_its_kind() -> None:
    assert only_known(None, "info", {"said": ["Ada"], "count": {"Ada": 1}}) == {"said": "list", "count": "dict"}


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_line_is_dated_in_utc_and_stays_one_line(form: Literal["text", "json"]) -> None:
    stream = io.StringIO()
    log = Log(form, FakeClock(), stream)
    log.warning("it\nbroke", tick="deliver", sent=2)
    log.close()
    [line] = stream.getvalue().splitlines()
    assert "2026-01-05T12:00:00Z" in line
    if form == "json":
        assert json.loads(line) == {
            "at": "2026-01-05T12:00:00Z",
            "level": "warning",
            "event": "it broke",
            "tick": "deliver",
            "sent": 2,
        }


def test_f41_a_log_that_nobody_reads_holds_nobody_up() -> None:
    reading, writing = os.pipe()
    stream = os.fdopen(writing, "w")
    log = Log("text", FakeClock(), stream)
    done = threading.Event()

    def talk() -> None:
        for _ in range(20_000):
            log.info("a line that nobody takes from the pipe, which holds 64 kilobytes")
        log.close()
        done.set()

    threading.Thread(target=talk, daemon=True).start()
    held_up = not done.wait(30)
    os.close(reading)  # which lets the writer go on
    assert not held_up
    log.close()
    with contextlib.suppress(BrokenPipeError):
        stream.close()


class Slow(io.StringIO):
    """A stream that takes its first line only once it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.goes_on = threading.Event(), threading.Event()

    def write(self, text: str) -> int:
        self.begun.set()
        assert self.goes_on.wait(30)
        return super().write(text)


@pytest.mark.parametrize("form", ["text", "json"])
def test_f41_how_many_lines_were_lost_is_said_in_a_line_of_the_same_form(form: Literal["text", "json"]) -> None:
    stream = Slow()
    log = Log(form, FakeClock(), stream)
    log.info("the first")
    assert stream.begun.wait(30)
    for _ in range(1_007):  # a thousand wait, and seven find no room
        log.info("another")
    stream.goes_on.set()
    log.close()
    lines = stream.getvalue().splitlines()
    [said] = [line for line in lines if "lost" in line]
    assert len(lines) == 1 + 1_000 + 1
    if form == "text":
        assert said == 'at=2026-01-05T12:00:00Z level=warning event="log lines were lost" lost=7'
    else:
        assert {line["event"] for line in map(json.loads, lines)} == {"the first", "another", "log lines were lost"}
        assert (json.loads(said)["lost"], json.loads(said)["level"]) == (7, "warning")


def test_a_reader_that_went_away_fails_nothing() -> None:
    stream = io.StringIO()
    stream.close()
    log = Log("text", FakeClock(), stream)
    log.error("nobody hears this")
    log.close()


def test_libraries_are_heard_by_their_kind_and_ours_by_their_sentence() -> None:
    stream = io.StringIO()
    with opened_log("json", FakeClock(), stream):
        logging.getLogger("sqlalchemy.pool").error("lost %s", "ada@home.example")
        logging.getLogger("reminders.web").error("A page failed: KeyError at reminders.web.forms:12.")
        logging.getLogger("asyncio").warning("No room.", extra={IN_OUR_WORDS: True})
        logging.getLogger("asyncio").warning("Ada is late")
    said = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["part"], line["event"]) for line in said] == [
        ("sqlalchemy", "a library met a problem"),
        ("reminders.web", "A page failed: KeyError at reminders.web.forms:12."),
        ("asyncio", "No room."),
        ("asyncio", "a library met a problem"),
    ]
    assert logging.getLogger().handlers == [one for one in logging.getLogger().handlers if "_Heard" not in repr(one)]


def test_a_thread_that_dies_says_its_kind_and_shows_no_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    def die() -> None:
        raise ValueError("ada@home.example")

    stream = io.StringIO()
    with opened_log("json", FakeClock(), stream):
        thread = threading.Thread(target=die, name="a-thread")
        thread.start()
        thread.join()
    [line] = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert (line["event"], line["problem"], line["part"]) == ("a thread died", "ValueError", "a-thread")
    assert capfd.readouterr().err == ""


class NoRoom(CannotDo):
    """There is room for {count} of {patient}."""


def test_the_sentence_of_an_error_is_its_class_s() -> None:
    assert sentence_of(NoRoom(count=3, patient="Ada")) == "There is room for 3 of …."
    assert sentence_of(DatabaseBusy()).startswith("Another program is writing")


def test_an_example_in_a_sentence_of_ours_is_shown_and_what_looks_like_it_elsewhere_is_not() -> None:
    example = "smtp://user:password@host:587"
    ours = only_known(None, "", {"said": sentence_of(NoTransport())})
    assert example in str(ours["said"])
    assert example not in str(only_known(None, "", {"said": f"it is {example}"}))
