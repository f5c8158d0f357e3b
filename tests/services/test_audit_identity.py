"""Which step a row is, and the hold it keeps, changed past the product: a plan made from it must not hide that."""

import datetime as dt
from collections.abc import Sequence

import pytest

from reminders.domain.facts import Outcome
from reminders.domain.lifecycle import State
from reminders.services import book
from reminders.services.audit import audit
from reminders.services.decide import hold
from reminders.services.finding import Finding
from reminders.services.guarding.unlock import Answer, unlock
from tests.support.clinic import INVITED_AT, Office
from tests.support.guarded import Guarded
from tests.support.post import Post
from tests.support.tampering import on_postgresql, past_the_rules

CHANGED: dict[str, Sequence[str]] = {
    "copy": ["SET copy = 1 WHERE state = 'sent'"],
    "step": ["SET step = 'extra' WHERE state = 'sent'"],
    "episode": ["SET episode_id = 2, copy = 5 WHERE state = 'sent'"],
    "steps swapped": [
        "SET step = 'extra' WHERE step = 'follow_up' AND episode_id = 1",
        "SET step = 'follow_up' WHERE state = 'sent'",
        "SET step = 'invitation' WHERE step = 'extra'",
    ],
}
FORGOTTEN = "UPDATE reminders SET held_reason = NULL WHERE held_reason IS NOT NULL"


def findings(office: Office) -> tuple[Finding, ...]:
    return audit(office.database, office.clock, office.keys).findings


def invited(office: Office) -> int:
    office.clock.set(INVITED_AT)
    assert office.deliver(Post(office.clock.now)).sent == 1
    office.clock.advance(days=1)
    return next(row.id for row in office.rows() if row.state is State.SENT)


def held_and_booked(office: Office) -> tuple[int, int]:
    """Hold the invitation and book; return its id and the appointment's."""
    held = office.row().id
    with office.write() as tx:
        hold(tx, [held], "she asked")
    return held, office.book("2026-03-20")


@pytest.mark.parametrize("name", CHANGED)
def test_a_sent_row_that_became_another_step_is_found_and_nobody_told_to_plan(office: Office, name: str) -> None:
    sent = invited(office)
    office.treat(on="2026-03-24")
    assert findings(office) == ()
    past_the_rules(office.database, [f"UPDATE reminders {sql}" for sql in CHANGED[name]])
    for _ in range(2):
        found = findings(office)
        assert "it was planned as the step invitation of episode 1" in next(
            one.problem for one in found if (one.promise, one.reminder_id) == (1, sent)
        )
        assert not any(one.advice.startswith("run `reminders plan`") for one in found)
        office.plan()


def test_a_trail_from_before_it_told_identities_and_holds_proves_nothing_of_them(office: Office) -> None:
    if on_postgresql(office.database):
        return  # the words of SQLite
    sent = invited(office)
    changes = f'{{"changes": [[{sent}, "insert", "planned", null]]}}'
    older = f"audit SET details = '{changes}' WHERE action = 'plan'"
    past_the_rules(office.database, [f"UPDATE {older}"], triggers=False)
    past_the_rules(office.database, ["UPDATE reminders SET copy = 1 WHERE state = 'sent'"])
    assert not any("it was planned as" in one.problem for one in findings(office))


def test_a_hold_that_a_withdrawal_keeps_is_compared_before_the_plan_and_after(office: Office) -> None:
    held, booking = held_and_booked(office)
    assert findings(office) == ()
    past_the_rules(office.database, [FORGOTTEN])
    for _ in range(2):
        assert [(one.promise, one.reminder_id) for one in findings(office)] == [(7, held)]
        office.plan()
    with office.write() as tx:
        book.set_outcome(tx, booking, Outcome.CANCELLED)
    assert office.row().state is State.PLANNED
    [found] = [one for one in findings(office) if one.promise == 7]
    assert found.reminder_id == held
    assert "without a person's word" in found.problem


def test_a_hold_that_nobody_put_on_a_withdrawn_reminder_is_found(office: Office) -> None:
    office.book("2026-03-20")
    withdrawn = office.row().id
    past_the_rules(office.database, ["UPDATE reminders SET held_reason = 'backlog_hold' WHERE step = 'invitation'"])
    assert (2, withdrawn) in {(one.promise, one.reminder_id) for one in findings(office)}


def test_a_hold_that_is_forgotten_before_another_withdrawal_is_found(office: Office) -> None:
    held, booking = held_and_booked(office)
    past_the_rules(office.database, [FORGOTTEN])
    office.change_patient(opt_out="all")
    with office.write() as tx:
        book.set_outcome(tx, booking, Outcome.CANCELLED)
    assert (7, held) in {(one.promise, one.reminder_id) for one in findings(office)}


def test_holds_that_come_and_go_with_the_facts_are_no_finding(office: Office) -> None:
    _, booking = held_and_booked(office)
    office.change_patient(status="inactive")
    office.change_patient(status="active")
    with office.write() as tx:
        book.set_outcome(tx, booking, Outcome.CANCELLED)
    assert office.row().state is State.HELD
    assert findings(office) == ()


def test_what_is_held_after_an_older_copy_was_put_back_is_no_finding(guarded: Guarded) -> None:
    office = guarded.office
    guarded.clock.set(INVITED_AT + dt.timedelta(hours=1))
    booking = office.book("2026-04-20")
    unlock(office.database, guarded.clock, guarded.place(), Answer.RESTORED, "put-back")
    assert findings(office) == ()
    with office.write() as tx:
        book.set_outcome(tx, booking, Outcome.CANCELLED)
    assert office.row().state is State.HELD
    assert findings(office) == ()
