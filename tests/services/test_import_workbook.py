"""XLSX workbooks are read as the same rows a CSV file gives."""

import csv
import datetime as dt
import zipfile

import pytest

from reminders.services.importing.file import NoHeader
from reminders.services.importing.workbook import MAX_UNPACKED, BadWorkbook, HugeWorkbook
from tests.services.import_desk import FACE, Desk, counts, said
from tests.services.import_workbook_file import Cell, write_workbook

HEADER = ("patient_ref", "given_name", "treated_on", "protocol", "consent")


def test_numbers_days_and_ticks_are_read_as_one_would_type_them(desk: Desk) -> None:
    path = write_workbook(
        desk.folder / "visits.xlsx",
        [
            HEADER,
            (1001, "Zoë", dt.date(2026, 3, 4), FACE, True),
            ("1002", "Søren", dt.datetime(2026, 3, 5, 9, 15), FACE, 0),  # noqa: DTZ001 - a spreadsheet knows no zone
            ("1003", "Bo", "25/03/2026", FACE, "yes"),
        ],
    )
    assert counts(desk.bring(path)) == (3, 0, 0, 0)
    assert desk.days("1001") == [(FACE, "2026-03-04", "treatment")]
    assert desk.days("1002") == [(FACE, "2026-03-05", "treatment")]
    assert (desk.patient("1001").consent, desk.patient("1002").consent) == ("granted", "denied")


def test_a_workbooks_own_days_need_no_date_format_whatever_it_says(desk: Desk) -> None:
    rows: list[tuple[Cell, ...]] = [HEADER, (1, "A", dt.date(2026, 3, 4), FACE, 1), (2, "B", "2026-04-03", FACE, 1)]
    path = write_workbook(desk.folder / "visits.xlsx", rows)
    errors = desk.folder / "errors.csv"
    desk.bring(path, date_format="%Y-%d-%m", errors=errors)
    assert desk.days("1") == desk.days("2") == [(FACE, "2026-03-04", "treatment")]


def test_rows_are_numbered_as_the_spreadsheet_shows_them(desk: Desk) -> None:
    rows = [HEADER, (), ("", "Ann", None, None, None), (1, "Bo", None, None, None)]
    report = desk.bring(write_workbook(desk.folder / "v.xlsx", rows, first_row=3))
    assert (report.added, said(report)) == (1, [(5, "patient_ref")])


def test_rejected_rows_of_a_workbook_come_as_csv(desk: Desk) -> None:
    errors = desk.folder / "errors.csv"
    rows: list[tuple[Cell, ...]] = [HEADER, (1, "Zoë", dt.date(2026, 3, 4), "no such thing", 1)]
    desk.bring(write_workbook(desk.folder / "v.xlsx", rows), errors=errors)
    with errors.open(encoding="utf-8-sig", newline="") as file:
        _, row = csv.reader(file)
    assert row[:5] == ["1", "Zoë", "2026-03-04", "no such thing", "1"]
    mended = errors.read_bytes().replace(b"no such thing", FACE.encode())
    assert counts(desk.bring(mended)) == (1, 0, 0, 0)


def test_a_workbook_without_rows_has_no_header(desk: Desk) -> None:
    with pytest.raises(NoHeader):
        desk.bring(write_workbook(desk.folder / "v.xlsx", []))


def test_what_is_packed_but_no_workbook_is_refused(desk: Desk) -> None:
    path = desk.folder / "v.xlsx"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("readme.txt", "no workbook")
    with pytest.raises(BadWorkbook):
        desk.bring(path)


def test_a_workbook_that_unpacks_to_more_than_memory_is_refused_unread(desk: Desk) -> None:
    path = write_workbook(desk.folder / "v.xlsx", [HEADER])
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/bomb.xml", b"0" * (MAX_UNPACKED + 1))
    with pytest.raises(HugeWorkbook):
        desk.bring(path)
