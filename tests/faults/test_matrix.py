"""The table of faults in the documents is the one the tests prove."""

from tests.faults.matrix import ROWS
from tests.support import fault_page


def test_every_row_has_a_test_of_its_name_or_says_why_not() -> None:
    proved = fault_page.proofs()
    assert [row.name for row in ROWS if bool(row.missing) == (row.name in proved)] == []
    assert set(proved) <= {row.name for row in ROWS}


def test_the_rows_are_numbered_without_a_gap() -> None:
    assert [row.name for row in ROWS] == [f"F{number:02}" for number in range(1, 48)]


def test_the_page_shows_the_matrix_as_it_is() -> None:
    stands = fault_page.PAGE.read_text(encoding="utf-8")
    assert stands == fault_page.page(stands), "run `make docs`"
