"""Each promise is broken on purpose behind the product's back, and the audit finds it; else it finds nothing."""

# ruff: noqa: S608 - the statements are these tests' own

import datetime as dt

import pytest

from reminders.domain.facts import Consent, Status
from reminders.services import clinic
from reminders.store import patients
from reminders.store.audit_trail import record
from tests.services.delivered import INVITED, House
from tests.support.facts import day, utc
from tests.support.kept import keeping, kept_bytes

BEFORE_IT, AFTER_IT = INVITED - dt.timedelta(minutes=1), INVITED + dt.timedelta(minutes=1)
BEFORE, AFTER = "2026-05-01 09:00:00.000000", "2026-05-19 09:11:00.000000"
OF_HER = "clinic_id, patient_id"
HER = "1, 1"


def test_an_undisturbed_clinic_has_no_findings_and_says_what_was_looked_at(house: House) -> None:
    report = house.audit()
    assert report.findings == ()
    assert report.more == 0
    assert report.checked == {"patients": 1, "reminders": 3, "messages": 1, "clinics": 1, "trail_entries": 16}


# promise 1: never twice


def test_a_second_acceptance_of_one_reminder_is_found(house: House) -> None:
    with house.database.write(house.clock.at, "deliver") as tx:
        record(tx, "handed_over", "reminder", 1, clinic_id=1, patient_id=1)
        record(tx, "sent", "reminder", 1, clinic_id=1, patient_id=1)
    assert house.broken(1) == ["after it was sent it became handed_over, which no rule allows"]


def test_an_unknown_message_that_was_sent_again_by_itself_is_found(house: House) -> None:
    with house.database.write(house.clock.at, "rescue") as tx:
        for state in ("claim", "handed_over", "unknown", "planned"):
            record(tx, state, "reminder", 2, clinic_id=1, patient_id=1)
    assert house.broken(1) == ["an unknown message was planned again without a person's word"]


def test_one_message_that_went_out_for_two_reminders_at_two_times_is_found(house: House) -> None:
    house.tamper(
        "UPDATE reminders SET state = 'sent', message_pk = 1, sent_at = due_at, handed_over_at = due_at WHERE id = 2"
    )
    assert house.broken(1) == ["its message went out before, for another reminder"]


def test_two_reminders_of_one_identity_are_found_where_the_constraint_is_gone(house: House) -> None:
    house.tamper(
        "CREATE TABLE copy AS SELECT * FROM reminders",
        "DROP TABLE reminders",
        "ALTER TABLE copy RENAME TO reminders",
        "CREATE TABLE another AS SELECT * FROM reminders WHERE id = 2",
        "UPDATE another SET id = 99",
        "INSERT INTO reminders SELECT * FROM another",
    )
    assert house.broken(1) == ["another reminder has the same identity"]


# promise 2: never lost


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            "DELETE FROM reminders WHERE id = 3",
            "the step last_call of the botulinum-cosmetic due 2026-07-02 is not stored",
        ),
        ("UPDATE reminders SET state = 'sent' WHERE id = 2", "its row says sent, the audit trail says planned"),
        (
            "UPDATE reminders SET state = 'sent' WHERE id = 2",
            "it is sent without sent_at and handed_over_at and message_pk",
        ),
        ("UPDATE reminders SET sent_at = NULL WHERE id = 1", "it is sent without sent_at"),
        ("UPDATE reminders SET state = 'lost' WHERE id = 2", "its state is none of the product's"),
        (
            "UPDATE reminders SET reason = 'booked' WHERE id = 2",
            "it is planned for the reason booked, which is none of",
        ),
        ("UPDATE reminders SET reason = 'mood' WHERE id = 2", "it is planned for the reason mood, which is none of"),
        ("UPDATE reminders SET state = 'held' WHERE id = 2", "it is held for the reason None, which is none of"),
        (
            "UPDATE reminders SET not_after = '2026-05-19 08:00:00.000000' WHERE id = 2",
            "it is still planned after its days",
        ),
        (
            "UPDATE reminders SET state = 'claimed', lease_until = '2026-05-19 09:11:00.000000' WHERE id = 2",
            "it is claimed and its worker is gone",
        ),
    ],
)
def test_a_reminder_that_is_lost_or_claims_too_much_is_found(house: House, change: str, problem: str) -> None:
    house.tamper(change)
    assert any(found.startswith(problem) for found in house.broken(2))


def test_nothing_is_lost_while_its_days_passed_only_minutes_ago(house: House) -> None:
    house.clock.at = utc("2026-08-11 22:50")  # ten minutes before the last day of the second step ends in London
    assert house.broken(2, after=dt.timedelta(minutes=40)) == []
    assert house.broken(2, after=dt.timedelta(hours=1)) == ["it is still planned after its days"]


# promise 3: never outside


@pytest.mark.parametrize(
    ("moment", "problem"),
    [
        ("2026-05-15 10:00:00.000000", "it went out before its moment"),
        ("2026-08-28 10:00:00.000000", "it went out after its last day"),
        ("2026-07-01 23:10:00.000000", "it went out after its last day"),
        ("2026-05-20 03:00:00.000000", "it went out outside the clinic's sending hours"),
        ("2026-05-23 11:00:00.000000", "it went out outside the clinic's sending hours"),
    ],
)
def test_a_message_outside_its_days_or_hours_is_found(house: House, moment: str, problem: str) -> None:
    house.tamper(f"UPDATE reminders SET handed_over_at = '{moment}', sent_at = '{moment}' WHERE id = 1")
    assert problem in house.broken(3)


def test_hours_that_changed_after_a_message_went_out_do_not_make_it_wrong(house: House) -> None:
    house.clock.at = INVITED + dt.timedelta(hours=1)
    with house.database.write(house.clock.at, "cli") as tx:
        clinic.change_clinic(tx, "linden", {"sending_hours": "14:00-16:00"}, closed=[day("2026-05-19")])
    assert house.broken(3) == []


def test_a_window_that_opens_after_it_is_due_is_found(house: House) -> None:
    house.tamper("UPDATE reminders SET due = '2026-05-01' WHERE id = 2")
    assert "a day of its window lies before the window opens" in house.broken(3)


# promise 4: never to the opted-out, the dead, the booked

RESTRICTIONS = {
    "the patient had opted out": f"INSERT INTO opt_outs ({OF_HER}, scope, at) VALUES ({HER}, 'cosmetic', '{{at}}')",
    "the address was suppressed": (
        "INSERT INTO suppressions (clinic_id, address_key, scope, reason, at)"
        " SELECT 1, address_key, 'all', 'bounced_address', '{at}' FROM messages"
    ),
    "there was a hold": f"INSERT INTO holds ({OF_HER}, line, code, at) VALUES ({HER}, 'face', 'x', '{{at}}')",
    "the patient had answered": f"INSERT INTO answers ({OF_HER}, kind, at) VALUES ({HER}, 'replied', '{{at}}')",
    "the patient had asked to be reminded later": (
        f"INSERT INTO answers ({OF_HER}, kind, at, day, lines)"
        f" VALUES ({HER}, 'remind_later', '{{at}}', '2026-06-02', '[\"toxin/face\"]')"
    ),
    "the patient had booked": (
        f"INSERT INTO answers ({OF_HER}, kind, at, lines) VALUES ({HER}, 'booked', '{{at}}', '[\"toxin/face\"]')"
    ),
    "the patient had been treated elsewhere": (
        f"INSERT INTO answers ({OF_HER}, kind, at, day, closed_at)"
        f" VALUES ({HER}, 'treated_elsewhere', '{{at}}', '2026-05-01', '{{at}}')"
    ),
    "an appointment was booked": (
        f"INSERT INTO appointments ({OF_HER}, line, day, created_at) VALUES ({HER}, 'face', '2026-05-20', '{{at}}')"
    ),
    "the patient was erased": "UPDATE patients SET erased_at = '{at}', ref = 'erased-1'",
    "the treatment was entered in error": "UPDATE treatments SET withdrawn_at = '{at}'",
}


@pytest.mark.parametrize("told", RESTRICTIONS)
def test_a_message_sent_although_something_recorded_before_forbade_it_is_found(house: House, told: str) -> None:
    house.tamper(RESTRICTIONS[told].format(at=BEFORE))
    assert house.accused() == [f"it went out although {told}"]


@pytest.mark.parametrize("told", RESTRICTIONS)
def test_what_was_recorded_after_a_message_went_out_does_not_accuse_it(house: House, told: str) -> None:
    house.tamper(RESTRICTIONS[told].format(at=AFTER))
    assert house.accused() == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("status = 'deceased'", "the patient was deceased"),
        ("consent = 'denied'", "the patient's consent was denied"),
    ],
)
def test_a_message_to_somebody_whose_own_row_forbade_it_is_found(house: House, change: str, told: str) -> None:
    house.tamper(f"UPDATE patients SET {change}")
    assert house.accused() == [f"it went out although {told}"]


def test_a_death_recorded_after_the_message_does_not_accuse_it(house: House) -> None:
    with house.database.write(AFTER_IT, "cli") as tx:
        patients.change_patient(tx, 1, {"status": Status.DECEASED, "consent": Consent.DENIED})
    assert house.accused() == []


def test_a_message_to_somebody_treated_again_before_is_found(house: House) -> None:
    house.clock.at = AFTER_IT
    house.treat("1001", on="2026-05-10")
    assert house.accused() == []
    house.tamper(f"UPDATE treatments SET entered_at = '{BEFORE}' WHERE id = 2")
    assert house.accused() == ["it went out although the patient had been treated again"]


@pytest.mark.parametrize(
    "more",
    [
        {"lines": "'[\"toxin/migraine\"]'"},
        {"closed_at": f"'{BEFORE}'"},
        {"withdrawn_at": f"'{BEFORE}'"},
        {"kind": "'remind_later'", "day": "'2026-05-19'"},
        {"kind": "'booked'", "day": "'2026-05-12'"},
        {"kind": "'treated_elsewhere'", "day": "'2026-02-01'"},
    ],
)
def test_an_answer_that_forbade_nothing_accuses_nobody(house: House, more: dict[str, str]) -> None:
    row = {"kind": "'replied'", "at": f"'{BEFORE}'"} | more
    house.tamper(f"INSERT INTO answers ({OF_HER}, {', '.join(row)}) VALUES ({HER}, {', '.join(row.values())})")
    assert house.accused() == []


def test_a_booking_whose_outcome_was_noted_proves_nothing(house: House) -> None:
    house.tamper(RESTRICTIONS["an appointment was booked"].format(at=BEFORE))
    with house.database.write(INVITED - dt.timedelta(days=1), "cli") as tx:
        record(tx, "outcome", "appointment", 1, clinic_id=1, patient_id=1, details={"outcome": "cancelled"})
    assert house.accused() == []


@pytest.mark.parametrize(("reopened", "found"), [(BEFORE_IT, 1), (INVITED, 0), (AFTER_IT, 0)])
def test_a_day_booked_again_accuses_only_what_went_out_later(house: House, reopened: dt.datetime, found: int) -> None:
    house.tamper(RESTRICTIONS["an appointment was booked"].format(at=BEFORE))
    for action, at in (("outcome", BEFORE_IT), ("reopen", reopened)):
        with house.database.write(at, "cli") as tx:
            record(tx, action, "appointment", 1, clinic_id=1, patient_id=1, details={"outcome": None})
    assert len(house.accused()) == found


def test_a_hold_of_another_line_or_one_that_had_ended_does_not_accuse_a_message(house: House) -> None:
    columns = f"INSERT INTO holds ({OF_HER}, line, until, code, at, ended_at) VALUES ({HER}"
    house.tamper(
        f"{columns}, 'migraine', NULL, 'x', '{BEFORE}', NULL)",
        f"{columns}, 'face', NULL, 'x', '{BEFORE}', '2026-05-10 00:00:00.000000')",
        f"{columns}, 'face', '2026-05-19', 'x', '{BEFORE}', NULL)",
    )
    assert house.accused() == []


# promises 5 and 6: never across clinics, never without a consultation


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE reminders SET clinic_id = 2 WHERE id = 2",
        "UPDATE treatments SET clinic_id = 2",
        "UPDATE messages SET clinic_id = 2",
        "UPDATE links SET message_pk = 77",
        "UPDATE reminders SET treatment_id = 2 WHERE id = 2",
        f"INSERT INTO opt_outs (clinic_id, patient_id, scope, at) VALUES (2, 1, 'all', '{AFTER}')",
    ],
)
def test_whatever_refers_into_another_clinic_is_found(house: House, change: str) -> None:
    house.add_clinic("elm")
    house.treat("77", clinic="elm")
    assert house.broken(5) == []
    house.tamper(change)
    assert house.broken(5) != []


@pytest.mark.parametrize("part", ["text", "HTML"])
def test_a_kept_message_without_its_consultation_section_is_found(house: House, part: str) -> None:
    mark = "Your consultation\r\n-----------------\r\n" if part == "text" else 'class=3D"consultation"'
    plain = mark.replace("consultation", "conversation")
    with house.database.read(house.clock.now()) as tx:
        [content] = kept_bytes(tx)
    house.tamper(keeping(content.replace(mark.encode(), plain.encode())))
    assert house.broken(6) == [f"the {part} part has no consultation section"]
