"""What keeps messages back is loosened in its row: the audit finds it before planning and after it."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from reminders.services.audit import audit
from reminders.services.finding import Finding
from reminders.services.guarding.lock import Because, lock
from reminders.store import installation, patients
from reminders.store.audit_trail import entries
from tests.support.clinic import INVITED_AT, Office
from tests.support.guarded import Guarded
from tests.support.tampering import on_postgresql, past_the_rules

Restrict = Callable[[Office], object]


def findings(office: Office) -> tuple[Finding, ...]:
    return audit(office.database, office.clock, office.keys).findings


def wished(**given: Any) -> Restrict:  # noqa: ANN401 - handed to the office as they are
    return lambda office: office.change_patient(**given)


def held(office: Office) -> None:
    office.hold(dt.date(2026, 9, 5))


LOOSENED: Mapping[str, tuple[Restrict, str, str]] = {
    "deceased": (wished(status="deceased"), "patients SET status = 'active'", "status"),
    "inactive": (wished(status="inactive"), "patients SET status = 'active'", "status"),
    "denied": (wished(consent="denied"), "patients SET consent = 'granted'", "consent"),
    "customer": (wished(consent="denied"), "patients SET consent = 'existing_customer'", "consent"),
    "unknown": (wished(consent="unknown"), "patients SET consent = 'granted'", "consent"),
    "minor": (wished(birth_date=dt.date(2012, 1, 1)), "patients SET birth_date = NULL", "birth_date"),
    "grown": (wished(birth_date=dt.date(2012, 1, 1)), "patients SET birth_date = '1980-01-01'", "birth_date"),
    "hold": (held, "holds SET until = '2026-01-06'", "hold 1"),
    "its line": (held, "holds SET line = 'sweat'", "hold 1"),
    "clinic": (wished(consent="unknown"), "clinics SET unknown_consent = 'existing_customer'", "unknown consent"),
}


@pytest.mark.parametrize("name", LOOSENED)
def test_a_loosened_restriction_is_found_before_it_is_planned_and_after(office: Office, name: str) -> None:
    restrict, sql, told = LOOSENED[name]
    restrict(office)
    assert findings(office) == ()
    past_the_rules(office.database, [f"UPDATE {sql}"])
    for _ in range(2):
        found = [one for one in findings(office) if one.promise == 4]
        assert any(told in one.problem for one in found), found
        assert not any("reminders plan" in one.advice for one in found)
        office.plan()


BORROWED = "(SELECT {} FROM patients WHERE ref = 'P2')"
ADDRESSES: Mapping[str, tuple[str, str]] = {
    "another patient's": (BORROWED.format("email"), BORROWED.format("address_key")),
    "none": ("NULL", "NULL"),
}


@pytest.mark.parametrize("whose", ADDRESSES)
def test_an_address_exchanged_together_with_its_hash_is_found_until_a_person_enters_it(
    office: Office, whose: str
) -> None:
    office.add_patient("P2")
    email, key = ADDRESSES[whose]
    past_the_rules(office.database, [f"UPDATE patients SET email = {email}, address_key = {key} WHERE ref = 'P1'"])  # noqa: S608 - words above
    for _ in range(2):
        [found] = [one for one in findings(office) if "the patient's address is not the one" in one.problem]
        assert (found.promise, found.patient_ref) == (4, "P1")
        assert "patient set" in found.advice
        office.plan()
    office.change_patient(email="p1@patients.example")
    assert findings(office) == ()


def test_an_address_that_was_never_entered_is_found(office: Office) -> None:
    office.add_patient("P2", email="")
    borrowed = "email = (SELECT email FROM patients WHERE ref = 'P1'), address_key = (SELECT address_key FROM patients"
    past_the_rules(office.database, [f"UPDATE patients SET {borrowed} WHERE ref = 'P1') WHERE ref = 'P2'"])  # noqa: S608 - words above
    assert [one.patient_ref for one in findings(office) if "the patient's address" in one.problem] == ["P2"]


def test_addresses_that_persons_exchanged_shared_took_away_or_erased_are_no_finding(office: Office) -> None:
    office.add_patient("P2", representative_email="mother@patients.example")
    office.change_patient("P2", email="p1@patients.example")
    office.change_patient("P2", representative_email="")
    office.change_patient(representative_email="p2@patients.example")
    office.change_patient("P2", email="")
    office.change_patient("P2", email="p1@patients.example")
    office.erase("P1")
    assert findings(office) == ()


def test_a_restriction_that_was_taken_back_by_a_person_is_no_finding(office: Office) -> None:
    office.change_patient(status="inactive", consent="denied", birth_date=dt.date(2012, 1, 1))
    office.change_patient(status="active", consent="granted", birth_date=None)
    office.change_clinic(unknown_consent="existing_customer")
    office.change_clinic(unknown_consent="no")
    office.add_patient("P2", birth_date=dt.date(2012, 1, 1))
    office.erase("P2")
    assert findings(office) == ()


OF_THE_CLINIC: Mapping[str, tuple[Restrict, str, int, str, Restrict]] = {
    "resumed": (Office.pause, "paused_at = NULL", 4, "resumed in the row itself", Office.pause),
    "paused": (
        Office.plan,
        "paused_at = '2026-01-05 13:00:00.000000'",
        2,
        "paused in its row itself",
        lambda office: office.pause(paused=False),
    ),
    "starved": (
        Office.plan,
        "daily_limit = 0",
        2,
        "its daily limit",
        lambda office: office.change_clinic(daily_limit=""),
    ),
    "less": (
        lambda office: office.change_clinic(daily_limit="40"),
        "daily_limit = 2",
        2,
        "its daily limit",
        lambda office: office.change_clinic(daily_limit="40"),
    ),
    "more": (
        lambda office: office.change_clinic(daily_limit="40"),
        "daily_limit = NULL",
        7,
        "its daily limit",
        lambda office: office.change_clinic(daily_limit="40"),
    ),
}


@pytest.mark.parametrize("name", OF_THE_CLINIC)
def test_a_pause_or_a_daily_limit_changed_in_its_row_is_found_until_a_person_enters_it(
    office: Office, name: str
) -> None:
    happens, sql, promise, told, mended = OF_THE_CLINIC[name]
    happens(office)
    assert findings(office) == ()
    past_the_rules(office.database, [f"UPDATE clinics SET {sql}"])  # noqa: S608 - words above
    for _ in range(2):
        assert [(one.promise, told in one.problem) for one in findings(office)] == [(promise, True)]
        office.plan()
    mended(office)
    assert findings(office) == ()


def test_a_clinic_that_is_paused_resumed_and_limited_in_order_is_no_finding(office: Office) -> None:
    office.pause()
    office.pause()
    office.pause(paused=False)
    office.change_clinic(daily_limit="40")
    office.add_clinic("elm", daily_limit="5")
    office.change_clinic(name="Riverside", daily_limit="")
    assert findings(office) == ()


def test_a_trail_from_before_codes_were_kept_proves_nothing(office: Office) -> None:
    with office.write() as tx:
        [added] = entries(tx, subject="patient", action="add")
    assert set(added.told) == {"fields", "codes"}
    if on_postgresql(office.database):
        return  # the words of SQLite
    past_the_rules(office.database, ["UPDATE audit SET details = json_remove(details, '$.codes')"], triggers=False)
    past_the_rules(office.database, ["UPDATE patients SET consent = 'denied', status = 'inactive'"])
    past_the_rules(office.database, ["UPDATE clinics SET paused_at = '2026-01-05 13:00:00.000000', daily_limit = 0"])
    assert not any("the row itself" in one.problem or "daily limit" in one.problem for one in findings(office))
    assert not any("is not the one that the audit trail tells of" in one.problem for one in findings(office))


def test_the_trail_holds_no_birth_date_and_another_code_for_each_patient(office: Office) -> None:
    born = dt.date(2012, 1, 1)
    for ref in ("P2", "P3"):
        office.add_patient(ref, birth_date=born)
    with office.write() as tx:
        told = [entry.told["codes"] for entry in entries(tx, subject="patient", action="add")]
    codes = {one["birth_date"] for one in told if isinstance(one, Mapping) and "birth_date" in one}
    assert len(codes) == 2
    assert not any("2012" in str(one) for one in codes)
    assert patients.birth_code(b"key", 1, None) is None


@pytest.mark.parametrize(
    ("locked", "sql"),
    [
        (True, "installation SET locked_at = NULL, locked_because = NULL"),
        (True, "installation SET locked_because = 'clock_ahead'"),
        (True, "installation SET locked_because = 'nonsense'"),
        (True, "installation SET locked_at = NULL"),
        (False, "installation SET locked_at = '2026-01-06 09:00:00.000000', locked_because = 'restored'"),
    ],
)
def test_a_lock_that_was_changed_in_its_row_is_found(guarded: Guarded, locked: bool, sql: str) -> None:  # noqa: FBT001 - a row of the table
    office = guarded.office
    with office.write() as tx:
        assert not locked or lock(tx, Because.RESTORED)
    assert findings(office) == ()
    past_the_rules(office.database, [f"UPDATE {sql}"])
    assert [(one.promise, "the lock on sending" in one.problem) for one in findings(office)] == [(1, True)]


def test_places_that_are_gone_are_found(guarded: Guarded) -> None:
    with guarded.office.write() as tx:
        installation.settle_at(tx, "a home")
    [found] = findings(guarded.office)
    assert (found.promise, "places" in found.problem) == (1, True)


def test_a_lock_that_was_set_and_lifted_in_order_is_no_finding(guarded: Guarded) -> None:
    guarded.clock.set(INVITED_AT)
    with guarded.office.write() as tx:
        lock(tx, Because.COPIED)
        assert not lock(tx, Because.RESTORED)
        installation.unlock(tx, "moved", "new-disk")
    assert findings(guarded.office) == ()
