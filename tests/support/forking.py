"""A program that forks a process for each order it is given, and tells what became of it, whatever ended it.

An order is a line of JSON on standard input. For each, the program says {"pid": …}, waits for a line "go", lets the
process do its work, and says {"status": …} once it is over; work that came to its end says its outcome before. Forking
spares every process the time that imports take.

Invariant: between the order and "go" nothing happens, so that who gives orders knows whom a kill will hit, and may
fasten a tracer to it before.
"""

import gc
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

CRASHED = 70
_HERE = "here"
"""Marks an order that the program carries out itself."""


class Program:
    """The program, started; starts processes and learns what became of them."""

    def __init__(self, module: str, within: Sequence[str] = ()) -> None:
        """Start `module`, whose main part obeys; `within` is a command line that runs it somewhere special."""
        self._program = subprocess.Popen(
            [*within, sys.executable, "-m", module],
            cwd=Path(__file__).resolve().parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.is_busy = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._program.stdin and self._program.stdout:
            self._program.stdin.close()
            self._program.wait(timeout=30)
            self._program.stdout.close()

    def abandon(self) -> None:
        """Kill it in the middle of whatever it does."""
        self._program.kill()
        self._program.communicate()

    def do_here(self, order: Mapping[str, Any]) -> None:
        """Carry an order out in the program, without forking."""
        self.is_busy = True
        self._say(json.dumps({_HERE: order}))
        self._heard()
        self.is_busy = False

    def begin(self, order: Mapping[str, Any]) -> int:
        """Fork a process for an order, which waits for `go`; return its id."""
        self.is_busy = True
        self._say(json.dumps(order))
        return int(self._heard()["pid"])

    def go(self) -> None:
        """Let it run."""
        self._say("go")

    def finished(self) -> dict[str, Any] | None:
        """Wait until it is over; return its outcome, None when it was killed. Raises when it crashed."""
        outcome = None
        while "status" not in (heard := self._heard()):
            outcome = heard
        self.is_busy = False
        if heard["status"] not in (0, -signal.SIGKILL, -signal.SIGXFSZ):
            raise AssertionError(f"the process ended with {heard['status']}: see its standard error")
        assert (heard["status"] == 0) == (outcome is not None)
        return outcome

    def _say(self, line: str) -> None:
        assert self._program.stdin is not None
        self._program.stdin.write(line + "\n")
        self._program.stdin.flush()

    def _heard(self) -> dict[str, Any]:
        assert self._program.stdout is not None
        line = self._program.stdout.readline()
        if not line:
            raise AssertionError("the program that starts processes has ended")
        heard: dict[str, Any] = json.loads(line)
        return heard


def obey(act: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> None:
    """Do what standard input says, each order in a process of its own, until there are no more orders."""
    gc.collect()
    gc.freeze()  # what is loaded stays shared between the processes
    for line in iter(sys.stdin.readline, ""):
        order = json.loads(line)
        if _HERE in order:
            _tell(**act(order[_HERE]))
            gc.collect()
            gc.freeze()
            continue
        wait_here, let_go = os.pipe()
        pid = os.fork()
        if pid == 0:
            _work(act, order, wait_here, let_go)
        os.close(wait_here)
        _tell(pid=pid)
        sys.stdin.readline()
        os.write(let_go, b"!")
        os.close(let_go)
        _, status = os.waitpid(pid, 0)
        _tell(status=os.waitstatus_to_exitcode(status))


def _work(
    act: Callable[[Mapping[str, Any]], Mapping[str, Any]], order: Mapping[str, Any], wait_here: int, let_go: int
) -> None:
    status = CRASHED
    try:
        os.close(let_go)
        os.read(wait_here, 1)
        _tell(**act(order))
        status = 0
    except BaseException:  # noqa: BLE001 - a copy of this program must end here, whatever happened
        sys.excepthook(*sys.exc_info())
        sys.stderr.flush()
    finally:
        os._exit(status)


def _tell(**said: Any) -> None:  # noqa: ANN401 - whatever JSON can say
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()
