"""Lists of reminders: filtered, ordered, complete, and read piece by piece."""

import datetime as dt
import resource
import sys

import pytest
from sqlalchemy import insert, select, update

from reminders.domain.lifecycle import Reason, State
from reminders.store import clinics, installation, schema
from reminders.store import reminders as store
from reminders.store.database import Database, Transaction
from tests.store.clinic import NOW, a_clinic, a_message, a_patient, plan, planned, treat
from tests.support.facts import utc

RSS_UNIT = 1 if sys.platform == "darwin" else 1024


def test_a_listed_reminder_says_whose_it_is_in_the_clinics_own_numbers(database: Database) -> None:
    with database.write(NOW, "cli") as tx:
        clinic, patient, ids = planned(tx)
        message = a_message(tx, (clinic.id, patient.id), "<one@mail.test>")
        tx.connection.execute(
            update(schema.reminders).where(schema.reminders.c.id == ids[0]).values(message_pk=message.id)
        )
        first, second, _ = store.listing(tx)
    assert (first.id, first.clinic, first.patient, first.treatment) == (ids[0], "linden", "1001", "visit-1001")
    assert (first.message_id, second.message_id) == ("<one@mail.test>", None)
    assert (first.window.opens, first.window.closes) == (utc("2026-06-01 00:00").date(), utc("2026-09-01 00:00").date())


def test_a_list_is_filtered_and_ordered_by_the_day_it_is_due(database: Database) -> None:
    with database.write(NOW, "cli") as tx:
        clinic, _, ids = planned(tx)
        other = a_clinic(tx, "ahorn")
        neighbour = a_patient(tx, other, "7")
        treat(tx, neighbour, "2026-02-20")
        theirs = plan(tx, other, neighbour)
        store.change_state(tx, ids[1], State.PLANNED, State.HELD, Reason.HELD_FOR_REVIEW)

        def found(**filters: object) -> list[int]:
            return [one.id for one in store.listing(tx, **filters)]  # type: ignore[arg-type] # as the cases below give

        assert found() == [theirs[0], ids[0], theirs[1], ids[1], theirs[2], ids[2]]
        assert found(clinic_id=clinic.id) == ids
        assert found(patient_id=neighbour.id, limit=2) == theirs[:2]
        assert found(states=[State.HELD, State.SENT]) == [ids[1]]
        assert found(states=[]) == []
        assert found(clinic_id=clinic.id, due_from=utc("2026-07-01 09:00"), due_to=utc("2026-08-11 09:00")) == [ids[1]]
        assert set(store.reminders_by_ids(tx, [*ids, 99])) == set(ids)
        assert store.reminder_by_id(tx, 99) is None


def test_a_paused_clinic_is_the_reason_where_there_is_no_other(database: Database) -> None:
    with database.write(NOW, "cli") as tx:
        clinic, _, ids = planned(tx)
        store.change_state(tx, ids[0], State.PLANNED, State.PLANNED, Reason.SNOOZED)
        store.change_state(tx, ids[1], State.PLANNED, State.HELD, Reason.HELD_FOR_REVIEW)
        clinics.change_clinic(tx, clinic.id, {"paused_at": NOW})
        assert [one.reason for one in store.listing(tx)] == ["snoozed", "held_for_review", "clinic_paused"]
        assert store.counts_by_state(tx)[State.PLANNED, None] == 1


def test_a_hundred_thousand_reminders_are_read_in_little_memory(database: Database) -> None:
    with database.write(NOW, "cli") as tx:
        planned(tx)
        c = schema.reminders.c
        columns = [column for column in c if column.name not in ("id", "copy")]
        names = [*(column.name for column in columns), "copy"]
        for power in range(15):
            twice = select(*columns, c.copy + 2**power)
            tx.connection.execute(insert(schema.reminders).from_select(names, twice))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with database.read(NOW) as tx:
        count = sum(1 for _ in store.listing(tx))
    grown = RSS_UNIT * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    assert count == 3 * 2**15
    assert grown < 40_000_000


def _three_clinics(tx: Transaction) -> None:
    """Treat two patients of each, every one on another day, and let their first reminders come to an end."""
    for number, slug in enumerate(("ahorn", "birke", "linde")):
        clinic = a_clinic(tx, slug)
        people = [a_patient(tx, clinic, f"{slug}-{one}") for one in range(2)]
        for one, patient in enumerate(people):
            treat(tx, patient, str(dt.date(2026, 2, 1) + dt.timedelta(days=7 * one + number)))
        ids = plan(tx, clinic, *people)
        for key, (state, reason) in zip(ids, ENDS[number:] + ENDS[:number], strict=False):
            change = update(schema.reminders).where(schema.reminders.c.id == key)
            tx.connection.execute(change.values(state=state, reason=reason))


ENDS = (
    (State.FAILED, None),
    (State.HELD, Reason.BACKLOG_HOLD),
    (State.UNKNOWN, None),
    (State.SENT, None),
    (State.CANCELLED, None),
)
CUTS: tuple[tuple[State, ...] | None, ...] = (
    None,
    *((state,) for state in State),
    (State.HELD, State.UNKNOWN),
    (State.CANCELLED, State.FAILED, State.PLANNED),
)


@pytest.mark.parametrize("states", CUTS)
def test_a_list_cut_short_is_the_beginning_of_the_whole_one(
    database: Database, states: tuple[State, ...] | None
) -> None:
    with database.write(NOW, "cli") as tx:
        installation.save_installation(tx, "1", b"")
        _three_clinics(tx)
    with database.read(utc("2026-12-01 09:00")) as tx:
        every = list(store.listing(tx))
        fits = [one.id for one in every if states is None or one.state in states]
        assert [one.id for one in store.listing(tx, states=states)] == fits
        for limit in (1, 3, 50):
            assert [one.id for one in store.listing(tx, states=states, limit=limit)] == fits[:limit]
        middle = every[len(every) // 2].due_at
        late = [one.id for one in every if one.id in fits and one.due_at >= middle]
        assert [one.id for one in store.listing(tx, states=states, due_from=middle, limit=2)] == late[:2]
        early = [one.id for one in every if one.id in fits and one.due_at < middle]
        assert [one.id for one in store.listing(tx, states=states, due_to=middle)] == early
        theirs = [one.id for one in every if one.id in fits and one.clinic_id == 2]
        assert [one.id for one in store.listing(tx, clinic_id=2, states=states, limit=2)] == theirs[:2]


def test_what_went_out_is_listed_by_a_clock_that_was_set_back_since(database: Database) -> None:
    with database.write(NOW, "cli") as tx:
        installation.save_installation(tx, "1", b"")
        _, _, ids = planned(tx)
        tx.connection.execute(update(schema.reminders).values(state=State.FAILED))
    with database.write(utc("2026-12-01 09:00"), "cli") as tx:
        installation.see_now(tx)
    with database.read(NOW) as tx:
        assert [one.id for one in store.listing(tx, states=[State.FAILED])] == ids
        assert [one.id for one in store.listing(tx, states=[State.FAILED], limit=2)] == ids[:2]
