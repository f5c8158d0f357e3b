"""Whatever a form letter depends on makes another form; whatever the lists could see in a name keeps it out."""

import dataclasses
import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from reminders.mail import usual
from reminders.mail.advertising import word_lists
from reminders.mail.advertising.jurisdiction import are_silent, findings, goes_on
from reminders.mail.compose import text_part
from reminders.mail.form_body import NAME, WINDOW, Body, Tokens
from reminders.mail.form_letter import FormLetters
from reminders.mail.form_marks import NAMES
from reminders.mail.message import MessageFacts, OwnTemplate
from tests.mail.form_cases import LOGO, both, links_of
from tests.mail.letters import LINKS, RENDERER, facts
from tests.mail.templates import ORDINARY, with_words

MARK = NAMES[0]
CHANGES: dict[str, Any] = {
    "clinic_name": "Other Clinic",
    "sender_name": "Other Sender",
    "sender_address": "other@harbour.example",
    "reply_to": "other@harbour.example",
    "phone": None,
    "booking_url": "https://harbour.example/other",
    "postal_address": "2 Quay Street",
    "language": "de",
    "jurisdiction": "us",
    "class_name": "medical",
    "stage": "last_call",
    "recipient": "other@home.example",
    "recipient_is_representative": True,
    "patient_name": "Other",
    "practitioner": "Dr Other",
    "label": "another consultation",
    "opens": dt.date(2027, 3, 30),
    "closes": dt.date(2027, 9, 30),
    "window_is_open": True,
    "reminder_keys": ("other",),
    "country": "US",
    "colour": "#aa2222",
    "logo": LOGO,
    "own": OwnTemplate(9, 1, ORDINARY),
}


def test_every_fact_is_tried() -> None:
    assert list(CHANGES) == [field.name for field in dataclasses.fields(MessageFacts)]


@pytest.mark.parametrize("field", CHANGES)
def test_a_changed_fact_is_never_written_from_the_form_of_another(field: str) -> None:
    letters, base, pattern = FormLetters(RENDERER), facts(), None
    other = dataclasses.replace(base, **{field: CHANGES[field]})
    for number in range(6):
        said, expected, pattern = both(letters, other if number % 2 else base, links_of(number), number)
        assert said == expected
    assert pattern is not None


def test_links_under_another_address_or_of_another_length_make_another_form() -> None:
    letters, pattern = FormLetters(RENDERER), None
    longer = dataclasses.replace(LINKS, stop_url=f"{LINKS.stop_url}zzz")
    elsewhere = dataclasses.replace(LINKS, request_url=f"https://elsewhere.example/p/{'q' * 43}")
    for number in range(3):
        for links in (LINKS, longer, elsewhere):
            said, expected, pattern = both(letters, facts(), links, number)
            assert said == expected
    assert pattern is not None


@pytest.mark.parametrize("names", [["Anna", "Elisabeth", "Uwe"], ["Anna Maria", "Annabella Mariella", "Ida Uwe"]])
def test_a_line_with_a_name_breaks_where_it_would(names: list[str]) -> None:
    for before in range(58, 78, 3):
        own = OwnTemplate(
            before, 1, with_words(f"{'word ' * 11}{('hu' * 12)[: before - 55]} {{{{ name }}}} and more of it.")
        )
        letters, pattern = FormLetters(RENDERER), None
        for number, name in enumerate([names[0], *names]):
            said, expected, pattern = both(letters, facts(own=own, patient_name=name), links_of(number), number)
            assert said == expected
        assert pattern is not None


def test_a_body_is_encoded_line_by_line_as_it_is_in_one_piece() -> None:
    for last in ("", "y", "é" * 60, "y" * 200, "."):
        for long in ("x ", "x " * 60, "é ", "é " * 50):
            for name in ("Odile", "Ελένη", "花子" * 15):
                body = Body([long, ("a", WINDOW, "b"), ("c ", NAME), last], lambda line: f"{line}\n", Tokens({}))
                lines = [body.line(parts, {NAME: name, WINDOW: "w" * 90}) for parts in body.lines]
                words = "\n".join([long, f"a{'w' * 90}b", f"c {name}", last])
                assert body.fill("html", lines, (b"",) * 4) == text_part("html", words)


def _around() -> Iterator[tuple[str, str, str]]:
    """Yield terms taken apart: what stands before, a part that could be a name, and what stands after it."""
    for term in word_lists.lists().terms:
        words = term.text.replace("*", "").split()
        for at, word in enumerate(words):
            yield " ".join(words[:at]), word, " ".join(words[at + 1 :])
            if len(words) == 1 and len(word) > 4:
                yield from ((word[:cut], word[cut:], "") for cut in range(2, len(word) - 1, 2))
                yield from (("", word[:cut], word[cut:]) for cut in range(2, len(word) - 1, 2))
                yield from ((word[:2], word[2:-2], word[-2:]), ("", word[1:], ""), ("", f"{word}{word[-1]}", ""))


def test_no_part_of_a_term_passes_for_a_name() -> None:
    """What is silent finds no more than the mark does, in the very place where it would spell a term."""
    passed = 0
    for before, word, after in _around():
        name = word.capitalize()
        if usual.name_of(name) is None or not are_silent(name, 1):
            continue
        if goes_on(f"{before} {MARK} {after}", [MARK.lower()]):
            continue
        passed += 1
        assert _terms(before, name, after) == _terms(before, MARK, after), (before, name, after)
    assert passed


def _terms(before: str, name: str, after: str) -> set[str]:
    return {one.term for one in findings({"text": f"{before} {name} {after}"}, None)}


@pytest.mark.parametrize("piece", ["A", "7", "b0tox", "An*na", "x5", "%", "Anna.Maria"])
def test_what_is_no_word_is_not_silent(piece: str) -> None:
    assert not are_silent(piece, 1)
