"""Which language a person or a file means: codes in their spellings, names in several languages, and what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminders.mail.languages import language_named, language_tag
from reminders.mail.words import LANGUAGES


@pytest.mark.parametrize(
    ("typed", "tag"),
    [
        ("en", "en"),
        ("EN", "en"),
        (" en-gb ", "en-GB"),
        ("pt_BR", "pt-BR"),
        ("en-UK", "en-GB"),
        ("es-419", "es-419"),
        ("ZH-hant-tw", "zh-Hant-TW"),
        ("ger", "de"),
        ("eng", "en"),
        ("iw", "he"),
        ("nl", "nl"),
    ],
)
def test_a_code_is_written_as_the_standard_writes_it(typed: str, tag: str) -> None:
    assert language_tag(typed) == tag
    assert language_named(typed) == tag


@pytest.mark.parametrize(
    "typed", ["", "e", "en-", "-", "xx", "en-XX", "12", "english!", "en-US-u-ca-buddhist", "sl-rozaj", "e1", "🙂"]
)
def test_what_is_no_code_is_none(typed: str) -> None:
    assert language_tag(typed) is None


@pytest.mark.parametrize(
    ("said", "tag"),
    [
        *(("English", "en"), ("ENGLISH", "en"), ("English (UK)", "en"), ("anglais", "en"), ("Englisch", "en")),
        *(("Español", "es"), ("espanol", "es"), ("castellano", "es"), ("Spanish", "es"), ("hiszpański", "es")),
        *(("français", "fr"), ("Francais", "fr"), ("French", "fr"), ("deutsch", "de"), ("German", "de")),
        *(("polski", "pl"), ("Polish", "pl"), ("português", "pt"), ("Portuguese (Brazil)", "pt")),
        *(("Brazilian Portuguese", "pt-BR"), ("العربية", "ar"), ("Arabic", "ar"), ("arabe", "ar"), ("Türkçe", "tr")),
        *(("Dutch", "nl"), ("italiano", "it"), ("  русский ", "ru")),
    ],
)
def test_a_name_is_read_in_common_spellings(said: str, tag: str) -> None:
    assert language_named(said) == tag


@pytest.mark.parametrize("said", ["the usual", "?", "n/a", "both", "x" * 1_000, "(English)"])
def test_what_names_no_language_is_none(said: str) -> None:
    assert language_named(said) is None


@given(st.text(max_size=80))
def test_anything_typed_is_read_or_refused_and_never_breaks(text: str) -> None:
    for tag in (language_tag(text), language_named(text)):
        assert tag is None or (len(tag) <= 16 and language_tag(tag) == tag)


def test_the_seven_languages_are_known_by_their_codes() -> None:
    assert [language_tag(code) for code in LANGUAGES] == list(LANGUAGES)
