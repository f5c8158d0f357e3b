"""What `--help` says: a paragraph and an example for every command, in 80 columns; docs/commands.md says the same."""

import inspect
import shlex

import pytest

from reminders.cli.commands import COMMANDS, load
from tests.architecture.checkout import ROOT
from tests.cli.desk import Desk
from tests.support.command_page import PAGE, commands, example, page

PROMISED = {
    *("init", "demo", "import", "plan", "deliver", "list", "why", "preview", "release", "hold", "settle", "retry"),
    *("audit", "doctor", "clinic add", "clinic list", "clinic set", "clinic pause", "clinic resume", "protocol list"),
    *("protocol import", "protocol export", "patient add", "patient show", "patient set", "patient hold"),
    *("patient erase", "patient export", "treatment add", "treatment void", "appointment add", "appointment set"),
}
NAMES = [name for name, _ in commands()]


def test_every_promised_command_is_there() -> None:
    assert PROMISED - set(NAMES) == set()


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_says_what_a_command_says(name: str) -> None:
    assert COMMANDS[name][1] == " ".join(inspect.cleandoc(load(name).help or "").partition("\n\n")[0].split())


def test_every_module_of_commands_is_on_the_list() -> None:
    files = (ROOT / "reminders" / "cli").glob("*.py")
    registering = {file.stem for file in files if "def register(shell:" in file.read_text(encoding="utf-8")}
    assert registering == {module for module, _ in COMMANDS.values()}


@pytest.mark.parametrize("name", NAMES)
def test_help_fits_and_has_an_example_of_this_command(bare_desk: Desk, name: str) -> None:
    command = dict(commands())[name]
    said = bare_desk.run(*name.split(), "--help")
    first = inspect.cleandoc(command.help).splitlines()[0]
    assert first.endswith(".")
    assert len(first) <= 61, "the list of commands cuts it off"
    assert f"reminders {name}" in example(command)
    assert example(command).splitlines()[0].strip() in said
    assert [line for line in said.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_a_command_line_that_can_be_typed(bare_desk: Desk, name: str) -> None:
    """With --help behind it nothing is run, and what precedes it is read."""
    for line in example(dict(commands())[name]).replace("\\\n", "").splitlines():
        typed = line.partition("reminders ")[2].partition(" > ")[0]
        words = shlex.split(typed)
        options = [word for word in words if word.startswith("--")]
        assert words[: len(name.split())] == name.split()
        assert [word for word in options if word not in bare_desk.run(*name.split(), "--help")] == []


def test_the_page_of_commands_is_what_the_program_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m tests.support.command_page`"


def test_the_shell_alone_and_a_noun_alone_show_their_help(bare_desk: Desk) -> None:
    for args in ((), ("clinic",)):
        done = bare_desk.type(*args)
        assert done.exit_code == 2
        assert done.stderr.startswith("Usage: reminders")
        assert "Commands:" in done.stderr


def test_a_misspelt_command_is_answered_with_the_right_one(bare_desk: Desk) -> None:
    assert "Did you mean 'deliver'?" in bare_desk.fails(2, "delivr")
