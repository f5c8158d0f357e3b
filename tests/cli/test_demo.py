"""The sample clinic: complete, honest about itself, and ready for the commands it names."""

import contextlib
import io
import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser
from pathlib import Path

import pytest
from typer.testing import CliRunner

from reminders.app import App, open_app
from reminders.cli.demo import MARK, NotASample, demo
from reminders.cli.session import Session
from reminders.cli.shell import build
from reminders.domain.lifecycle import COUNTS_AS_SENT, IN_FLIGHT, Reason, State
from reminders.services.explain import WHY
from reminders.services.overview import Filter, ReminderView
from reminders.settings import load_settings
from tests.support.clinic import FakeClock
from tests.support.facts import utc

pytestmark = [pytest.mark.xdist_group("demo"), pytest.mark.timeout(300)]

NOW = utc("2026-11-23 12:30")


@dataclass(frozen=True, slots=True)
class Made:
    """A sample clinic that was made, and what was printed."""

    folder: Path
    said: str

    @contextlib.contextmanager
    def open(self) -> Iterator[App]:
        with open_app(load_settings(self.folder / "reminders.toml"), FakeClock(NOW)) as app:
            yield app

    def reminders(self) -> list[ReminderView]:
        with self.open() as app, app.list(Filter()) as found:
            return list(found)

    def type(self, line: str) -> str:
        """Type one of the commands that the sample names; return what it prints."""
        elsewhere = {name: None for name in os.environ if name.startswith("REMINDERS_")}
        words = shlex.split(line)[1:]
        done = CliRunner().invoke(build(), words, env=elsewhere, obj=Session(clock=FakeClock(NOW)))
        assert done.exit_code == 0, f"{line} ended {done.exit_code}: {done.stderr}{done.stdout}"
        return done.stdout


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A sample made in the folder of an earlier one."""
    folder = tmp_path_factory.mktemp("sample")
    (folder / "inbox").mkdir()
    (folder / "inbox" / "9999.eml").write_text("of the earlier sample")
    (folder / "reminders.db").write_text("of the earlier sample")
    (folder / "reminders.toml").write_text(f"{MARK}\n")
    with contextlib.redirect_stdout(io.StringIO()) as said:
        demo(folder, once=True, clock=FakeClock(NOW))
    return Made(folder, said.getvalue())


def test_every_state_and_every_reason_in_which_a_reminder_can_rest_is_there(made: Made) -> None:
    reminders = made.reminders()
    assert {view.state for view in reminders} == set(State) - IN_FLIGHT
    assert {view.reason for view in reminders} == {None, *Reason}


def test_the_clinic_is_a_whole_one(made: Made) -> None:
    with made.open() as app:
        practitioners = [one for _, people in app.clinics() for one in people]
        patients = {view.patient for view in made.reminders()}
    assert len(practitioners) > 3
    assert any(one.left_on for one in practitioners)
    assert len(patients) > 200
    assert len({view.protocol for view in made.reminders()}) > 10


def test_the_inbox_holds_each_message_once_and_no_other_but_notes_to_the_clinic(made: Made) -> None:
    inbox = [_head(path) for path in (made.folder / "inbox").iterdir()]
    received = [str(head["Message-ID"]) for head in inbox if "willow-lane" not in head["To"]]
    assert 0 < len(inbox) - len(received) < 5
    accepted = {view.message_id for view in made.reminders() if view.state in COUNTS_AS_SENT}
    assert len(received) > 100
    assert sorted(received) == sorted(one for one in accepted if one)


def test_the_report_tells_what_was_sent_and_why_the_rest_was_not(made: Made) -> None:
    assert "treatments in two years" in made.said
    assert "Sent in the last week" in made.said
    for reason in Reason:
        assert reason.replace("_", " ") in made.said
        assert WHY[reason].partition("{")[0].partition("(")[0] in made.said
    assert "│ Subject: Willow Lane Clinic" in made.said
    assert "│ Hello Zoë," in made.said
    assert "│ Your consultation" in made.said


def test_the_report_ends_within_a_person_s_patience(made: Made) -> None:
    assert len(made.said.splitlines()) < 160
    assert "Traceback" not in made.said
    assert (made.folder / "reminders.key").read_text().strip() not in made.said


def test_an_earlier_sample_gives_way(made: Made) -> None:
    assert not (made.folder / "inbox" / "9999.eml").exists()


def test_every_command_it_names_works_as_it_is_printed(made: Made) -> None:
    named = [line.strip() for line in made.said.splitlines() if " --config " in line]
    before = len(list((made.folder / "inbox").iterdir()))
    printed = {shlex.split(line)[3]: made.type(line) for line in named}
    assert printed.keys() >= {"why", "preview", "list", "treatment", "clinic", "release", "deliver", "audit"}
    assert len(list((made.folder / "inbox").iterdir())) > before + 50


def test_a_folder_that_holds_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    settings = tmp_path / "reminders.toml"
    settings.write_text('database_url = "sqlite:///real.db"\n')
    (tmp_path / "reminders.db").write_text("a real clinic")
    with pytest.raises(NotASample, match="--dir"):
        demo(tmp_path, once=True, clock=FakeClock(NOW))
    assert (tmp_path / "reminders.db").read_text() == "a real clinic"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["reminders.db", "reminders.toml"]


def _head(path: Path) -> Message:
    return BytesHeaderParser().parsebytes(path.read_bytes())
