"""The files of words and templates themselves: complete in every language, alike in what they fill in, well set."""

import re
from string import Formatter

import pytest

from reminders.mail.words import LANGUAGES, direction, language_of, words, written
from reminders.paths import templates
from reminders.services.catalogue_file import starter_catalogue
from tests.mail.letters import STEPS

OTHERS = [language for language in LANGUAGES if language != "en"]
SPOKEN_ALIKE: set[tuple[str, str]] = set()
"""(language, key) of words that are the same in English; there is none so far."""

NARROW, FIXED = "\u202f", "\u00a0"


def files(language: str) -> dict[str, str]:
    """Return every text of a language as it is written, by where it stands: the frame's words and the templates."""
    found = dict(words("mail", language))
    for class_name, stage in STEPS:
        path = templates() / "email" / class_name / stage / f"{language}.txt"
        found[f"{class_name}/{stage}"] = path.read_text(encoding="utf-8")
    return found


def prose(language: str) -> dict[str, str]:
    """Return the same as its readers see it, each value as a letter."""
    return {
        where: re.sub(r"\{%.*?%\}|^Subject: ", " ", re.sub(r"\{\{.*?\}\}|\{\w+\}", "x", text)).strip()
        for where, text in files(language).items()
    }


@pytest.mark.parametrize("language", OTHERS)
def test_a_language_has_the_same_keys_as_english_and_fills_in_the_same(language: str) -> None:
    theirs, ours = words("mail", language), words("mail", "en")
    assert list(theirs) == list(ours)
    assert [key for key in ours if placeholders(theirs[key]) != placeholders(ours[key])] == []


def placeholders(said: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(said) if name}


@pytest.mark.parametrize("language", OTHERS)
def test_a_languages_templates_show_what_the_english_ones_show(language: str) -> None:
    theirs, ours = files(language), files("en")
    for class_name, stage in STEPS:
        where = f"{class_name}/{stage}"
        assert shown(theirs[where]) == shown(ours[where])
        assert theirs[where].count("\n\n") == ours[where].count("\n\n")


def shown(template: str) -> set[str]:
    return {name.lower() for name in re.findall(r"\{[{%] *(?:if )?(\w+)", template)}


def test_there_is_no_file_of_words_beside_the_languages() -> None:
    names = {path.name for path in (templates() / "words" / "mail").iterdir()}
    assert names == {f"{language}.yaml" for language in LANGUAGES}
    for class_name, stage in STEPS:
        names = {path.name for path in (templates() / "email" / class_name / stage).iterdir()}
        assert names == {f"{language}.txt" for language in LANGUAGES}


@pytest.mark.parametrize("language", OTHERS)
def test_nothing_is_left_in_english(language: str) -> None:
    theirs, ours = files(language), files("en")
    assert {(language, where) for where in ours if theirs[where] == ours[where]} <= SPOKEN_ALIKE


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_are_well_set(language: str) -> None:
    for where, text in prose(language).items():
        assert re.findall(r"  |\.\.\.|--|[\"'`]| $| [.,;]", text) == [], where
        assert text == text.strip(), where


def test_french_has_its_narrow_spaces_and_quotes() -> None:
    for where, text in prose("fr").items():
        assert re.findall(rf"(?<!{NARROW})[?!;»]|«(?!{NARROW})|(?<!{FIXED}):|[“”„]", text) == [], where


@pytest.mark.parametrize(("language", "closing"), [("de", "“"), ("pl", "”")])
def test_german_and_polish_quotes_begin_below_and_end_above(language: str, closing: str) -> None:
    quoted = 0
    for where, text in prose(language).items():
        assert re.findall(r"[„“”«»]", text) == ["„", closing] * text.count("„"), where
        quoted += text.count("„")
    assert quoted


def test_spanish_questions_begin_as_such() -> None:
    for where, text in prose("es").items():
        assert re.findall(r"[¿?¡!]", text) in ([], ["¿", "?"], ["¿", "?"] * 2), where
    assert "¿" in words("mail", "es")["worried"]


def test_arabic_has_its_own_comma_and_question_mark_and_no_latin_letter_but_stop() -> None:
    for where, text in prose("ar").items():
        assert re.findall(r"[,?;]", text) == [], where
        assert re.findall(r"[A-Za-z]+", text.replace("x", "").replace("STOP", "")) == [], where


def test_no_polish_line_can_end_in_a_word_of_one_letter() -> None:
    for where, text in prose("pl").items():
        assert re.findall(r"(?<!\w)[aiouwz] ", text, re.IGNORECASE) == [], where


@pytest.mark.parametrize("language", LANGUAGES)
def test_whoever_is_asked_to_write_stop_reads_that_word(language: str) -> None:
    assert re.search(r"\bSTOP\b", words("mail", language)["stop_reply"])
    assert re.search(r"\bSTOP\b", words("mail", language)["stop_reply_phone"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_starter_protocol_has_the_label_of_each_language(language: str) -> None:
    labels = {(one.class_name, one.label[language]) for one in starter_catalogue()}
    assert labels == {(kind, words("mail", language)[f"label_{kind}"]) for kind in ("cosmetic", "medical")}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (("pt-BR", "en"), "pt"),
        (("DE_at", "en"), "de"),
        (("nl", "fr-CH"), "fr"),
        ((None, "ar"), "ar"),
        (("", None), "en"),
        (("nl", "ja"), "en"),
        (("english",), "en"),
    ],
)
def test_the_first_language_that_is_written_is_taken_else_english(wanted: tuple[str | None, ...], found: str) -> None:
    assert language_of(*wanted) == found


def test_only_the_seven_are_written_and_only_arabic_from_right_to_left() -> None:
    assert LANGUAGES == ("en", "es", "fr", "de", "pl", "pt", "ar")
    assert [language for language in LANGUAGES if direction(language) == "rtl"] == ["ar"]
    assert (written("zh-Hant"), written("es-419"), written("esperanto")) == (None, "es", None)
