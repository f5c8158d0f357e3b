"""Attacks with words: sections that are not the product's, places to go, subjects, letters that are not what they seem.

Each is refused at saving, with its line where it has one.
"""

import pytest

from reminders.mail.templates.check import example
from reminders.mail.templates.file import LARGEST_SOURCE
from reminders.mail.words import LANGUAGES, words
from tests.mail.templates import ORDINARY, WORDS_LINE, errors, with_html, with_subject, with_words

SECTIONS = (
    "Your consultation\n-----------------\nWith: nobody",
    "Your consultation",
    "YOUR CONSULTATION:",
    "Your  consultation",
    "\uff39\uff4f\uff55\uff52 consultation",
    "*Your consultation*",
    "Your consultation " + "-" * 60,
    "-----------------",
    "=================",
    "_________________",
    "– – – ———",
    "─────────",
    "About this message\n------------------",
    "Good to know",
    "Ihr Gespräch ***",
    "{% if name == 'nobody' %}Your consultation{% endif %}",
    "Your{% if label %} consultation{% endif %}",
    "{{ 'Your consultation' }}",
)
PLACES = (
    "https://evil.example",
    "HTTPS://EVIL.EXAMPLE",
    "http://harbour.example/visit",
    "www.evil.example",
    "evil.com",
    "evil.com/login",
    "harbour.example@evil.example",
    "//evil.example/now",
    "see evil.click now",
    "\uff48\uff54\uff54\uff50\uff53://evil",
    "ftp://evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "mailto:someone@else.example",
    "someone@else.example",
    "tel:+19005550000",
    "sms:+19005550000",
    "{{ 'https://evil.example' }}",
    "{% if name == 'nobody' %}https://evil.example{% endif %}",
    "https://{{ label }}",
    "{{ label }}://evil",
    "evil{% if label %}.com{% endif %}",
    "xn--80ak6aa92e.com",
    "192.0.2.7/login",
)
HOLES = (
    "Hello {{ name }},",
    "Phone {{ phone }} now.",
    "Book at {{ booking_url }}.",
    "We are at {{ postal_address }}.",
    "{% if phone %}{{ name }}{% endif %}",
    "{% if not name %}{{ name }}{% endif %}",
    "{% if name or phone %}{{ name }}{% endif %}",
    "{% if name == '' %}{{ name }}{% endif %}",
    "{% if name %}a{% else %}{{ name }}{% endif %}",
    "{% if name | default('x') %}{{ name }}{% endif %}",
    "{{ name | upper }}",
    "{{ opens }}",
    "{{ closes | upper }}",
    "{{ label | date }}",
    "{{ medical }}",
    "{{ representative }}",
    "{{ language }}",
    "{{ 'tomorrow' | date }}",
    "{{ '99:99' | time }}",
    "{{ label | time }}",
)
LETTERS = (
    "a\u202eb",
    "a\u2066b",
    "a\u200bb",
    "a\u00adb",
    "a\u2060b",
    "a\ufeffb",
    "a\x00b",
    "a\x07b",
    "a\x1bb",
    "a\rb",
    "a\x0bb",
    "a\x1fb",
    "a\x1db",
    "a\x85b",
    "a\u2028b",
    "a\u2029b",
    "a\ue000b",
    "a\U000e0041b",
    "a\ud800b",
    "a\uffffb",
)
SUBJECTS = (
    "About a consultation on 3 March",
    "A consultation, now!",
    "About a consultation " + "and again " * 5,
    "{% if name == 'x' %}{% endif %}About a consultation",
    "{{ sender }}: about a consultation",
    "{% if sender %}a{% else %}" + "About a consultation " * 3 + "{% endif %}",
    "About a consultation at evil.com",
    "Consultation: https://evil.example",
    "Consultation\u202e",
    "Consultation\rBcc: someone@else.example",
    "Consultation\x00",
    "",
    "   ",
    "{% if sender %}{{ sender }}{% endif %}",
)


@pytest.mark.parametrize("words", SECTIONS)
def test_a_section_that_is_not_the_products_is_refused(words: str) -> None:
    assert WORDS_LINE <= (errors(with_words(words))[0].line or 0) <= WORDS_LINE + 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_heading_is_refused_in_every_language_and_in_a_template_of_any(language: str) -> None:
    heading = words("mail", language)["consultation"]
    for shown in (example("cosmetic", "invitation", "en"), example("medical", "invitation", language)):
        assert errors(with_words(heading), shown)


@pytest.mark.parametrize("words", PLACES)
def test_words_that_lead_elsewhere_are_refused(words: str) -> None:
    assert [one.line for one in errors(with_words(f"Go: {words}"))][:1] == [WORDS_LINE]


@pytest.mark.parametrize("words", PLACES)
def test_html_whose_words_lead_elsewhere_is_refused(words: str) -> None:
    assert errors(with_html(f"<p>Go: {words}</p>"))


@pytest.mark.parametrize("words", HOLES)
def test_a_value_that_may_be_missing_or_reads_as_a_code_is_refused_where_it_stands(words: str) -> None:
    assert errors(with_words(words))[0].line in {WORDS_LINE, None}


@pytest.mark.parametrize("words", LETTERS)
def test_letters_that_nobody_sees_are_refused(words: str) -> None:
    assert errors(with_words(words))[0].line == WORDS_LINE


@pytest.mark.parametrize("words", ["👩🏽‍⚕️ می‌خواهم \u200fعربي\u200e", "naïve — “so”…", "1 < 2 & 3 > 2"])
def test_letters_of_every_script_pass(words: str) -> None:
    assert errors(with_words(words)) == []


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_subject_that_breaks_a_rule_is_refused(subject: str) -> None:
    assert errors(with_subject(subject))[0].line == 1


def test_a_subject_on_two_lines_is_no_header_of_its_own() -> None:
    found = errors(ORDINARY.replace("\n\n", "\nBcc: someone@else.example\n\n", 1))
    assert [one.line for one in found] == [2]


@pytest.mark.parametrize(
    ("stage", "most"),
    [("invitation", 150), ("follow_up", 110), ("last_call", 80)],
)
def test_a_step_has_only_so_many_words(stage: str, most: int) -> None:
    shown = example("cosmetic", stage, "en")  # type: ignore[arg-type] # one of the three
    begin = "Subject: {% if sender %}{{ sender }}: a{% else %}A{% endif %} consultation\n\n"
    assert errors(begin + "Come. " * most, shown) == []
    assert [one.line for one in errors(begin + "Come. " * (most + 1), shown)] == [2]


def test_the_longest_branch_counts() -> None:
    found = errors(with_words("{% if name == 'nobody' %}" + "Come. " * 150 + "{% endif %}"))
    assert "words" in found[0].what


@pytest.mark.parametrize(
    "source",
    [
        "Subject: a consultation\n\n" + "a" * LARGEST_SOURCE,
        "Subject: a consultation\n\n" + "{{ label }} " * 5000,
        "Subject: a consultation\n\n" + "{" * 60_000,
        "Subject: a consultation\n\n" + "{{" * 30_000,
        "Subject: a consultation\n\n" + "{%" * 30_000,
        "Subject: a consultation\n\n" + "{% if label %}" * 4_000,
        "Subject: a consultation\n\n" + "{{ '" + "a" * 60_000,
        "Subject: a consultation\n\n{{ " + "label|upper" * 5_000 + " }}",
        "Subject: a consultation\n\n{{ " + "(" * 60_000,
        "Subject: a consultation\n\n{% if " + "not " * 15_000,
        "Subject: a consultation\n\n{% raw" + " " * 60_000,
        "Subject: a consultation\n\n" + "\n" * 60_000 + "{{ x }}",
        "Subject: a consultation\n\n" + "=" * 60_000,
        "Subject: a consultation\n\n" + "a." * 30_000,
        "Subject: a consultation\n\n" + "a@" * 30_000,
        "Subject: " + "a " * 30_000 + "\n\nb",
        "Subject: a consultation\n\na\n--- html ---\n" + "<" * 60_000,
        "Subject: a consultation\n\na\n--- html ---\n" + "<p " * 20_000,
        "Subject: a consultation\n\na\n--- html ---\n" + "<p>" * 20_000,
        "Subject: a consultation\n\na\n--- html ---\n" + '<a href="' * 7_000,
        "Subject: a consultation\n\na\n--- html ---\n" + "&" * 60_000,
        "Subject: a consultation\n\na\n--- html ---\n" + "<ul><li>" * 7_500,
        "Subject: a consultation\n\na\n" + "--- html ---\n" * 5_000,
        "Subject: a consultation\n\n" + "a\u0301" * 20_000,
        "Subject: a consultation\n\n" + "e\u0301\u0323" * 12_000,
    ],
    ids=range(25),
)
@pytest.mark.timeout(10)
def test_a_bomb_of_letters_is_refused_in_bounded_time(source: str) -> None:
    assert errors(source)
