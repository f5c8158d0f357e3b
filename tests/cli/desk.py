"""A front desk for tests: the real command line on a real installation, in this process, while time stands still.

Invariant: every installation is a copy of one that `reminders init` made; nothing is written past a command.
"""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import typer
from typer.testing import CliRunner, Result

from reminders.cli.session import Session
from reminders.cli.shell import build
from tests.support.clinic import FakeClock

KEY = "a secret key that only the tests of the shell know"
TREATED = "2026-01-05"
PROTOCOL = "botulinum-cosmetic"
OF = ("--clinic", "north", "--patient", "1001")
ADDRESS = "ann@home.example"
CLINIC = (
    *(
        "clinic",
        "add",
        "north",
        "--name",
        "North Clinic",
        "--timezone",
        "Europe/London",
        "--email",
        "desk@north.example",
    ),
    *("--phone", "020 7946 0000", "--address", "1 Quay Street, London", "--practitioner", "Dr Ada Bell"),
)
PATIENT = (
    *("patient", "add", "--clinic", "north", "--ref", "1001", "--given-name", "Ann", "--family-name", "Lee"),
    *("--email", ADDRESS, "--consent", "granted"),
)
TREATMENT = ("treatment", "add", *OF, "--protocol", PROTOCOL, "--on", TREATED, "--ref", "T-1")


@dataclass(slots=True)
class Desk:
    """One installation in a folder, and the commands typed there."""

    folder: Path
    shell: typer.Typer = field(default_factory=build)
    clock: FakeClock = field(default_factory=FakeClock)
    env: dict[str, str] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Set what the installation runs with."""
        self.env = {
            "REMINDERS_DATABASE_URL": f"sqlite:///{self.database}",
            "REMINDERS_SECRET_KEY": KEY,
            "REMINDERS_SMTP_URL": f"file:{self.folder / 'out'}",
            **self.env,
        }

    @property
    def database(self) -> Path:
        return self.folder / "reminders.db"

    def type(self, *args: str, **env: str) -> Result:
        """Run a command, whatever comes of it."""
        session = Session(clock=self.clock, given=self.given)
        return CliRunner().invoke(self.shell, list(args), env={**self.env, **env}, obj=session)

    def run(self, *args: str) -> str:
        """Run a command that must succeed; return what it printed."""
        done = self.type(*args)
        assert done.exit_code == 0, f"{args} ended {done.exit_code}: {done.stderr}{done.stdout}"
        assert done.stderr == ""
        return done.stdout

    def json(self, *args: str) -> Any:  # noqa: ANN401 - whatever the command prints
        """Run a command with --json; return its one document."""
        return json.loads(self.run(*args, "--json"))

    def fails(self, code: int, *args: str) -> str:
        """Run a command that must fail with `code` and change nothing; return its sentence."""
        before = self.content()
        done = self.type(*args)
        assert done.exit_code == code, f"{args} ended {done.exit_code}: {done.stderr}{done.stdout}"
        assert self.content() == before, f"{args} changed something"
        assert_a_sentence(done)
        return done.stderr

    def content(self) -> Sequence[str]:
        """Return everything the database holds."""
        if not self.database.exists():
            return ()
        with sqlite3.connect(self.database) as connection:
            found = tuple(connection.iterdump())
        connection.close()
        return found

    def open_for_business(self) -> None:
        """Enrol a clinic and a patient who was treated on 5 January; the invitation's day is 23 March."""
        for command in (CLINIC, PATIENT, TREATMENT):
            self.run(*command)

    def outbox(self) -> list[Path]:
        """Return the messages that were sent."""
        return sorted((self.folder / "out").rglob("*.eml"))


def assert_a_sentence(done: Result) -> None:
    """Check what a person sees of an error: one line, no traceback, no address."""
    said = done.stderr.strip()
    assert said
    assert "\n" not in said
    assert "Traceback" not in done.output
    assert ADDRESS not in done.stderr
    assert said.endswith((".", "?")), said
