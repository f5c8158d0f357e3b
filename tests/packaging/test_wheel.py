"""The wheel as somebody else meets it: built, installed in a bare environment elsewhere, and put to work there.

Invariant: nothing of this checkout is importable where the wheel is tried; only the libraries are borrowed.
"""

import datetime as dt
import email
import email.policy
import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reminders.clock import SystemClock
from tests.architecture.checkout import ROOT, files

pytestmark = pytest.mark.xdist_group("wheel")  # one worker builds and installs, once


@dataclass(frozen=True, slots=True)
class Installed:
    """The product in a bare environment: its commands, and the folder a person runs them from."""

    commands: Path
    folder: Path

    def run(self, *arguments: str) -> str:
        """Run one `reminders` command there and return what it printed; fail with its words otherwise."""
        return _run(self.commands / "reminders", *arguments, folder=self.folder)

    def json(self, *arguments: str) -> Any:  # noqa: ANN401 - whatever the command prints
        """Run one command with `--json` and return its document."""
        return json.loads(self.run(*arguments, "--json"))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    _run(sys.executable, "-m", "hatchling", "build", "-d", folder, folder=ROOT)
    return folder


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    bare = tmp_path_factory.mktemp("bare") / "venv"
    venv.create(bare, with_pip=True)
    commands = bare / ("Scripts" if os.name == "nt" else "bin")
    (wheel,) = built.glob("*.whl")
    _run(commands / "python", "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel, folder=bare)
    # A path file named by another is not read: the libraries come along, the editable checkout does not.
    site = _run(commands / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", folder=bare)
    libraries = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (Path(site.strip()) / "borrowed.pth").write_text("\n".join(sorted(libraries)), encoding="utf-8")
    return Installed(commands, tmp_path_factory.mktemp("elsewhere"))


def test_the_wheel_brings_templates_and_migrations_and_no_tests(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for folder in ("templates", "alembic", "deploy"):
        assert {name for name in names if name.startswith(f"reminders/_data/{folder}/")} == {
            f"reminders/_data/{path}" for path in _sources(folder)
        }
    assert [name for name in names if not name.startswith(("reminders/", "maintenance_reminders-"))] == []
    assert [name for name in names if name.endswith((".pyc", ".db", ".key"))] == []


def test_the_source_archive_holds_what_the_wheel_is_built_from(built: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        names = {name.partition("/")[2] for name in tar.getnames()}
    sources = _sources("pyproject.toml", "LICENSE", "reminders", "templates", "alembic", "deploy")
    assert sources - names == set()


def test_the_installed_program_is_not_the_checkout(installed: Installed) -> None:
    where = _run(
        installed.commands / "python", "-c", "import reminders; print(reminders.__file__)", folder=installed.folder
    )
    assert Path(where.strip()).is_relative_to(installed.commands.parent)


def test_the_installed_program_says_what_it_can_do(installed: Installed) -> None:
    said = installed.run("--help")
    assert [command for command in ("init", "clinic", "patient", "treatment", "deliver") if command not in said] == []


def test_the_installed_program_does_the_job_in_an_empty_folder(installed: Installed) -> None:
    treated = (SystemClock().now() - dt.timedelta(days=100)).date()
    of = ("--clinic", "harbour")
    installed.run("init")
    installed.run(*_clinic("harbour"))
    installed.run(
        *("patient", "add", *of, "--ref", "P-1", "--given-name", "Mara", "--family-name", "Lindt"),
        *("--email", "mara@patients.example", "--consent", "granted"),
    )
    entered = installed.json(
        *("treatment", "add", *of, "--patient", "P-1", "--protocol", "botulinum-cosmetic", "--on", treated.isoformat())
    )
    assert [one["state"] for one in entered["reminders"]] == ["planned", "planned", "planned"]

    assert installed.json("deliver")["sent"] == 1
    (letter,) = (installed.folder / "out").rglob("*.eml")
    message = email.message_from_bytes(letter.read_bytes(), policy=email.policy.default)
    assert message["To"].addresses[0].addr_spec == "mara@patients.example"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert all("consultation" in part.get_content() for part in message.iter_parts())

    assert installed.json("deliver")["sent"] == 0
    states = {one["step"]: one["state"] for one in installed.json("list", *of)}
    assert states == {"invitation": "sent", "follow_up": "planned", "last_call": "planned"}


def _clinic(slug: str) -> tuple[str, ...]:
    return (
        *("clinic", "add", slug, "--name", "Harbour Clinic", "--timezone", "Europe/London", "--jurisdiction", "uk"),
        *("--email", "hello@harbour.example", "--phone", "+44 20 7946 0000", "--address", "1 Quay Street, London"),
        *("--booking-url", "https://harbour.example/book", "--practitioner", "Dr Ada Weiss"),
        *("--sending-days", "mon,tue,wed,thu,fri,sat,sun", "--sending-hours", "00:00-24:00"),
    )


def _sources(*top: str) -> set[str]:
    return {path.as_posix() for path in files() if path.parts[0] in top}


def _run(program: str | Path, *arguments: str | Path, folder: Path) -> str:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("REMINDERS_", "PYTHON"))}
    settings = {"REMINDERS_DATABASE_URL": "sqlite:///clinic.db", "REMINDERS_SMTP_URL": "file:out"}
    done = subprocess.run(
        [program, *arguments],
        cwd=folder,
        env=own | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.fail(
            f"{Path(program).name} {arguments} ended {done.returncode}:\n{done.stdout}{done.stderr}", pytrace=False
        )
    return done.stdout
