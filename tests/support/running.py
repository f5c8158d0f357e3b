"""The program kept running as a process, as a supervisor keeps it: what it says is read, and it is asked to end.

Invariant: however a test ends, the process ends with it; no setting of this process reaches it.
"""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Self

from reminders.clock import SystemClock
from reminders.main import bound_engine
from reminders.services.install import install
from reminders.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
KEY = "a key that only the tests of running programs know"


def installed(url: str) -> None:
    """Make what `reminders init` makes at `url`, to be copied."""
    settings = Settings(database_url=url, secret_key=KEY)
    install(settings, SystemClock(), bound_engine(settings))


def free_place() -> str:
    """Return HOST:PORT where nobody listens at this moment."""
    with closing(socket.create_server(("127.0.0.1", 0))) as found:
        return f"127.0.0.1:{found.getsockname()[1]}"


class Running:
    """A process; `command` is behind `python -m`, and that behind `within`. Everything it says is kept as lines."""

    def __init__(
        self,
        folder: Path,
        command: Sequence[str],
        env: Mapping[str, str] | None = None,
        within: Sequence[str] = (),
    ) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("REMINDERS_")}
        self._program = subprocess.Popen(
            [*within, sys.executable, "-m", *command],
            cwd=folder,
            env={**kept, "PYTHONPATH": str(ROOT), "REMINDERS_LOG": "json", **(env or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.pid = self._program.pid
        self.said: list[str] = []
        self._heard = threading.Condition()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._program.kill()
        self._program.wait()
        self._thread.join(30)
        if self._program.stdout:
            self._program.stdout.close()

    @property
    def text(self) -> str:
        return "\n".join(self.said)

    def says(self, words: str, seconds: float = 60) -> bool:
        """Wait until it has said some words; False when it did not in time, or ended before."""
        with self._heard:
            self._heard.wait_for(lambda: words in self.text or not self._thread.is_alive(), seconds)
            return words in self.text

    def signal(self, number: int) -> None:
        self._program.send_signal(number)

    def ended(self, seconds: float = 60) -> int:
        """Return the code it ended with; everything it said has then been read."""
        code = self._program.wait(seconds)
        self._thread.join(seconds)
        return code

    def _listen(self) -> None:
        if self._program.stdout:
            for line in self._program.stdout:
                with self._heard:
                    self.said.append(line.rstrip("\n"))
                    self._heard.notify_all()
        with self._heard:
            self._heard.notify_all()


def program(folder: Path, *args: str, url: str, within: Sequence[str] = (), **env: str) -> Running:
    """Start the program on the database at `url`, which `installed` made."""
    given = {"REMINDERS_DATABASE_URL": url, "REMINDERS_SECRET_KEY": KEY, "REMINDERS_STATE": str(folder)}
    return Running(folder, ["reminders.main", *args], {**given, **env}, within)
