"""Stands between a process and the system: lets its Nth call on the database's files fail, kill it, or be written down.

Needs `strace`, and leave to trace a child of another process of this user. Invariant: only calls on the named files are
touched, and a process is never let go before its tracer holds it.
"""

import functools
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CALLS = ("pwrite64", "fdatasync", "fsync", "ftruncate", "unlink")
FAULTS = ("signal=KILL", "error=EIO", "error=ENOSPC")
_WRITTEN = re.compile(r"^(?P<call>\w+)\((?P<rest>.*)\)\s+= (?P<result>-?\d+)")
_DESCRIPTOR = re.compile(r"^\d+<(?P<path>[^>]*)>")


def files_of(database: Path) -> tuple[Path, ...]:
    """Return the files in which SQLite keeps a database; the last is shared memory and need not survive."""
    return (database, database.with_name(f"{database.name}-wal"), database.with_name(f"{database.name}-shm"))


@functools.cache
def why_not() -> str | None:
    """Return why nothing can be traced here, None where it can."""
    if not (strace := shutil.which("strace")):
        return "strace is not installed: `apt-get install strace`, to let system calls fail one by one"
    tried = subprocess.run(
        [strace, "-o", "/dev/null", "-e", "inject=fsync:error=EIO:when=9", "true"],
        capture_output=True,
        text=True,
        check=False,
    )
    return None if tried.returncode == 0 else f"strace may not trace here: {tried.stderr.strip()}"


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to the `nth` call of a kind; `lasts` says that it happens to all that follow, too."""

    call: str
    what: str
    nth: int
    lasts: bool = False

    def options(self) -> tuple[str, ...]:
        """Return the tracer's options."""
        when = f"{self.nth}+" if self.lasts else str(self.nth)
        return ("-e", f"trace={self.call}", "-e", f"inject={self.call}:{self.what}:when={when}")


@contextmanager
def traced(pid: int, paths: Sequence[Path], log: Path, *options: str) -> Iterator[None]:
    """Hold a waiting process and everything it starts by its calls on `paths`; what it calls is written to `log`."""
    named = [part for path in paths for part in ("-P", str(path))]
    command = ["strace", "-f", "-y", "-p", str(pid), "-o", str(log), *named, *options]
    tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert tracer.stderr is not None
    said = tracer.stderr.readline()
    try:
        assert "attached" in said, said
        yield
    finally:
        tracer.send_signal(signal.SIGTERM)
        tracer.wait(timeout=30)
        tracer.stderr.close()


def hits(log: Path) -> int:
    """Return how many calls were made to fail."""
    return log.read_text(encoding="latin-1").count("(INJECTED)") if log.exists() else 0


@dataclass(frozen=True, slots=True)
class Call:
    """One call that succeeded: `pwrite64` of `content` at `offset`, `ftruncate` to `offset`, or `write` of a mark."""

    call: str
    path: str
    offset: int = 0
    content: bytes = b""


def calls_in(log: Path) -> list[Call]:
    """Return what was written down with `-xx -s` large enough, in its order."""
    return [call for line in _whole_lines(log) if (call := _read(line)) is not None]


def _whole_lines(log: Path) -> Iterator[str]:
    """Yield each call in one line: another thread's call may come between its beginning and its end."""
    begun: dict[str, str] = {}
    for line in log.read_text(encoding="ascii").splitlines():
        pid, _, said = line.partition(" ")
        said = said.strip()
        if said.endswith("<unfinished ...>"):
            begun[pid] = said.removesuffix("<unfinished ...>")
        elif said.startswith("<... "):
            yield begun.pop(pid) + said.partition("resumed>")[2]
        else:
            yield said


def _read(line: str) -> Call | None:
    found = _WRITTEN.match(line)
    if found is None or int(found["result"]) < 0:
        return None
    call, rest = found["call"], found["rest"]
    if call == "unlink":
        return Call(call, _bytes(rest).decode())
    at = _DESCRIPTOR.match(rest)
    if at is None:
        return None
    path, rest = _unescaped(at["path"]), rest[at.end() :].lstrip(", ")
    if call == "pwrite64":
        quoted, _, numbers = rest.rpartition('", ')
        return Call(call, path, int(numbers.split(", ")[1]), _bytes(quoted))
    if call == "write":
        return Call(call, path, 0, _bytes(rest.rpartition('", ')[0]))
    return Call(call, path, int(rest) if rest else 0)


def _bytes(quoted: str) -> bytes:
    return bytes.fromhex(quoted.strip('"').replace("\\x", ""))


def _unescaped(path: str) -> str:
    return _bytes(path).decode() if path.startswith("\\x") else path
