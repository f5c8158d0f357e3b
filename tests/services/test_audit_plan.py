"""The audit compares rows with the facts: time's own changes are none of its findings, and no mark hides another's."""

import datetime as dt

import pytest

from reminders.domain.lifecycle import State
from reminders.services.audit import audit
from reminders.services.decide import hold, release
from reminders.services.explain import why
from reminders.services.find import the_clinic
from reminders.services.finding import Finding
from tests.support.clinic import INVITED_AT, Office
from tests.support.facts import utc
from tests.support.guarded import Guarded
from tests.support.post import Mood, Post
from tests.support.tampering import past_the_rules

ADDED = "2026-01-05 12:00:00.000000"
MOVED = "UPDATE reminders SET due_at = '2026-02-03 10:00:00.000000' WHERE step = 'invitation'"
ASLEEP = "UPDATE reminders SET wake_at = '2026-04-30 10:00:00.000000' WHERE step = 'invitation'"
PUT_OFF = ASLEEP.replace("SET", "SET next_attempt_at = '2026-04-30 10:00:00.000000',")


def findings(office: Office) -> tuple[Finding, ...]:
    return audit(office.database, office.clock, office.keys).findings


def told(office: Office) -> list[tuple[int, str]]:
    return [(one.promise, one.problem) for one in findings(office)]


def sentence(office: Office) -> str:
    """Return what `why` says of the invitation."""
    with office.read() as tx:
        [episode] = why(tx, the_clinic(tx, "riverside"), "P1").episodes
    return next(step.sentence for step in episode.steps if step.view.step == "invitation")


def test_what_time_alone_lifted_is_no_finding_before_it_is_planned(office: Office) -> None:
    office.hold(dt.date(2026, 2, 10))
    office.book("2026-02-20")
    for day in ("2026-02-11 12:00", "2026-02-28 12:00"):
        office.clock.set(utc(day))
        assert findings(office) == ()
    assert office.plan().changes
    assert findings(office) == ()


def test_a_restriction_that_two_times_lift_one_after_the_other_is_no_finding_between(office: Office) -> None:
    office.hold(dt.date(2026, 2, 10))
    office.book("2026-02-20")
    office.clock.set(utc("2026-02-11 12:00"))
    office.plan()
    office.clock.set(utc("2026-02-28 12:00"))
    assert findings(office) == ()


@pytest.mark.parametrize("moment", [ADDED, "2026-01-01 00:00:00.000000", "2026-02-11 00:00:00.000000"])
def test_no_mark_for_planning_hides_that_a_row_was_moved(office: Office, moment: str) -> None:
    office.hold(dt.date(2026, 2, 10))
    office.clock.set(utc("2026-02-11 12:00"))
    past_the_rules(office.database, [MOVED, f"UPDATE patients SET replan_at = '{moment}'"])  # noqa: S608 - a row above
    assert [one.promise for one in findings(office) if one.reminder_id == office.row().id] == [4]


def test_a_row_moved_before_time_lifts_its_hold_is_found_after_it(office: Office) -> None:
    office.hold(dt.date(2026, 2, 10))
    past_the_rules(office.database, [MOVED])
    office.clock.set(utc("2026-02-11 12:00"))
    assert 4 in [promise for promise, _ in told(office)]


def test_what_was_recorded_under_a_clock_that_is_ahead_is_no_finding_before_it_is_planned(guarded: Guarded) -> None:
    office = guarded.office
    guarded.clock.set(INVITED_AT - dt.timedelta(days=20))
    assert office.deliver(Post(office.clock.now)).sent == 0
    guarded.clock.advance(days=3653)
    office.book("2036-03-20")
    office.add_patient("P2")
    office.treat("P2", on="2036-02-05")
    assert {(one.problem, one.advice.partition(":")[0]) for one in findings(office)} == {
        ("it is still planned after its days", "see to the clock first")
    }
    guarded.clock.advance(days=-3652)
    office.treat("P1", on="2026-02-05")
    assert findings(office) == ()
    office.plan()
    assert findings(office) == ()


@pytest.mark.parametrize(("days", "said"), [(365, "what is past its days will not."), (500, "unlock --as clock")])
def test_a_year_without_a_delivery_is_told_beside_what_was_found(guarded: Guarded, days: int, said: str) -> None:
    office = guarded.office
    guarded.clock.set(INVITED_AT)
    assert office.deliver(Post(office.clock.now)).sent == 1
    guarded.clock.advance(days=3)
    assert audit(office.database, office.clock, office.keys).notes == ()
    guarded.clock.advance(days=days - 3)
    notes = audit(office.database, office.clock, office.keys).notes
    assert notes[0].startswith(f"Nothing was planned or delivered here since 2026-03-23 10:00 UTC, {days} days ago")
    assert said in notes[-1]


def test_a_reminder_that_deliveries_pass_over_is_found_told_and_put_right_by_planning(office: Office) -> None:
    office.clock.set(INVITED_AT)
    past_the_rules(office.database, [ASLEEP])
    [found] = findings(office)
    assert (found.promise, found.reminder_id) == (2, office.row().id)
    assert "reminders plan" in found.advice
    assert "Mon 23 Mar 2026" in sentence(office)
    assert "reminders plan" in sentence(office)
    post = Post(office.clock.now)
    assert office.deliver(post).sent == 0
    office.plan()
    assert findings(office) == ()
    assert office.deliver(post).sent == 1


def test_a_reminder_that_nobody_put_off_is_found_and_let_go_by_a_person(office: Office) -> None:
    office.clock.set(INVITED_AT)
    past_the_rules(office.database, [PUT_OFF])
    [found] = findings(office)
    assert (found.promise, found.reminder_id) == (2, office.row().id)
    assert "reminders hold" in found.advice
    with office.write() as tx:
        hold(tx, [office.row().id], "as the audit says")
    with office.write() as tx:
        release(tx, [office.row().id])
    assert findings(office) == ()
    assert office.deliver(Post(office.clock.now)).sent == 1


def test_another_attempt_is_no_finding_until_its_moment_is_changed(office: Office) -> None:
    office.clock.set(INVITED_AT)
    post = Post(office.clock.now)
    post.moods.append(Mood.RCPT_LATER)
    assert office.deliver(post).sent == 0
    assert office.row().next_attempt_at is not None
    assert findings(office) == ()
    past_the_rules(office.database, [PUT_OFF])
    assert [promise for promise, _ in told(office)] == [2]


def test_a_trail_from_before_it_told_of_other_attempts_proves_nothing_of_them(office: Office, backend: str) -> None:
    if backend == "postgresql":
        return  # the words of SQLite
    office.clock.set(INVITED_AT)
    post = Post(office.clock.now)
    post.moods.append(Mood.RCPT_LATER)
    office.deliver(post)
    older = "UPDATE audit SET details = json_remove(details, '$.again') WHERE details IS NOT NULL"
    past_the_rules(office.database, [older], triggers=False)
    assert [promise for promise, _ in told(office)] == [10]
    assert office.states()[State.PLANNED]
