"""Runs work on what nobody has proven yet in a process of its own, with limits on memory, time and output.

Invariant: the process inherits no environment, no file and no standard stream but its own pipes; whatever it does, the
caller has an answer or an `Overran` in bounded time and memory, and the process is gone.
"""

import contextlib
import dataclasses
import json
import math
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from reminders.errors import CannotDo

_READY = b"ready\n"
_PIECE = 64 * 1024


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """How much a process may take: bytes, seconds of the processor, seconds by the clock.

    `start_s` is for its imports, which are ours and on a busy machine slow; the clock of the work starts after them.
    """

    memory: int = 256 * 1024 * 1024
    processor_s: int = 2
    clock_s: float = 3.0
    start_s: float = 30.0
    answer: int = 4 * 1024 * 1024


class Overran(CannotDo):
    """It takes too much {what}: it was stopped."""


class NoAnswer(CannotDo):
    """The process that was to look at it ended without an answer: try again."""


def ask(question: Mapping[str, object], program: Sequence[str], limits: Limits | None = None) -> dict[str, Any]:
    """Return what `program` (a command that calls `serve`) answers; raises `Overran` or `NoAnswer`."""
    limits = limits or Limits()
    asked = json.dumps({"limits": dataclasses.asdict(limits), "question": dict(question)}).encode() + b"\n"
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and modules
        list(program),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={
            name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ
        },  # Windows starts nothing without
        cwd=Path(os.sep).resolve(),
        close_fds=True,
        start_new_session=True,
    )
    talk = _Talk(process, limits)
    try:
        return talk.answer(asked)
    finally:
        _end(process)
        talk.leave()


def serve(work: Callable[[dict[str, Any]], Mapping[str, object]]) -> None:
    """Answer one question on standard input with `work`, as JSON on standard output; called in the process itself."""
    sys.stdout.buffer.write(_READY)
    sys.stdout.buffer.flush()
    asked = json.loads(sys.stdin.buffer.readline())
    missing = _confine(Limits(**asked["limits"]))
    try:
        answer = {"answer": dict(work(asked["question"])), "unlimited": missing}
        said = json.dumps(answer).encode()
    except MemoryError:
        said = b'{"failed": "memory"}'
    except Exception as error:  # noqa: BLE001 - a sentence leaves this process, never a traceback
        said = json.dumps({"failed": "work", "error": type(error).__name__}).encode()
    sys.stdout.buffer.write(said)
    sys.stdout.buffer.flush()


def _confine(limits: Limits) -> list[str]:
    """Set this process's limits; return the names of those that this system does not know or refuses."""
    try:
        import resource  # noqa: PLC0415 - Windows has no such limits: the clock alone bounds the work there
    except ImportError:
        return ["memory", "processor"]
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = math.ceil(used.ru_utime + used.ru_stime) + limits.processor_s
    wanted = {
        "memory": (resource.RLIMIT_AS, limits.memory),
        "processor": (resource.RLIMIT_CPU, seconds),
        "files": (resource.RLIMIT_FSIZE, 0),
        "cores": (resource.RLIMIT_CORE, 0),
    }
    missing = []
    for name, (kind, most) in wanted.items():
        try:
            resource.setrlimit(kind, (most, most))
        except (ValueError, OSError):
            missing.append(name)
    return missing


@dataclasses.dataclass(slots=True)
class _Talk:
    """One question and its answer, over pipes that two threads mind; `select` knows no pipes on Windows."""

    process: "subprocess.Popen[bytes]"
    limits: Limits
    heard: bytearray = dataclasses.field(default_factory=bytearray)
    ready: threading.Event = dataclasses.field(default_factory=threading.Event)
    over: bool = False
    minders: list[threading.Thread] = dataclasses.field(default_factory=list)

    def answer(self, asked: bytes) -> dict[str, Any]:
        if self.process.stdin is None or self.process.stdout is None:
            raise NoAnswer
        listener = self._minded(self._listen, self.process.stdout)
        if not self.ready.wait(self.limits.start_s):
            raise NoAnswer
        self._minded(_tell, self.process.stdin, asked)
        listener.join(self.limits.clock_s)
        if listener.is_alive():
            raise Overran(what="time")
        if self.over:
            raise Overran(what="room: what it says never ends")
        return self._read()

    def leave(self) -> None:
        """Close the pipes of a process that has ended, once nobody reads them: their numbers are given out again."""
        for minder in self.minders:
            minder.join()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()

    def _minded(self, work: Callable[..., None], *given: object) -> threading.Thread:
        minder = threading.Thread(target=work, args=given, daemon=True)
        minder.start()
        self.minders.append(minder)
        return minder

    def _listen(self, stream: IO[bytes]) -> None:
        while piece := os.read(stream.fileno(), _PIECE):
            self.heard += piece
            if self.heard.startswith(_READY):
                self.ready.set()
            if len(self.heard) > self.limits.answer:
                self.over = True
                break
        self.ready.set()

    def _read(self) -> dict[str, Any]:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(self.limits.clock_s)
        if self.process.returncode in {-getattr(signal, "SIGXCPU", 0), -getattr(signal, "SIGKILL", 0)}:
            raise Overran(what="time")
        if self.process.returncode == -signal.SIGABRT:  # how a compiled library ends where there is no memory left
            raise Overran(what="memory")
        try:
            said = json.loads(bytes(self.heard).removeprefix(_READY))
        except ValueError:
            raise NoAnswer from None
        if said.get("failed") == "memory":
            raise Overran(what="memory")
        if "answer" not in said:
            raise NoAnswer
        return dict(said["answer"]) | {"unlimited": said["unlimited"]}


def _tell(stream: IO[bytes], asked: bytes) -> None:
    with contextlib.suppress(OSError, ValueError):
        stream.write(asked)
        stream.close()


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Kill the process with whatever it started, and leave nothing of it."""
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()
