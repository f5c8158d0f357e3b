"""Large rounds: several are claimed at once and looked up ahead; what changes meanwhile is heeded all the same."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from reminders.domain.lifecycle import Reason, State
from reminders.services.points import Point
from reminders.store.database import Transaction
from tests.services.test_deliver_second_look import WITHDRAWALS, Change
from tests.support.clinic import INVITED_AT, Office, Once, to
from tests.support.smtp_server import RealServer

OTHERS = 8


@pytest.fixture
def many(empty_office: Office) -> Office:
    """A patient whose invitation is due now, for the entry T1, and eight others."""
    empty_office.add_clinic()
    empty_office.add_patient()
    empty_office.treat(entry="T1")
    empty_office.add_due(OTHERS, prefix="Q")
    empty_office.clock.set(INVITED_AT)
    return empty_office


def before_the_claim(office: Office, change: Change, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let somebody change something when everybody was looked up ahead, and nobody is claimed yet."""
    write, still = office.database.write, [change]

    @contextmanager
    def held_up(now: object, actor: str, *, alongside: bool = False) -> Iterator[Transaction]:
        if alongside and still:
            still.pop()(office)
        with write(now, actor, alongside=alongside) as tx:  # type: ignore[arg-type]  # as it was given
            yield tx

    monkeypatch.setattr(office.database, "write", held_up)


@pytest.mark.parametrize("reason", WITHDRAWALS)
def test_what_changed_between_the_look_and_the_claim_is_heeded(
    many: Office, server: RealServer, reason: Reason, monkeypatch: pytest.MonkeyPatch
) -> None:
    before_the_claim(many, WITHDRAWALS[reason], monkeypatch)
    assert many.deliver(to(server), OTHERS + 1).sent == OTHERS
    assert len(server.messages) == OTHERS
    invitation = min(many.rows(), key=lambda row: row.id)
    assert (invitation.state, invitation.reason) == (State.CANCELLED, reason)


def test_a_new_address_between_the_look_and_the_claim_is_the_one_written_to(
    many: Office, server: RealServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    before_the_claim(many, lambda office: office.change_patient(email="ada@moved.example"), monkeypatch)
    assert many.deliver(to(server), OTHERS + 1).sent == OTHERS + 1
    recipients = [one for message in server.messages for one in message.rcpt_tos]
    assert "ada@moved.example" in recipients
    assert "p1@riverside-patients.example" not in recipients


def test_a_clinic_paused_between_the_look_and_the_claim_sends_nothing(
    many: Office, server: RealServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    before_the_claim(many, Office.pause, monkeypatch)
    assert many.deliver(to(server), OTHERS + 1).sent == 0
    assert server.messages == []


def test_what_changes_while_earlier_rounds_go_is_heeded(many: Office, server: RealServer) -> None:
    many.add_due(OTHERS, prefix="R")
    meanwhile = Once(Point.SETTLED, lambda: many.change_patient(f"R{OTHERS}", opt_out="all"))
    assert many.deliver(to(server), OTHERS, observe=meanwhile).sent == len(server.messages) == 2 * OTHERS
    [invitation] = [row for row in many.rows(f"R{OTHERS}") if row.step == "invitation"]
    assert (invitation.state, invitation.reason) == (State.CANCELLED, Reason.OPTED_OUT)


def test_who_is_told_to_stop_gives_back_what_was_claimed_for_later_rounds(many: Office, server: RealServer) -> None:
    many.add_due(OTHERS, prefix="R")
    stopped: list[bool] = []
    after_one = Once(Point.SETTLED, lambda: stopped.append(True))
    first = many.deliver(to(server), OTHERS, stop=lambda: bool(stopped), observe=after_one)
    assert (first.sent, many.ids(State.CLAIMED)) == (OTHERS, [])
    assert many.deliver(to(server), OTHERS).sent == OTHERS + 1
    assert len(server.messages) == 2 * OTHERS + 1
