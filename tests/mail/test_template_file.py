"""What a template's file may look like, what is made of it, and what the page about it promises."""

import re
from pathlib import Path

import jinja2
import pytest

from reminders.mail.message import OwnTemplate
from reminders.mail.render import Renderer
from reminders.mail.render.sandbox import LONGEST_OUTPUT, environment, paragraphs, prepare
from reminders.mail.render.syntax import BODY_NAMES, FILTERS
from reminders.mail.templates import cleaning
from reminders.mail.templates.check import check_template, example
from reminders.mail.templates.file import LARGEST_SOURCE, TemplateUnreadable, decoded, parse
from reminders.mail.words import LANGUAGES
from tests.mail.letters import LINKS, facts
from tests.mail.templates import HTML, ORDINARY, errors, with_html, with_words

PAGE = (Path(__file__).parents[2] / "docs" / "templates.md").read_text(encoding="utf-8")
VALUES = dict.fromkeys(BODY_NAMES, "") | {"jurisdiction": "uk", "language": "en", "name": "Ada"}


def said(words: str, **values: str) -> tuple[str, ...]:
    return prepare(f"Subject: a\n\n{words}").paragraphs(VALUES | values)


def complaints(text: str) -> list[int | None]:
    with pytest.raises(TemplateUnreadable) as caught:
        parse(text)
    return [one.line for one in caught.value.complaints]


def test_every_part_knows_the_line_it_begins_on() -> None:
    parts = parse("Subject: a\n\nb\n\nc\n--- html ---\n<p>b</p>\n")
    assert (parts.subject, parts.subject_line, parts.text, parts.text_line) == ("a", 1, "\nb\n\nc", 2)
    assert (parts.html, parts.html_line) == ("<p>b</p>\n", 7)


@pytest.mark.parametrize("content", [ORDINARY.encode("utf-8-sig"), ORDINARY.replace("\n", "\r\n").encode()])
def test_a_byte_order_mark_and_line_ends_of_windows_make_no_difference(content: bytes) -> None:
    assert decoded(content) == ORDINARY
    assert parse(content.decode()) == parse(ORDINARY)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [1, 1]),
        ("Subject:\n\nb", [1]),
        ("subject: a\n\nb", [1]),
        ("\nSubject: a\n\nb", [1, 2]),
        ("Subject: a\nb\n\nc", [2]),
        ("Subject: a", [1]),
        ("Subject: a\n\n\n", [3]),
        ("Subject: a\n\n--- html ---\n<p>a</p>", [3]),
        ("Subject: a\n\nb\n--- html ---\n\n", [4]),
        ("Subject: a\n\nb\n--- html ---\n<p>b</p>\n--- html ---\nc", [6]),
        ("Subject: a\n\nb\x00\nc\u202e", [3, 4]),
    ],
)
def test_what_is_misplaced_is_named_with_its_line(text: str, lines: list[int]) -> None:
    assert complaints(text) == lines


def test_what_is_no_utf_8_is_named_with_its_line() -> None:
    with pytest.raises(TemplateUnreadable) as caught:
        decoded(b"Subject: a\n\nb\xe9")
    assert [one.line for one in caught.value.complaints] == [3]


def test_a_file_that_is_too_large_is_not_even_read() -> None:
    with pytest.raises(TemplateUnreadable, match="64 KB"):
        decoded(b"a" * (LARGEST_SOURCE + 1))


def test_a_tag_alone_on_its_line_leaves_no_empty_line() -> None:
    assert said("a\n{% if name %}\nb\n  {% else %}  \nc\n{% endif %}\nd") == ("a b d",)


def test_empty_lines_part_paragraphs_and_others_do_not() -> None:
    assert said("a\nb  c\n\n \n\td\n") == ("a b c", "d")


def test_the_products_own_marks_survive_the_taking_apart() -> None:
    assert paragraphs("\x1dAda\x1e b\x1fc\n\n\x1dd\x1e") == ("\x1dAda\x1e b\x1fc", "\x1dd\x1e")


def test_a_value_is_compared_as_it_is_known_and_not_as_it_is_set() -> None:
    assert said('{% if name == "Ada Lee" %}a{% else %}b{% endif %}', name="\x1dAda\x1fLee\x1e") == ("a",)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("{{ name | upper }}", "ADA"),
        ("{{ name | lower }}", "ada"),
        ("{{ 'o’neil mcadam-smith' | title }}", "O’neil Mcadam-Smith"),
        ("{{ phone | default('none') }}", "none"),
        ("{{ name | default('none') | upper }}", "ADA"),
        ("{{ '2027-03-05' | date }}", "5 March 2027"),
        ("{{ '17:30' | time }}", "17:30"),
        ("{{ phone | date }}{{ phone | time }}.", "."),
    ],
)
def test_the_six_filters(written: str, meant: str) -> None:
    assert said(written) == (meant,)


def test_days_and_times_are_written_as_their_readers_do() -> None:
    day, time = "{{ opens | date }}", "{{ '17:30' | time }}"
    days = {language: said(day, opens="2027-03-05", language=language)[0] for language in LANGUAGES}
    assert days["de"] == "5. März 2027"
    assert days["fr"] == "5 mars 2027"
    assert len(set(days.values())) == len(LANGUAGES)
    assert said(day, opens="2027-03-05", jurisdiction="us") == ("March 5, 2027",)
    assert said(time, jurisdiction="us") == ("5:30\u202fPM",)


@pytest.mark.parametrize("value", [None, 7, ["a"], object(), jinja2.Undefined(), "a" * 2_100])
def test_a_value_that_is_no_short_text_fills_nothing(value: object) -> None:
    with pytest.raises(jinja2.TemplateError):
        said("{{ name }}", name=value)  # type: ignore[arg-type] # that is the point


def test_output_is_bounded_while_it_is_made() -> None:
    words = "{{ name }}" * 900
    with pytest.raises(jinja2.TemplateError, match="KB"):
        said(words, name="a" * 2_000)
    assert LONGEST_OUTPUT < 900 * 2_000


def test_the_environment_holds_the_filters_and_nothing_else() -> None:
    made = environment(html=True)
    assert set(made.filters) == {*FILTERS, "bare"}
    assert (dict(made.globals), dict(made.tests), made.loader, made.extensions) == ({}, {}, None, {})


def test_a_templates_own_html_stands_in_the_message_and_its_text_in_the_other_part() -> None:
    shown = facts(own=OwnTemplate(5, 2, with_html("<ul><li>One &amp; two</li></ul>")))
    rendered = Renderer().render(shown, LINKS)
    assert "One &amp; two</li>" in rendered.html
    assert "One" not in rendered.text
    assert rendered.template_version.startswith("own:5.2+")


def test_html_that_says_something_else_is_a_warning() -> None:
    found = check_template(with_html("<p>More.</p>"), example("cosmetic", "invitation", "en"))
    assert [(one.line, one.severity) for one in found] == [(7, "warning")]
    assert check_template(ORDINARY + HTML, example("cosmetic", "invitation", "en")) == ()


def test_a_break_written_either_way_is_the_same() -> None:
    assert cleaning.changed("<p>a<br/>b</p>", cleaning.clean("<p>a<br/>b</p>", ())) is None


def test_a_message_to_somebody_with_strange_details_is_examined_too() -> None:
    long = "{% if name == 'Ada' %}a {% endif %}" + "{{ who }} " * 20
    assert errors(with_words(long)) == []


def test_the_pages_example_passes() -> None:
    [source] = re.findall(r"```\n(Subject: .*?)```", PAGE, re.DOTALL)
    assert check_template(source, example("cosmetic", "invitation", "en", "uk")) == ()


def test_the_page_names_every_value_and_filter() -> None:
    tables = re.findall(r"^\| (`[^|]*) \|", PAGE, re.MULTILINE)
    named = set(re.findall(r"`(\w+)", " ".join(tables)))
    assert named == BODY_NAMES | set(FILTERS)
