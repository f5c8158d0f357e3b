"""What becomes of values in a rendered message: every script is shown, nothing is run, control characters stop it."""

import dataclasses
import datetime as dt
import html
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reminders.mail.compose import parts
from reminders.mail.message import Logo, OwnTemplate, fingerprint
from reminders.mail.render import Renderer, TemplateBroken, UnprintableValue
from reminders.mail.render.renderer import COLUMNS
from reminders.mail.words import LANGUAGES
from reminders.paths import templates
from tests.mail.letters import LINKS, NO_LINKS, RENDERER, STEPS, facts, letter

FIELDS = ("clinic_name", "sender_name", "phone", "postal_address", "patient_name", "practitioner", "label")
names = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp", "Cn")), min_size=1, max_size=60)


@given(name=names)
def test_any_printable_name_of_any_script_stands_escaped_in_both_parts_and_in_no_header(name: str) -> None:
    assume(name.strip() and not set(name) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"))
    read = parts(letter(facts(patient_name=f"Zq{name}")))
    shown = " ".join(f"Zq{name}".split())
    assert shown in " ".join(read.text.split())
    assert html.escape(shown, quote=False) in " ".join(read.html.replace("&#34;", '"').replace("&#39;", "'").split())
    assert [value for _, value in read.headers if "Zq" in value] == []


@given(value=names, field=st.sampled_from(["clinic_name", "practitioner", "label", "postal_address"]))
def test_no_value_makes_a_tag_or_an_attribute(value: str, field: str) -> None:
    assume(not set(value) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"))
    plain = RENDERER.render(facts(**{field: "x"}), LINKS).html
    rendered = RENDERER.render(facts(**{field: f"x{value}<b onload='{value}'>\"&"}), LINKS).html
    assert rendered.count("<") == plain.count("<")
    assert rendered.count(">") == plain.count(">")
    assert rendered.count('"') == plain.count('"')


@pytest.mark.parametrize("name", ["{{ 7 * 7 }}", "{% for x in y %}", "${7*7}", "{# no #}", "%(name)s", "{0.__class__}"])
def test_a_value_that_looks_like_a_template_is_shown_as_it_is(name: str) -> None:
    assert name in RENDERER.render(facts(patient_name=name), LINKS).text


@pytest.mark.parametrize(
    "mark", ["\v", "\r", "\0", "\t", "\x1f", "\x7f", "\x85", "\u2028", "\u2029", "\u202e", "\ud800"]
)
@pytest.mark.parametrize("field", FIELDS)
def test_a_control_character_in_a_value_stops_the_message(field: str, mark: str) -> None:
    with pytest.raises(UnprintableValue, match="control character") as caught:
        RENDERER.render(facts(**{field: f"Secret{mark}Name"}), LINKS)
    assert "Secret" not in str(caught.value)


@pytest.mark.parametrize("field", [field for field in FIELDS if field != "postal_address"])
def test_a_line_end_in_a_value_stops_the_message(field: str) -> None:
    with pytest.raises(UnprintableValue, match="control character"):
        RENDERER.render(facts(**{field: "a\nb"}), LINKS)


@pytest.mark.parametrize("mark", ["\u200c", "\u200d", "\u00a0", "\u3000", "\u0301", "\ufe0f"])
def test_joiners_and_blanks_that_scripts_need_are_kept(mark: str) -> None:
    assert f"na{mark}me" in RENDERER.render(facts(patient_name=f"na{mark}me"), LINKS).text


def test_a_value_of_two_thousand_characters_is_the_longest() -> None:
    RENDERER.render(facts(practitioner="x" * 2_000), LINKS)
    with pytest.raises(UnprintableValue, match="longer than 2000 characters"):
        RENDERER.render(facts(practitioner="x" * 2_001), LINKS)


@pytest.mark.parametrize(("class_name", "stage"), STEPS)
def test_the_text_has_short_lines_and_no_blank_at_a_lines_end(class_name: str, stage: str) -> None:
    shown = facts(class_name=class_name, stage=stage, clinic_name="Clinic of a Rather Long Name by the Old Harbour")
    lines = RENDERER.render(shown, NO_LINKS).text.split("\n")
    assert max(len(line) for line in lines) <= COLUMNS
    assert [line for line in lines if line != line.rstrip()] == []
    assert "\n\n\n" not in "\n".join(lines)


def test_no_line_of_the_text_ends_inside_a_name_a_number_or_a_day() -> None:
    for length in range(1, 60):
        shown = facts(clinic_name="x" * length, practitioner="Dr Mary Ann Stone", phone="+44 20 7946 0018")
        text = RENDERER.render(shown, LINKS).text
        for whole in ("Dr Mary Ann Stone", "+44 20 7946 0018", "3 March 2027", "3 June 2027"):
            assert text.count(whole) == " ".join(text.split()).count(whole)


def test_a_postal_address_of_several_lines_becomes_one() -> None:
    text = RENDERER.render(facts(postal_address="1 Quay Street,\r\n London N1 1AA\n"), LINKS).text
    assert text.endswith("\n1 Quay Street, London N1 1AA\n")


def test_the_html_says_its_language_and_title_and_stays_small() -> None:
    rendered = RENDERER.render(facts(), LINKS)
    assert '<html lang="en" dir="ltr">' in rendered.html
    assert f"<title>{rendered.subject}</title>" in rendered.html
    assert 'name="color-scheme" content="light dark"' in rendered.html
    assert re.findall(r'<table(?![^>]*role="presentation")', rendered.html) == []
    assert len(rendered.html.encode()) < 20_000


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("Hello {{ patient.password }}", "line 3"),
        ("{{ nothing_like_it }}", "there is no value"),
        ("{% for x in range(9) %}x{% endfor %}", "line 3"),
        ("{{ name.__class__.__mro__ }}", "line 3"),
        ("{{ 'x' | attr('y') }}", "there is no filter"),
        ("{% if %}x{% endif %}", "line 3"),
        ("{{ lipsum() }}", "line 3"),
    ],
)
def test_a_broken_template_is_named_and_sends_nothing(tmp_path: Path, body: str, problem: str) -> None:
    shutil.copytree(templates() / "email", tmp_path / "email")
    (tmp_path / "email/cosmetic/invitation/en.txt").write_text(f"Subject: x\n\n{body}\n", encoding="utf-8")
    with pytest.raises(TemplateBroken, match=problem) as caught:
        Renderer(tmp_path / "email").render(facts(), LINKS)
    assert "cosmetic/invitation/en.txt" in str(caught.value)
    assert Renderer(tmp_path / "email").render(facts(stage="follow_up"), LINKS).subject


def test_a_missing_template_is_named(tmp_path: Path) -> None:
    with pytest.raises(TemplateBroken, match=r"cosmetic/invitation/en.txt"):
        Renderer(tmp_path).render(facts(), LINKS)


def test_a_changed_template_changes_the_version_of_its_own_step_and_language_only(tmp_path: Path) -> None:
    shutil.copytree(templates() / "email", tmp_path / "email")
    with (tmp_path / "email/medical/follow_up/de.txt").open("a") as file:
        file.write("\nMehr.\n")
    changed = Renderer(tmp_path / "email")
    every = {
        (*step, language): facts(class_name=step[0], stage=step[1], language=language)
        for step in STEPS
        for language in LANGUAGES
    }
    moved = {which for which, shown in every.items() if changed.version(shown) != RENDERER.version(shown)}
    assert moved == {("medical", "follow_up", "de")}


def test_the_fingerprint_changes_with_every_fact_and_with_the_template() -> None:
    shown = facts()
    other: dict[str, Any] = {field.name: _another(getattr(shown, field.name)) for field in dataclasses.fields(shown)}
    other |= {"logo": Logo("d1", "image/png", 1, 1, b""), "own": OwnTemplate(1, 1, "Subject: x")}
    prints = {fingerprint(dataclasses.replace(shown, **{name: value}), "1") for name, value in other.items()}
    assert len(prints | {fingerprint(shown, "1"), fingerprint(shown, "2")}) == len(other) + 2


def test_the_fingerprint_does_not_depend_on_the_order_of_the_reminders() -> None:
    there, back = (fingerprint(facts(reminder_keys=keys), "1") for keys in (("a", "b"), ("b", "a")))
    assert there == back


def _another(value: object) -> object:
    match value:
        case bool():
            return not value
        case str():
            return value + "x"
        case tuple():
            return (*value, "another")
        case dt.date():
            return value.replace(year=2030)
        case _:
            return "another"  # where there was none
