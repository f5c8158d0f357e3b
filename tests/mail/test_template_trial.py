"""A template that nobody has proven is read in a process of its own, with limits that are reached here on purpose."""

import dataclasses
import os
from pathlib import Path

import pytest

from reminders.mail.message import Logo, MessageFacts, OwnTemplate
from reminders.mail.render import Renderer, TemplateBroken
from reminders.mail.templates.check import check_template, example
from reminders.mail.templates.confined import Limits, NoAnswer, Overran, ask
from reminders.mail.templates.plain import facts_as_plain, facts_from
from reminders.mail.templates.trial import render_unproven, try_template
from tests.mail.letters import LINKS, facts
from tests.mail.templates import HTML, ORDINARY, with_words
from tests.support.bombs import program

CPU = "{% for x in range(99999) %}{% for y in range(99999) %}{% endfor %}{% endfor %}"
MEMORY = "{{ 'a' * 2000000000 }}"
DOUBLING = "{% set n = namespace(a='aaaaaaaa') %}{% for x in range(60) %}{% set n.a = n.a ~ n.a %}{% endfor %}{{ n.a }}"
OUTPUT = "{% for x in range(99999) %}" + "a" * 100 + "{% endfor %}"


def test_a_bomb_of_time_is_stopped_by_the_processors_limit() -> None:
    with pytest.raises(Overran, match="too much time"):
        ask({"source": CPU}, program("fill"), Limits(processor_s=1, clock_s=60))


def test_a_bomb_of_time_is_stopped_by_the_clock_alone() -> None:
    with pytest.raises(Overran, match="too much time"):
        ask({"source": CPU}, program("fill"), Limits(processor_s=60, clock_s=0.2))


@pytest.mark.parametrize("source", [MEMORY, DOUBLING])
def test_a_bomb_of_memory_is_stopped(source: str) -> None:
    with pytest.raises(Overran, match="too much memory"):
        ask({"source": source}, program("fill"), Limits(processor_s=20, clock_s=60))


def test_a_bomb_of_output_is_stopped() -> None:
    with pytest.raises(Overran, match="never ends"):
        ask({"source": OUTPUT}, program("fill"), Limits(processor_s=20, clock_s=60))


def test_output_without_an_end_is_stopped() -> None:
    with pytest.raises(Overran, match="never ends"):
        ask({}, program("flood"), Limits(clock_s=60))


def test_a_process_that_waits_is_ended() -> None:
    with pytest.raises(Overran, match="too much time"):
        ask({}, program("wait"), Limits(clock_s=0.2))


def test_a_process_that_dies_of_a_compiled_librarys_memory_is_said_so() -> None:
    with pytest.raises(Overran, match="too much memory"):
        ask({}, program("abort"))


@pytest.mark.parametrize("how", ["leave", "fail", "babble"])
def test_a_process_without_an_answer_is_one_sentence(how: str) -> None:
    with pytest.raises(NoAnswer, match="ended without an answer") as caught:
        ask({}, program(how))
    assert "nobody may read" not in str(caught.value)


def test_a_program_that_cannot_be_started_as_such_is_one_sentence() -> None:
    with pytest.raises(NoAnswer):
        ask({}, (*program("fill")[:4], "-c", "pass"))


def test_the_process_sees_no_environment_no_file_of_ours_and_writes_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REMINDERS_SECRET_KEY", "a secret that only this test knows")
    descriptor = os.open(tmp_path / "ours", os.O_CREAT | os.O_RDWR)
    os.set_inheritable(descriptor, True)  # noqa: FBT003 - the library's own signature
    try:
        seen = ask({"file": str(tmp_path / "theirs"), "descriptor": descriptor}, program("look_around"))
    finally:
        os.close(descriptor)
    assert not [name for name in seen["environment"] if "REMINDERS" in name or "PATH" in name]
    assert (seen["written"], seen["inherited"], seen["folder"]) == (False, False, "/")


def test_an_examination_elsewhere_says_what_one_here_says() -> None:
    shown = example("medical", "follow_up", "de", "eu")
    for source in (ORDINARY, ORDINARY + HTML, with_words("{{ x }}"), "no template", with_words("see www.evil.com")):
        assert try_template(source, shown) == check_template(source, shown)


def test_a_template_that_takes_too_much_is_a_complaint() -> None:
    [found] = try_template(ORDINARY, example("cosmetic", "invitation", "en"), Limits(clock_s=0))
    assert (found.line, found.severity, found.what) == (None, "error", "it takes too much time: it was stopped")


def test_a_message_made_elsewhere_is_the_one_made_here() -> None:
    own = OwnTemplate(0, 0, ORDINARY + HTML)
    assert render_unproven(own.source, facts(), LINKS) == Renderer().render(facts(own=own), LINKS)


@pytest.mark.parametrize("source", [with_words("{{ x }}"), "", "Subject: a\n\n{% for %}"])
def test_a_template_that_cannot_be_filled_elsewhere_is_broken(source: str) -> None:
    with pytest.raises(TemplateBroken):
        render_unproven(source, facts(), LINKS)


def test_the_facts_arrive_as_they_were() -> None:
    logo = Logo("d" * 64, "image/png", 10, 20, b"\x89PNG\x00")
    shown = facts(
        logo=logo, own=OwnTemplate(3, 4, "Subject: a\n\nb"), country="GB", colour="#123456", reminder_keys=("a",)
    )
    assert facts_from(facts_as_plain(shown)) == shown
    assert all(getattr(shown, field.name) is not None for field in dataclasses.fields(MessageFacts))
