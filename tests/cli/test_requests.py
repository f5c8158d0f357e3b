"""The commands about what patients answered, as staff type them."""

import re

import pytest

from reminders.app import open_app
from reminders.domain.answers import AnswerKind
from reminders.services.answering.answer import Reply
from reminders.settings import load_settings
from tests.cli.desk import OF, Desk
from tests.support.clinic import INVITED_AT
from tests.support.facts import day


@pytest.fixture
def asked(desk: Desk) -> Desk:
    """A clinic whose one patient got her invitation and answered it."""
    desk.env["REMINDERS_BASE_URL"] = "https://reminders.north.example"
    desk.clock.set(INVITED_AT)
    desk.run("deliver")
    return desk


def _answers(desk: Desk, reply: Reply) -> None:
    [sent] = [path.read_text() for path in desk.outbox() if "/p/" in path.read_text()]
    token = re.search(r"/p/([\w-]+)", sent.replace("=\n", ""))
    assert token is not None
    with pytest.MonkeyPatch.context() as patch:
        for name, value in desk.env.items():
            patch.setenv(name, value)
        with open_app(load_settings(None), desk.clock) as app:
            assert app.answer(token[1], reply) is not None


def test_a_request_is_listed_announced_and_closed(asked: Desk) -> None:
    assert asked.run("requests", "list") == "Nothing is open.\n"
    reply = Reply(
        AnswerKind.CONSULTATION_REQUESTED, contact_by="phone", contact_when="morning", note="a\nb", phone="030"
    )
    _answers(asked, reply)
    asked.clock.advance(hours=3)
    said = asked.run("requests", "list")
    for told in ("3 hours", "1001", "consultation requested", "by phone · in the morning", "030", "face", "a / b"):
        assert told in said
    assert "1 answer of patients announced: `reminders requests list` shows them." in asked.run("deliver")
    assert "announced" not in asked.run("deliver")
    assert "patient 1001 of clinic north is closed" in asked.run("requests", "close", "1", "--why", "phoned")
    assert asked.run("requests", "list", "--clinic", "north") == "Nothing is open.\n"
    assert "consultation requested, closed" in asked.run("requests", "list", "--all")


def test_a_request_as_a_document(asked: Desk) -> None:
    _answers(asked, Reply(AnswerKind.PHONE_ME, note="I am on new medicine", phone="030"))
    asked.clock.advance(days=2, hours=1)
    document = {
        "id": 1,
        "clinic": "north",
        "patient": "1001",
        "kind": "phone_me",
        "at": "2026-03-23T10:00:00Z",
        "closed_at": None,
        "withdrawn_at": None,
        "age_days": 2,
        "practitioner": None,
        "contact_by": "phone",
        "contact_when": None,
        "day": None,
        "lines": ["face"],
        "scope": None,
        "note": "I am on new medicine",
        "phone": "030",
    }
    assert asked.json("requests", "list") == [document]
    assert "PHONE" in asked.run("requests", "list")
    closed = asked.json("requests", "close", "1", "--why", "phoned")
    assert closed == document | {"closed_at": "2026-03-25T11:00:00Z"}
    assert asked.json("requests", "list") == []
    assert asked.json("requests", "list", "--all") == [closed]


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (Reply(AnswerKind.TREATED_ELSEWHERE, day=day("2026-02-01")), "treated elsewhere (February 2026)"),
        (Reply(AnswerKind.STOPPED, everything=True), "all messages"),
        (Reply(AnswerKind.WRONG_PERSON), "wrong person"),
    ],
)
def test_every_kind_is_told_in_words(asked: Desk, kind: Reply, told: str) -> None:
    _answers(asked, kind)
    assert told in asked.run("requests", "list")


def test_what_does_not_hold_is_withdrawn_also_once_it_is_closed(asked: Desk) -> None:
    _answers(asked, Reply(AnswerKind.TREATED_ELSEWHERE, day=day("2026-02-01")))
    asked.run("requests", "close", "1", "--why", "noted")
    ended = asked.json("list", "--state", "cancelled")
    assert {row["reason"] for row in ended} == {"treated_again"}
    said = asked.run("requests", "close", "1", "--untrue", "--why", "she was treated here")
    assert said == "Request 1 of patient 1001 of clinic north is withdrawn.\n"
    assert asked.json("list", "--state", "cancelled") == []
    assert "not open any more" in asked.fails(3, "requests", "close", "1", "--untrue", "--why", "again")


def test_a_stop_is_not_withdrawn_as_untrue(asked: Desk) -> None:
    _answers(asked, Reply(AnswerKind.STOPPED, everything=True))
    told = asked.fails(3, "requests", "close", "1", "--untrue", "--why", "no")
    assert "Request 1 is about writing at all" in told


def test_what_staff_note_themselves_is_on_the_list_and_closed_from_either_side(desk: Desk) -> None:
    desk.run("patient", "reply", *OF)
    assert "replied" in desk.run("requests", "list")
    desk.run("patient", "reply", *OF, "--close")
    assert desk.run("requests", "list") == "Nothing is open.\n"
    desk.run("patient", "reply", *OF, "--request")
    desk.run("requests", "close", "2", "--why", "booked by phone")
    assert desk.json("patient", "show", *OF)["answers"] == []


def test_mistakes_are_told_in_a_sentence(desk: Desk) -> None:
    assert "no request 7" in desk.fails(3, "requests", "close", "7", "--why", "x")
    desk.fails(2, "requests", "close", "seven", "--why", "x")
    desk.fails(2, "requests", "close", "7")
    desk.fails(3, "requests", "list", "--clinic", "nowhere")
    desk.run("patient", "reply", *OF)
    desk.fails(3, "requests", "close", "1", "--why", " ")
    desk.run("requests", "close", "1", "--why", "done")
    assert "not open any more" in desk.fails(3, "requests", "close", "1", "--why", "again")


def test_a_patients_note_cannot_steer_a_terminal(asked: Desk) -> None:
    _answers(asked, Reply(AnswerKind.PHONE_ME, note="[bold red]x[/] :smile: \u200fabc", phone="030"))
    assert "[bold red]x[/] :smile:" in asked.run("requests", "list")


def test_a_changed_answer_and_a_number_that_nobody_has_are_told(asked: Desk) -> None:
    _answers(asked, Reply(AnswerKind.CONSULTATION_REQUESTED, contact_by="email", note="a word"))
    _answers(asked, Reply(AnswerKind.BOOKED))
    said = asked.run("requests", "list")
    assert "consultation requested" not in said
    assert all(told in said for told in ("already booked", "a word", "no number on file"))
    assert "consultation requested, withdrawn" in asked.run("requests", "list", "--all")
    assert [one["withdrawn_at"] for one in asked.json("requests", "list", "--all")] == [None, "2026-03-23T10:00:00Z"]
