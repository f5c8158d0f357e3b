"""Writes docs/commands.md from the command line itself: `python -m tests.support.command_page`.

Invariant: the page is what this prints; a test compares them.
"""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.core import TyperGroup
from typer.main import get_command

from reminders.cli.shell import build

PAGE = Path(__file__).resolve().parents[2] / "docs" / "commands.md"
HEAD = """\
# Commands

`reminders [--config FILE] COMMAND`. The settings come from the environment (`REMINDERS_…`) and from `reminders.toml` in
the working directory, or from the file given with `--config`; the environment goes first. `--help` after any command
says what stands here, `--version` shows the version.

With `--json` a command prints exactly one JSON document on standard output: moments are UTC (`2026-11-22T10:00:00Z`),
days are `YYYY-MM-DD`. What goes wrong is one sentence on standard error.

| exit code | means |
|---|---|
| 0 | done |
| 1 | it could not be done |
| 2 | the command line is wrong |
| 3 | the input is wrong; nothing was changed |
| 4 | the database needs `reminders init` |
| 130 | interrupted with Ctrl-C |

This page is made from the program: `python -m tests.support.command_page` after a command changed.
"""


def commands() -> Iterator[tuple[str, Any]]:
    """Yield every command that does something, by what is typed for it."""
    shell = get_command(build())
    assert isinstance(shell, TyperGroup)
    for name in shell.list_commands(None):  # type: ignore[arg-type] # the order does not depend on a context
        command = shell.get_command(None, name)  # type: ignore[arg-type] # likewise
        if isinstance(command, TyperGroup):
            yield from ((f"{name} {inner}", one) for inner, one in command.commands.items())
        else:
            yield name, command


def page() -> str:
    """Return the page."""
    return "\n".join([HEAD, *(_section(typed, command) for typed, command in commands())])


def example(command: Any) -> str:  # noqa: ANN401 - the library gives its commands no public type
    """Return a command's examples as they stand in its help."""
    lines = str(command.epilog).splitlines()[2:]
    return "\n".join(line.removeprefix("  ") for line in lines)


def _section(typed: str, command: Any) -> str:  # noqa: ANN401 - as above
    parts = [
        f"## {typed}",
        "",
        f"`{_usage(typed, command)}`",
        "",
        inspect.cleandoc(command.help).replace("\n\n", "\n\n"),
    ]
    options = [one for one in command.params if one.param_type_name == "option"]
    if options:
        parts += ["", "| option | |", "|---|---|", *(_row(one) for one in options)]
    return "\n".join([*parts, "", "```console", example(command), "```", ""])


def _usage(typed: str, command: Any) -> str:  # noqa: ANN401 - as above
    words = ["reminders", typed]
    for one in command.params:
        if one.param_type_name == "argument":
            name = f"{one.metavar}{' …' if one.nargs != 1 else ''}"
            words.append(name if one.required else f"[{name}]")
    words += [_written(one) for one in command.params if one.param_type_name == "option" and one.required]
    return " ".join(words)


def _written(option: Any) -> str:  # noqa: ANN401 - as above
    choices = option.type_descriptor.choices
    value = "/".join(str(choice.value) for choice in choices) if choices else option.metavar
    return f"{option.opts[0]} {value}" if value and not option.is_flag else str(option.opts[0])


def _row(option: Any) -> str:  # noqa: ANN401 - as above
    also = "".join(f", `{name}`" for name in option.opts[1:])
    said = f"{option.help or ''}{' Needed.' if option.required else ''}".strip()
    return f"| `{_written(option).replace('|', '/')}`{also} | {said.replace('|', '/')} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
