"""Runs programs side by side, each bounded in time, and takes the time from the first start to the last end.

Invariants: every program that was started has ended when a call returns; no setting of this process's own product
reaches one.
"""

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parents[1]
LONGEST_S = 1800.0
HANDED_ON = ("REMINDERS_ROUND", "REMINDERS_LEASE_S")
"""Settings of the product that a run may be given from outside, to try others than the usual ones."""

Command = Sequence[str]


class ProgramFailed(Exception):
    """A program of the benchmark ended with an error, or not at all."""


def environment(given: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this process's environment without settings of the product, and with `given`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("REMINDERS_")}
    handed = {name: os.environ[name] for name in HANDED_ON if name in os.environ}
    return {**kept, **handed, "PYTHONPATH": str(ROOT), **(given or {})}


def together(commands: Sequence[Command], env: Mapping[str, str], folder: Path) -> tuple[float, list[str]]:
    """Run programs at the same time in `folder`; return the seconds until all have ended, and what each printed.

    Raises `ProgramFailed` with the last words of one that failed.
    """
    with tempfile.TemporaryDirectory(dir=folder) as place:
        files = [(Path(place, f"{number}.out"), Path(place, f"{number}.err")) for number in range(len(commands))]
        opened: list[IO[bytes]] = []
        started: list[subprocess.Popen[bytes]] = []
        began = time.perf_counter()
        try:
            for command, (out, err) in zip(commands, files, strict=True):
                opened += [out.open("wb"), err.open("wb")]
                started.append(
                    subprocess.Popen(command, cwd=folder, env=dict(env), stdout=opened[-2], stderr=opened[-1])
                )
            for program in started:
                program.wait(max(1.0, LONGEST_S - (time.perf_counter() - began)))
            took = time.perf_counter() - began
        except subprocess.TimeoutExpired as late:
            raise ProgramFailed(f"{_short(late.cmd)} did not end within {LONGEST_S:.0f} s") from None
        finally:
            _end(started, opened)
        for program, (_, err) in zip(started, files, strict=True):
            if program.returncode:
                said = err.read_text(encoding="utf-8", errors="replace")[-1500:]
                raise ProgramFailed(f"{_short(program.args)} ended with {program.returncode}: {said}")
        return took, [out.read_text(encoding="utf-8", errors="replace") for out, _ in files]


def alone(command: Command, env: Mapping[str, str], folder: Path) -> str:
    """Run one program and return what it printed."""
    return together([command], env, folder)[1][0]


def document(printed: str) -> dict[str, Any]:
    """Return the JSON object that a program printed."""
    found: dict[str, Any] = json.loads(printed)
    return found


def _end(started: Sequence[subprocess.Popen[bytes]], opened: Sequence[IO[bytes]]) -> None:
    for program in started:
        if program.poll() is None:
            program.kill()
            program.wait()
    for file in opened:
        file.close()


def _short(command: object) -> str:
    return " ".join(map(str, command))[:200] if isinstance(command, list | tuple) else str(command)[:200]
