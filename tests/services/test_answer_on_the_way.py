"""Answers that come while a message is on its way: up to the fence they hold at once, after it they do not hurt."""

from collections.abc import Callable
from pathlib import Path

import pytest

from reminders.domain.answers import AnswerKind
from reminders.domain.lifecycle import Reason, State
from reminders.services.points import Point
from tests.services.readers import Reader, invited
from tests.support.clinic import FOLLOW_UP_AT, Office, Once, to
from tests.support.facts import day, utc
from tests.support.smtp_server import RealServer

BETWEEN = (
    Point.CLAIMED,
    Point.RENDERED,
    Point.CONNECTED,
    Point.ENVELOPE_ACCEPTED,
    Point.BYTES_KEPT,
    Point.BODY_WRITTEN,
)
Says = Callable[[Reader], object]
ANSWERS: dict[str, tuple[Says, State, Reason]] = {
    "asks": (
        lambda reader: reader.answers(AnswerKind.CONSULTATION_REQUESTED),
        State.CANCELLED,
        Reason.CONSULTATION_REQUESTED,
    ),
    "phone me": (lambda reader: reader.answers(AnswerKind.PHONE_ME), State.CANCELLED, Reason.CONSULTATION_REQUESTED),
    "booked": (lambda reader: reader.answers(AnswerKind.BOOKED), State.CANCELLED, Reason.BOOKED),
    "booked for a day": (
        lambda reader: reader.answers(AnswerKind.BOOKED, day=day("2026-05-20")),
        State.CANCELLED,
        Reason.BOOKED,
    ),
    "elsewhere": (
        lambda reader: reader.answers(AnswerKind.TREATED_ELSEWHERE, day=day("2026-04-01")),
        State.CANCELLED,
        Reason.TREATED_AGAIN,
    ),
    "later": (
        lambda reader: reader.answers(AnswerKind.REMIND_LATER, day=day("2026-06-16")),
        State.PLANNED,
        Reason.SNOOZED,
    ),
    "wrong person": (lambda reader: reader.answers(AnswerKind.WRONG_PERSON), State.CANCELLED, Reason.OPTED_OUT),
    "stopped": (lambda reader: reader.stops(), State.CANCELLED, Reason.OPTED_OUT),
    "stopped everything": (lambda reader: reader.stops(everything=True), State.CANCELLED, Reason.OPTED_OUT),
}


@pytest.fixture
def reader(office: Office, tmp_path: Path) -> Reader:
    """P1 has her invitation, and her follow-up is due now."""
    made = invited(office, tmp_path / "out")
    office.clock.set(FOLLOW_UP_AT)
    return made


@pytest.mark.parametrize("said", ANSWERS)
def test_an_answer_just_before_the_dot_holds(reader: Reader, server: RealServer, said: str) -> None:
    says, state, reason = ANSWERS[said]
    meanwhile = Once(Point.BODY_WRITTEN, lambda: says(reader))
    outcome = reader.office.deliver(to(server), observe=meanwhile)
    assert meanwhile.done
    assert (outcome.sent, outcome.unknown) == (0, 0)
    assert not [message for message in server.messages if b"multipart" in message.content]
    follow_up = reader.office.row("follow_up")
    assert (follow_up.state, follow_up.reason) == (state, reason)


def test_a_step_that_is_claimed_may_still_be_put_off_to_a_later_day_of_its_own(
    reader: Reader, server: RealServer
) -> None:
    says = Once(Point.BODY_WRITTEN, lambda: reader.answers(AnswerKind.REMIND_LATER, day=day("2026-05-12")))
    outcome = reader.office.deliver(to(server), observe=says)
    assert (outcome.sent, server.messages, outcome.next_at) == (0, [], utc("2026-05-12 09:00"))


@pytest.mark.parametrize("point", BETWEEN)
@pytest.mark.parametrize("said", ["asks", "stopped"])
def test_an_answer_holds_from_the_claim_to_the_fence(
    reader: Reader, server: RealServer, point: Point, said: str
) -> None:
    outcome = reader.office.deliver(to(server), observe=Once(point, lambda: ANSWERS[said][0](reader)))
    assert outcome.sent == 0
    assert reader.office.row("follow_up").state is State.CANCELLED


@pytest.mark.parametrize("said", ANSWERS)
def test_an_answer_after_the_fence_leaves_what_has_gone_and_withholds_the_rest(
    reader: Reader, server: RealServer, said: str
) -> None:
    outcome = reader.office.deliver(to(server), observe=Once(Point.FENCED, lambda: ANSWERS[said][0](reader)))
    assert outcome.sent == 1
    assert reader.office.row("follow_up").state is State.SENT
    assert reader.office.row("last_call").state in (State.CANCELLED, State.PLANNED)
