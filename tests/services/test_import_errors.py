"""The file of rejected rows: it can be mended and imported, and no spreadsheet computes it."""

import csv
import stat
from pathlib import Path

import pytest

from reminders.services.importing.errors import ErrorFileUnwritable
from tests.services.import_desk import Desk, counts, said, visit


def cells(path: Path, delimiter: str = ",") -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file, delimiter=delimiter))


def test_the_error_file_holds_the_rejected_rows_as_they_were_and_why(desk: Desk) -> None:
    errors = desk.folder / "errors.csv"
    text = "Nr;patient_ref;treated_on;protocol;Notes\n1;1;03/04/2026;filler-lips;äöü\n2;2;;;\n3;3;2026-02-30;botox;x\n"
    assert counts(desk.bring(text.encode("cp1252"), errors=errors)) == (1, 0, 0, 2)
    header, first, second = cells(errors, ";")
    assert header == ["Nr", "patient_ref", "treated_on", "protocol", "Notes", "problem"]
    assert first[:5] == ["1", "1", "03/04/2026", "filler-lips", "äöü"]
    assert first[5].startswith("treated_on: ")
    assert second[5].count(": ") >= 2
    assert errors.read_bytes().startswith(b"\xef\xbb\xbf")
    assert stat.S_IMODE(errors.stat().st_mode) == 0o600


def test_mending_the_error_file_and_importing_it_works(desk: Desk) -> None:
    errors = desk.folder / "errors.csv"
    desk.rows(visit("1"), visit("2") | {"treated_on": "03/04/2026"}, visit("=3"), errors=errors)
    mended = errors.read_text(encoding="utf-8-sig").replace("03/04/2026", "2026-04-03").replace("'=3", "3")
    report = desk.bring(desk.file(mended), errors=errors)
    assert counts(report) == (2, 0, 0, 0)
    assert report.ignored_columns == ()
    assert desk.days("2") == [("botulinum-cosmetic", "2026-04-03", "treatment")]
    assert len(cells(errors)) == 1


def test_the_error_file_unmended_is_rejected_the_same_way(desk: Desk) -> None:
    errors, again = desk.folder / "errors.csv", desk.folder / "again.csv"
    bad = 'patient_ref,given_name,consent\n=2,+Bo(),yes\n3,"Cy,no\n4,"D"y,no\n5,Ed,no,more\n\'=6,,\n'
    first = desk.bring(bad, errors=errors)
    second = desk.bring(errors, errors=again)
    assert first.rejected == second.rejected == 5
    assert [problem.problem for problem in second.errors if problem.row != 5] == [
        problem.problem for problem in first.errors if problem.row != 5
    ]
    assert len(cells(again)[0]) == 4


def test_nothing_in_an_error_file_is_computed_by_a_spreadsheet(desk: Desk) -> None:
    errors = desk.folder / "errors.csv"
    bad = ["=cmd|' /C calc'!A0", "@SUM(1)", "+1+cmd()", "-1+cmd()", "\t=1+1"]
    desk.rows(
        *({"patient_ref": value, "given_name": value, "phone": "+44 20 7946 0000"} for value in bad), errors=errors
    )
    for row in cells(errors)[1:]:
        assert not any(cell.strip()[:1] in ("=", "@") for cell in row)
        assert [cell for cell in row if cell[:1] in ("+", "-")] == ["+44 20 7946 0000"]


def test_rows_rejected_while_storing_are_in_the_error_file_too(desk: Desk) -> None:
    errors = desk.folder / "errors.csv"
    desk.rows(visit("1", treatment_ref="A"))
    rows = [visit(ref, treatment_ref=number) for ref, number in ("2A", "3B", "4B")]
    report = desk.rows(*rows, errors=errors)
    assert said(report) == [(2, "treatment_ref"), (4, "treatment_ref")]
    assert [row[0] for row in cells(errors)[1:]] == ["2", "4"]


def test_a_dry_run_writes_the_error_file_and_stores_nothing(desk: Desk) -> None:
    errors = desk.folder / "errors.csv"
    before = desk.everything()
    report = desk.rows(visit("1"), visit("2", protocol="?"), errors=errors, dry_run=True)
    assert (counts(report), report.dry_run) == ((1, 0, 0, 1), True)
    assert len(cells(errors)) == 2
    assert desk.everything() == before


def test_an_error_file_that_cannot_be_written_is_said_before_anything_is_stored(desk: Desk) -> None:
    path = desk.file("patient_ref\n1\n")
    for errors in (desk.folder / "nowhere" / "errors.csv", path):
        with pytest.raises(ErrorFileUnwritable):
            desk.bring(path, errors=errors)
    assert not desk.is_known("1")
    assert path.read_text() == "patient_ref\n1\n"


def test_nothing_is_left_beside_the_error_file(desk: Desk) -> None:
    desk.rows(visit("1", protocol="?"), errors=desk.folder / "errors.csv")
    with pytest.raises(ErrorFileUnwritable):
        desk.rows(visit("1"), errors=desk.folder / "none" / "errors.csv")
    assert list(desk.folder.glob(".*")) == []
