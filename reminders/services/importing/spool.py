"""Sorts more lines than memory holds: what is read of a file waits here, by patient, until it is judged and stored.

Invariant: memory stays within a few megabytes whatever the number of lines, and the lines, which hold personal data,
lie in temporary files that only this process can open and that vanish with it, even when it is killed.
"""

import heapq
import tempfile
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import IO, Self

RUN_CHARACTERS = 8_000_000
"""How much is sorted in memory at once: 9 MB, more where letters are wide. A million rows of visits are 40 runs."""

OPEN_RUNS = 48
"""More sorted runs than this are merged into one, so that no limit on open files is reached."""


class Spool:
    """Lines, added in any order and read back sorted, as often as wanted. A line must not hold a line break.

    `unique` drops equal lines. Used in a `with` block, which removes every file.
    """

    def __init__(self, *, unique: bool = False, run_characters: int = RUN_CHARACTERS) -> None:
        """Start empty; nothing is written before the first run is full."""
        self._unique = unique
        self._run_characters = run_characters
        self._waiting: list[str] = []
        self._characters = 0
        self._runs: list[IO[str]] = []

    def __enter__(self) -> Self:
        """Return the spool itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Remove every temporary file."""
        self.close()

    def close(self) -> None:
        """Remove every temporary file and forget what is in memory."""
        for run in self._runs:
            run.close()
        self._runs, self._waiting, self._characters = [], [], 0

    def add(self, line: str) -> None:
        """Keep `line`."""
        self._waiting.append(line)
        self._characters += len(line) + 50  # what a short string weighs besides its letters
        if self._characters > self._run_characters:
            self._write_run()

    def __iter__(self) -> Iterator[str]:
        """Yield every line, sorted; only one such reading at a time."""
        if self._runs and self._waiting:
            self._write_run()
        if not self._runs:
            self._waiting.sort()
            return self._chosen(self._waiting)
        return self._chosen(self._merged())

    def _write_run(self) -> None:
        self._waiting.sort()
        self._runs.append(_kept(self._waiting))
        self._waiting, self._characters = [], 0
        if len(self._runs) > OPEN_RUNS:
            merged = _kept(self._merged())
            for run in self._runs:
                run.close()
            self._runs = [merged]

    def _merged(self) -> Iterator[str]:
        for run in self._runs:
            run.seek(0)
        return heapq.merge(*(map(_without_break, run) for run in self._runs))

    def _chosen(self, lines: Iterable[str]) -> Iterator[str]:
        if not self._unique:
            yield from lines
            return
        previous = None
        for line in lines:
            if line != previous:
                yield line
            previous = line


def _without_break(line: str) -> str:
    return line[:-1]


def _kept(lines: Iterable[str]) -> IO[str]:
    """Return a temporary file of these lines: mode 0600, without a name where the system can do that."""
    file = tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n", prefix="reminders-")  # noqa: SIM115 - the spool closes it
    file.writelines(line + "\n" for line in lines)
    file.flush()
    return file
