"""What an imported row becomes: a treatment, a touch-up, an appointment, an outcome, or nothing."""

import pytest

from reminders.domain.facts import Kind, Outcome
from reminders.services import book, record
from reminders.services.find import the_clinic
from reminders.services.record import NewTreatment
from tests.services.import_desk import FACE, Desk, ago, counts, day_ago, said, visit


def test_a_row_with_nothing_but_a_number_is_a_patient(desk: Desk) -> None:
    assert counts(desk.rows({"patient_ref": "7"})) == (1, 0, 0, 0)
    assert desk.patient("7").consent == "unknown"


def test_a_completed_visit_is_a_treatment_with_its_plan(desk: Desk) -> None:
    report = desk.rows(visit(days_ago=100, visit_status="Checked Out", practitioner="Dr A. Moss"))
    assert counts(report) == (1, 0, 0, 0)
    assert desk.days("1") == [(FACE, ago(100), "treatment")]
    assert [step for step, state, _ in desk.reminders("1") if state == "planned"]
    assert report.new_practitioners == ("Dr A. Moss",)
    assert report.planned >= 1


@pytest.mark.parametrize("word", ["Completed", "complete", "ATTENDED", "arrived", "checked out", "Paid"])
def test_every_word_for_completed_is_read(desk: Desk, word: str) -> None:
    desk.rows(visit(visit_status=word))
    assert len(desk.treatments("1")) == 1


@pytest.mark.parametrize("word", ["Cancelled", "canceled", "No Show", "no-show", "DNA", "did not attend"])
def test_a_visit_that_did_not_happen_is_neither_treatment_nor_appointment(desk: Desk, word: str) -> None:
    assert counts(desk.rows(visit(visit_status=word))) == (1, 0, 0, 0)
    assert desk.treatments("1") == []
    assert desk.appointments("1") == []


@pytest.mark.parametrize("word", ["Booked", "confirmed", "Scheduled"])
def test_a_booked_visit_to_come_is_an_appointment_of_its_line(desk: Desk, word: str) -> None:
    desk.rows(visit(days_ago=-10, visit_status=word))
    assert desk.bookings("1") == [("face", ago(-10), None)]
    assert desk.treatments("1") == []


def test_another_status_word_is_a_rows_problem(desk: Desk) -> None:
    report = desk.rows(visit(visit_status="Pencilled in"))
    assert counts(report) == (0, 0, 0, 1)
    assert said(report) == [(2, "visit_status")]
    assert not desk.is_known("1")


def test_without_a_status_a_past_row_is_a_treatment_and_a_future_one_an_appointment(desk: Desk) -> None:
    desk.rows(
        visit(days_ago=100), visit(days_ago=0, protocol="filler-lips"), visit(days_ago=-1, protocol="peel-medium")
    )
    assert [protocol for protocol, _, _ in desk.days("1")] == [FACE, "filler-lips"]
    assert desk.bookings("1") == [("peel", ago(-1), None)]


def test_an_empty_status_of_a_past_visit_is_a_rows_problem(desk: Desk) -> None:
    report = desk.rows(visit(visit_status=""), visit("2", visit_status="paid"))
    assert said(report) == [(2, "visit_status")]


def test_a_completed_row_of_a_future_day_is_a_rows_problem(desk: Desk) -> None:
    report = desk.rows(visit(days_ago=-1, visit_status="completed"))
    assert said(report) == [(2, "treated_on")]


def test_a_booked_row_of_a_past_day_is_neither(desk: Desk) -> None:
    desk.rows(visit(days_ago=3, visit_status="booked"))
    assert desk.appointments("1") == []
    assert desk.treatments("1") == []


def test_a_row_may_carry_a_treatment_and_the_next_booking(desk: Desk) -> None:
    desk.rows(visit(booked_for=ago(-30)))
    assert desk.days("1") == [(FACE, ago(100), "treatment")]
    assert desk.bookings("1") == [("face", ago(-30), None)]


def test_a_booking_without_a_service_stands_for_every_line(desk: Desk) -> None:
    desk.rows({"patient_ref": "1", "booked_for": ago(-5)})
    assert desk.bookings("1") == [(None, ago(-5), None)]


@pytest.mark.parametrize(("word", "outcome"), [("no show", "missed"), ("cancelled", "cancelled"), ("paid", "kept")])
def test_a_later_row_of_an_appointment_says_what_became_of_it(desk: Desk, word: str, outcome: str) -> None:
    desk.rows(visit(days_ago=0, visit_status="booked"))
    report = desk.rows(visit(days_ago=0, visit_status=word))
    assert counts(report) == ((1, 0, 0, 0) if word == "paid" else (0, 1, 0, 0))
    assert desk.bookings("1") == [("face", ago(0), outcome)]


def test_an_appointment_made_by_hand_is_the_same_one(desk: Desk) -> None:
    desk.rows({"patient_ref": "1"})
    with desk.writing() as tx:
        clinic = the_clinic(tx, "clinic")
        book.set_outcome(tx, book.add_appointment(tx, clinic, "1", day_ago(-4), "face"), Outcome.CANCELLED)
    row = {"patient_ref": "1", "booked_for": ago(-4), "protocol": FACE}
    assert counts(desk.rows(row)) == (0, 1, 0, 0)
    assert desk.bookings("1") == [("face", ago(-4), None)]
    assert counts(desk.rows(row)) == (0, 0, 1, 0)


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("word", ["canceled", "no show", "completed"])
def test_within_a_file_the_later_row_wins_but_a_visit_took_place_however_often_it_is_imported(
    desk: Desk, word: str, order: int
) -> None:
    rows = (visit(days_ago=0, visit_status=word), visit(days_ago=0, visit_status="booked"))[::order]
    desk.rows(visit(days_ago=0, visit_status="booked"))
    desk.rows(*rows)
    rebooked = order == 1 and word != "completed"
    outcome = None if rebooked else {"canceled": "cancelled", "no show": "missed", "completed": "kept"}[word]
    assert desk.bookings("1") == [("face", ago(0), outcome)]
    assert counts(desk.rows(*rows)) == (0, 0, 2, 0)
    assert desk.bookings("1") == [("face", ago(0), outcome)]


@pytest.mark.parametrize("word", ["cancelled", "no show"])
def test_a_booked_row_opens_an_appointment_again_that_had_come_to_nothing(desk: Desk, word: str) -> None:
    booked = (visit(days_ago=60, visit_status="paid"), visit(days_ago=0, visit_status="booked"))
    desk.rows(*booked)
    desk.rows(visit(days_ago=0, visit_status=word))
    assert {state for _, state, _ in desk.reminders("1")} == {"planned"}
    [before] = desk.appointments("1")
    assert counts(desk.rows(*booked)) == (0, 1, 1, 0)
    [after] = desk.appointments("1")
    assert (before.noted_on, after.id, after.outcome, after.noted_on) == (day_ago(0), before.id, None, None)
    assert {reason for _, _, reason in desk.reminders("1")} == {"booked"}
    assert counts(desk.rows(*booked)) == (0, 0, 2, 0)


def test_a_booked_row_does_not_take_back_a_visit_that_was_kept(desk: Desk) -> None:
    rows = [visit(days_ago=0, visit_status=word) for word in ("booked", "completed")]
    for row in rows:
        desk.rows(row)
    assert counts(desk.rows(rows[0])) == (0, 0, 1, 0)
    assert desk.bookings("1") == [("face", ago(0), "kept")]


def test_lines_that_mean_one_appointment_are_judged_together(desk: Desk) -> None:
    desk.rows({"patient_ref": "1"})
    with desk.writing() as tx:
        book.add_appointment(tx, the_clinic(tx, "clinic"), "1", day_ago(-4), "face")
    rows = (
        visit(days_ago=-4, visit_status="cancelled"),
        visit(days_ago=-4, visit_status="booked", protocol="filler-face"),
    )
    desk.rows(*rows)
    assert counts(desk.rows(*rows)) == (0, 0, 2, 0)
    assert desk.bookings("1") == [("face", ago(-4), None)]


def test_a_visit_of_the_same_line_within_28_days_is_a_touch_up_and_reported(desk: Desk) -> None:
    report = desk.rows(visit(days_ago=100), visit(days_ago=86), visit(days_ago=70))
    kinds = [kind for _, _, kind in desk.days("1")]
    assert kinds == ["treatment", "touch_up", "treatment"]
    assert (report.touch_up_count, report.touch_ups) == (1, (3,))
    assert [(warning.row, warning.column) for warning in report.warnings] == [(3, "kind")]


def test_28_days_after_a_treatment_a_visit_is_a_treatment(desk: Desk) -> None:
    desk.rows(visit(days_ago=60), visit(days_ago=32), visit("2", days_ago=60), visit("2", days_ago=33))
    assert [kind for _, _, kind in desk.days("1")] == ["treatment", "treatment"]
    assert [kind for _, _, kind in desk.days("2")] == ["treatment", "touch_up"]


def test_touch_ups_are_found_in_any_order_and_against_what_is_stored(desk: Desk) -> None:
    desk.rows(visit(days_ago=60))
    report = desk.rows(visit(days_ago=33), visit(days_ago=32))
    assert [kind for _, _, kind in desk.days("1")] == ["treatment", "touch_up", "treatment"]
    assert report.touch_ups == (2,)


def test_a_kind_that_the_row_itself_names_is_not_judged(desk: Desk) -> None:
    desk.rows(
        visit(days_ago=60, kind="treatment"), visit(days_ago=40, kind="Treatment"), visit(days_ago=39, kind="review")
    )
    assert [kind for _, _, kind in desk.days("1")] == ["treatment", "treatment", "review"]


def test_two_lines_on_nearby_days_are_no_touch_ups(desk: Desk) -> None:
    report = desk.rows(visit(days_ago=60), visit(days_ago=50, protocol="botulinum-migraine"))
    assert report.touch_up_count == 0


def test_the_key_is_patient_protocol_and_day(desk: Desk) -> None:
    report = desk.rows(visit(), visit())
    assert counts(report) == (1, 0, 1, 0)
    assert len(desk.treatments("1")) == 1


def test_a_treatment_ref_is_the_key_where_there_is_one(desk: Desk) -> None:
    rows = (visit(treatment_ref="A"), visit(treatment_ref="B"))
    assert counts(desk.rows(*rows)) == (2, 0, 0, 0)
    assert counts(desk.rows(*reversed(rows))) == (0, 0, 2, 0)
    assert {row.ref for row in desk.treatments("1")} == {"A", "B"}


def test_a_treatment_ref_belongs_to_one_patient(desk: Desk) -> None:
    report = desk.rows(visit("1", treatment_ref="A"), visit("2", treatment_ref="A"))
    assert said(report) == [(3, "treatment_ref")]
    again = desk.rows(visit("3", treatment_ref="A"))
    assert said(again) == [(2, "treatment_ref")]
    assert not desk.is_known("2")
    assert not desk.is_known("3")


def test_a_ref_that_is_recorded_for_another_day_stays_and_is_reported(desk: Desk) -> None:
    desk.rows(visit(days_ago=100, treatment_ref="A"))
    report = desk.rows(visit(days_ago=50, treatment_ref="A"))
    assert counts(report) == (0, 0, 1, 0)
    assert [(w.row, w.column) for w in report.warnings] == [(2, "treatment_ref")]
    assert desk.days("1") == [(FACE, ago(100), "treatment")]


def test_a_voided_entry_keeps_its_key(desk: Desk) -> None:
    rows = (visit(days_ago=100), visit(days_ago=50, treatment_ref="B"))
    desk.rows(*rows)
    with desk.writing() as tx:
        clinic = the_clinic(tx, "clinic")
        record.void_treatment(tx, clinic, record.treatment_by(tx, clinic, ref="B"), "wrong patient")
        first = record.treatment_by(tx, clinic, patient="1", protocol=FACE, day=day_ago(100))
        record.void_treatment(tx, clinic, first, "wrong patient")
    assert counts(desk.rows(*rows)) == (0, 0, 2, 0)
    assert desk.treatments("1") == []


def test_a_visit_after_a_voided_treatment_is_no_touch_up(desk: Desk) -> None:
    desk.rows(visit(days_ago=100))
    with desk.writing() as tx:
        clinic = the_clinic(tx, "clinic")
        found = record.treatment_by(tx, clinic, patient="1", protocol=FACE, day=day_ago(100))
        record.void_treatment(tx, clinic, found, "wrong patient")
    assert desk.rows(visit(days_ago=90)).touch_up_count == 0


def test_an_entry_without_a_number_stands_for_one_visit_with_a_number(desk: Desk) -> None:
    desk.rows(visit())
    rows = (visit(treatment_ref="A"), visit(treatment_ref="B"))
    assert counts(desk.rows(*rows)) == (1, 0, 1, 0)
    assert counts(desk.rows(*rows)) == (0, 0, 2, 0)


def test_a_treatment_on_the_day_that_a_corrected_one_left_begins_a_new_run(desk: Desk) -> None:
    desk.rows(visit(days_ago=100, treatment_ref="A"))
    with desk.writing() as tx:
        moved = NewTreatment("1", FACE, day_ago(60), ref="B", replaces="A")
        record.add_treatment(tx, the_clinic(tx, "clinic"), moved)
    desk.rows(visit(days_ago=100, treatment_ref="C"), visit(days_ago=60, protocol="botulinum-cosmetic-long"))
    runs = {(row.day, row.ref): row.episode_id for row in desk.treatments("1")}
    assert runs[day_ago(60), "B"] == runs[day_ago(60), None] != runs[day_ago(100), "C"]


def test_a_review_does_not_hide_a_treatment_of_the_same_day(desk: Desk) -> None:
    desk.rows(visit(kind="review"))
    desk.rows(visit(kind="treatment"), visit(kind="review"))
    assert sorted(kind for _, _, kind in desk.days("1")) == ["review", "treatment"]
    assert counts(desk.rows(visit(kind="review"), visit(kind="treatment"))) == (0, 0, 2, 0)


def test_a_practitioner_is_known_whatever_the_case(desk: Desk) -> None:
    desk.rows(visit(practitioner="Dr A. Moss"))
    report = desk.rows(visit(days_ago=50, practitioner="DR  A. MOSS"))
    assert report.new_practitioners == ()
    first, second = desk.treatments("1")
    assert first.practitioner_id == second.practitioner_id


def test_a_practitioner_named_after_a_medicine_is_pointed_out(desk: Desk) -> None:
    report = desk.rows(visit(practitioner="Botox Nurse Bea"), visit("2", practitioner="Dr Price"))
    assert [step for step in report.next_steps if "the name of a practitioner" in step]
    assert not any("Price" in step for step in report.next_steps)


def test_a_practitioner_of_a_row_without_a_visit_is_the_patients_own(desk: Desk) -> None:
    desk.rows({"patient_ref": "1", "practitioner": "Nurse Q."})
    assert desk.patient("1").practitioner_id is not None


def test_a_visit_that_lacks_a_part_is_a_rows_problem(desk: Desk) -> None:
    report = desk.rows(
        visit(protocol=""),
        visit("2") | {"treated_on": ""},
        visit("4", kind="surgery"),
        visit("5") | {"treated_on": "1926-01-01"},
        visit("6") | {"booked_for": "2126-01-01"},
        {"patient_ref": "", "given_name": "Ann"},
    )
    columns = ["protocol", "treated_on", "kind", "treated_on", "booked_for", "patient_ref"]
    assert said(report) == list(enumerate(columns, start=2))


def test_a_booked_visit_needs_its_day(desk: Desk) -> None:
    report = desk.rows(
        {"patient_ref": "3", "visit_status": "booked"}, {"patient_ref": "4", "visit_status": "cancelled"}
    )
    assert said(report) == [(2, "booked_for")]


def test_a_kind_of_visit_is_kept(desk: Desk) -> None:
    desk.rows(visit(kind="touch-up"))
    assert desk.treatments("1")[0].kind is Kind.TOUCH_UP
    assert desk.treatments("1")[0].episode_id is None
