"""The plan in the store: applied as changed, conditionally, with its moments, and never by an illegal move."""

import datetime as dt
from dataclasses import replace

import pytest
from sqlalchemy import update

from reminders.domain.facts import Outcome, Reminder
from reminders.domain.interval import Interval
from reminders.domain.lifecycle import IllegalMove, Reason, State
from reminders.domain.planner import Action, Change
from reminders.store import appointments, contacts, patients, schema
from reminders.store import reminders as store
from reminders.store.database import Database, Transaction
from reminders.store.reminders import ReminderChangedMeanwhile, Standing
from tests.store.clinic import NOW, a_clinic, a_patient, plan, planned, treat
from tests.support.facts import day, utc

DAY = dt.timedelta(days=1)


def _stored(tx: Transaction, patient_id: int) -> list[Reminder]:
    return store.stored(tx, [patient_id])[patient_id]


def _set(tx: Transaction, reminder_id: int, **values: object) -> None:
    tx.connection.execute(update(schema.reminders).where(schema.reminders.c.id == reminder_id).values(**values))


def test_planning_twice_changes_nothing(database: Database) -> None:
    with database.write(NOW, "cli") as tx:
        clinic, patient, ids = planned(tx)
        before = _stored(tx, patient.id)
        assert plan(tx, clinic, patient) == []
        assert _stored(tx, patient.id) == before
    assert [reminder.id for reminder in before] == ids
    assert [reminder.step for reminder in before] == ["invitation", "follow_up", "last_call"]
    assert [str(reminder.due_at) for reminder in before] == [
        "2026-05-18 09:00:00+00:00",
        "2026-07-01 09:00:00+00:00",
        "2026-08-11 09:00:00+00:00",
    ]
    assert {(one.state, one.reason, one.released, one.waited) for one in before} == {("planned", None, False, False)}


def test_patients_without_reminders_have_an_empty_list(database: Database) -> None:
    with database.read(NOW) as tx:
        assert store.stored(tx, [5, 6]) == {5: [], 6: []}


def test_a_plan_moves_withdraws_and_restores_and_keeps_the_identity(database: Database) -> None:
    with database.write(NOW, "cli") as tx:
        clinic, patient, ids = planned(tx)
        booked = appointments.add_appointment(tx, patient, None, day("2026-03-05"))
        plan(tx, clinic, patient)
        assert {(one.state, one.reason) for one in _stored(tx, patient.id)} == {("cancelled", "booked")}
        _set(tx, ids[0], next_attempt_at=NOW + 300 * DAY)
        appointments.set_outcome(tx, booked, Outcome.CANCELLED, day("2026-03-04"))
        contacts.set_own_interval(tx, patient, "face", Interval.parse("5m"))
        plan(tx, clinic, patient)
        after = _stored(tx, patient.id)
    assert [one.id for one in after] == ids
    assert {(one.state, one.reason) for one in after} == {("planned", None)}
    assert after[0].next_attempt_at is None
    assert after[1].due_at == utc("2026-08-03 09:00")


def test_a_reminder_wakes_at_the_latest_of_its_moments(database: Database) -> None:
    with database.write(NOW, "cli") as tx:
        clinic, patient, _ = planned(tx)
        missed = appointments.add_appointment(tx, patient, "face", day("2026-05-20"))
        appointments.set_outcome(tx, missed, Outcome.MISSED, day("2026-05-20"))
    later = utc("2026-05-21 08:00")
    with database.write(later, "cli") as tx:
        plan(tx, clinic, patient)
        first = _stored(tx, patient.id)[0]
        listed = store.reminder_by_id(tx, first.id)
    assert listed is not None
    assert (first.state, first.reason) == (State.PLANNED, Reason.SNOOZED)
    assert listed.wake_at == first.wake_at == first.snoozed_until == utc("2026-05-27 09:00")


def test_a_retry_survives_a_moved_plan(database: Database) -> None:
    with database.write(NOW, "cli") as tx:
        clinic, patient, ids = planned(tx)
        retry = utc("2026-07-15 10:00")
        _set(tx, ids[1], next_attempt_at=retry, wake_at=retry)
        kept = _stored(tx, patient.id)[1]
        contacts.set_own_interval(tx, patient, "", Interval.parse("17w"))
        plan(tx, clinic, patient)
        moved = _stored(tx, patient.id)[1]
        listed = store.reminder_by_id(tx, ids[1])
    assert moved.due_at != kept.due_at
    assert listed is not None
    assert listed.wake_at == moved.wake_at == retry


def test_a_row_that_changed_meanwhile_undoes_the_whole_plan(database: Database) -> None:
    with database.write(NOW, "cli") as tx:
        clinic, patient, ids = planned(tx)
        seen = _stored(tx, patient.id)
        _set(tx, ids[2], state="sent")
    changes = [Change(Action.WITHDRAW, State.CANCELLED, Reason.BOOKED, one) for one in seen]
    with pytest.raises(ReminderChangedMeanwhile), database.write(NOW, "cli") as tx:
        store.apply(tx, clinic.id, patient.id, changes)
    with database.read(NOW) as tx:
        assert [one.state for one in _stored(tx, patient.id)] == ["planned", "planned", "sent"]


def test_an_illegal_move_is_refused(database: Database) -> None:
    with database.write(NOW, "cli") as tx:
        clinic, patient, _ = planned(tx)
        sent = replace(_stored(tx, patient.id)[0], state=State.SENT)
        for after, reason in (
            (State.CANCELLED, Reason.BOOKED),
            (State.PLANNED, None),
            (State.EXPIRED, Reason.TOO_LATE),
        ):
            with pytest.raises(IllegalMove):
                store.apply(tx, clinic.id, patient.id, [Change(Action.WITHDRAW, after, reason, sent)])
        with pytest.raises(IllegalMove):
            store.apply(
                tx,
                clinic.id,
                patient.id,
                [Change(Action.WITHDRAW, State.CANCELLED, None, replace(sent, state=State.HELD))],
            )


def test_days_that_have_passed_expire_planned_and_held_ones_oldest_first(database: Database) -> None:
    with database.write(NOW, "cli") as tx:
        _, patient, ids = planned(tx)
        _set(tx, ids[1], state="held", reason="held_for_review")
        ends = [one.not_after for one in _stored(tx, patient.id)]
    with database.write(ends[0] - dt.timedelta(seconds=1), "deliver") as tx:
        assert store.expire_passed(tx, 10) == []
    with database.write(ends[0], "deliver") as tx:
        assert store.expire_passed(tx, 10) == [ids[0]]
    with database.write(ends[2], "deliver") as tx:
        assert store.expire_passed(tx, 1) == [ids[1]]
        assert store.expire_passed(tx, 10) == [ids[2]]
        assert {(one.state, one.reason) for one in _stored(tx, patient.id)} == {("expired", "too_late")}


def test_what_was_released_or_left_by_the_limit_is_no_backlog(database: Database) -> None:
    with database.write(NOW, "cli") as tx:
        clinic = a_clinic(tx)
        everyone = [a_patient(tx, clinic, str(number)) for number in range(4)]
        for patient in everyone:
            treat(tx, patient)
        ids = plan(tx, clinic, *everyone)
        _set(tx, ids[0], released_at=NOW)
        _set(tx, ids[3], left_by_limit=True)
        before = utc("2026-05-18 09:00")
        assert store.overdue_count(tx, clinic.id, before) == 0
        assert store.overdue_count(tx, clinic.id, before + DAY) == 2
        assert store.overdue_count(tx, clinic.id + 1, before + DAY) == 0
        everybody = [patient.id for patient in everyone]
        assert store.standing(tx, everybody, before + DAY) == Standing(planned=12, overdue=3)
        assert [store.overdue_count(tx, clinic.id, before + DAY, most) for most in (1, 2, 3)] == [1, 2, 2]
        assert store.hold_backlog(tx, clinic.id, before + DAY) == 2
        assert store.hold_backlog(tx, clinic.id, before + DAY) == 0
        assert store.counts_by_state(tx) == {("held", "backlog_hold"): 2, ("planned", None): 10}
        assert store.standing(tx, everybody, before + DAY) == Standing(planned=10, held=2, overdue=3)
        _set(tx, ids[3], left_by_limit=False)
        assert [store.overdue_count(tx, clinic.id, before + DAY, most) for most in (1, 2, 3, 9)] == [1, 2, 3, 3]


def test_sent_ones_are_counted_by_span_and_unknown_ones_by_their_fence(database: Database) -> None:
    noon = utc("2026-05-18 12:00")
    with database.write(NOW, "cli") as tx:
        clinic, _, ids = planned(tx)
        _set(tx, ids[0], state="sent", handed_over_at=noon - DAY, sent_at=noon)
        _set(tx, ids[1], state="unknown", handed_over_at=noon)
        _set(tx, ids[2], state="failed", reason="rejected_by_server", handed_over_at=noon)
        spans = [(noon - DAY, noon), (noon, noon + DAY), (noon + DAY, noon + 2 * DAY)]
        assert store.sent_between(tx, clinic.id, spans) == [0, 2, 0]


def test_patients_are_replanned_when_time_alone_changes_their_plan(database: Database) -> None:
    with database.write(NOW, "cli") as tx:
        clinic = a_clinic(tx)
        ids = [a_patient(tx, clinic, str(number)).id for number in range(4)]
        store.set_replan_at(tx, [(ids[0], NOW), (ids[1], NOW - DAY), (ids[2], NOW + DAY), (ids[3], NOW)])
        store.set_replan_at(tx, [(ids[3], None)])
        store.set_replan_at(tx, [])
        assert store.due_for_replanning(tx, NOW, 10) == [(ids[1], clinic.id), (ids[0], clinic.id)]
        assert store.due_for_replanning(tx, NOW, 1) == [(ids[1], clinic.id)]
        patients.erase_patient(tx, ids[1])
        assert store.due_for_replanning(tx, NOW, 10) == [(ids[0], clinic.id)]


def test_staff_move_a_reminder_only_from_the_state_they_saw(database: Database) -> None:
    with database.write(NOW, "cli") as tx:
        _, patient, ids = planned(tx)
        assert store.change_state(tx, ids[0], State.PLANNED, State.HELD, Reason.HELD_FOR_REVIEW)
        assert not store.change_state(tx, ids[0], State.PLANNED, State.HELD, Reason.HELD_FOR_REVIEW)
        later = utc("2026-06-01 00:00")
        assert store.change_state(tx, ids[0], State.HELD, State.PLANNED, None, released_at=NOW, next_attempt_at=later)
        with pytest.raises(IllegalMove):
            store.change_state(tx, ids[0], State.EXPIRED, State.PLANNED, None)
        found = _stored(tx, patient.id)[0]
        listed = store.reminder_by_id(tx, ids[0])
    assert found.released
    assert listed is not None
    assert listed.wake_at == later
