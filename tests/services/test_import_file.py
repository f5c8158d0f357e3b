"""Files as they come: encodings, delimiters, quoting, damage; and what is refused as a whole."""

import pytest

from reminders.errors import BadInput
from reminders.services.find import NoSuchClinic
from reminders.services.importing.bring_in import ImportRequest, NoSuchFile, bring_in
from reminders.services.importing.columns import DoubledColumn, MappedTwice, MissingColumn, NoSuchColumn
from reminders.services.importing.days import BadDateFormat
from reminders.services.importing.encoding import DamagedText, EmptyFile, NoText
from reminders.services.importing.file import MAX_RECORD, NoHeader, UnreadableHeader
from reminders.services.importing.tally import TooManyNames
from reminders.services.importing.workbook import BadWorkbook
from tests.services.import_desk import Desk, counts, said, visit

PLAIN = "patient_ref,given_name\n1,Zoë\n2,Søren\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-bom", "utf-16-be-bom", "cp1252"])
def test_encodings(desk: Desk, encoding: str) -> None:
    if encoding.endswith("-bom"):
        content = ("\ufeff" + PLAIN).encode(encoding.removesuffix("-bom"))
    else:
        content = PLAIN.encode(encoding)
    assert counts(desk.bring(content)) == (2, 0, 0, 0)
    assert desk.patient("1").given_name == "Zoë"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiters(desk: Desk, delimiter: str) -> None:
    desk.bring(PLAIN.replace(",", delimiter))
    assert desk.patient("2").given_name == "Søren"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_and_a_last_line_without_one(desk: Desk, end: str) -> None:
    assert desk.bring(PLAIN.replace("\n", end).removesuffix(end)).added == 2


def test_the_delimiter_is_the_one_that_finds_the_columns(desk: Desk) -> None:
    desk.bring("given_name;patient_ref;Notes, one, two, three\nAnn;1;a,b,c\n")
    assert desk.patient("1").given_name == "Ann"


def test_a_spreadsheets_own_separator_line_is_obeyed(desk: Desk) -> None:
    report = desk.bring("sep=|\npatient_ref|given_name\n=1|Ann\n2|Bo\n")
    assert said(report) == [(2, "patient_ref")]
    assert desk.patient("2").given_name == "Bo"


def test_one_column_is_enough(desk: Desk) -> None:
    assert desk.bring("patient_ref\n1\n2\n").added == 2


def test_rows_are_numbered_as_a_spreadsheet_does(desk: Desk) -> None:
    report = desk.bring('patient_ref,postal_address,consent\n1,"one\ntwo",yes\n\n=2,,\n,,\n=3,,\n\x1a')
    assert (report.rows, said(report)) == (3, [(4, "patient_ref"), (6, "patient_ref")])
    assert desk.patient("1").postal_address == "one\ntwo"


def test_columns_may_stand_anywhere_in_any_case_under_any_name(desk: Desk) -> None:
    text = "Client ID, EMAIL ,First  Name,Loyalty points\n1,ann@post.example,Ann,7\n"
    report = desk.bring(text, mapping=(("patient_ref", "client id"), ("given_name", "First Name")))
    assert desk.patient("1").given_name == "Ann"
    assert desk.patient("1").email == "ann@post.example"
    assert report.ignored_columns == ("Loyalty points",)


def test_a_column_that_is_mapped_to_another_name_is_not_read_under_its_own(desk: Desk) -> None:
    report = desk.bring("patient_ref,status\n1,Completed\n", mapping=(("visit_status", "status"),))
    assert desk.patient("1").status == "active"
    assert report.warnings == ()


WHOLE: list[tuple[str, bytes, type[BadInput], dict[str, object]]] = [
    ("empty", b"", EmptyFile, {}),
    ("blank", b"\n\n  \n", NoHeader, {}),
    ("only a mark", b"\xef\xbb\xbf", NoHeader, {}),
    ("no header", b"1001,Ann,ann@post.example\n", MissingColumn, {}),
    ("no patient_ref", b"name,email\nAnn,ann@post.example\n", MissingColumn, {}),
    ("nul header", b"patient_ref\0,a\n1,2\n", UnreadableHeader, {}),
    ("utf-16 without mark", PLAIN.encode("utf-16-le"), UnreadableHeader, {}),
    ("damaged utf-8", b"\xef\xbb\xbfpatient_ref\n\xff\xfe\n", DamagedText, {}),
    ("damaged utf-16", b"\xff\xfep\0a\0\0", DamagedText, {}),
    ("pdf", b"%PDF-1.7 ...", NoText, {}),
    ("old excel", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", NoText, {}),
    ("picture", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", MissingColumn, {}),
    ("broken workbook", b"PK\x03\x04garbage", BadWorkbook, {}),
    ("open quote in the header", b'patient_ref,"given\n1,Ann\n', UnreadableHeader, {}),
    ("huge header", b"x" * (MAX_RECORD + 5) + b"\n1\n", UnreadableHeader, {}),
    ("many columns", b"patient_ref" + b",x" * 2000 + b"\n", UnreadableHeader, {}),
    ("doubled", b"patient_ref,email,email\n1,a,b\n", DoubledColumn, {}),
    ("unknown name", PLAIN.encode(), NoSuchColumn, {"mapping": (("surname", "given_name"),)}),
    ("missing column", PLAIN.encode(), MissingColumn, {"mapping": (("email", "E-mail"),)}),
    ("mapped twice", PLAIN.encode(), MappedTwice, {"mapping": (("email", "a"), ("email", "b"))}),
    ("date format", PLAIN.encode(), BadDateFormat, {"date_format": "%H:%M"}),
    ("clinic", PLAIN.encode(), NoSuchClinic, {"clinic": "elsewhere"}),
]


@pytest.mark.parametrize(("content", "error", "options"), [case[1:] for case in WHOLE], ids=[case[0] for case in WHOLE])
def test_what_cannot_be_read_as_a_whole_changes_nothing(
    desk: Desk, content: bytes, error: type[BadInput], options: dict[str, object]
) -> None:
    before = desk.everything()
    with pytest.raises(error) as caught:
        desk.bring(content, **options)
    assert "Ann" not in str(caught.value)
    assert "post.example" not in str(caught.value)
    assert desk.everything() == before


def test_a_file_that_is_not_there(desk: Desk) -> None:
    with pytest.raises(NoSuchFile):
        desk.bring(desk.folder / "none.csv")
    with pytest.raises(NoSuchFile):
        desk.bring(desk.folder)


def test_a_column_of_many_names_is_no_column_of_practitioners(desk: Desk) -> None:
    with pytest.raises(TooManyNames):
        desk.rows(*(visit(str(n), practitioner=f"Person {n}") for n in range(600)))
    assert not desk.is_known("1")


BAD_ROWS: list[tuple[str, str]] = [
    ("too many cells", "bad,Ann,yes,more"),
    ("open quote", 'bad,"Ann,yes'),
    ("quote in the wrong place", 'bad,"An"n,yes'),
    ("overlong", "bad," + "x" * (MAX_RECORD + 1) + ",yes"),
    ("very long", "bad," + "x" * (5 * MAX_RECORD) + ",yes"),
    ("overlong quoted", 'bad,"' + "x" * (3 * MAX_RECORD) + '",yes'),
    ("nul in the key", "b\0d,Ann,yes"),
    ("formula in the key", "=1+1,Ann,yes"),
    ("command in the key", "@SUM(A1),Ann,yes"),
    ("endless key", "x" * 300 + ",Ann,yes"),
    ("no key", ",Ann,yes"),
    ("no key but a dash", "-,Ann,yes"),
]


@pytest.mark.parametrize("bad", [case[1] for case in BAD_ROWS], ids=[case[0] for case in BAD_ROWS])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_bad_row_leaves_the_good_rows_unharmed(desk: Desk, bad: str, place: int) -> None:
    lines = ['1,"Ann ""A"" Moss",yes', "2,Bo,no"]
    lines.insert(place, bad)
    report = desk.bring("patient_ref,given_name,consent\n" + "\n".join(lines) + "\n")
    assert counts(report) == (2, 0, 0, 1)
    assert [problem.row for problem in report.errors] == [place + 2]
    assert desk.patient("1").given_name == 'Ann "A" Moss'


def test_a_line_cut_off_by_the_end_of_the_file_is_not_taken(desk: Desk) -> None:
    report = desk.bring("patient_ref,given_name,consent\n1,Ann,yes\n2,B")
    assert said(report) == [(3, "")]
    assert desk.bring("patient_ref,given_name,consent\n1,Ann\n").unchanged == 1


def test_bytes_that_windows_does_not_know_cost_a_value_not_the_file(desk: Desk) -> None:
    report = desk.bring(b"patient_ref,given_name\n1,Zo\x81\n2,Zo\xeb\n")
    assert [(warning.row, warning.column) for warning in report.warnings] == [(2, "given_name")]
    assert desk.patient("2").given_name == "Zoë"


def test_progress_is_told(desk: Desk) -> None:
    told: list[tuple[str, int, int | None]] = []

    def listen(stage: str, done: int, total: int | None) -> None:
        told.append((stage, done, total))

    bring_in(desk.database, desk.clock, desk.keys, ImportRequest(desk.file(PLAIN), "clinic"), listen)
    assert told == [("check", 2, 2), ("store", 2, 2)]
