"""Each promise about whole tables is broken on purpose, and the audit finds it."""

import datetime as dt

import pytest

from reminders.services.erase import erase
from reminders.services.plan import plan_everyone
from tests.services.delivered import INVITED, House


@pytest.fixture
def crowd(new_house: House) -> House:
    """Return a clinic with 60 patients whose invitations were due a week ago, and which did nothing since."""
    for number in range(60):
        new_house.treat(str(number))
    new_house.clock.at = INVITED + dt.timedelta(days=7)
    return new_house


def test_a_backlog_that_grew_while_nothing_ran_breaks_no_promise(crowd: House) -> None:
    assert crowd.broken(7) == []


def test_a_backlog_held_by_the_rule_breaks_no_promise(crowd: House) -> None:
    assert plan_everyone(crowd.database, crowd.clock).backlog_held == 60
    assert crowd.broken(7) == []


def test_a_backlog_that_is_planned_although_the_rule_was_asked_is_found(crowd: House) -> None:
    crowd.treat("1000", on="2026-05-20")
    crowd.tamper(
        "UPDATE reminders SET state = 'planned', reason = NULL, updated_at = created_at WHERE reason = 'backlog_hold'"
    )
    assert "60 overdue reminders are planned, which the backlog rule should have held" in crowd.broken(7)


def test_what_came_back_to_the_plan_since_the_rule_was_asked_breaks_no_promise(crowd: House) -> None:
    crowd.treat("1000", on="2026-05-20")
    crowd.tamper(
        "UPDATE reminders SET state = 'planned', reason = NULL, updated_at = '2026-05-26 09:15:00.000000'"
        " WHERE reason = 'backlog_hold'"
    )
    assert not any("overdue reminders are planned" in problem for problem in crowd.broken(7))


@pytest.mark.parametrize(
    ("change", "entry"),
    [
        ("UPDATE audit SET actor = 'nobody' WHERE id = 5", 5),
        ("UPDATE audit SET details = '{}' WHERE id = 3", 3),
        ("DELETE FROM audit WHERE id = 7", 7),
    ],
)
def test_a_changed_trail_is_found(house: House, change: str, entry: int) -> None:
    house.tamper(change, drop_triggers=True)
    assert house.broken(10) == [f"entry {entry} of the audit trail is missing, moved or changed"]


def test_a_trail_cut_at_its_end_is_found_by_what_it_no_longer_explains(house: House) -> None:
    house.tamper("DELETE FROM audit WHERE id > (SELECT max(id) - 1 FROM audit)", drop_triggers=True)
    assert house.broken(10) == []
    assert house.broken(2) == ["its row says sent, the audit trail says handed_over"]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE treatments SET ref = 'see 1001@home.test'",
        "INSERT INTO practitioners (clinic_id, name) VALUES (1, '1001@HOME.test')",
        "UPDATE reminders SET last_fault = '550 <1001@home.test> unknown' WHERE id = 1",
        """UPDATE audit SET details = '{"to": "1001@home.test"}' WHERE id = 3""",
    ],
)
def test_an_address_outside_the_two_tables_is_found(house: House, change: str) -> None:
    house.tamper(change, drop_triggers=True)
    assert any(found.startswith("addresses of 1 patients stand in ") for found in house.broken(10))


def test_an_address_of_nobody_and_the_clinics_own_are_no_findings(house: House) -> None:
    house.tamper("UPDATE treatments SET ref = 'desk@linden.test'", "UPDATE clinics SET reply_to = '1001@home.test'")
    assert house.broken(10) == []


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ("UPDATE patients SET given_name = 'Odile'", "the column given_name"),
        ("UPDATE patients SET ref = '1001'", "the ref"),
        ("UPDATE messages SET content = x'78'", "a message"),
        ("UPDATE treatments SET ref = 'v-1001'", "a treatment's ref"),
    ],
)
def test_something_left_of_an_erased_patient_is_found(house: House, change: str, left: str) -> None:
    erase(house.database, house.clock, "linden", "1001")
    assert house.audit().findings == ()
    house.tamper(change)
    assert house.broken(10) == [f"the patient was erased, but {left} is left"]


def test_every_patient_is_looked_at_however_many_there_are(house: House) -> None:
    house.tamper(
        "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 450)"
        " INSERT INTO patients (id, clinic_id, ref, consent, status, created_at)"
        " SELECT i, 1, 'r' || i, 'granted', 'active', '2026-03-02 09:00:00.000000' FROM n",
        "UPDATE reminders SET state = 'lost' WHERE id = 2",
    )
    report = house.audit()
    assert report.checked["patients"] == 450
    assert {found.problem for found in report.findings if found.reminder_id == 2} == {
        "its row says lost, the audit trail says planned",
        "its state is none of the product's",
    }
    unheard_of = [found for found in report.findings if "knows of nobody who entered it" in found.problem]
    assert len(unheard_of) == 449
