"""What is kept no longer goes, what was promised stays, and the audit finds nothing wrong afterwards."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from reminders.services import heartbeat, retention
from reminders.services.answering.asked import asked
from reminders.services.audit import audit
from reminders.services.dossier import export
from reminders.services.find import the_clinic
from reminders.services.guarding.lock import Because, lock
from reminders.services.retention import Tidied
from reminders.store import audit_trail, heartbeats, installation, links, messages, patients
from reminders.store.schema import links as rows
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
        {"bytes_dropped": 0, "links_dropped": 0, "heartbeats_dropped": 0},
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


def once_a_day(office: Office, go_on: Callable[[], bool] = lambda: True) -> Tidied:
    return retention.tidy_once_a_day(office.database, office.clock, 90, go_on)


def an_old_sign(office: Office) -> None:
    """Leave something to be dropped by now."""
    week_ago = office.clock.now() - retention.HEARTBEATS_KEPT - dt.timedelta(minutes=1)
    for name, at in (("old", week_ago), ("newest", office.clock.now())):
        with office.database.write(at, "test") as tx:
            heartbeats.beat(tx, name)


@pytest.mark.parametrize("before", [tidy, once_a_day], ids=["a clock's", "a delivery's"])
def test_without_a_clock_it_is_done_a_day_after_the_last_time(
    office: Office, letter: Letter, before: Callable[[Office], Tidied]
) -> None:
    assert letter.stop
    an_old_sign(office)
    assert before(office).heartbeats_dropped == 1
    an_old_sign(office)
    office.clock.advance(hours=23, minutes=59)
    assert once_a_day(office) == Tidied()
    office.clock.advance(minutes=2)
    assert once_a_day(office).heartbeats_dropped == 1


def test_a_delivery_is_not_kept_long_by_it_and_the_next_one_goes_on(office: Office, letter: Letter) -> None:
    assert letter.stop
    count = retention.BATCH * (retention.MOST_BATCHES + 1)
    with office.database.write(office.clock.now() - dt.timedelta(days=61), "test") as tx:
        kept = tx.connection.execute(select(rows).where(rows.c.purpose == links.REQUEST)).mappings().one()
        old = [dict(kept) | {"token_hash": f"{number:064}", "created_at": tx.now} for number in range(count)]
        tx.connection.execute(insert(rows), old)
    first = once_a_day(office).links_dropped
    assert 0 < first < count
    assert once_a_day(office).links_dropped == count - first
    an_old_sign(office)
    assert once_a_day(office) == Tidied(), "it came to its end"


def test_a_delivery_that_is_asked_to_end_leaves_it_to_the_next(office: Office, letter: Letter) -> None:
    assert letter.stop
    an_old_sign(office)
    assert once_a_day(office, lambda: False) == Tidied()
    assert once_a_day(office).heartbeats_dropped == 1


def test_under_a_lock_it_is_not_counted_as_done(office: Office, letter: Letter) -> None:
    assert letter.stop
    an_old_sign(office)
    with office.write() as tx:
        lock(tx, Because.RESTORED)
    assert once_a_day(office) == Tidied()
    with office.write() as tx:
        installation.unlock(tx, "moved", "looked")
    assert once_a_day(office).heartbeats_dropped == 1


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
