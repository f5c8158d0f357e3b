"""Faults: the machine's clock jumps ahead or back; nothing is lost or sent twice by it, and nothing waits for ever."""

import datetime as dt

import pytest

from reminders.domain.lifecycle import State
from reminders.services.audit import audit
from reminders.services.guarding.lock import (
    Because,
    ClockAhead,
    ClockBeforeBuild,
    LockedOtherwise,
    SendingLocked,
    lock,
)
from reminders.services.guarding.unlock import Answer, ClockStillWrong, WrongAnswer
from reminders.services.points import Point
from reminders.services.rescue import rescue
from reminders.store import installation
from reminders.store.database import Database
from tests.support.backends import BACKENDS
from tests.support.clinic import INVITED_AT, Once, to
from tests.support.facts import utc
from tests.support.guarded import Guarded
from tests.support.smtp_server import RealServer
from tests.support.tampering import past_the_rules

on_both = pytest.mark.parametrize("backend", BACKENDS, indirect=True)
THE_DAY_BEFORE = INVITED_AT - dt.timedelta(days=3)
GREYLISTED = "451 4.7.1 greylisted, try again later"


@pytest.fixture
def seen(guarded: Guarded, server: RealServer) -> Guarded:
    """Return an installation that delivered some days before the invitation is due."""
    guarded.clock.set(THE_DAY_BEFORE)
    assert guarded.office.deliver(to(server)).sent == 0
    return guarded


class Killed(BaseException):
    """The end of a worker at a point of its delivery."""


def _killed_at(point: Point, seen: Guarded, server: RealServer) -> None:
    """Deliver, and die at that point."""

    def die() -> None:
        raise Killed

    with pytest.raises(Killed):
        seen.office.deliver(to(server), observe=Once(point, die))


@on_both
def test_f19_a_clock_ten_years_ahead_expires_nothing_and_sends_nothing(seen: Guarded, server: RealServer) -> None:
    before = seen.office.states()
    seen.clock.advance(days=3653)
    for act in (lambda: seen.office.deliver(to(server)), seen.office.plan):
        with pytest.raises(ClockAhead):
            act()
    assert rescue(seen.office.database, seen.clock).planned == 0
    assert seen.office.states() == before
    assert seen.standing().because is Because.CLOCK_AHEAD


@on_both
def test_f19_once_the_clock_is_set_and_a_person_says_so_everything_goes_on(seen: Guarded, server: RealServer) -> None:
    seen.clock.advance(days=3653)
    with pytest.raises(ClockAhead):
        seen.office.deliver(to(server))
    seen.clock.set(INVITED_AT)
    with pytest.raises(ClockAhead):  # a clock that is right again is not believed by itself
        seen.office.plan()
    with pytest.raises(WrongAnswer):
        seen.unlock(Answer.MOVED)
    seen.unlock(Answer.CLOCK, "battery")
    assert seen.office.deliver(to(server)).sent == 1


@on_both
def test_f19_a_clock_before_the_program_was_made_waits_for_its_setting(seen: Guarded, server: RealServer) -> None:
    seen.clock.set(utc("1970-01-01 00:00"))
    with pytest.raises(ClockBeforeBuild):
        seen.office.deliver(to(server))
    with pytest.raises(ClockStillWrong):
        seen.unlock(Answer.CLOCK)
    seen.clock.set(INVITED_AT)
    with pytest.raises(SendingLocked):
        seen.office.deliver(to(server))
    seen.unlock(Answer.CLOCK)
    assert seen.office.deliver(to(server)).sent == 1


def test_f19_planning_alone_finds_the_jump_and_keeps_it(seen: Guarded, server: RealServer) -> None:
    seen.clock.advance(days=500)
    with pytest.raises(ClockAhead):
        seen.office.plan()
    assert seen.standing().because is Because.CLOCK_AHEAD
    assert server.messages == []


def test_f19_a_message_on_its_way_under_a_jump_is_left_alone(seen: Guarded, server: RealServer) -> None:
    """A worker dies; the next one's clock is ten years ahead: every lease seems over, and so do all days."""
    seen.clock.set(INVITED_AT)
    _killed_at(Point.CLAIMED, seen, server)
    seen.clock.advance(days=3653)
    rescue(seen.office.database, seen.clock)
    assert seen.office.row().state is State.CLAIMED
    seen.clock.set(INVITED_AT + dt.timedelta(minutes=3))
    assert rescue(seen.office.database, seen.clock).planned == 1


def test_f19_a_jump_of_an_hour_or_a_day_goes_by_the_rules(seen: Guarded, server: RealServer) -> None:
    seen.clock.set(INVITED_AT + dt.timedelta(hours=1))
    assert seen.office.deliver(to(server)).sent == 1
    seen.clock.advance(days=1)
    assert seen.office.deliver(to(server)).sent == 0


@on_both
@pytest.mark.parametrize("back", [dt.timedelta(hours=1), dt.timedelta(days=1)], ids=["hour", "day"])
def test_f20_nothing_goes_out_again_when_the_clock_goes_back(
    seen: Guarded, server: RealServer, back: dt.timedelta
) -> None:
    seen.clock.set(INVITED_AT + dt.timedelta(hours=2))
    assert seen.office.deliver(to(server)).sent == 1
    latest = seen.standing().seen_at
    seen.clock.advance(days=-back.days, seconds=-back.seconds)
    assert seen.office.deliver(to(server)).sent == 0
    assert seen.standing().seen_at == latest  # a clock that went back is not what was seen
    assert seen.standing().because is None
    assert len(server.messages) == 1


@on_both
def test_f20_what_fell_due_still_goes_out_after_the_clock_went_back(seen: Guarded, server: RealServer) -> None:
    """The moment seen last lies ahead for hours; the messages of these hours are not held up by it."""
    seen.clock.set(INVITED_AT - dt.timedelta(minutes=1))
    seen.office.deliver(to(server))
    seen.clock.advance(hours=-2)
    seen.office.deliver(to(server))
    seen.clock.set(INVITED_AT)
    assert seen.office.deliver(to(server)).sent == 1


@on_both
def test_f20_a_lease_from_a_clock_that_was_ahead_is_over_at_once(seen: Guarded, server: RealServer) -> None:
    seen.clock.set(INVITED_AT + dt.timedelta(days=1))
    _killed_at(Point.ENVELOPE_ACCEPTED, seen, server)
    seen.clock.set(INVITED_AT)
    assert seen.office.deliver(to(server)).sent == 1
    assert len(server.messages) == 1


@on_both
@pytest.mark.parametrize("ahead", [dt.timedelta(hours=1), dt.timedelta(days=2)], ids=["hour", "days"])
def test_f20_a_retry_from_a_clock_that_was_ahead_does_not_wait_for_it(
    seen: Guarded, server: RealServer, ahead: dt.timedelta
) -> None:
    seen.clock.set(INVITED_AT + ahead)
    server.script["RCPT"].append(GREYLISTED)
    assert seen.office.deliver(to(server)).deferred == 1
    seen.clock.set(INVITED_AT + dt.timedelta(minutes=20))
    assert seen.office.deliver(to(server)).sent == 1


def test_f20_a_retry_of_a_steady_clock_keeps_its_moment(seen: Guarded, server: RealServer) -> None:
    seen.clock.set(INVITED_AT)
    server.script["RCPT"].append(GREYLISTED)
    seen.office.deliver(to(server))
    put_off = seen.office.row().wake_at
    seen.clock.advance(minutes=1)
    seen.office.deliver(to(server))
    assert seen.office.row().wake_at == put_off
    seen.clock.set(put_off)
    assert seen.office.deliver(to(server)).sent == 1


def test_f20_a_person_may_end_the_alarm_of_a_clock_that_was_ahead(seen: Guarded, server: RealServer) -> None:
    seen.clock.advance(days=200)
    seen.office.deliver(to(server))
    seen.clock.advance(days=-199)
    seen.office.deliver(to(server))
    assert seen.standing().clock == "behind"
    seen.unlock(Answer.CLOCK)
    assert seen.standing().clock == "steady"


# what plans beside `plan`


IN_2036 = utc("2036-03-01 12:00")


@on_both
@pytest.mark.parametrize("locked", [False, True], ids=["unlocked", "locked"])
def test_f19_no_verb_that_plans_expires_anything_under_a_wrong_clock(
    seen: Guarded,
    server: RealServer,
    locked: bool,  # noqa: FBT001 - a row of the table
) -> None:
    """What is recorded of a clinic, a patient and a treatment is planned once the clock is sound."""
    office, before = seen.office, seen.office.states()
    seen.clock.set(IN_2036)
    if locked:
        with pytest.raises(ClockAhead):
            office.deliver(to(server))
    office.change_clinic(sending_days="mon,tue,wed")
    office.change_patient(consent="existing_customer")
    office.add_patient("P2")
    office.treat("P2")
    assert office.states() == before
    seen.clock.set(INVITED_AT)
    if locked:
        assert audit(office.database, office.clock, office.keys).findings == ()  # it knows what waits for the clock
        seen.unlock(Answer.CLOCK)
    assert office.deliver(to(server)).sent == 2


def test_f19_the_first_delivery_ever_does_not_trust_a_clock_ten_years_after_init(
    guarded: Guarded, server: RealServer
) -> None:
    before = guarded.office.states()
    guarded.clock.set(IN_2036)
    guarded.office.change_patient(consent="existing_customer")
    with pytest.raises(ClockAhead):
        guarded.office.deliver(to(server))
    assert guarded.office.states() == before


class Machine:
    """The uptime of the machine: which start it is, and the seconds since."""

    def __init__(self, guarded: Guarded) -> None:
        self.start, self.seconds, self.guarded = "first", 1000, guarded
        office = guarded.office
        office.database.close()
        office.database = Database(guarded.url, audit_key=office.keys.audit_key, boot=self.boot)

    def boot(self) -> str:
        return f"{self.start}:{self.seconds}"

    def runs(self, days: int) -> None:
        self.seconds += days * 86400
        self.guarded.clock.advance(days=days)


@pytest.fixture
def machine(guarded: Guarded, server: RealServer) -> Machine:
    made = Machine(guarded)
    assert guarded.office.deliver(to(server)).sent == 0
    return made


def test_f19_a_jump_of_months_between_two_runs_is_found_while_the_machine_runs(
    machine: Machine, server: RealServer
) -> None:
    office, before = machine.guarded.office, machine.guarded.office.states()
    machine.guarded.clock.advance(days=390)
    office.change_clinic(sending_days="mon,tue,wed")
    for act in (office.plan, lambda: office.deliver(to(server))):
        with pytest.raises(ClockAhead):
            act()
    assert office.states() == before
    machine.guarded.clock.advance(days=-390)
    machine.runs(1)
    with office.write() as tx:
        installation.unlock(tx, "clock", "battery")
    office.deliver(to(server))
    assert office.states() == before


def test_f19_a_machine_that_ran_or_was_off_for_months_is_no_jump(machine: Machine, server: RealServer) -> None:
    machine.runs(40)
    machine.guarded.office.deliver(to(server))
    machine.start, machine.seconds = "second", 5
    machine.guarded.clock.advance(days=300)
    machine.guarded.office.deliver(to(server))
    assert machine.guarded.standing().because is None


def test_f19_a_person_may_speak_for_a_clock_that_nothing_locked_yet(seen: Guarded) -> None:
    seen.clock.advance(days=500)
    seen.unlock(Answer.CLOCK)
    assert seen.standing().clock == "steady"


# what a lock stops


def test_f19_a_lock_of_a_word_nobody_knows_is_a_lock_with_a_sentence(seen: Guarded, server: RealServer) -> None:
    past_the_rules(seen.office.database, ["UPDATE installation SET locked_because = 'nonsense'"])
    seen.clock.set(INVITED_AT)
    with pytest.raises(LockedOtherwise):
        seen.office.deliver(to(server))
    assert seen.standing().because is Because.OTHER
    with pytest.raises(WrongAnswer):
        seen.unlock(Answer.MOVED)
    seen.unlock(Answer.RESTORED)
    assert seen.standing().because is None


def test_f19_nothing_is_rescued_while_sending_is_locked(seen: Guarded, server: RealServer) -> None:
    seen.clock.set(INVITED_AT)
    _killed_at(Point.CLAIMED, seen, server)
    with seen.office.write() as tx:
        lock(tx, Because.RESTORED)
    seen.clock.advance(minutes=3)
    assert rescue(seen.office.database, seen.clock).planned == 0
    assert seen.office.row().state is State.CLAIMED
    with seen.office.write() as tx:
        installation.unlock(tx, "moved", "looked")
    assert rescue(seen.office.database, seen.clock).planned == 1
