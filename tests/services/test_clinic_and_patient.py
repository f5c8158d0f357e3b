"""What the front desk records of clinics and patients: checked as a whole, obeyed by the plan at once."""

import datetime as dt
from typing import Any

import pytest

from reminders.domain.facts import Status
from reminders.domain.lifecycle import Reason, State
from reminders.errors import BadInput
from reminders.services import clinic, decide, patient
from reminders.services.book import AppointmentOutOfReach
from reminders.services.calendar import UnknownCountry
from reminders.services.erase import erase
from reminders.services.find import NoSuchLine, NoSuchPatient, NoSuchPractitioner, the_clinic
from reminders.services.patient import NoSuchHold, NotOptedOut, PatientChange, PatientExists, StaysDeceased
from reminders.services.typed import BadValue
from reminders.store import clinics, patients
from tests.support.clinic import Office
from tests.support.facts import day, utc


@pytest.fixture
def desk(empty_office: Office) -> Office:
    empty_office.add_clinic()
    empty_office.add_patient()
    empty_office.treat()
    return empty_office


def change(desk: Office, ref: str = "P1", **decisions: object) -> None:
    with desk.write() as tx:
        patient.change_patient(tx, desk.keys, the_clinic(tx, "riverside"), ref, PatientChange(**decisions))  # type: ignore[arg-type]


def reasons(desk: Office, ref: str = "P1") -> set[str]:
    return set(desk.states(ref))


@pytest.mark.parametrize(
    "wrong",
    [
        {"timezone": "Europe/Nowhere"},
        {"email": "a@b.example, c@d.example"},
        {"reply_to": "desk"},
        {"name": "Evil\nBcc: x"},
        {"name": "See https://x.example"},
        {"sender_name": "=?utf-8?q?x?="},
        {"name": "Clinic \u202egnol"},
        {"booking_url": "https://h.example:99999/"},
        {"booking_url": "https://[::1"},
        {"send_at": "²3:00"},
        {"phone": "  "},
        {"name": "PayPal <service@paypal.com>"},
        {"sender_name": "evil.dev"},
        {"sender_name": "Riverside or evil.dev"},
        {"name": "evil\u200b.\uff44ev"},
        {"name": "evil。dev"},
        {"sender_name": "Dr.evil.dev"},
        {"sender_name": "www.evil"},
        {"phone": "020 7946 0000 or evil.dev"},
        {"phone": "020 7946 0000 \u202e1234"},
        {"phone": "\u200b"},
        {"name": "\u200b\u200d"},
        {"name": "\u3164"},
        {"sender_name": "\U000e0041\U000e0042"},
        {"address": "1 River Street\n\u2066London\u2069"},
        {"address": "\u3164"},
        {"booking_url": "http://insecure.example"},
        {"booking_url": "javascript:alert(1)"},
        {"jurisdiction": "fr"},
        {"sending_days": "mon,caturday"},
        {"sending_hours": "17:00-09:00"},
        {"sending_hours": "09:00-25:00"},
        {"send_at": "08:00"},
        {"send_at": "17:00"},
        {"daily_limit": 0},
        {"language": "e"},
        {"unknown_consent": "yes"},
        {"region": "SCT"},
    ],
)
def test_a_wrong_setting_stores_no_clinic_at_all(desk: Office, wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        desk.add_clinic("other", **wrong)
    with desk.read() as tx:
        assert [found.slug for found in clinics.all_clinics(tx)] == ["riverside"]


def test_an_unknown_country_is_said_with_what_to_write(desk: Office) -> None:
    with pytest.raises(UnknownCountry, match="ISO 3166"):
        desk.add_clinic("other", country="xx")


@pytest.mark.parametrize("slug", ["", "Has Blank", "UPPER", "ünicode", "a" * 64])
def test_a_slug_is_small_letters_digits_and_dashes(desk: Office, slug: str) -> None:
    with pytest.raises(BadValue, match="small letters"):
        desk.add_clinic(slug)


def test_a_complaint_about_an_address_does_not_repeat_it(desk: Office) -> None:
    with pytest.raises(BadValue) as refused:
        desk.add_patient("P2", email="secret person@hidden")
    assert "secret" not in str(refused.value)
    assert "hidden" not in str(refused.value)


def test_a_public_holiday_of_the_clinics_country_is_a_closed_day(desk: Office) -> None:
    desk.change_clinic(sending_days="mon,tue,wed,thu,fri,sat,sun")
    assert desk.row("follow_up").due_at == utc("2026-05-05 09:00")
    desk.add_patient("P2")
    desk.treat("P2", on="2026-01-04")
    assert desk.row("follow_up", "P2").due_at == utc("2026-05-04 09:00")
    desk.change_clinic(country="gb")
    assert desk.row("follow_up", "P2").due_at == utc("2026-05-05 09:00")  # 4 May 2026 is the early May bank holiday


def test_a_changed_calendar_moves_what_is_planned_in_the_same_transaction(desk: Office) -> None:
    assert desk.row("follow_up").due_at == utc("2026-05-05 09:00")
    desk.change_clinic(send_at="15:30")
    assert desk.row("follow_up").due_at == utc("2026-05-05 14:30")
    with desk.write() as tx:
        clinic.change_clinic(tx, "riverside", {}, closed=[day("2026-05-05")])
    assert desk.row("follow_up").due_at == utc("2026-05-06 14:30")


def test_a_paused_clinic_shows_it_on_what_is_planned_and_sends_again_when_resumed(desk: Office) -> None:
    desk.pause()
    assert reasons(desk) == {"planned clinic_paused"}
    desk.pause(paused=False)
    assert reasons(desk) == {"planned"}


def test_a_patient_is_enrolled_once_under_a_ref(desk: Office) -> None:
    with pytest.raises(PatientExists):
        desk.add_patient("P1")


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": ""},
        {"given_name": "a\x00b"},
        {"family_name": "x" * 501},
        {"consent": "maybe"},
        {"status": "gone"},
        {"birth_date": dt.date(2031, 1, 1)},
        {"birth_date": dt.date(1850, 1, 1)},
        {"representative_email": "two@a.example two@b.example"},
    ],
)
def test_a_wrong_value_enrols_nobody(desk: Office, wrong: dict[str, Any]) -> None:
    if wrong != {"email": ""}:
        with pytest.raises(BadInput):
            desk.add_patient("P2", **wrong)
        with desk.read() as tx:
            assert patients.count(tx) == 1
    else:
        assert desk.add_patient("P2", **wrong).email is None  # no address is no error: it is a reason not to write


def test_a_practitioner_typed_in_must_be_known(desk: Office) -> None:
    with pytest.raises(NoSuchPractitioner):
        desk.add_patient("P2", practitioner="Dr Who")
    assert desk.add_patient("P2", practitioner="dr  jane HART").practitioner_id is not None


def test_another_clinics_patient_cannot_be_named(desk: Office) -> None:
    desk.add_clinic("hillside")
    with pytest.raises(NoSuchPatient):
        desk.change_patient("P1", "hillside", email="thief@x.example")


def test_losing_and_getting_back_an_address_withdraws_and_restores_the_same_reminders(desk: Office) -> None:
    before = [row.id for row in desk.rows("P1")]
    change(desk, given={"email": ""})
    assert reasons(desk) == {"cancelled no_email"}
    change(desk, given={"email": "new@p.example"})
    assert reasons(desk) == {"planned"}
    assert [row.id for row in desk.rows("P1")] == before


def test_an_opt_out_stops_everybody_written_to_at_that_address(desk: Office) -> None:
    desk.add_patient("P2", email="P1@riverside-patients.EXAMPLE")
    desk.treat("P2")
    change(desk, opt_out="cosmetic")
    assert reasons(desk, "P1") == reasons(desk, "P2") == {"cancelled opted_out"}
    change(desk, opt_in="cosmetic")
    assert reasons(desk, "P1") == reasons(desk, "P2") == {"planned"}


def test_an_opt_out_of_one_class_leaves_the_other(desk: Office) -> None:
    desk.treat(protocol="botulinum-migraine")
    change(desk, opt_out="medical")
    by_class = {(row.class_name, row.state) for row in desk.rows("P1")}
    assert by_class == {("cosmetic", State.PLANNED), ("medical", State.CANCELLED)}


def test_a_new_patient_with_a_suppressed_address_is_not_written_to(desk: Office) -> None:
    change(desk, opt_out="all")
    desk.add_patient("P9", email="p1@riverside-patients.example")
    desk.treat("P9")
    assert reasons(desk, "P9") == {"cancelled opted_out"}


def test_a_death_stops_all_and_is_not_undone_in_passing(desk: Office) -> None:
    change(desk, given={"status": "deceased"})
    assert reasons(desk) == {"cancelled deceased"}
    with pytest.raises(StaysDeceased):
        change(desk, given={"status": "active"})
    change(desk, given={"status": "active"}, undo_death=True)
    assert reasons(desk) == {"planned"}
    with desk.read() as tx:
        found = patients.patient_by_ref(tx, the_clinic(tx, "riverside").id, "P1")
    assert found is not None
    assert found.status is Status.ACTIVE


def test_an_own_interval_survives_every_recalculation_and_can_be_taken_back(desk: Office) -> None:
    change(desk, due="14w", line="face")
    assert desk.row("follow_up").window.due == day("2026-04-13")
    desk.change_clinic(send_at="11:00")
    assert desk.row("follow_up").window.due == day("2026-04-13")
    change(desk, due="", line="face")
    assert desk.row("follow_up").window.due == day("2026-05-05")


def test_a_hold_ends_by_itself_on_its_day(desk: Office) -> None:
    desk.hold(until=day("2026-04-01"))
    assert reasons(desk) == {"cancelled on_hold"}
    desk.clock.set(utc("2026-04-01 08:00"))
    desk.plan()
    assert reasons(desk) == {"planned"}


def test_an_open_hold_ends_when_a_person_says_so(desk: Office) -> None:
    desk.hold()
    with desk.write() as tx:
        patient.end_holds(tx, the_clinic(tx, "riverside"), "P1", None)
    assert reasons(desk) == {"planned"}
    with desk.write() as tx, pytest.raises(NoSuchHold):
        patient.end_holds(tx, the_clinic(tx, "riverside"), "P1", None)


def test_a_hold_on_an_unknown_line_or_a_past_day_is_refused(desk: Office) -> None:
    with desk.write() as tx, pytest.raises(NoSuchLine, match="face"):
        patient.hold_patient(tx, the_clinic(tx, "riverside"), "P1", "nose", None, "away")
    with desk.write() as tx, pytest.raises(BadValue, match="after today"):
        patient.hold_patient(tx, the_clinic(tx, "riverside"), "P1", None, day("2026-01-05"), "away")


def test_a_reply_withholds_until_it_is_closed(desk: Office) -> None:
    desk.answer(Reason.REPLIED)
    assert reasons(desk) == {"cancelled replied"}
    with desk.write() as tx:
        patient.close_answers(tx, the_clinic(tx, "riverside"), "P1")
    assert reasons(desk) == {"planned"}


def test_a_filler_of_the_face_does_not_end_the_clock_of_a_toxin_of_the_face(desk: Office) -> None:
    desk.clock.set(utc("2026-01-20 12:00"))
    desk.treat(on="2026-01-20", protocol="filler-face")
    assert {(row.protocol, row.state) for row in desk.rows("P1")} == {
        ("botulinum-cosmetic", State.PLANNED),
        ("filler-face", State.PLANNED),
    }


def test_a_line_named_shortly_is_the_one_the_patient_was_treated_on(desk: Office) -> None:
    desk.book("2026-02-01", line="face")
    desk.treat(protocol="filler-face")
    assert {(row.protocol, row.reason) for row in desk.rows("P1")} == {
        ("botulinum-cosmetic", Reason.BOOKED),
        ("filler-face", None),
    }


def test_a_line_named_shortly_stands_for_both_where_nothing_decides(desk: Office) -> None:
    desk.treat(protocol="filler-face")
    desk.book("2026-02-01", line="face")
    assert {row.reason for row in desk.rows("P1")} == {Reason.BOOKED}


def test_a_line_can_be_named_with_its_group(desk: Office) -> None:
    desk.treat(protocol="filler-face")
    desk.book("2026-02-01", line="filler/face")
    assert {(row.protocol, row.reason) for row in desk.rows("P1")} == {
        ("botulinum-cosmetic", None),
        ("filler-face", Reason.BOOKED),
    }


@pytest.mark.parametrize("on", ["0001-01-01", "2024-12-01", "2029-12-31", "9999-12-31"])
def test_an_appointment_lies_within_reach(desk: Office, on: str) -> None:
    with pytest.raises(AppointmentOutOfReach):
        desk.book(on)


@pytest.mark.parametrize("due", ["-3m", "0d", "400y", "999y9999m", "soon"])
def test_an_own_interval_is_forward_and_within_reach(desk: Office, due: str) -> None:
    with pytest.raises(BadInput):
        change(desk, due=due, line="face")
    assert desk.row("follow_up").window.due == day("2026-05-05")


def test_a_hold_outlasts_a_fact_that_comes_and_goes(desk: Office) -> None:
    with desk.write() as tx:
        decide.hold(tx, [desk.row("invitation").id], "ask the doctor first")
    change(desk, given={"email": ""})
    assert reasons(desk) == {"cancelled no_email"}
    change(desk, given={"email": "new@p.example"})
    assert desk.states("P1") == {"held held_for_review": 1, "planned": 2}
    with desk.write() as tx:
        decide.release(tx, [desk.row("invitation").id])
    change(desk, given={"email": ""})
    change(desk, given={"email": "newer@p.example"})
    assert reasons(desk) == {"planned"}


def test_opting_in_to_all_lifts_every_class_and_to_a_class_leaves_the_other(desk: Office) -> None:
    desk.treat(protocol="botulinum-migraine")
    change(desk, opt_out="cosmetic")
    change(desk, opt_in="all")
    assert reasons(desk) == {"planned"}
    change(desk, opt_out="all")
    change(desk, opt_in="medical")
    by_class = {(row.class_name, row.reason) for row in desk.rows("P1")}
    assert by_class == {("cosmetic", Reason.OPTED_OUT), ("medical", None)}


def test_opting_in_without_an_opt_out_is_said_not_passed_over(desk: Office) -> None:
    with pytest.raises(NotOptedOut):
        change(desk, opt_in="all")


def test_an_opt_in_does_not_lift_what_an_erasure_left(desk: Office) -> None:
    desk.add_patient("P2", email="p1@riverside-patients.example")
    desk.treat("P2")
    erase(desk.database, desk.clock, "riverside", "P1")
    assert reasons(desk, "P2") == {"cancelled opted_out"}
    with pytest.raises(NotOptedOut):
        change(desk, "P2", opt_in="all")
    assert reasons(desk, "P2") == {"cancelled opted_out"}


@pytest.mark.parametrize("code", ["", "Anna moved to Leeds", "x" * 41, "a\x00b"])
def test_a_holds_code_is_a_code_and_no_place_for_names(desk: Office, code: str) -> None:
    with desk.write() as tx, pytest.raises(BadValue, match="short code"):
        patient.hold_patient(tx, the_clinic(tx, "riverside"), "P1", None, None, code)


@pytest.mark.parametrize("name", ["Ann <ann@h.example>", "ann.dev", "\u3164", "Ann \u202egnol"])
def test_a_practitioners_name_is_seen_and_leads_nowhere(desk: Office, name: str) -> None:
    with pytest.raises(BadValue, match="--practitioner") as refused, desk.write() as tx:
        clinic.change_clinic(tx, "riverside", {}, practitioners=[name])
    assert name not in str(refused.value)


@pytest.mark.parametrize(
    "name",
    ["Dr.Weber", "Prof.Dr.med.Weber", "J.Smith", "St.Mary's", "Skin @ Harbour", "No.1 Clinic", "D. E. Vries", "عيادة"],
)
def test_an_ordinary_name_is_no_web_address(desk: Office, name: str) -> None:
    with desk.write() as tx:
        changed, _ = clinic.change_clinic(tx, "riverside", {"name": name})
    assert changed.name == name
