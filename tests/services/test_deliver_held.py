"""What is held: a backlog until a person releases it, a message whose template is broken until that is mended."""

import shutil
from pathlib import Path

import pytest

from reminders import paths
from reminders.domain.lifecycle import Reason, State
from reminders.mail.render import Renderer
from reminders.services import decide
from reminders.services.calendar import rules_for
from reminders.services.find import the_clinic
from reminders.services.plan import hold_backlog
from tests.support.clinic import INVITED_AT, Office, to
from tests.support.facts import utc
from tests.support.smtp_server import RealServer

LATE = utc("2026-03-26 10:00")
"""A Thursday: what was due on Monday lies before the start of the previous sending day."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(paths.templates() / "email", tmp_path / "email"))


def break_subject(folder: Path) -> None:
    broken = "Subject: {{ nobody_knows }}\n\nWords.\n"
    (folder / "cosmetic" / "invitation" / "en.txt").write_text(broken, encoding="utf-8")


def test_more_than_fifty_overdue_are_held_before_anything_is_claimed(office: Office, server: RealServer) -> None:
    office.add_due(50, prefix="Q")
    office.clock.set(LATE)
    outcome = office.deliver(to(server))
    assert (outcome.held, outcome.sent, server.messages) == (51, 0, [])
    assert office.states()["held backlog_hold"] == 51


def test_fifty_overdue_are_no_backlog(office: Office, server: RealServer) -> None:
    office.add_due(49, prefix="Q")
    office.clock.set(LATE)
    assert office.deliver(to(server), 32).sent == 50


def test_what_was_due_on_the_previous_sending_day_is_no_backlog(office: Office, server: RealServer) -> None:
    office.add_due(50, prefix="Q")
    office.clock.set(utc("2026-03-24 10:00"))
    assert office.deliver(to(server), 32).sent == 51


def test_a_released_backlog_goes_out_and_is_never_held_again(office: Office, server: RealServer) -> None:
    office.add_due(50, prefix="Q")
    office.clock.set(LATE)
    office.deliver(to(server))
    with office.write() as tx:
        assert len(decide.release_all(tx, the_clinic(tx, "riverside")).reminders) == 51
    office.clock.advance(days=4)
    office.plan()
    outcome = office.deliver(to(server), 32)
    assert (outcome.sent, outcome.held) == (51, 0)


def test_what_is_too_late_to_go_out_makes_no_backlog(office: Office) -> None:
    office.add_due(60, prefix="Q")
    office.clock.advance(days=300)
    with office.write() as tx:
        clinic = the_clinic(tx, "riverside")
        assert hold_backlog(tx, clinic, rules_for(tx, clinic)) == 0


def test_planning_holds_a_backlog_too(office: Office) -> None:
    office.add_due(50, prefix="Q")
    office.clock.set(LATE)
    assert office.plan().backlog_held == 51


def test_a_back_dated_import_of_many_is_held_at_once(office: Office) -> None:
    office.clock.set(utc("2026-04-10 10:00"))
    office.add_due(60, prefix="Q")
    assert office.states()["held backlog_hold"] == 61


def test_a_backlog_of_one_clinic_holds_nothing_of_another(office: Office, server: RealServer) -> None:
    office.add_clinic("harbour")
    office.add_due(51, "harbour", prefix="H")
    office.clock.set(LATE)
    outcome = office.deliver(to(server))
    assert (outcome.held, outcome.sent) == (51, 1)


def test_a_broken_template_holds_its_messages_and_says_so(office: Office, server: RealServer, folder: Path) -> None:
    break_subject(folder)
    office.clock.set(INVITED_AT)
    outcome = office.deliver(to(server), renderer=Renderer(folder))
    assert (outcome.held, outcome.sent, server.messages) == (1, 0, [])
    assert (office.row().state, office.row().reason) == (State.HELD, Reason.TEMPLATE_BROKEN)
    again = office.deliver(to(server), renderer=Renderer(folder))
    assert (again.held, office.row().updated_at) == (0, INVITED_AT)


def test_a_mended_template_lets_its_messages_go(office: Office, server: RealServer, folder: Path) -> None:
    break_subject(folder)
    office.clock.set(INVITED_AT)
    office.deliver(to(server), renderer=Renderer(folder))
    office.clock.advance(hours=1)
    assert office.deliver(to(server)).sent == 1


def test_many_messages_of_a_mended_template_are_a_backlog(office: Office, server: RealServer, folder: Path) -> None:
    office.add_due(50, prefix="Q")
    break_subject(folder)
    office.clock.set(INVITED_AT)
    assert office.deliver(to(server), 32, renderer=Renderer(folder)).held == 51
    office.clock.set(LATE)
    outcome = office.deliver(to(server))
    assert (outcome.held, outcome.sent) == (51, 0)
    assert office.states()["held backlog_hold"] == 51


def test_one_template_that_is_broken_does_not_stop_the_others(office: Office, server: RealServer, folder: Path) -> None:
    office.add_patient("P2")
    office.clock.set(utc("2026-01-26 12:00"))
    office.treat("P2", on="2026-01-26", protocol="botulinum-migraine")
    break_subject(folder)
    office.clock.set(INVITED_AT)
    outcome = office.deliver(to(server), renderer=Renderer(folder))
    assert (outcome.held, outcome.sent) == (1, 1)


def test_one_patients_name_that_cannot_be_written_stops_nobody_else(empty_office: Office, server: RealServer) -> None:
    empty_office.add_clinic()
    empty_office.add_patient("P1", known_as="Ada\u202e")
    empty_office.treat("P1")
    empty_office.add_due(3, prefix="Q")
    empty_office.clock.set(INVITED_AT)
    outcome = empty_office.deliver(to(server))
    assert (outcome.held, outcome.sent) == (1, 3)
    empty_office.change_patient("P1", known_as="Ada")
    assert empty_office.deliver(to(server)).sent == 1
