"""Faults: what was recorded and sent since a backup is recorded again once it was put back; nobody gets it twice."""

import pytest

from reminders.domain.facts import Outcome
from reminders.domain.lifecycle import State
from reminders.services import book, decide
from reminders.services.audit import audit
from reminders.services.guarding.lock import SendingLocked
from reminders.services.guarding.unlock import Answer
from tests.support.backends import BACKENDS
from tests.support.clinic import FOLLOW_UP_AT, INVITED_AT, to
from tests.support.facts import utc
from tests.support.guarded import Guarded
from tests.support.smtp_server import RealServer

on_both = pytest.mark.parametrize("backend", BACKENDS, indirect=True)
A_DAY_LATER = INVITED_AT.replace(day=24)
EARLIER = utc("2026-04-20 09:00")
"""When the follow-up goes out to a patient whose own interval is fifteen weeks."""


def put_back_and_looked_at(guarded: Guarded, server: RealServer, copy: str) -> None:
    """Put a copy back, and unlock sending as the sentences say."""
    guarded.put_back(copy)
    with pytest.raises(SendingLocked):
        guarded.office.deliver(to(server))
    guarded.unlock(Answer.RESTORED)


def recorded(guarded: Guarded) -> None:
    guarded.office.add_patient("P2")
    guarded.office.treat("P2")


def sent_to_a_patient_the_copy_never_knew(guarded: Guarded, server: RealServer) -> None:
    """Leave an unlocked copy in which the second patient, who was written to, is recorded again."""
    guarded.clock.set(INVITED_AT)
    assert guarded.office.deliver(to(server)).sent == 1
    copy = guarded.copy()
    guarded.again()
    recorded(guarded)
    assert guarded.office.deliver(to(server)).sent == 1
    guarded.clock.set(A_DAY_LATER)
    put_back_and_looked_at(guarded, server, copy)
    recorded(guarded)


@on_both
def test_f43_a_patient_who_is_recorded_again_is_not_written_to_again(guarded: Guarded, server: RealServer) -> None:
    sent_to_a_patient_the_copy_never_knew(guarded, server)
    assert guarded.office.deliver(to(server)).sent == 0
    assert guarded.office.row(ref="P2").reason == "held_for_review"
    assert len(server.messages) == 2
    assert guarded.office.plan().changes.total() == 0
    office = guarded.office
    assert audit(office.database, guarded.clock, office.keys).findings == ()


@on_both
def test_f43_the_steps_to_come_of_who_is_recorded_again_go_out(guarded: Guarded, server: RealServer) -> None:
    sent_to_a_patient_the_copy_never_knew(guarded, server)
    guarded.clock.set(FOLLOW_UP_AT)
    assert guarded.office.deliver(to(server)).sent == 2


@on_both
def test_f43_a_person_lets_go_what_is_recorded_again(guarded: Guarded, server: RealServer) -> None:
    sent_to_a_patient_the_copy_never_knew(guarded, server)
    with guarded.office.write() as tx:
        decide.release(tx, [guarded.office.row(ref="P2").id])
    guarded.office.plan()
    guarded.office.change_patient("P2", consent="denied")
    guarded.office.change_patient("P2", consent="granted")
    assert guarded.office.deliver(to(server)).sent == 1


@on_both
def test_f43_a_step_that_is_moved_again_to_the_day_on_which_it_went_out_waits(
    guarded: Guarded, server: RealServer
) -> None:
    guarded.clock.set(INVITED_AT)
    assert guarded.office.deliver(to(server)).sent == 1
    copy = guarded.copy()
    guarded.again()
    guarded.office.change_patient(due="15w")
    guarded.clock.set(EARLIER)
    assert guarded.office.deliver(to(server)).sent == 1
    guarded.clock.advance(days=1)
    put_back_and_looked_at(guarded, server, copy)
    guarded.office.change_patient(due="15w")
    assert guarded.office.deliver(to(server)).sent == 0
    assert guarded.office.row("follow_up").reason == "held_for_review"
    assert len(server.messages) == 2


@on_both
def test_f43_a_release_from_before_the_backup_does_not_speak_for_a_later_day(
    guarded: Guarded, server: RealServer
) -> None:
    follow_up = guarded.office.row("follow_up").id
    with guarded.office.write() as tx:
        decide.hold(tx, [follow_up], "looked")
        decide.release(tx, [follow_up])
    guarded.clock.set(INVITED_AT)
    assert guarded.office.deliver(to(server)).sent == 1
    copy = guarded.copy()
    guarded.again()
    guarded.office.change_patient(due="15w")
    guarded.clock.set(EARLIER)
    assert guarded.office.deliver(to(server)).sent == 1
    put_back_and_looked_at(guarded, server, copy)
    guarded.office.change_patient(due="15w")
    assert guarded.office.row("follow_up").state is State.HELD


@on_both
def test_f43_what_a_booking_withheld_and_was_moved_again_comes_back_held(guarded: Guarded, server: RealServer) -> None:
    appointment = guarded.office.book("2026-04-15")
    guarded.office.add_patient("P2")
    guarded.office.treat("P2")
    copy = guarded.copy()
    guarded.again()
    guarded.clock.set(EARLIER)
    assert guarded.office.deliver(to(server)).sent == 1  # to another patient, as ours may have been
    put_back_and_looked_at(guarded, server, copy)
    guarded.office.change_patient(due="15w")
    with guarded.office.write() as tx:
        book.set_outcome(tx, appointment, Outcome.CANCELLED)
    assert guarded.office.row("follow_up").state is State.HELD
