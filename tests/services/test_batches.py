"""Batches: everybody who is due stands in one of them once, clinics take turns, and one that comes twice sends once."""

import datetime as dt

import pytest

from reminders.services.batches import AHEAD, LEAST, batches
from reminders.services.choose import Visit
from reminders.services.deliver import DeliverOutcome, deliver_batch
from tests.support.clinic import INVITED_AT, Office, to
from tests.support.sharing import worker_of
from tests.support.smtp_server import RealServer


def run(office: Office, server: RealServer, visits: list[Visit]) -> DeliverOutcome:
    return deliver_batch(worker_of(office, to(server)), "deliver-of-a-batch", 4, visits)


@pytest.fixture
def due(empty_office: Office) -> Office:
    """Two clinics, one with 30 patients who are due and one with three."""
    empty_office.add_clinic("large")
    empty_office.add_clinic("small")
    empty_office.add_due(30, "large")
    empty_office.add_due(3, "small")
    empty_office.clock.set(INVITED_AT)
    return empty_office


def test_everybody_who_is_due_stands_in_one_batch_once(due: Office) -> None:
    found = list(batches(worker_of(due)))
    everybody = [visit for batch in found for visit in batch]
    assert len(everybody) == len(set(everybody)) == 33
    assert [len(batch) for batch in found] == [LEAST, 8]


def test_clinics_take_turns_so_that_a_large_one_delays_nobody(due: Office) -> None:
    [first, *_] = batches(worker_of(due))
    assert [clinic_id for clinic_id, _ in first[:7]] == [1, 2, 1, 2, 1, 2, 1]


def test_who_waits_in_a_batch_already_is_left_out(due: Office) -> None:
    waiting = {patient_id for _, patient_id in next(batches(worker_of(due)))}
    others = [patient_id for batch in batches(worker_of(due), waiting) for _, patient_id in batch]
    assert len(others) == 33 - LEAST
    assert not waiting.intersection(others)


def test_no_more_than_are_asked_for(due: Office) -> None:
    assert [len(batch) for batch in batches(worker_of(due), most=10)] == [10]
    assert AHEAD >= 10


def test_clinics_that_do_not_send_now_are_left_out(due: Office) -> None:
    due.pause("large")
    assert [clinic_id for batch in batches(worker_of(due)) for clinic_id, _ in batch] == [2, 2, 2]
    due.clock.set(INVITED_AT + dt.timedelta(hours=12))
    assert list(batches(worker_of(due))) == []


def test_a_clinic_at_its_daily_limit_takes_no_room_but_what_it_leaves_is_marked(
    due: Office, server: RealServer
) -> None:
    due.change_clinic("large", daily_limit="2")
    [batch] = batches(worker_of(due))
    assert [clinic_id for clinic_id, _ in batch].count(1) == 3
    assert run(due, server, batch).sent == 5
    [rest] = batches(worker_of(due))
    assert [clinic_id for clinic_id, _ in rest] == [1]
    assert run(due, server, rest).sent == 0
    due.clock.advance(days=3)
    assert due.plan().backlog_held == 0


def test_a_batch_that_comes_twice_sends_once(due: Office, server: RealServer) -> None:
    [first, *_] = batches(worker_of(due))
    assert run(due, server, first).sent == LEAST
    assert run(due, server, first).sent == 0
    assert len(server.messages) == LEAST


def test_a_batch_is_sent_to_nobody_else_and_to_nobody_who_opted_out_meanwhile(due: Office, server: RealServer) -> None:
    visits = [(1, 1), (1, 2), (2, 31)]
    due.change_patient("P2", "large", opt_out="all")
    assert run(due, server, visits).sent == 2
    assert sorted(message.rcpt_tos[0] for message in server.messages) == [
        "p1@large-patients.example",
        "p1@small-patients.example",
    ]


def test_all_batches_together_leave_nothing(due: Office, server: RealServer) -> None:
    assert sum(run(due, server, batch).sent for batch in list(batches(worker_of(due)))) == 33
    assert list(batches(worker_of(due))) == []
