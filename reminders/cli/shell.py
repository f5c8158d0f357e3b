"""Puts every command together, and turns whatever ends a command into one sentence and an exit code.

Invariants: nobody ever sees a traceback (unless REMINDERS_DEBUG asks for it); what goes wrong is said in one sentence
on standard error; asking for help loads neither the database's nor the templates' libraries.
"""

import contextlib
import errno
import os
import re
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup
from typer.main import get_command

from reminders import __version__
from reminders.cli.commands import COMMANDS, load, stand_ins
from reminders.cli.output import ready_streams, visible
from reminders.cli.session import Session
from reminders.errors import BadInput, DatabaseNotReady, RemindersError, causes

CANNOT_DO, WRONG_COMMAND_LINE, BAD_INPUT, DATABASE_NOT_READY, INTERRUPTED = 1, 2, 3, 4, 130
_ADDRESS = re.compile(r"(?<![^\s'\"(<=])[^\s@/:'\"(<=]+@[^\s@'\")>,;]+")
_PACKAGE = __name__.partition(".")[0]

INTRODUCTION = """
Reminds a clinic's patients, once per step, when a maintenance consultation makes sense.

Begin with `reminders init`, then `reminders clinic add`, `reminders patient add` and `reminders treatment add`.
`reminders deliver` sends what is due, and `reminders why` answers why something was sent, or was not.
`reminders demo` shows it all with made-up patients.
"""


class Shell(TyperGroup):
    """The whole command line; every way a command can end leaves through `main`."""

    def __init__(self, **given: Any) -> None:  # noqa: ANN401 - the signature is the library's
        """Know every command by its name and sentence; one is loaded when it is asked for."""
        super().__init__(**given)
        self.commands.update(stand_ins())

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override] # noqa: ANN401, ARG002, D102 - the base class says it
        return load(cmd_name) if cmd_name in COMMANDS else None

    def format_commands(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override] # noqa: ANN401, D102 - the base class says it
        TyperGroup(commands=dict(self.commands)).format_commands(ctx, formatter)

    def main(  # noqa: D102 - the base class says it
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,  # noqa: ARG002 - it is called by the name it is installed under
        complete_var: str | None = None,  # noqa: ARG002 - the signature is the library's
        standalone_mode: bool = True,  # noqa: ARG002 - likewise
        windows_expand_args: bool = True,  # noqa: ARG002 - likewise
        **extra: Any,  # noqa: ANN401 - likewise
    ) -> NoReturn:
        ready_streams()
        extra.setdefault("obj", Session())
        try:
            code = self._run("reminders", list(sys.argv[1:] if args is None else args), extra)
            sys.stdout.flush()
        except BrokenPipeError:
            code = _nobody_reads()
        sys.exit(code)

    def _run(self, name: str, args: list[str], extra: dict[str, Any]) -> int:
        """Run one command and return its exit code."""
        try:
            with self.make_context(name, args, **extra) as ctx:
                self.invoke(ctx)
        except typer.Exit as leaving:
            return leaving.exit_code
        except (KeyboardInterrupt, typer.Abort) as ended:
            return _failed(str(ended), INTERRUPTED) if str(ended) else INTERRUPTED
        except BrokenPipeError:
            raise
        except UnicodeEncodeError as error:
            return _failed(_about_letters(args) or _fault(error), WRONG_COMMAND_LINE)
        except typer.TyperException as error:
            return _wrong_command_line(error)
        except RemindersError as error:
            return _failed(str(error), _code_of(error))
        except OSError as error:
            return _failed(_about_a_file(error) or _fault(error), CANNOT_DO)
        except Exception as error:  # noqa: BLE001 - the last line: whatever it is, a person gets a sentence
            return INTERRUPTED if _was_interrupted(error) else _failed(_fault(error), CANNOT_DO)
        return 0


def _was_interrupted(error: BaseException) -> bool:
    """Tell whether Ctrl-C came while a library was at work that made an error of its own of it, as pydantic's does."""
    name = KeyboardInterrupt.__name__
    return any(isinstance(cause, KeyboardInterrupt) or name in str(cause) for cause in causes(error))


def build() -> typer.Typer:
    """Return the command line."""
    shell = typer.Typer(
        cls=Shell,
        help=INTRODUCTION,
        rich_markup_mode=None,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["--help", "-h"]},
    )
    shell.callback()(reminders)
    return shell


def run(session: Session | None = None) -> NoReturn:
    """Run the command that the program was called with, and exit with its code."""
    get_command(build()).main(obj=session or Session())
    raise AssertionError  # `main` above always exits


def reminders(
    ctx: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="The settings' file, instead of reminders.toml right here."),
    ] = None,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=lambda given: _say_version(given=given), help="Show it and end."
        ),
    ] = False,
) -> None:
    """Keep what stands before the command."""
    if config is not None:
        ctx.obj = ctx.obj.with_config(config)


def _say_version(*, given: bool) -> None:
    """Show the version and end."""
    if given:
        sys.stdout.write(f"reminders {__version__}\n")
        raise typer.Exit


def _code_of(error: RemindersError) -> int:
    if isinstance(error, BadInput):
        return BAD_INPUT
    return DATABASE_NOT_READY if isinstance(error, DatabaseNotReady) else CANNOT_DO


def _failed(sentence: str, code: int) -> int:
    """Say in one sentence on standard error what went wrong; an address in it is not repeated."""
    sys.stdout.flush()
    words = " ".join(_ADDRESS.sub("(an address)", visible(sentence)).split())
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{words}\n")
        sys.stderr.flush()
    return code


def _wrong_command_line(error: typer.TyperException) -> int:
    words = error.format_message().strip()
    if words.startswith("Usage:"):  # a group that was named alone: its help is the answer
        sys.stderr.write(f"{words}\n")
        return error.exit_code
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "reminders"
    closed = words if words.endswith((".", "?")) else f"{words}."
    return _failed(f"{closed.replace('Value error, ', '')} See `{path} --help`.", error.exit_code)


def _about_letters(args: Sequence[str]) -> str | None:
    """Return what is wrong with arguments that are no text; None when all of them are."""
    try:
        "".join(args).encode()
    except UnicodeEncodeError:
        return "The command line holds bytes that are no text in UTF-8: type it on a terminal that is set to UTF-8."
    return None


def _about_a_file(error: OSError) -> str | None:
    """Return what is wrong with a file that a command was to read or write; None when no file is at fault."""
    if error.strerror is None:
        return None
    if error.filename is None:
        words = f"The output could not be written: {error.strerror}. What the command did stands."
        return words if _printing(error) else None
    name = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else "A file"
    return f"{name} cannot be used: {error.strerror}. Check the path and its permissions."


def _printing(error: OSError) -> bool:
    """Tell whether it is an output that failed: no room behind it, or nobody there."""
    return error.errno in (errno.ENOSPC, errno.EIO, errno.EBADF)


def _fault(error: BaseException) -> str:
    """Return the sentence for what nobody foresaw: where it happened, and none of the values it happened with."""
    if os.environ.get("REMINDERS_DEBUG") == "1":
        traceback.print_exception(error)
    return (
        f"The program has a fault ({type(error).__name__} at {_place(error.__traceback__)}). Look at what the command "
        "did before you repeat it, and please report this line; REMINDERS_DEBUG=1 shows more."
    )


def _place(trace: TracebackType | None) -> str:
    """Return module and line of the last step inside the product."""
    place = "an unknown place"
    for frame, line in traceback.walk_tb(trace):
        module = str(frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] == _PACKAGE:
            place = f"{module}:{line}"
    return place


def _nobody_reads() -> int:
    """Let nothing more be written to a pipe that nobody reads, so that the interpreter's last flush is quiet too."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return CANNOT_DO
