"""Languages as they are typed: which are taken, which refused, and what is said where mail is not written in one."""

import pytest

from tests.cli.desk import CLINIC, OF, PATIENT, Desk

SEVEN = "choose one of en, es, fr, de, pl, pt, ar"
SAID = "Messages cannot be written in nl-BE: this patient gets them in the clinic's language (fr)."


def test_a_patient_of_another_language_is_enrolled_and_it_is_said_in_which_they_are_written_to(new_desk: Desk) -> None:
    new_desk.run(*CLINIC, "--language", "fr")
    assert SAID in new_desk.run(*PATIENT, "--language", "NL_be").splitlines()
    assert SAID in new_desk.run("patient", "show", *OF).splitlines()
    assert new_desk.json("patient", "show", *OF)["language"] == "nl-BE"
    assert "cannot be written" not in new_desk.run("patient", "set", *OF, "--language", "pt-BR")


def test_no_word_is_lost_on_a_language_in_which_mail_is_written(new_desk: Desk) -> None:
    new_desk.run(*CLINIC)
    assert "language" not in new_desk.run(*PATIENT, "--language", "ar")


@pytest.mark.parametrize("language", ["klingon", "xx", "English", "en-XX", "1", "e" * 99])
def test_what_is_no_language_is_refused_for_a_patient(desk: Desk, language: str) -> None:
    said = desk.fails(3, "patient", "set", *OF, "--language", language)
    assert "--language: there is no such language; write a code such as en or pt-BR." in said


@pytest.mark.parametrize("language", ["nl", "ja-JP"])
def test_a_clinic_needs_a_language_in_which_mail_is_written(desk: Desk, language: str) -> None:
    assert SEVEN in desk.fails(3, "clinic", "set", "north", "--language", language)


def test_a_clinics_language_is_kept_as_the_standard_writes_it(desk: Desk) -> None:
    desk.run("clinic", "set", "north", "--language", "PT_br")
    [clinic] = desk.json("clinic", "list")
    assert clinic["language"] == "pt-BR"
