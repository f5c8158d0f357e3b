"""Where every message of a benchmark goes: postfix's smtp-sink where the machine has it, else a small server of ours.

Invariants: it listens on 127.0.0.1 alone and ends with the context, by its own process id.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from benchmarks.programs import ROOT, ProgramFailed, environment

PATIENCE_S = 20.0


@dataclass(frozen=True, slots=True)
class Sink:
    """A server that accepts everything; `name` is what the report calls it."""

    port: int
    name: str

    @property
    def url(self) -> str:
        """Return it as REMINDERS_SMTP_URL takes it."""
        return f"smtp://127.0.0.1:{self.port}?tls=never"


@dataclass(frozen=True, slots=True)
class Postfix:
    """Postfix's two test programs, and what they need of the environment."""

    sink: str
    source: str
    env: dict[str, str]


def find_postfix() -> Postfix | None:
    """Return the programs of REMINDERS_POSTFIX (a folder with sbin/ and lib/postfix), of PATH or of /usr/sbin."""
    given = os.environ.get("REMINDERS_POSTFIX")
    path = f"{given}/sbin" if given else f"{os.environ.get('PATH', '')}:/usr/sbin"
    found = [shutil.which(name, path=path) for name in ("smtp-sink", "smtp-source")]
    if not (found[0] and found[1]):
        return None
    return Postfix(found[0], found[1], {"LD_LIBRARY_PATH": f"{given}/lib/postfix"} if given else {})


@contextmanager
def sink(postfix: Postfix | None) -> Iterator[Sink]:
    """Start the fastest sink there is."""
    if postfix is None:
        with own_sink() as found:
            yield found
        return
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    user = ("-u", "nobody") if os.geteuid() == 0 else ()
    command = (postfix.sink, *user, "-m", "500", f"127.0.0.1:{port}", "500")
    program = subprocess.Popen(command, env=environment(postfix.env), stdout=subprocess.DEVNULL)
    try:
        _wait_for(port, program)
        yield Sink(port, "postfix's smtp-sink")
    finally:
        _end(program)


@contextmanager
def own_sink(delay_ms: float = 0) -> Iterator[Sink]:
    """Start ours, which holds each answer back for `delay_ms`."""
    command = (sys.executable, "-m", "benchmarks.own_sink", str(delay_ms))
    program = subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True)
    try:
        said = program.stdout.readline() if program.stdout else ""
        if not said.strip().isdigit():
            raise ProgramFailed("the sink did not start")
        yield Sink(int(said), f"our own sink, {delay_ms:g} ms an answer" if delay_ms else "our own sink (asyncio)")
    finally:
        _end(program)
        if program.stdout:
            program.stdout.close()


def _wait_for(port: int, program: subprocess.Popen[bytes]) -> None:
    until = time.perf_counter() + PATIENCE_S
    while time.perf_counter() < until and program.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as found:
                found.recv(64)
                return
        except OSError:
            continue
    raise ProgramFailed("the sink did not start")


def _end(program: subprocess.Popen[bytes] | subprocess.Popen[str]) -> None:
    program.terminate()
    try:
        program.wait(10)
    except subprocess.TimeoutExpired:
        program.kill()
        program.wait()
