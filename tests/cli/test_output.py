"""What may go out on a terminal or into a pipe: text without commands to the terminal, tables, one JSON document."""

import datetime as dt
import json

import pytest
from typer.testing import CliRunner

from reminders.cli.options import day, number
from reminders.cli.output import say_json, say_table, stream_json, visible
from reminders.cli.session import Session
from tests.cli.desk import Desk

SEQUENCES = {
    "\x1b[31mred\x1b[0m": "red",
    "\x1b]0;title\x07name": "name",
    "\x1b]8;;https://x.example\x1b\\link\x1b]8;;\x1b\\": "link",
    "\x9b31mred": "red",
    "\x1bPdcs\x1b\\x": "x",
    "\x1b(Bx": "x",
    "bell\x07 back\x08 return\r null\x00": "bell back return null",
    "turned\u202e round": "turned round",
    "Zoë 李 👩‍⚕️": "Zoë 李 👩‍⚕️",
    "two\nlines\tand a tab": "two\nlines\tand a tab",
    "lone \udcff byte": "lone  byte",
    "\x1b": "",
}


@pytest.mark.parametrize("text", SEQUENCES, ids=ascii)
def test_only_what_can_be_read_is_shown(text: str) -> None:
    assert visible(text) == SEQUENCES[text]


def test_a_table_in_a_pipe_is_aligned_also_under_wide_letters(capsys: pytest.CaptureFixture[str]) -> None:
    assert say_table(("name", "day"), [("李雷", 1), ("Ann\x1b[1m", None), ("[bold]x[/]", 3)]) == 3
    assert capsys.readouterr().out.splitlines() == ["name        day", "李雷        1", "Ann", "[bold]x[/]  3"]


def test_a_long_table_comes_in_pieces_each_with_its_heads(capsys: pytest.CaptureFixture[str]) -> None:
    assert say_table(("n",), ((n,) for n in range(1200))) == 1200
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line and not line.isdigit()] == ["n", "n", "n"]
    assert sum(line.isdigit() for line in lines) == 1200


def test_a_table_without_rows_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert say_table(("n",), ()) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("items", [[], [1], [{"a": "ö"}, {"a": None}]])
def test_a_streamed_list_is_one_document(capsys: pytest.CaptureFixture[str], items: list[object]) -> None:
    stream_json(iter(items))
    streamed = capsys.readouterr().out
    say_json(items)
    assert json.loads(streamed) == json.loads(capsys.readouterr().out) == items


@pytest.mark.parametrize("text", ["2026-3-5", "20260305", "2026-W10-4", "05.03.2026", "", "2026-02-29"])
def test_a_day_is_written_in_one_way(text: str) -> None:
    with pytest.raises(Exception, match="YYYY-MM-DD"):
        day(text)


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "1e3", "٣", "", "9223372036854775808", "1_000"])
def test_a_number_is_whole_and_fits_the_database(text: str) -> None:
    with pytest.raises(Exception, match="whole number"):
        number(text)


def test_an_address_in_an_error_is_not_told_again(desk: Desk) -> None:
    sentence = desk.fails(3, "clinic", "pause", "someone@home.example")
    assert "There is no clinic (an address)" in sentence
    assert "(an address)" in desk.fails(2, "list", "stray@home.example")


class Interrupted:
    """A clock that is asked while Ctrl-C is pressed, by a library that makes an error of its own of it."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def now(self) -> dt.datetime:
        raise self._error from KeyboardInterrupt()


@pytest.mark.parametrize("error", [ValueError("a schema"), RuntimeError("KeyboardInterrupt: ")])
def test_an_interruption_that_a_library_made_an_error_of_is_one_still(desk: Desk, error: Exception) -> None:
    done = CliRunner().invoke(desk.shell, ["list"], env=desk.env, obj=Session(clock=Interrupted(error)))
    assert (done.exit_code, done.stderr) == (130, "")
