"""A clinic's own service names: mapped, ignored, several in a cell, or unmapped and said so."""

from pathlib import Path

import pytest

from reminders.services.importing.services import UnreadableValues
from tests.services.import_desk import FACE, Desk, ago, counts, said, visit

VALUES = """value,protocol,kind
Anti-Wrinkle,botulinum-cosmetic,
Lip Filler,filler-lips,treatment
Lips + Cheeks,filler-face,
Top Up,botulinum-cosmetic,touch-up
Review,botulinum-cosmetic,review
Consultation,ignore,
"""


def values(desk: Desk, text: str = VALUES) -> Path:
    return desk.file(text)


def test_names_are_mapped_without_regard_to_case_and_blanks(desk: Desk) -> None:
    desk.rows(visit(protocol=" anti-WRINKLE "), visit(days_ago=90, protocol="Top  Up"), values=values(desk))
    assert desk.days("1") == [(FACE, ago(100), "treatment"), (FACE, ago(90), "touch_up")]


@pytest.mark.parametrize("mark", ["+", " + ", ";", "|", "\n", "\r\n", " +; "])
def test_a_cell_may_name_several(desk: Desk, mark: str) -> None:
    report = desk.rows(visit(protocol=f"Anti-Wrinkle{mark}Lip Filler"), values=values(desk))
    assert counts(report) == (1, 0, 0, 0)
    assert sorted(protocol for protocol, _, _ in desk.days("1")) == [FACE, "filler-lips"]


def test_a_name_that_holds_a_separator_may_be_mapped_as_a_whole(desk: Desk) -> None:
    desk.rows(visit(protocol="Lips + Cheeks"), values=values(desk))
    assert [protocol for protocol, _, _ in desk.days("1")] == ["filler-face"]


def test_of_one_day_and_protocol_the_treatment_stands(desk: Desk) -> None:
    desk.rows(visit(protocol="Review + Anti-Wrinkle"), values=values(desk))
    assert desk.days("1") == [(FACE, ago(100), "treatment")]


def test_a_protocols_own_code_needs_no_mapping_but_must_be_exact(desk: Desk) -> None:
    report = desk.rows(visit(), visit("2", protocol="Botulinum-Cosmetic"), values=values(desk))
    assert said(report) == [(3, "protocol")]


def test_unmapped_names_are_listed_once_with_their_rows_and_reject_the_whole_row(desk: Desk) -> None:
    report = desk.rows(
        visit("1", protocol="Gift Voucher"),
        visit("2", protocol="Anti-Wrinkle + Gift Voucher", visit_status="cancelled"),
        visit("3", protocol="Gift Voucher + Glow Bar"),
        visit("4", protocol="Consultation + Consultation"),
        values=values(desk),
    )
    assert report.unmapped_services == (("Gift Voucher", 3), ("Glow Bar", 1))
    assert sorted({row for row, column in said(report) if column == "protocol"}) == [2, 3, 4]
    assert [desk.is_known(ref) for ref in "1234"] == [False, False, False, True]


def test_ignored_services_make_neither_treatment_nor_appointment_but_carry_their_patient(desk: Desk) -> None:
    ahead = visit("2", days_ago=-5, protocol="consultation", booked_for=ago(-9))
    assert desk.rows(visit(protocol="Consultation"), ahead, values=values(desk)).added == 2
    for ref in "12":
        assert desk.treatments(ref) == []
        assert desk.appointments(ref) == []


def test_a_booked_cell_of_two_lines_books_both(desk: Desk) -> None:
    booked = visit(days_ago=-5, protocol="Anti-Wrinkle + Lip Filler", visit_status="booked")
    desk.rows(booked, values=values(desk))
    assert sorted(desk.bookings("1")) == [("face", ago(-5), None), ("lips", ago(-5), None)]


def test_one_treatment_ref_for_two_services_is_stable(desk: Desk) -> None:
    rows = [
        visit(protocol=cell, treatment_ref="R") for cell in ("Anti-Wrinkle + Lip Filler", "Lip Filler;Anti-Wrinkle")
    ]
    desk.rows(rows[0], values=values(desk))
    for row in rows:
        assert counts(desk.rows(row, values=values(desk))) == (0, 0, 1, 0)
    assert len(desk.treatments("1")) == 2


@pytest.mark.parametrize(
    "text",
    [
        "value\nA\n",
        "value,protocol\nA,no-such-protocol\n",
        "value,protocol\nA,\n",
        "value,protocol\n,ignore\n",
        "value,protocol,kind\nA,filler-lips,surgery\n",
        "value,protocol\nA,ignore\na ,filler-lips\n",
        'value,protocol\n"A,ignore\n',
        "value,protocol\nA,peel-light\n",
    ],
)
def test_a_values_file_that_cannot_be_used_changes_nothing(desk: Desk, text: str) -> None:
    with pytest.raises(UnreadableValues):
        desk.rows(visit(), values=values(desk, text))
    assert not desk.is_known("1")


def test_a_values_file_that_is_not_there(desk: Desk) -> None:
    with pytest.raises(UnreadableValues):
        desk.rows(visit(), values=desk.folder / "none.csv")


def test_a_values_file_may_be_made_by_a_spreadsheet(desk: Desk) -> None:
    text = VALUES.replace(",", ";").encode("utf-8-sig")
    desk.rows(visit(protocol="lip filler"), values=desk.file(text))
    assert [protocol for protocol, _, _ in desk.days("1")] == ["filler-lips"]
