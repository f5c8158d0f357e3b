"""A fact's days and lines changed in its row, and a plan made anew from them: the audit finds it before and after."""

import datetime as dt
from collections.abc import Callable, Mapping

import pytest

from reminders.domain.answers import AnswerKind
from reminders.domain.facts import Kind, Outcome
from reminders.domain.lifecycle import Reason
from reminders.services import book, patient
from reminders.services.audit import audit
from reminders.services.find import the_clinic, the_patient
from reminders.services.finding import Finding
from reminders.services.keys import Keys
from reminders.store.answers import Said, add_answer
from reminders.store.audit_trail import entries
from reminders.store.database import Database
from tests.support.clinic import Office
from tests.support.tampering import on_postgresql, past_the_rules

Happens = Callable[[Office], object]


def findings(office: Office) -> tuple[Finding, ...]:
    return audit(office.database, office.clock, office.keys).findings


def booked(office: Office) -> None:
    office.book("2026-03-20", line="face")


def missed(office: Office) -> None:
    booking = office.book("2026-03-20")
    office.clock.advance(days=75)
    with office.write() as tx:
        book.set_outcome(tx, booking, Outcome.MISSED)


def treated_again(office: Office) -> None:
    office.clock.advance(days=30)
    office.treat(on="2026-02-02")


def corrected(office: Office) -> None:
    office.treat(on="2026-01-04", entry="v1")
    office.treat(on="2026-01-03", entry="v2", replaces="v1", protocol="botulinum-migraine")


CHANGED: Mapping[str, tuple[Happens, str, int, str]] = {
    "booked day": (booked, "appointments SET day = '2026-01-10'", 4, "appointment 1 is of another day"),
    "booked line": (booked, "appointments SET line = 'sweat'", 4, "appointment 1 is of another day or line"),
    "noted day": (missed, "appointments SET noted_on = '2026-02-01'", 4, "outcome of appointment 1"),
    "day": (Office.plan, "treatments SET day = '2025-11-05'", 3, "treatment 1 has another day"),
    "day of the later": (treated_again, "treatments SET day = '2026-01-01' WHERE id = 2", 3, "treatment 2 has another"),
    "protocol": (Office.plan, "treatments SET protocol = 'botulinum-cosmetic-long'", 3, "treatment 1 has another"),
    "kind": (treated_again, "treatments SET kind = 'touch_up' WHERE id = 2", 3, "treatment 2 has another"),
    "line": (treated_again, "episodes SET line = 'sweat' WHERE id = 2", 4, "treatment 2 is of another line"),
    "episodes exchanged": (treated_again, "treatments SET episode_id = 3 - id", 4, "treatment 1 is of another line or"),
    "no episode": (treated_again, "treatments SET episode_id = NULL WHERE id = 2", 4, "treatment 2 is of another line"),
    "continued": (corrected, "episodes SET continues_id = NULL", 4, "continues another episode"),
    "answer": (
        lambda office: office.answer(Reason.REPLIED),
        "answers SET kind = 'remind_later', day = '2026-01-06'",
        4,
        "answer 1 is of another kind",
    ),
}


@pytest.mark.parametrize("name", CHANGED)
def test_a_fact_changed_in_its_row_is_found_before_it_is_planned_and_after(office: Office, name: str) -> None:
    happens, sql, promise, told = CHANGED[name]
    happens(office)
    assert findings(office) == ()
    past_the_rules(office.database, [f"UPDATE {sql}"])
    for _ in range(2):
        found = findings(office)
        assert len([one for one in found if one.promise == promise and told in one.problem]) == 1
        assert not any("reminders plan" in one.advice for one in found)
        office.plan()


@pytest.mark.parametrize("kind", [Reason.REPLIED, Reason.CONSULTATION_REQUESTED])
def test_an_answer_closed_in_its_row_at_the_moment_it_was_given_is_found(office: Office, kind: Reason) -> None:
    office.answer(kind)
    past_the_rules(office.database, ["UPDATE answers SET closed_at = at"])
    for _ in range(2):
        assert (4, "answer 1: close, as its row alone says (the audit trail and the row differ)") in [
            (one.promise, one.problem) for one in findings(office)
        ]
        office.plan()


def test_an_answer_closed_by_staff_at_the_moment_it_was_given_is_no_finding(office: Office) -> None:
    office.answer(Reason.REPLIED)
    with office.write() as tx:
        patient.close_answers(tx, the_clinic(tx, "riverside"), "P1")
    assert findings(office) == ()


@pytest.mark.parametrize("older", [False, True])
def test_what_asks_nobody_is_closed_from_the_start_and_only_that(office: Office, backend: str, older: bool) -> None:  # noqa: FBT001 - a row of the table
    if older and backend == "postgresql":
        return  # the words of SQLite
    with office.write() as tx:
        said = Said(AnswerKind.REMIND_LATER, day=dt.date(2026, 3, 10), asks_staff=False)
        add_answer(tx, the_patient(tx, the_clinic(tx, "riverside"), "P1"), said)
    office.plan()
    office.answer(Reason.REPLIED)
    if older:
        forgotten = "UPDATE audit SET details = json_remove(details, '$.asks') WHERE details IS NOT NULL"
        past_the_rules(office.database, [forgotten], triggers=False)
    assert [one.problem for one in findings(office) if "answer" in one.problem] == []
    past_the_rules(office.database, ["UPDATE answers SET closed_at = at"])
    assert ["answer 2: close" in one.problem for one in findings(office) if "answer" in one.problem] == [True]


def test_what_is_booked_again_corrected_or_moved_by_a_person_is_no_finding(office: Office) -> None:
    booking = office.book("2026-03-20", line="face")
    with office.write() as tx:
        book.set_outcome(tx, booking, Outcome.CANCELLED)
    assert office.book("2026-03-20", line="face") == booking
    office.treat(on="2026-01-04", entry="v1")
    office.treat(on="2026-01-05", entry="v2", replaces="v1")  # the two runs meet, and become one
    office.treat(on="2026-01-05", kind=Kind.TOUCH_UP)
    office.void("v2")
    office.erase()
    assert findings(office) == ()


def test_the_codes_of_an_older_key_are_still_known(office: Office) -> None:
    corrected(office)
    office.book("2026-03-20")
    office.answer(Reason.REPLIED)
    newer, older = Keys(b"another pepper of a test"), [office.keys.audit_key]
    for day, count in (("2026-03-20", 0), ("2026-01-10", 1)):
        past_the_rules(office.database, [f"UPDATE appointments SET day = '{day}'"])  # noqa: S608 - a day above
        told = audit(office.database, office.clock, newer, older_keys=older).findings
        assert sum("than the audit trail says" in one.problem for one in told) == count


def test_a_trail_from_before_facts_had_codes_proves_nothing_of_them(office: Office) -> None:
    missed(office)
    if on_postgresql(office.database):
        return  # the words of SQLite
    older = "UPDATE audit SET details = json_remove(details, '$.code', '$.run', '$.noted_on') WHERE details IS NOT NULL"
    past_the_rules(office.database, [older], triggers=False)
    past_the_rules(office.database, ["UPDATE appointments SET day = '2026-02-20', noted_on = '2026-02-20'"])
    past_the_rules(office.database, ["UPDATE treatments SET day = '2026-01-04'"])
    assert not any("than the audit trail says" in one.problem for one in findings(office))


def test_the_trail_holds_no_day_and_no_line_of_a_fact(office: Office) -> None:
    office.add_patient("P2")
    office.treat("P2")
    booked(office)
    office.book("2026-03-20", "P2", line="face")
    assert told(office.database, office.clock.now(), "treatment", "code")
    assert len(told(office.database, office.clock.now(), "appointment", "code")) == 2


def told(database: Database, now: dt.datetime, subject: str, name: str) -> set[object]:
    """Return the codes that the trail holds of such facts, each another one."""
    with database.read(now) as tx:
        found = entries(tx, subject=subject, action="add")
    assert not any("2026" in str(entry.details) or "face" in str(entry.details) for entry in found)
    codes = [entry.told[name] for entry in found]
    assert len(set(codes)) == len(codes)
    return set(codes)
