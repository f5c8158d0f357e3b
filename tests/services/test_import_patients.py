"""What a file says of a patient, judged over the whole file and against what is stored: restrictions win."""

import pytest

from reminders.services import patient
from reminders.services.find import the_clinic
from reminders.store import clinics, contacts, patients
from tests.services.import_desk import Desk, ago, counts, said, visit


def test_the_last_value_of_the_file_rules_and_an_empty_cell_changes_nothing(desk: Desk) -> None:
    desk.rows(
        {"patient_ref": "1", "given_name": "Anne", "phone": "+44 20 7946 0000"},
        {"patient_ref": "2", "given_name": "Bo", "phone": ""},
        {"patient_ref": "1", "given_name": "Ann", "phone": ""},
    )
    assert (desk.patient("1").given_name, desk.patient("1").phone) == ("Ann", "+44 20 7946 0000")
    report = desk.rows({"patient_ref": "1", "given_name": "", "phone": "020 7946 0001"})
    assert counts(report) == (0, 1, 0, 0)
    assert (desk.patient("1").given_name, desk.patient("1").phone) == ("Ann", "020 7946 0001")


def test_the_row_that_brings_a_change_counts_as_changed(desk: Desk) -> None:
    desk.rows({"patient_ref": "1", "given_name": "Ann", "phone": ""})
    report = desk.rows(
        {"patient_ref": "1", "given_name": "Ann", "phone": ""},
        {"patient_ref": "1", "given_name": "", "phone": "020 7946 0001"},
    )
    assert counts(report) == (0, 1, 1, 0)


@pytest.mark.parametrize(
    ("word", "consent"),
    [
        ("granted", "granted"),
        ("Yes", "granted"),
        ("Y", "granted"),
        ("TRUE", "granted"),
        ("1", "granted"),
        ("denied", "denied"),
        ("no", "denied"),
        ("N", "denied"),
        ("false", "denied"),
        ("0", "denied"),
        ("existing_customer", "existing_customer"),
        ("unknown", "unknown"),
        ("", "unknown"),
    ],
)
def test_consent_words(desk: Desk, word: str, consent: str) -> None:
    desk.rows({"patient_ref": "1", "consent": word})
    assert desk.patient("1").consent == consent


@pytest.mark.parametrize("words", [("no", "yes"), ("yes", "no"), ("yes", "no", "yes")])
def test_denied_beats_granted_within_a_file(desk: Desk, words: tuple[str, ...]) -> None:
    desk.rows(*({"patient_ref": "1", "consent": word} for word in words))
    assert desk.patient("1").consent == "denied"


@pytest.mark.parametrize("word", ["yes", "existing_customer", "unknown"])
def test_no_file_weakens_a_stored_denial(desk: Desk, word: str) -> None:
    desk.rows({"patient_ref": "1", "consent": "no"})
    assert counts(desk.rows({"patient_ref": "1", "consent": word})) == (0, 0, 1, 0)
    assert desk.patient("1").consent == "denied"


def test_no_file_brings_back_the_dead(desk: Desk) -> None:
    desk.rows({"patient_ref": "1", "status": "deceased"}, {"patient_ref": "1", "status": "active"})
    desk.rows({"patient_ref": "1", "status": "active"})
    assert desk.patient("1").status == "deceased"


def test_an_opt_out_and_a_hold_survive_every_file(desk: Desk) -> None:
    desk.rows(visit())
    with desk.writing() as tx:
        clinic = the_clinic(tx, "clinic")
        patient.change_patient(tx, desk.keys, clinic, "1", patient.PatientChange(opt_out="all"))
        patient.hold_patient(tx, clinic, "1", None, None, "private")
    desk.rows(visit(), visit(days_ago=60), visit(days_ago=1, protocol="filler-lips", email="new@post.example"))
    with desk.reading() as tx:
        assert contacts.opt_outs(tx, desk.patient("1").id) == {"all"}
        assert [hold.ended_at for hold in contacts.holds(tx, desk.patient("1").id)] == [None]
    assert {state for _, state, _ in desk.reminders("1")} == {"cancelled"}


def test_a_changed_address_changes_the_key_it_is_suppressed_under(desk: Desk) -> None:
    desk.rows({"patient_ref": "1", "email": "ann@post.example"})
    before = desk.patient("1").address_key
    desk.rows({"patient_ref": "1", "email": "Ann@new.example"})
    after = desk.patient("1").address_key
    desk.rows({"patient_ref": "1", "representative_email": "mum@post.example"})
    assert len({before, after, desk.patient("1").address_key, None}) == 4


def test_a_broken_optional_value_is_left_out_and_the_row_is_taken(desk: Desk) -> None:
    broken = {
        "email": "ann at post.example",
        "birth_date": "31/02/1980",
        "phone": "see notes",
        "language": "the usual",
        "consent": "perhaps",
        "status": "asleep",
        "given_name": "=1+1",
    }
    report = desk.rows(visit() | broken)
    assert counts(report) == (1, 0, 0, 0)
    assert sorted(warning.column for warning in report.warnings) == sorted(broken)
    assert {warning.row for warning in report.warnings} == {2}
    found = desk.patient("1")
    assert (found.email, found.birth_date, found.given_name, found.consent) == (None, None, None, "unknown")


@pytest.mark.parametrize(
    ("cell", "kept"),
    [
        *(("English", "en"), ("en-GB", "en-GB"), ("EN_gb", "en-GB"), ("deutsch", "de"), ("Español", "es")),
        *(("Portuguese (Brazil)", "pt"), ("العربية", "ar"), ("Dutch", "nl"), ("-", None), ("Gibberish", None)),
    ],
)
def test_a_language_is_read_by_its_code_or_its_name(desk: Desk, cell: str, kept: str | None) -> None:
    report = desk.rows(visit(language=cell))
    assert desk.patient("1").language == kept
    assert [warning.problem for warning in report.warnings] == (
        ["is no language: write en, en-GB or English: left out"] if cell == "Gibberish" else []
    )


def test_no_complaint_repeats_a_name_or_an_address(desk: Desk) -> None:
    report = desk.rows(
        visit(given_name="=Zanzibar()", family_name="Zanzibar\x00", email="zanzibar@@post.example"),
        {"patient_ref": "=Zanzibar()", "treated_on": "Zanzibar", "visit_status": "zanzibar\x00", "kind": "Zanzibar"},
    )
    said_all = " ".join(problem.problem for problem in (*report.errors, *report.warnings))
    assert "zanzibar" not in said_all.casefold()


@pytest.mark.parametrize(
    "address",
    ["none@none.com", "NO@post.example", "reception@post.example", "noemail@post.example", "hello@clinic.example"],
)
def test_a_placeholder_address_is_left_out(desk: Desk, address: str) -> None:
    report = desk.rows(visit(email=address))
    assert desk.patient("1").email is None
    assert [(warning.row, warning.column) for warning in report.warnings] == [(2, "email")]
    assert (report.placeholders, dict(report.unreachable)) == (1, {"no_email": 1})


def test_an_address_of_more_than_five_patients_is_none_of_theirs(desk: Desk) -> None:
    five = [visit(str(n), email="Family@post.example") for n in range(1, 6)]
    assert desk.rows(*five).placeholders == 0
    report = desk.rows(*(visit(str(n), email="desk@post.example") for n in range(11, 17)), visit("11", 50))
    assert report.placeholders == 6
    assert [warning.row for warning in report.warnings] == [2, 3, 4, 5, 6, 7]
    assert desk.patient("11").email == "p11@post.example"
    assert desk.patient("12").email is None


def test_one_person_under_two_numbers_is_reported_and_the_later_is_held(desk: Desk) -> None:
    who = {"family_name": "Ó'Brien", "birth_date": "1980-02-01", "email": "ann@post.example"}
    rows = (visit("1000") | who, visit("999") | who | {"email": "ANN@post.example", "family_name": "ó'brien"})
    report = desk.rows(*rows)
    assert (report.possible_duplicate_count, report.possible_duplicates) == (1, (("1000", "999"),))
    assert [(warning.row, warning.column) for warning in report.warnings] == [(2, "patient_ref")]
    assert {reason for _, _, reason in desk.reminders("1000")} == {"on_hold"}
    assert "on_hold" not in {reason for _, _, reason in desk.reminders("999")}
    assert desk.rows(*reversed(rows)).possible_duplicate_count == 0


def test_a_hold_on_a_possible_duplicate_that_staff_ended_does_not_come_back(desk: Desk) -> None:
    who = {"family_name": "Moss", "birth_date": "1980-02-01", "email": "ann@post.example"}
    desk.rows(visit("1") | who, visit("2") | who)
    with desk.writing() as tx:
        patient.end_holds(tx, the_clinic(tx, "clinic"), "2", None)
    assert desk.rows(visit("1") | who, visit("2") | who, visit("2", 50) | who).possible_duplicate_count == 0
    with desk.reading() as tx:
        assert [hold.ended_at is None for hold in contacts.holds(tx, desk.patient("2").id)] == [False]


def test_a_possible_duplicate_is_held_once_however_its_name_changes(desk: Desk) -> None:
    who = {"family_name": "Moss", "birth_date": "1980-02-01", "email": "ann@post.example"}
    desk.rows(visit("1") | who, visit("2") | who)
    desk.rows(*(visit(ref) | who | {"family_name": "Moss-Hall"} for ref in "12"))
    with desk.reading() as tx:
        assert [len(contacts.holds(tx, desk.patient(ref).id)) for ref in "12"] == [0, 1]


def test_a_possible_duplicate_of_a_stored_patient_is_held(desk: Desk) -> None:
    who = {"family_name": "Moss", "birth_date": "1980-02-01", "email": "ann@post.example"}
    desk.rows(visit("2") | who)
    report = desk.rows(visit("1") | who)
    assert report.possible_duplicates == (("1", "2"),)


def test_the_report_counts_who_cannot_be_reached(desk: Desk) -> None:
    report = desk.rows(
        visit("1"),
        visit("2", consent="no"),
        visit("3", consent=""),
        visit("4", email=""),
        visit("5", birth_date=ago(365 * 17)),
        visit("6", status="deceased"),
        visit("7", status="inactive"),
        visit("8", consent="", protocol="botulinum-migraine"),
        {"patient_ref": "9", "email": "nine@post.example"},
    )
    assert report.unreachable == {"no_consent": 3, "no_email": 1, "under_age": 1, "deceased": 1, "inactive": 1}
    assert report.consent_unknown == 2


def test_a_patient_whose_reminders_only_wait_can_be_reached(desk: Desk) -> None:
    desk.rows(visit("1"))
    with desk.writing() as tx:
        patient.hold_patient(tx, the_clinic(tx, "clinic"), "1", None, None, "private")
    assert desk.rows(visit("1"), visit("2", booked_for=ago(-5))).unreachable == {}


def test_names_hold_any_printable_text(desk: Desk) -> None:
    joined = "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627"
    names = ["Nguyễn", "O’Neill", "d'Arcy", "王小明", "{{ 7*7 }}", "<b>Bo</b>", joined, "Łucja 🙂", "St-John"]
    report = desk.rows(*({"patient_ref": str(n), "given_name": name} for n, name in enumerate(names)))
    assert report.warnings == ()
    assert [desk.patient(str(n)).given_name for n in range(len(names))] == names


def test_names_that_lost_letters_in_the_export_are_counted(desk: Desk) -> None:
    report = desk.rows({"patient_ref": "1", "given_name": "?ucja"}, {"patient_ref": "2", "given_name": "Ann"})
    assert report.lost_letters == 1


def test_a_location_is_known_or_added(desk: Desk) -> None:
    report = desk.rows(
        {"patient_ref": "1", "location": "High Street"}, {"patient_ref": "2", "location": "HIGH  STREET"}
    )
    assert report.new_locations == ("High Street",)
    assert desk.patient("1").location_id == desk.patient("2").location_id is not None


def test_a_patient_who_was_erased_does_not_come_back_under_what_is_left_of_them(desk: Desk) -> None:
    desk.rows(visit("1"))
    erased = desk.patient("1").id
    with desk.writing() as tx:
        patients.erase_patient(tx, erased)
    report = desk.rows({"patient_ref": f"erased-{erased}", "given_name": "Ann"})
    assert said(report) == [(2, "patient_ref")]


def test_too_many_rows_of_one_number_are_turned_away(desk: Desk) -> None:
    report = desk.rows(*({"patient_ref": "1", "phone": f"020 {n}"} for n in range(7_010)))
    assert (report.rejected, report.rows) == (2_010, 7_010)
    assert said(report)[0] == (5_002, "patient_ref")


def test_a_practitioner_whose_name_advertises_is_left_out_and_the_row_is_taken(desk: Desk) -> None:
    with desk.writing() as tx:
        clinics.change_clinic(tx, desk.clinic_id(tx), {"jurisdiction": "uk"})
    report = desk.rows(
        visit("1", practitioner="Nurse Botoxx", given_name="Ann", location="Dysport House"),
        visit("2", practitioner="Ann Lee, wrinkle relaxing injections", given_name="Botox Betty", location=""),
        visit("3", practitioner="Dr Hope Price", given_name="Price", location=""),
    )
    assert counts(report) == (3, 0, 0, 0)
    assert report.new_practitioners == ("Dr Hope Price",)
    assert report.new_locations == ("Dysport House",)
    warned = [(problem.row, problem.column, problem.problem) for problem in report.warnings]
    left_out = {(row, column): problem for row, column, problem in warned}
    assert sorted(left_out) == [(2, "practitioner"), (3, "given_name"), (3, "practitioner")]
    assert left_out[2, "practitioner"] == "holds the name of a botulinum toxin (botox): left out"
    assert "would be held until it is changed" in left_out[3, "given_name"]
    assert "Betty" not in left_out[3, "given_name"]


def test_a_practitioner_whom_the_clinic_has_stays_with_the_row(desk: Desk) -> None:
    with desk.writing() as tx:
        clinics.change_clinic(tx, desk.clinic_id(tx), {"jurisdiction": "uk"})
        clinics.add_practitioner(tx, desk.clinic_id(tx), "Nurse Botox")
    assert desk.rows(visit("1", practitioner="nurse botox")).warnings == ()
    assert desk.treatments("1")[0].practitioner_id is not None


def test_without_a_jurisdiction_no_name_of_a_file_is_left_out(desk: Desk) -> None:
    with desk.writing() as tx:
        clinics.change_clinic(tx, desk.clinic_id(tx), {"jurisdiction": None})
    assert desk.rows(visit("1", practitioner="Nurse Botox")).new_practitioners == ("Nurse Botox",)
