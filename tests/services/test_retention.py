"""What is kept no longer goes, what was promised stays, and the audit finds nothing wrong afterwards."""

from pathlib import Path

import pytest

from reminders.services import heartbeat, retention
from reminders.services.answering.asked import asked
from reminders.services.audit import audit
from reminders.services.dossier import export
from reminders.services.find import the_clinic
from reminders.services.guarding.lock import Because, lock
from reminders.services.retention import Tidied
from reminders.store import audit_trail, installation, links, messages, patients
from tests.support.clinic import Office
from tests.support.site import Letter, invited


@pytest.fixture
def letter(office: Office, tmp_path: Path) -> Letter:
    with office.write() as tx:
        if installation.installation(tx) is None:
            installation.save_installation(tx, "an-installation", b"a wrapped pepper")
    return invited(office, tmp_path / "letters")


def tidy(office: Office, keep_days: int = 90) -> Tidied:
    return retention.tidy(office.database, office.clock, keep_days, lambda: True)


def after(office: Office, days: int) -> None:
    """Let so many days pass, the clock being looked at now and then, as a clock at work does."""
    for _ in range(0, days, 100):
        office.clock.advance(days=min(days, 100))
        with office.write() as tx:
            installation.see_now(tx)


def contents(office: Office) -> int:
    """Count the messages whose bytes are kept."""
    with office.read() as tx:
        [(patient_id, _)] = patients.patients_of(tx)
        return sum(message.content is not None for message in messages.messages_of(tx, patient_id))


def test_the_bytes_of_what_is_over_go_after_their_days_and_the_audit_stays_green(
    office: Office, letter: Letter
) -> None:
    assert letter.stop
    after(office, 89)
    assert (tidy(office).bytes_dropped, contents(office)) == (0, 1)
    after(office, 2)
    assert (tidy(office).bytes_dropped, contents(office)) == (1, 0)
    assert tidy(office) == Tidied(), "once is enough"
    office.plan()
    assert [found for found in audit(office.database, office.clock, office.keys).findings if found.promise != 7] == []
    with office.read() as tx:
        events = [entry for entry in audit_trail.entries(tx) if entry.action == "tidy"]
        kept = export(tx, the_clinic(tx, "riverside"), "P1")["messages"]
    assert [entry.details for entry in events] == [
        {"bytes_dropped": 0, "links_dropped": 1, "heartbeats_dropped": 0},
        {"bytes_dropped": 1, "links_dropped": 0, "heartbeats_dropped": 0},
    ]
    assert len(kept) == 1


def test_nought_days_keep_everything(office: Office, letter: Letter) -> None:
    assert letter.stop
    after(office, 1000)
    assert (tidy(office, keep_days=0).bytes_dropped, contents(office)) == (0, 1)


def test_a_stop_link_works_for_two_years_although_the_bytes_and_the_request_link_are_gone(
    office: Office, letter: Letter
) -> None:
    after(office, 61)
    assert tidy(office).links_dropped == 1
    after(office, 600)
    tidy(office)
    with office.read() as tx:
        assert asked(tx, letter.stop, links.STOP) is not None
        assert asked(tx, letter.request, links.REQUEST) is None
    after(office, 100)
    assert tidy(office).links_dropped == 1
    with office.read() as tx:
        assert asked(tx, letter.stop, links.STOP) is None


def test_under_a_lock_or_a_clock_that_jumped_nothing_is_dropped(office: Office, letter: Letter) -> None:
    assert letter.stop
    after(office, 100)
    office.clock.advance(days=5000)
    assert tidy(office) == Tidied()
    office.clock.advance(days=-5000)
    with office.write() as tx:
        lock(tx, Because.RESTORED)
    assert tidy(office) == Tidied()
    assert contents(office) == 1


def test_signs_of_life_are_forgotten_after_a_week_but_the_last_one(office: Office, letter: Letter) -> None:
    assert letter.stop
    for name in ("a", "b"):
        heartbeat.beat(office.database, office.clock, name)
        office.clock.advance(minutes=1)
    heartbeat.stop(office.database, office.clock, "a")
    after(office, 8)
    assert tidy(office).heartbeats_dropped == 1


def test_a_clock_is_dead_when_it_fell_silent_and_not_when_it_was_stopped(office: Office) -> None:
    def found() -> tuple[bool, bool]:
        with office.read() as tx:
            pulse = heartbeat.pulse(tx)
        return pulse.stopped, pulse.dead

    assert found() == (True, False)
    heartbeat.beat(office.database, office.clock, "a")
    office.clock.advance(seconds=90)
    assert found() == (False, False)
    office.clock.advance(seconds=1)
    assert found() == (False, True)
    heartbeat.beat(office.database, office.clock, "b")
    assert found() == (False, False), "another one took over"
    heartbeat.stop(office.database, office.clock, "b")
    assert found() == (True, False), "who began after the other fell silent speaks for it"
