"""In which language a patient is written to, and what a protocol is called in it."""

from dataclasses import replace
from pathlib import Path

import pytest

from reminders.mail.compose import parts
from reminders.mail.folder import FolderTransport
from reminders.mail.words import LANGUAGES, words
from reminders.services.find import the_clinic
from reminders.services.letter import label_in
from reminders.services.preview import preview
from reminders.services.typed import BadValue
from tests.support.clinic import INVITED_AT, LINKS, Office
from tests.support.facts import CATALOGUE

FACE = CATALOGUE["botulinum-cosmetic"]


def first_letter(office: Office) -> tuple[str, str]:
    """Return the language and the text of the next message as it would be sent."""
    with office.read() as tx:
        found = preview(tx, office.keys, office.renderer, LINKS, the_clinic(tx, "riverside"), "P1", None)
    assert (found.complaints, found.warnings) == ((), ())
    return dict(found.headers)["Content-Language"], " ".join(found.text.split())


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_patient_is_written_to_in_their_language_from_the_label_to_the_end(office: Office, language: str) -> None:
    office.change_patient(language=language)
    spoken, text = first_letter(office)
    said = words("mail", language)
    assert spoken == language
    for key in ("label_cosmetic", "assessed", "mention", "about"):
        assert " ".join(said[key].split()) in text


@pytest.mark.parametrize(
    ("patient", "clinic", "found"),
    [
        *(("pt-BR", "en", "pt"), ("nl", "fr", "fr"), (None, "de-AT", "de"), ("ja", "en", "en"), ("ar", "pl", "ar")),
        ("", "es-419", "es"),
    ],
)
def test_where_mail_is_not_written_in_it_the_clinics_language_is_taken(
    office: Office, patient: str | None, clinic: str, found: str
) -> None:
    office.change_clinic(language=clinic)
    if patient is not None:
        office.change_patient(language=patient)
    assert first_letter(office)[0] == found


def test_a_changed_language_changes_what_is_sent(office: Office, tmp_path: Path) -> None:
    office.change_patient(language="pl")
    office.clock.set(INVITED_AT)
    assert office.deliver(FolderTransport(tmp_path)).sent == 1
    [kept] = tmp_path.rglob("*.eml")
    assert parts(kept.read_bytes()).text.startswith("Dzień dobry, AdaP1!")


@pytest.mark.parametrize("language", ["nl", "ja", "pt-xx", "klingon", "english"])
def test_a_clinic_cannot_have_a_language_that_mail_is_not_written_in(office: Office, language: str) -> None:
    with pytest.raises(BadValue) as caught:
        office.change_clinic(language=language)
    if language in ("nl", "ja"):
        assert str(caught.value) == "--language: mail is not written in it; choose one of en, es, fr, de, pl, pt, ar."
    assert first_letter(office)[0] == "en"


def test_a_label_in_the_patients_own_variety_comes_first_then_the_language_then_the_products_words() -> None:
    named = replace(FACE, label={"en": "a talk", "pt-BR": "um retorno", "de": "ein Gespräch", "de-AT": "ein Plausch"})
    assert label_in(named, "pt", "pt-BR") == label_in(named, "pt", "pt-PT") == label_in(named, "pt") == "um retorno"
    assert (label_in(named, "de", "de-AT"), label_in(named, "de", "de-CH")) == ("ein Plausch", "ein Gespräch")
    assert label_in(named, "de", "en") == "ein Gespräch"  # the patient's own language is not the letter's
    assert label_in(named, "fr", "fr-CH") == words("mail", "fr")["label_cosmetic"]
    assert label_in(named, "en", "nl") == "a talk"
