"""Words that lead elsewhere, crowd the product's sections out, or contradict them: refused at saving and sending."""

import dataclasses

import pytest

from reminders.mail.check import complaints
from reminders.mail.link_like import holds_link
from reminders.mail.templates.check import check_template, example
from tests.mail.letters import LINKS, RENDERER, facts
from tests.mail.templates import HTML_LINE, WORDS_LINE, errors, with_html, with_subject, with_words

PLACES = (
    *("evil.dev", "evil.ie", "evil.ai", "evil.nl", "evil.it", "evil.рф", "evil.xn--p1ai", "evil。com", "evil.भारत"),
    *("evil.c\u200dom", "//evil.dev", "evil｡com", "evil\uff0ecom", "evil\u2024com", "nhs.gov", "{{ 'evil.dev' }}"),
    *("{{ booking_url | default('evil.dev') }}", "evil{{ '.dev' }}", "💩.la", "evil.{% if medical %}dev{% endif %}"),
)
GLUED = (
    *("x{{ reply_to }}", "{{ clinic }}.dev", "{{ who }}{{ reply_to }}", "{{ reply_to }}.evil", "evil.{{ label }}"),
    *("{{ clinic }}-{{ clinic }}", "{{ reply_to }}/now", "evil@{{ clinic }}", "{{ clinic }}\u200d.dev"),
)
INNOCENT = (
    *(
        "Come at 3 p.m. or later, e.g. on a weekday, i.e. not today.",
        "Z.B. morgen, d.h. bald, u.a. so.",
        "About 3.5 of it.",
    ),
    *(
        "And so… Well... Good.",
        "{{ clinic }}'s team, {{ who }}, and “{{ label }}”: all fine.",
        "({{ reply_to }}) – {{ label }}.",
    ),
)
CROWDED = (
    *("<p>a<br><br><br>b</p>", "<p>a" + "<br>&nbsp;" * 4 + "b</p>", "<p></p>", "<p>&nbsp;</p>", "<p>\u3000</p>"),
    *("<p>a.</p>" * 41, "<p>" + "<strong>" * 4 + "a" + "</strong>" * 4 + "</p>", "<p>" + "a<br>" * 41 + "</p>"),
)
SUBJECTS = (
    *("A consultation tomorrow", "Urgent: your consultation", "Re: your consultation", "Fwd: a consultation"),
    *("A consultation in May", "A consultation about your lips", "A consultation: final notice", "Consultation ASAP"),
    *(
        "Consultation ② ",
        "Consultation ‼",
        "Consultation \uff01",
        "Consultation Ⅳ",
        "Consultation ٣",
        "Invoice: consultation",
    ),
    *(
        "Consultation nhs.gov",
        "Consultation {{ clinic }}.dev",
        "\uff35\uff52\uff47\uff45\uff4e\uff54 consultation",
        "Consultation: your treatment",
    ),
)
CONTRADICTING = (
    *("With: nobody", "Avec : x", "Für Sie da: x", "Phone us: later", "To stop these messages: wait"),
    *("In an emergency, call your local emergency number.", "To stop these messages, reply with STOP.", "Con: nadie"),
)


@pytest.mark.parametrize("words", [*PLACES, *GLUED])
def test_what_a_mail_program_would_link_is_refused_in_words_and_in_html(words: str) -> None:
    assert [one.line for one in errors(with_words(f"Go to {words} now."))][:1] == [WORDS_LINE]
    assert HTML_LINE in [one.line for one in errors(with_html(f"<p>Go to {words} now.</p>"))]


def test_a_place_in_entities_or_as_the_words_of_a_link_is_refused() -> None:
    link = '{% if booking_url %}<p><a href="{{ booking_url }}">nhs.gov</a></p>{% endif %}'
    for html in ("<p>evil&period;dev</p>", "<p>evil.<em>dev</em></p>", "<p><em>{{ clinic }}</em>.dev</p>", link):
        assert HTML_LINE in [one.line for one in errors(with_html(html))]


@pytest.mark.parametrize("words", INNOCENT)
def test_abbreviations_figures_and_punctuated_values_are_no_places(words: str) -> None:
    assert not [one for one in errors(with_words(words)) if "address" in one.what or "beside" in one.what]


def test_a_place_that_reached_a_message_stops_it_before_the_wire() -> None:
    shown = facts(clinic_name="Smile.Studio", sender_name="Smile.Studio", patient_name="J.Doe")
    rendered = RENDERER.render(shown, LINKS)
    assert complaints(rendered, shown, LINKS) == ()
    for change in (
        {"text": rendered.text + "\nevil.dev\n"},
        {"html": rendered.html.replace("</body>", "<p>evil.dev</p></body>")},
        {"subject": "Consultation at evil.dev"},
        {"text": "\u2800\n\n" + rendered.text},
        {"text": "a\n" * 300 + rendered.text},
        {"html": rendered.html.replace("</body>", "<br>" * 60 + "</body>")},
    ):
        assert complaints(dataclasses.replace(rendered, **change), shown, LINKS)


@pytest.mark.parametrize("html", CROWDED)
def test_html_that_pushes_the_products_sections_away_is_refused(html: str) -> None:
    assert HTML_LINE in [one.line for one in errors(with_html(html))]


@pytest.mark.parametrize("words", ["\u2800", "a\u3164b", "\u115f", "\uffa0", "a" + "\u0301" * 5, ". . .", "\n\na" * 41])
def test_words_that_nobody_sees_are_refused(words: str) -> None:
    assert errors(with_words(words))


def test_accents_and_vowel_signs_of_real_languages_pass() -> None:
    for words in ("Tiếng Việt", "مُحَمَّدٌ", "é" * 3):
        assert errors(with_words(words)) == []


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_subject_that_names_a_day_urgency_the_body_or_money_is_refused(subject: str) -> None:
    assert [one.line for one in errors(with_subject(subject))][:1] == [1]


@pytest.mark.parametrize("words", CONTRADICTING)
def test_lines_that_pass_for_the_products_own_are_refused(words: str) -> None:
    assert [one.line for one in errors(with_words(words))][:1] == [WORDS_LINE]


def test_a_link_whose_words_speak_of_stopping_is_refused() -> None:
    link = '{% if booking_url %}<p><a href="{{ booking_url }}">Unsubscribe</a></p>{% endif %}'
    assert errors(with_html(link))


@pytest.mark.parametrize(
    "words", ["Call +44 900 123 456.", "Reply STOP.", "Ignore the links below.", "So. {{ who }} waits."]
)
def test_what_may_mislead_is_a_warning(words: str) -> None:
    found = check_template(with_words(words), example("cosmetic", "invitation", "en"))
    assert [(one.line, one.severity) for one in found if one.line == WORDS_LINE] == [(WORDS_LINE, "warning")]


def test_every_complaint_is_told_also_where_tags_are_refused() -> None:
    source = with_html("<div>x</div>").replace(
        "Nothing needs to be done.\n---", "{{ foo }} Botox\n{{ bar }}\n{% for a %}\n---"
    )
    told = " ".join(one.what for one in errors(source))
    for part in ('"foo"', '"bar"', "can stand here", "botox", "<div>"):
        assert part in told


def test_an_open_if_is_named_on_its_own_line() -> None:
    (found,) = errors(with_words("{% if name %}\nHi {{ name }}"))
    assert (found.line, "not closed" in found.what) == (WORDS_LINE, True)
    (found,) = errors(with_words("{% if nope %}\nx\n{% endif %}"))
    assert found.line == WORDS_LINE


@pytest.mark.parametrize(
    "tag", ["'0001-01-01' | date", "'2027-W01-1' | date", "'20270101' | date", "'17:30+01:00' | time", "'a' 'b'"]
)
def test_days_and_times_are_written_plainly(tag: str) -> None:
    assert errors(with_words(f"{{{{ {tag} }}}}"))


def test_a_dot_that_ends_a_sentence_is_no_place() -> None:
    assert not holds_link("One. Two.\nThree… four ... five 3.5 p.m.")
