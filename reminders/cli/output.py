"""Puts sentences, tables and JSON on standard output, and progress on standard error.

Invariants: with --json exactly one document goes out; a pipe gets no colour codes; whatever people or files called
things, no terminal control sequence passes; a stream that cannot say a letter never ends the program.
"""

import os
import re
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from reminders.errors import CannotDo

if TYPE_CHECKING:
    from rich.table import Table


class Progress(Protocol):
    """Told how much is done, of how much if that is known, and of what."""

    def __call__(self, done: int, total: int | None, what: str | None = None) -> None:
        """Show it."""
        ...


ROWS_AT_A_TIME = 500
_SEQUENCES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_].*?(?:\x07|\x1b\\|$)|[ -/]*[0-~]?)|\x9b[0-?]*[ -/]*[@-~]")
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")
"""Marks that turn the direction of writing: a name could make another look like what it is not."""


class CannotWrite(CannotDo):
    """{path} cannot be written ({problem}): give a path that can be."""


def ready_streams() -> None:
    """Let both streams say everything, whatever the locale says they can; one that was closed says nothing."""
    if sys.stdout is None:
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - as long as the program
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - likewise
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="replace")


def visible(text: str) -> str:
    """Return the text without control sequences and control characters; line breaks and tabs stay."""
    plain = _SEQUENCES.sub("", text) if "\x1b" in text or "\x9b" in text else text
    if plain.isascii() and plain.isprintable():
        return plain
    return "".join(letter for letter in plain if letter in "\n\t" or _may_show(letter))


def _may_show(letter: str) -> bool:
    return unicodedata.category(letter) not in ("Cc", "Cs") and letter not in _TURNS


def say(text: str = "") -> None:
    """Print a sentence."""
    sys.stdout.write(f"{visible(text)}\n")


def say_notes(notes: Sequence[str]) -> None:
    """Print what a person should look at, a sentence each."""
    for note in notes:
        say(f"Look at this: {note.rstrip('.')}.")


def say_json(document: object) -> None:
    """Print the one JSON document of a command."""
    import json  # noqa: PLC0415 - help prints none

    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False))
    sys.stdout.write("\n")


def stream_json(items: Iterable[object]) -> None:
    """Print a list of any length as one JSON document, an item a line, keeping none of them."""
    import json  # noqa: PLC0415 - as above

    before = "["
    for item in items:
        sys.stdout.write(f"{before}\n{json.dumps(item, ensure_ascii=False)}")
        before = ","
    sys.stdout.write("[]\n" if before == "[" else "\n]\n")


def say_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    """Print a table and return how many rows it had; a long one comes in pieces, each under its own heads."""
    remaining = iter(rows)
    count = 0
    while piece := list(islice(remaining, ROWS_AT_A_TIME)):
        if count:
            say()
        _say_piece(columns, piece)
        count += len(piece)
    return count


def _say_piece(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    from rich.console import Console  # noqa: PLC0415 - help and JSON need no tables

    terminal = sys.stdout.isatty()
    table = _table(columns, rows, terminal=terminal)
    if terminal:
        Console(file=sys.stdout, highlight=False, markup=False, emoji=False).print(table)
        return
    # a pipe is read by programs and pagers: as wide as its rows are, and no blanks at their ends
    console = Console(
        file=sys.stdout, force_terminal=False, color_system=None, width=100_000, markup=False, highlight=False
    )
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        sys.stdout.write(f"{line.rstrip()}\n")


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, terminal: bool) -> "Table":
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold" if terminal else "")
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text(visible("" if cell is None else str(cell))) for cell in row))
    return table


@contextmanager
def progress(what: str, *, as_json: bool) -> Iterator[Progress | None]:
    """Show a bar on standard error while something long runs; None where nobody watches."""
    if as_json or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console  # noqa: PLC0415 - as above
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn  # noqa: PLC0415 - as above
    from rich.progress import Progress as Bars  # noqa: PLC0415 - as above

    shown = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bars(*shown, console=Console(file=sys.stderr), transient=True) as bars:
        task = bars.add_task(what, total=None)

        def show(done: int, total: int | None, what: str | None = None) -> None:
            bars.update(task, completed=done, total=total, description=what)

        yield show


def write_file(path: Path, content: bytes) -> None:
    """Write a file that a person asked for, readable by them alone since it may name patients; `CannotWrite` else."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
    except OSError as error:
        raise CannotWrite(path=path, problem=error.strerror or "the system refuses it") from None
