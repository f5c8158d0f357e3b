"""Clinics take turns: whoever has much to send keeps nobody else waiting for long."""

import re

import pytest
from sqlalchemy import update

from reminders.services.choose import Visit
from reminders.services.visits import TURN, Visits, due_in_turns
from reminders.store import queue
from reminders.store.database import Transaction
from reminders.store.schema import reminders
from tests.support.clinic import INVITED_AT, Office, to
from tests.support.smtp_server import RealServer, Received


@pytest.fixture
def busy(empty_office: Office) -> Office:
    """A clinic with three turns' worth of patients due, and two with a few."""
    for slug, count in (("big", 3 * TURN), ("mid", TURN + 1), ("small", 2)):
        empty_office.add_clinic(slug)
        empty_office.add_due(count, slug)
    empty_office.clock.set(INVITED_AT)
    return empty_office


def slugs(messages: list[Received]) -> list[str]:
    found = (re.search(rb"^To: .*@([a-z]+)-patients", message.content, re.MULTILINE) for message in messages)
    return [one[1].decode() for one in found if one]


@pytest.mark.parametrize("round_size", [1, 5, 32])
def test_a_clinic_waits_for_one_turn_of_each_other_at_most(busy: Office, server: RealServer, round_size: int) -> None:
    assert busy.deliver(to(server), round_size).sent == 4 * TURN + 3
    order = slugs(server.messages)
    turns = ["big"] * TURN + ["mid"] * TURN + ["small"] * 2 + ["big"] * TURN + ["mid"] + ["big"] * TURN
    rounds = [slice(at, at + round_size) for at in range(0, len(turns), round_size)]
    assert [sorted(order[one]) for one in rounds] == [sorted(turns[one]) for one in rounds]


def test_a_queue_of_many_pages_is_read_to_its_end_and_each_patient_once(busy: Office) -> None:
    with busy.read() as tx:
        whole = {clinic_id: queue.due_patients(tx, clinic_id).patients for clinic_id in queue.clinics_with_due(tx)}
        paged = {clinic_id: _in_pages(tx, clinic_id, 5) for clinic_id in whole}
    assert {key: sorted(found) for key, found in paged.items()} == {key: sorted(all_) for key, all_ in whole.items()}
    assert all(len(found) == len(set(found)) for found in paged.values())
    found = [visit for visit in due_in_turns(busy.database, busy.clock, set()) if visit]
    assert sorted(found) == sorted((key, patient) for key, patients in whole.items() for patient in patients)


def _in_pages(tx: Transaction, clinic_id: int, limit: int) -> list[int]:
    found: list[int] = []
    page = queue.due_patients(tx, clinic_id, None, limit)
    while page.last is not None:
        found += page.patients
        page = queue.due_patients(tx, clinic_id, page.last, limit)
    return found


def test_whose_window_closes_first_comes_first(busy: Office) -> None:
    with busy.write() as tx:
        last = queue.due_patients(tx, 1).patients[-1]
        soon = update(reminders).where(reminders.c.patient_id == last, reminders.c.step == "invitation")
        tx.connection.execute(soon.values(closes=INVITED_AT.date()))
        assert queue.due_patients(tx, 1).patients[0] == last


def test_a_finished_clinic_is_left_on_the_way(busy: Office) -> None:
    finished = set[int]()
    order = (visit for visit in due_in_turns(busy.database, busy.clock, finished) if visit)
    first = [next(order) for _ in range(TURN)]
    finished.add(first[0][0])
    assert all(clinic_id != first[0][0] for clinic_id, _ in order)


def test_who_is_put_back_comes_first_again() -> None:
    everybody: list[Visit] = [(1, 1), (1, 2), (1, 3), (1, 4)]
    order = Visits(lambda: iter(everybody))
    taken = order.take(3)
    order.put_back(taken[1:])
    assert order.take(9) == everybody[1:]
    assert order.take(9) == []


def test_nobody_is_taken_twice_in_one_round() -> None:
    order = Visits(lambda: iter([(1, 1), (1, 1), (1, 2)]))
    assert order.take(9) == [(1, 1)]
    assert order.take(9) == [(1, 2), (1, 1)]
