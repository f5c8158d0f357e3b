"""Long work leaves others room to write on SQLite, where nobody stands in a queue; on PostgreSQL it need not."""

import gc
from dataclasses import dataclass, field

import pytest

from reminders.services import patient, retention
from reminders.services.find import the_clinic
from reminders.services.insist import Patience
from reminders.services.patient import PatientChange
from reminders.services.plan import plan_due_changes
from reminders.services.turns import HELD_S, ROOM_S, Turns
from reminders.store.database import Database
from tests.support.clinic import Office
from tests.support.facts import day, utc

SLUGS = ("riverside", "harbour", "seaside", "hillside", "lakeside")


@dataclass
class SlowTime:
    """Every look at it finds `step` seconds passed."""

    step: float
    passed: float = 0.0

    def monotonic(self) -> float:
        self.passed += self.step
        return self.passed

    boottime = monotonic


@dataclass
class Desk:
    """Somebody who writes at the very moments in which a long piece of work waits, and is not ready to wait at all."""

    office: Office
    waits: list[float] = field(default_factory=list)

    def write(self, seconds: float) -> None:
        self.waits.append(seconds)
        beside = Database(self.office.database.address, audit_key=self.office.keys.audit_key, busy_ms=1)
        with beside.write(self.office.clock.now(), "desk") as tx:
            change = PatientChange({"known_as": f"Ada {len(self.waits)}"})
            patient.change_patient(tx, self.office.keys, the_clinic(tx, "riverside"), "P1", change)
        beside.close()


def a_chain(office: Office) -> Desk:
    for slug in SLUGS:
        office.add_clinic(slug)
    office.add_due(3)
    return Desk(office)


def on_sqlite(office: Office) -> bool:
    return office.database.url.startswith("sqlite")


def test_whoever_waits_to_write_has_room_between_the_batches_of_a_plan(empty_office: Office) -> None:
    desk = a_chain(empty_office)
    empty_office.patience = Patience(SlowTime(2 * HELD_S), desk.write, 1)
    assert empty_office.plan().patients == 3
    transactions = len(SLUGS) + 1  # each clinic's last batch is empty, and one has a full one before
    rooms = transactions - 1 if on_sqlite(empty_office) else 0
    assert desk.waits == [ROOM_S] * rooms


def test_short_work_waits_for_nobody(empty_office: Office) -> None:
    desk = a_chain(empty_office)
    empty_office.patience = Patience(SlowTime(HELD_S / 100), desk.write, 1)
    empty_office.plan()
    assert desk.waits == []


def test_whoever_waits_to_write_has_room_while_time_is_caught_up_with(empty_office: Office) -> None:
    desk = a_chain(empty_office)
    empty_office.hold(until=day("2026-04-01"))
    empty_office.clock.set(utc("2026-04-01 09:00"))
    found = plan_due_changes(
        empty_office.database, empty_office.clock, patience=Patience(SlowTime(2 * HELD_S), desk.write, 1)
    )
    assert found.patients == 1
    assert desk.waits == [ROOM_S] * on_sqlite(empty_office)


def test_whoever_waits_to_write_has_room_while_what_is_kept_no_longer_is_dropped(empty_office: Office) -> None:
    office, desk = empty_office, a_chain(empty_office)
    patience = Patience(SlowTime(2 * HELD_S), desk.write, 1)
    retention.tidy(office.database, office.clock, 90, lambda: True, patience)
    transactions = 5  # one for each of four kinds, and the entry that it was done
    assert desk.waits == [ROOM_S] * ((transactions - 1) if on_sqlite(office) else 0)


def test_the_collector_rests_while_a_transaction_is_ours_and_only_then(office: Office) -> None:
    turns = Turns(office.database)
    with turns.write(office.clock.now, "plan"):
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(ZeroDivisionError), turns.write(office.clock.now, "plan"):
        raise ZeroDivisionError
    assert gc.isenabled()
    gc.disable()
    try:
        with turns.write(office.clock.now, "plan"):
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
