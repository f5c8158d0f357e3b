"""What is filled into a form letter changes nothing that the last look at a message finds."""

import datetime as dt
import functools
from typing import get_args

import pytest
from email_validator import validate_email
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reminders.mail import usual, wording
from reminders.mail.address import is_plain, parse_address
from reminders.mail.advertising import word_lists
from reminders.mail.advertising.jurisdiction import are_silent, findings
from reminders.mail.check import depends_on_names
from reminders.mail.message import Jurisdiction, MessageFacts, OwnTemplate
from reminders.mail.words import LANGUAGES
from tests.mail.letters import LINKS, RENDERER, facts
from tests.mail.templates import with_words

MARK = "Zqxvjkwgzqxvjkwgz"
OFTEN = [
    "Anna",
    "Piotr",
    "José",
    "Maria",
    "Fiona",
    "Viktor",
    "Rose",
    "Will",
    "Grace",
    "Oxana",
    "Philippa",
    "محمد",
    "Иван",
]


@functools.cache
def _pieces_of_terms() -> list[str]:
    """Return words near the lists: terms whole, cut anywhere, doubled, and with a letter wrong."""
    found = set[str]()
    for term in word_lists.lists().terms[::7]:
        for word in term.text.replace("*", "").split():
            if word.isalpha():
                found |= {
                    word,
                    word[: len(word) // 2],
                    word[len(word) // 2 :],
                    word[1:],
                    word + word[-1],
                    f"x{word}",
                    f"{word}a",
                }
    return sorted(word.capitalize() for word in found if len(word) > 1)


@functools.cache
def _surfaces(language: str) -> tuple[str, str]:
    rendered = RENDERER.render(facts(language=language, jurisdiction="eu", patient_name=MARK), LINKS)
    return rendered.text, rendered.html


def _found(surfaces: tuple[str, ...], name: str) -> set[object]:
    shown = {str(at): surface.replace(MARK, name) for at, surface in enumerate(surfaces)}
    return {
        (one.where, one.rule, one.term, one.severity)
        for jurisdiction in (None, "us")
        for one in findings(shown, jurisdiction, spared=[name])
    }


@settings(max_examples=400)
@given(
    name=st.sampled_from(OFTEN)
    | st.deferred(lambda: st.sampled_from(_pieces_of_terms()))
    | st.text(min_size=2, max_size=9),
    language=st.sampled_from(LANGUAGES),
    around=st.sampled_from(
        ["{}", "{}", "bo {}", "{} tox", "an ti {} wrin kle", "not {} guarantee cure", "no risk {} free"]
    ),
)
@example(name="Tox", language="en", around="Hello bo {}, how are you")
def test_a_silent_name_adds_nothing_to_what_the_lists_find(name: str, language: str, around: str) -> None:
    known = usual.name_of(name)
    if known is None or known.form != "0" or not are_silent(name, 1):
        return
    text, html = _surfaces(language)
    surfaces = (text, html) if around == "{}" else (around.format(MARK),)
    assert _found(surfaces, name) == _found(surfaces, MARK)


def test_most_names_are_silent_and_no_term_is() -> None:
    assert [name for name in OFTEN if usual.name_of(name) is None or not are_silent(name, 1)] == []
    single = {term.text for term in word_lists.lists().terms if term.text.isalpha()}
    assert [word for word in single if are_silent(word, 1)] == []


def test_where_a_clinic_is_called_by_a_number_a_name_could_be_read_as_one() -> None:
    plain = facts(clinic_name="Harbour Street Clinic")
    numbered = facts(clinic_name="Only 5 left")
    assert [depends_on_names(RENDERER.render(one, LINKS), one, LINKS) for one in (plain, numbered)] == [False, True]


@pytest.mark.parametrize("words", ["The hotel: on the right.", "Nonetheless, do come.", "The nanny can wait here."])
def test_words_that_a_name_could_cut_in_two_are_seen(words: str) -> None:
    shown = facts(own=OwnTemplate(1, 1, with_words(words)))
    assert depends_on_names(RENDERER.render(shown, LINKS), shown, LINKS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_lists_find_the_same_whatever_days_are_offered(language: str) -> None:
    for jurisdiction in (None, *get_args(Jurisdiction)):
        seen: dict[tuple[bool, str], set[object]] = {}
        for month in range(1, 13):
            for day in (1, 2, 9, 10, 28):
                opens = dt.date(2027, month, day)
                for shown in _windows(language, jurisdiction, opens, opens + dt.timedelta(days=85)):
                    said = f"{wording.consultation_heading(language)}\n{wording.window_in_words(shown)}\n\n{MARK}"
                    here = _found((said,), "Anna")
                    assert seen.setdefault((shown.window_is_open, shown.class_name), here) == here, said


def _windows(language: str, jurisdiction: Jurisdiction | None, opens: dt.date, closes: dt.date) -> list[MessageFacts]:
    return [
        facts(
            language=language,
            jurisdiction=jurisdiction,
            opens=opens,
            closes=closes,
            window_is_open=is_open,
            class_name=name,
        )
        for is_open in (True, False)
        for name in ("cosmetic", "medical")
    ]


@given(
    st.from_regex(r"\A[A-Za-z0-9._+-]{1,8}@[A-Za-z0-9.-]{1,12}\Z")
    | st.from_regex(
        r"\A[a-z0-9]{1,5}([._+-][a-z0-9]{1,5}){0,3}@[a-z0-9-]{1,9}\.(example|test|com|co\.uk|1|local|invalid)\Z"
    )
    | st.emails()
)
@example("a" * 65 + "@home.example")
@example("a@" + "b" * 64 + ".example")
@example("anna@xn--mnchen-3ya.example")
@example("anna@localhost")
def test_a_plain_address_is_one_that_comes_out_as_it_went_in(address: str) -> None:
    if is_plain(address):
        found = validate_email(
            address, check_deliverability=False, test_environment=True, allow_smtputf8=False, strict=True
        )
        assert (found.ascii_email or found.normalized) == parse_address(address) == address
