"""A form letter is what the ordinary way would have written, byte for byte, or it is not used."""

import datetime as dt
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reminders.mail.compose import message_id
from reminders.mail.form_letter import FormLetters, Written
from reminders.mail.message import MessageFacts, MessageLinks, OwnTemplate
from tests.mail.form_cases import DAYS, KINDS, NAMES, OWN, addressed, both, kind, links_of
from tests.mail.letters import DATE, LINKS, RENDERER, STEPS, facts
from tests.mail.templates import with_words

DAY = dt.date(2027, 3, 3)
_SAMPLE = settings(max_examples=10)


def third(letters: FormLetters, shown: MessageFacts, name: str = "Odile", number: int = 0) -> Written:
    """Return the third message of a kind, which comes from a form where there is one."""
    written = Written(b"", b"", "")
    for at in range(3):
        found = addressed(shown, name, at + number, DAY + dt.timedelta(days=at + number))
        written = letters.write(found, links_of(at), message_id(f"{at:032x}", shown.sender_address), DATE)
    return written


def differing(shown: MessageFacts, names: list[str], days: list[dt.date], *, linked: bool) -> list[str]:
    """Write one kind of message to many; return the names for whom the two ways differ."""
    letters, found = FormLetters(RENDERER), []
    for number, (name, day) in enumerate(zip(names, days, strict=True)):
        said, expected, _ = both(letters, addressed(shown, name, number, day), links_of(number, linked=linked), number)
        if said != expected:
            found.append(name)
    return found


@_SAMPLE
@given(
    drawn=KINDS,
    names=st.lists(st.sampled_from(NAMES), min_size=6, max_size=6),
    days=st.lists(DAYS, min_size=6, max_size=6),
)
def test_a_form_gives_the_bytes_of_the_ordinary_way(
    drawn: dict[str, Any], names: list[str], days: list[dt.date]
) -> None:
    shown, linked = kind(drawn)
    assert differing(shown, [names[0], names[0], *names], [days[0], days[0], *days], linked=linked) == []


@pytest.mark.storm
@settings(max_examples=300)
@given(
    drawn=KINDS,
    names=st.lists(st.sampled_from(NAMES) | st.text(max_size=45), min_size=20, max_size=20),
    days=st.lists(DAYS, min_size=20, max_size=20),
)
def test_a_form_gives_the_bytes_of_the_ordinary_way_for_minutes(
    drawn: dict[str, Any], names: list[str], days: list[dt.date]
) -> None:
    shown, linked = kind(drawn)
    assert differing(shown, [*names, *names], [*days, *days], linked=linked) == []


@pytest.mark.parametrize(("class_name", "stage"), STEPS)
def test_every_step_in_every_language_has_forms(class_name: Any, stage: Any) -> None:  # noqa: ANN401 - two literals
    for language in ("en", "ar", "pl"):
        letters = FormLetters(RENDERER)
        shown = facts(class_name=class_name, stage=stage, language=language, jurisdiction="eu")
        patterns = []
        for number, name in enumerate(["Odile", "Anna", "Åsa"]):
            message = addressed(shown, name, number, DAY + dt.timedelta(days=number))
            said, expected, pattern = both(letters, message, links_of(number), number)
            assert said == expected
            patterns.append(pattern)
        assert patterns[-1] is not None


UNUSUAL_NAMES = (
    *(
        "",
        " ",
        "O",
        "A. B.",
        "Anna2",
        "b0tox",
        "Botox",
        "x" * 41,
        "Anna\r\nBcc: x",
        "Anna\x00",
        "Anna\u202eanna",
        "a@b.example",
    ),
    *(
        "www.anna.example",
        "{{ name }}",
        "<b>Anna</b>",
        "Anna &amp; Max",
        "Anna  Maria",
        " Anna",
        "An na Ma",
        "An\u3164na",
        "\ud83d\ude00",
    ),
)


@pytest.mark.parametrize("name", UNUSUAL_NAMES)
def test_an_unusual_name_goes_the_ordinary_way_and_gets_its_errors(name: str) -> None:
    letters = FormLetters(RENDERER)
    for number, usual in enumerate(["Odile", "Anna", "Max"]):
        both(letters, addressed(facts(), usual, number, DAY), links_of(number), number)
    said, expected, pattern = both(letters, addressed(facts(), name, 9, DAY), links_of(9), 9)
    assert said == expected
    assert pattern is None


@pytest.mark.parametrize(
    ("changes", "links", "identifier"),
    [
        ({"recipient": "odile@home.example\r\nBcc: x@y.example"}, LINKS, "<0123456789abcdef@harbour.example>"),
        ({"recipient": "a/p/abcdefghijklmnopqrstuv@home.example"}, LINKS, "<0123456789abcdef@harbour.example>"),
        ({"recipient": "Odile@HOME.example"}, LINKS, "<0123456789abcdef@harbour.example>"),
        (
            {},
            MessageLinks("https://r.example/p/short", "https://r.example/u/short"),
            "<0123456789abcdef@harbour.example>",
        ),
        (
            {},
            MessageLinks("http://r.example/p/" + "a" * 43, "http://r.example/u/" + "a" * 43),
            "<0123456789abcdef@h.example>",
        ),
        ({}, LINKS, "<0123456789abcdef@harbour.example>\r\nX: y"),
        ({"opens": dt.date(1999, 12, 31)}, LINKS, "<0123456789abcdef@harbour.example>"),
    ],
)
def test_whatever_else_is_unusual_goes_the_ordinary_way(
    changes: dict[str, Any], links: MessageLinks, identifier: str
) -> None:
    letters = FormLetters(RENDERER)
    said: list[object] = []
    for _ in range(3):
        try:
            written = letters.write(facts(**changes), links, identifier, DATE)
            said.append(written.pattern)
        except Exception as error:  # noqa: BLE001 - whatever the ordinary way says
            said.append(str(error))
    assert len(set(said)) == 1
    assert said[0] is None or "\r" not in str(said[0])


def test_a_template_that_filters_or_compares_the_name_has_no_form() -> None:
    for words in ("{{ name|upper }}", '{% if name == "Anna" %}We know you.{% endif %}', '{{ name|default("you") }}'):
        letters = FormLetters(RENDERER)
        own = OwnTemplate(1, 1, with_words(words))
        for number in range(4):
            shown = addressed(facts(own=own), "Anna" if number % 2 else "Odile", number, DAY)
            said, expected, pattern = both(letters, shown, links_of(number), number)
            assert said == expected
            assert pattern is None


def test_where_a_template_shows_days_each_pair_of_days_is_a_form_of_its_own() -> None:
    letters = FormLetters(RENDERER)
    for number, days in enumerate([0, 0, 0, 1, 1, 1]):
        shown = addressed(facts(own=OWN[3]), "Odile", 1, DAY + dt.timedelta(days=days))
        said, expected, pattern = both(letters, shown, links_of(number), number)
        assert said == expected
        assert pattern is None  # it would hold the days of a patient


def test_a_pattern_holds_nothing_of_any_patient() -> None:
    patterns = [third(FormLetters(RENDERER), facts(), name, at).pattern for at, name in enumerate(["Bertram", "Wilma"])]
    assert patterns[0] == patterns[1]
    for personal in ("Bertram", "Wilma", "home", "p2.x", "March", "June", "2027", "0aZ-_", "0000000"):
        assert personal.encode() not in (patterns[0] or b"")


def test_messages_of_a_form_share_one_pattern() -> None:
    letters = FormLetters(RENDERER)
    assert letters.write(facts(), LINKS, "<0123456789abcdef@harbour.example>", DATE).pattern is None
    assert third(letters, facts()).pattern is third(letters, facts(), "Anna").pattern is not None


def test_only_so_many_forms_are_remembered() -> None:
    letters = FormLetters(RENDERER, most=2)
    for clinic in ("One Clinic", "Two Clinic", "Three Clinic", "One Clinic"):
        shown = facts(clinic_name=clinic)
        assert letters.write(shown, LINKS, "<0123456789abcdef@harbour.example>", DATE).pattern is None
        assert third(letters, shown).pattern is not None


@pytest.mark.parametrize("name", ["Odile", "José", "花子"])
def test_a_form_letter_reads_like_one_that_the_standard_library_wrote(name: str) -> None:
    shown = facts(patient_name=name, clinic_name="Klinik Übersee", sender_name="Klinik Übersee")
    rendered = RENDERER.render(shown, LINKS)
    made = EmailMessage(policy=policy.SMTP)
    made["From"] = f"{shown.sender_name} <{shown.sender_address}>"
    made["Reply-To"], made["To"], made["Subject"] = shown.reply_to, shown.recipient, rendered.subject
    made["Date"], made["Message-ID"] = DATE, f"<{7:032x}@harbour.example>"
    made["List-Unsubscribe"] = f"<{LINKS.stop_url}>"
    made["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    made["Auto-Submitted"], made["X-Auto-Response-Suppress"] = "auto-generated", "All"
    made.set_content(rendered.text)
    made.add_alternative(rendered.html, subtype="html")
    made["Content-Language"] = "en"
    letters = FormLetters(RENDERER)
    written = [letters.write(shown, LINKS, f"<{7:032x}@harbour.example>", DATE) for _ in range(3)][-1]
    assert written.pattern is not None
    heads, parts = _read(written.content)
    made_heads, made_parts = _read(made.as_bytes())
    assert heads == made_heads
    assert parts == made_parts


def _read(content: bytes) -> tuple[dict[str, str], list[tuple[str, str]]]:
    message = message_from_bytes(content, _class=EmailMessage, policy=policy.default)
    heads = {key: "".join(str(value).split()) for key, value in message.items() if key != "Content-Type"}
    parts = [
        (part.get_content_type(), part.get_content().replace("\r\n", "\n").rstrip("\n"))
        for part in message.iter_parts()
    ]
    return heads, parts
