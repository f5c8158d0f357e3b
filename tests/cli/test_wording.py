"""What the command line says about words that advertising rules forbid, or frown upon."""

from tests.cli.desk import CLINIC, PATIENT, Desk

NAMED = ("--sender-name", "North Botox Rooms")


def test_a_forbidden_word_is_bad_input_and_enrols_nobody(new_desk: Desk) -> None:
    said = new_desk.fails(3, *CLINIC, "--jurisdiction", "uk", *NAMED)
    assert "--sender-name holds the name of a botulinum toxin (botox), which the advertising rules of" in said


def test_a_doubtful_word_is_pointed_out(new_desk: Desk) -> None:
    said = new_desk.run(*CLINIC, "--jurisdiction", "us", *NAMED)
    assert "Look at this: --sender-name holds the name of a botulinum toxin (botox)" in " ".join(said.split())
    [warning] = new_desk.json("clinic", "set", "north", "--phone", "020 7946 0001")["warnings"]
    assert warning.startswith("--sender-name holds")


def test_a_patient_called_like_a_medicine_is_pointed_out_without_the_name(new_desk: Desk) -> None:
    new_desk.run(*CLINIC, "--jurisdiction", "uk")
    said = new_desk.run(*PATIENT, "--known-as", "Betty Botox")
    assert "Look at this: the name shown in messages holds" in " ".join(said.split())
    assert "Betty" not in said
