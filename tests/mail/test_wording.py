"""The words that follow from the facts: days, the window, numbers to call, ways to ask and to stop, who is greeted."""

import datetime as dt
import html
import re

import pytest
from babel.dates import format_date

from reminders.mail.message import Jurisdiction, MessageFacts, MessageLinks
from reminders.mail.wording import day_in_words, emergency_number, window_in_words
from reminders.mail.words import LANGUAGES, words
from tests.mail.letters import LINKS, NO_LINKS, RENDERER, STEPS, bare, facts

FIRST, LAST = dt.date(2027, 3, 3), dt.date(2027, 6, 3)
ISOLATED = "\u2068{}\u2069"


def text_of(shown: MessageFacts, links: MessageLinks = LINKS) -> str:
    return " ".join(RENDERER.render(shown, links).text.split())


@pytest.mark.parametrize(
    ("language", "jurisdiction", "said"),
    [
        ("en", "us", "March 3, 2027"),
        ("en", "uk", "3 March 2027"),
        ("en", "au", "3 March 2027"),
        ("en", None, "3 March 2027"),
        ("es", "us", "3 de marzo de 2027"),
        ("fr", "eu", "3 mars 2027"),
        ("de", "us", "3. März 2027"),
        ("pl", "eu", "3 marca 2027"),
        ("pt", "us", "3 de março de 2027"),
        ("pt", "eu", "3 de março de 2027"),
        ("ar", "eu", "3 مارس 2027"),
    ],
)
def test_days_are_written_as_their_readers_write_them(
    language: str, jurisdiction: Jurisdiction | None, said: str
) -> None:
    assert day_in_words(FIRST, language, jurisdiction) == said


def test_the_first_of_a_month_is_an_ordinal_where_readers_know_no_other() -> None:
    day = dt.date(2027, 3, 1)
    assert day_in_words(day, "fr", "eu") == "1er mars 2027"
    assert day_in_words(day, "pt", "us") == "1º de março de 2027"
    assert day_in_words(dt.date(2027, 3, 11), "fr", None) == "11 mars 2027"
    for language in ("es", "de", "pl", "ar"):
        assert day_in_words(day, language, "eu") == format_date(day, "long", locale=language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_window_stands_in_words_with_both_its_days(language: str) -> None:
    for is_open in (False, True):
        said = window_in_words(facts(language=language, window_is_open=is_open))
        assert [day_in_words(day, language, "uk") in said for day in (FIRST, LAST)] == [True, True]


def test_the_window_never_offers_a_day_before_it_opens() -> None:
    assert window_in_words(facts()) == "The earliest day is 3 March 2027, and you can come until 3 June 2027."
    opened = window_in_words(facts(window_is_open=True))
    assert opened == "You can come until 3 June 2027. The earliest day was 3 March 2027."


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("is_open", [True, False])
def test_a_medical_message_leaves_the_timing_to_the_clinician(language: str, *, is_open: bool) -> None:
    shown = facts(language=language, class_name="medical", window_is_open=is_open)
    said = window_in_words(shown)
    assert day_in_words(FIRST, language, "uk") in said
    assert day_in_words(LAST, language, "uk") not in text_of(shown)


def test_a_medical_window_reads_well_before_and_after_it_opens() -> None:
    said = [window_in_words(facts(class_name="medical", window_is_open=is_open)) for is_open in (False, True)]
    assert said == [
        "Your clinician sets the timing. The earliest day is 3 March 2027.",
        "Your clinician sets the timing. A visit has been possible since 3 March 2027.",
    ]


@pytest.mark.parametrize(
    ("jurisdiction", "country", "number"),
    [
        *(("us", None, "911"), ("uk", None, "999"), ("au", None, "000"), ("eu", None, "112"), (None, None, None)),
        *((None, "gb", "999"), ("eu", "DE", "112"), ("eu", "NO", "113"), ("us", "CA", "911"), ("us", "BR", "192")),
        *(("eu", "TH", None), (None, "ZZ", None)),
    ],
)
def test_the_emergency_number_is_that_of_the_country(
    jurisdiction: Jurisdiction | None, country: str | None, number: str | None
) -> None:
    assert emergency_number(jurisdiction, country) == number
    rendered = RENDERER.render(facts(jurisdiction=jurisdiction, country=country), LINKS)
    said = f"In an emergency, call {number or 'your local emergency number'}."
    assert said in " ".join(rendered.text.split())
    assert said in rendered.html


@pytest.mark.parametrize("language", LANGUAGES)
def test_where_the_country_is_unknown_no_number_is_named(language: str) -> None:
    said = words("mail", language)["emergency_local"]
    assert re.search(r"\d", said) is None
    assert said in text_of(facts(language=language, jurisdiction=None)).replace("\u00a0", " ") or language == "pl"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_phone_comes_first_then_one_button(language: str) -> None:
    rendered = RENDERER.render(facts(language=language), LINKS).html
    said = words("mail", language)
    assert rendered.count("https://reminders.harbour.example/p/") == rendered.count(html.escape(said["ask"])) == 1
    first, button, page = (
        rendered.index(mark) for mark in ("tel:+442079460018", "example/p/", "https://harbour.example/visit")
    )
    assert first < button < page


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_a_request_link_the_clinics_booking_page_is_the_button(language: str) -> None:
    rendered = RENDERER.render(facts(language=language), NO_LINKS).html
    said = words("mail", language)
    assert rendered.count("https://harbour.example/visit") == rendered.count(html.escape(said["book"])) == 1
    assert html.escape(said["ask"]) + "<" not in rendered


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_clinic_with_nothing_but_an_address_is_asked_and_stopped_by_reply(language: str) -> None:
    text, said = text_of(bare(language=language), NO_LINKS), words("mail", language)
    for key in ("only_reply", "stop_reply", "worried_reply", "not_you"):
        assert " ".join(said[key].format(reply_to="desk@harbour.example").split()) in text
    for key in ("phone_us", "worried_phone", "stop_reply_phone", "not_you_phone", "ask_at", "book_at"):
        assert " ".join(said[key].partition("{")[0].split()) not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_representative_is_told_why_they_get_it_and_not_greeted_as_the_patient(language: str) -> None:
    said = words("mail", language)
    for name, key in (("Odile", "representative_name"), ("", "representative")):
        text = text_of(facts(language=language, recipient_is_representative=True, patient_name=name))
        values = {"clinic": "Harbour Clinic", "name": name}
        if language == "ar":
            values = {field: ISOLATED.format(value) for field, value in values.items()}
        assert " ".join(said[key].format(**values).split()) in text
        assert text.startswith(" ".join(said["hello"].split()))
        assert " ".join(said["why"].partition("{")[0].split()) not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_practitioner_is_named_and_else_the_team(language: str) -> None:
    team = words("mail", language)["our_team"]
    for class_name, stage in STEPS:
        shown = {"class_name": class_name, "stage": stage, "language": language}
        named, unnamed = text_of(facts(**shown)), text_of(facts(**shown, practitioner=None))
        assert named.count("Dr Mary Stone") == unnamed.lower().count(team.lower()) >= 2
        assert team.lower() not in named.lower()


def test_in_right_to_left_text_names_and_numbers_keep_their_own_direction() -> None:
    rendered = RENDERER.render(facts(language="ar"), LINKS)
    for value in ("+44 20 7946 0018", "Odile", "Harbour Clinic", "1 Quay Street, London N1 1AA"):
        assert rendered.text.count(value) == rendered.text.count(ISOLATED.format(value)) > 0
    assert not set(rendered.subject) & set(ISOLATED)
    assert '<bdi dir="ltr">+44 20 7946 0018</bdi>' in rendered.html
    for address in (LINKS.request_url, LINKS.stop_url, "https://harbour.example/visit"):
        assert f"\n{address}\n" in rendered.text


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "ar"])
def test_elsewhere_no_mark_of_direction_stands_in_a_letter(language: str) -> None:
    rendered = RENDERER.render(facts(language=language), LINKS)
    assert not set(rendered.text + rendered.subject + rendered.html) & set("\u2066\u2067\u2068\u2069\u200e\u200f")
