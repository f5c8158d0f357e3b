"""Faults: nobody delivered for an hour up to a year, a mail server was away, or an import makes many due at once."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from reminders.domain.lifecycle import State
from reminders.services import clinic as clinic_service
from reminders.services import decide
from reminders.services.audit import audit
from reminders.services.find import the_clinic
from reminders.services.importing.bring_in import ImportRequest, bring_in
from reminders.services.points import Point
from tests.support.backends import BACKENDS
from tests.support.clinic import INVITED_AT, FakeClock, Office, install, to
from tests.support.database import Copies
from tests.support.facts import utc
from tests.support.smtp_server import RealServer

on_both = pytest.mark.parametrize("backend", BACKENDS, indirect=True)
MANY, FEW = 51, 4
DOWN = {
    "hour": dt.timedelta(hours=1),
    "day": dt.timedelta(days=1),
    "week": dt.timedelta(days=7),
    "month": dt.timedelta(days=30),
    "year": dt.timedelta(days=365),
}
LONDON = ZoneInfo("Europe/London")


def many_due(url: str) -> None:
    """Make a clinic that invites 51 patients on one day, one more than is never a backlog, to be copied."""
    install(url)
    office = Office(url, FakeClock())
    office.add_clinic()
    office.add_due(MANY, prefix="M")
    office.close()


def few_due(url: str) -> None:
    """Make a clinic that invites four patients on one day, to be copied."""
    install(url)
    office = Office(url, FakeClock())
    office.add_clinic()
    office.add_due(FEW)
    office.close()


@pytest.fixture
def clinic(request: pytest.FixtureRequest, copies: Copies) -> Iterator[Office]:
    """Return a clinic with few or many patients (its parameter), all due at one moment."""
    made = Office(copies.copy(many_due if request.param == "many" else few_due), FakeClock())
    yield made
    made.close()


def breaches(office: Office) -> list[str]:
    return [finding.problem for finding in audit(office.database, office.clock, office.keys).findings]


def in_open_hours(moment: dt.datetime) -> bool:
    local = moment.astimezone(LONDON)
    return local.weekday() < 5 and 9 <= local.hour < 17


@pytest.mark.parametrize("clinic", ["few", "many"], indirect=True)
@pytest.mark.parametrize("down", DOWN)
def test_f23_after_any_downtime_nothing_is_late_nothing_is_lost_and_nothing_is_a_blast(
    clinic: Office, server: RealServer, down: str
) -> None:
    """Two deliveries: one just before the invitations are due, and the next when the machine is back."""
    size = len(clinic.rows()) // 3
    clinic.clock.set(INVITED_AT - dt.timedelta(minutes=1))
    clinic.deliver(to(server))
    clinic.clock.set(INVITED_AT + DOWN[down])
    outcome = clinic.deliver(to(server), round_size=8)
    now = clinic.clock.now()
    for row in clinic.rows():
        assert row.sent_at is None or row.sent_at < row.not_after
        assert row.state is not State.PLANNED or row.not_after > now
        assert row.state is not State.EXPIRED or row.not_after <= now
    assert outcome.sent in (0, size)
    assert len(server.messages) == outcome.sent
    assert not outcome.sent or in_open_hours(now)
    if outcome.sent == MANY:
        assert down in ("hour", "day")  # due today or on the last sending day: no backlog
    assert breaches(clinic) == []


@pytest.mark.parametrize("clinic", ["many"], indirect=True)
def test_f23_a_week_away_holds_a_large_backlog_until_a_person_lets_it_go(clinic: Office, server: RealServer) -> None:
    clinic.clock.set(INVITED_AT + DOWN["week"])
    outcome = clinic.deliver(to(server), round_size=8)
    assert (outcome.held, outcome.sent) == (MANY, 0)
    clinic.plan()
    assert clinic.states() == {"held backlog_hold": MANY, "planned": 2 * MANY}


@pytest.mark.parametrize("clinic", ["few"], indirect=True)
def test_f23_a_small_backlog_goes_out_by_itself_the_nearest_closing_day_first(
    clinic: Office, server: RealServer
) -> None:
    clinic.clock.set(utc("2026-01-12 12:00"))
    clinic.add_patient("L1")
    clinic.treat("L1", on="2026-01-12")  # closes a week later
    clinic.clock.set(INVITED_AT + dt.timedelta(days=8))
    assert clinic.deliver(to(server)).sent == FEW + 1
    assert server.messages[-1].rcpt_tos == ("l1@riverside-patients.example",)


@on_both
@pytest.mark.parametrize("clinic", ["few"], indirect=True)
def test_f23_of_an_episodes_steps_only_the_latest_goes_out_after_downtime(clinic: Office, server: RealServer) -> None:
    """The days of a step end where the next one's begin, so that two of an episode are never due together."""
    clinic.clock.set(utc("2026-06-16 10:00"))  # behind the last step's day; three steps were missed
    assert clinic.deliver(to(server)).sent == FEW
    assert len(server.messages) == FEW
    assert {row.step: str(row.state) for row in clinic.rows("P1")} == {
        "invitation": "expired",
        "follow_up": "expired",
        "last_call": "sent",
    }


@pytest.mark.parametrize("clinic", ["few"], indirect=True)
def test_f23_outside_the_sending_hours_a_machine_that_is_back_waits(clinic: Office, server: RealServer) -> None:
    clinic.clock.set(INVITED_AT + dt.timedelta(hours=9))
    outcome = clinic.deliver(to(server))
    assert (outcome.sent, outcome.next_at) == (0, utc("2026-03-24 09:00"))


# a planned closure is no downtime
@pytest.mark.parametrize("clinic", ["many"], indirect=True)
def test_f23_what_falls_due_in_a_planned_closure_goes_on_the_first_open_day(clinic: Office, server: RealServer) -> None:
    closed = [utc("2026-03-20 00:00").date() + dt.timedelta(days=days) for days in range(17)]
    clinic.clock.set(utc("2026-03-01 12:00"))
    close(clinic, closed)
    clinic.clock.set(utc("2026-03-27 10:00"))
    assert clinic.deliver(to(server)).sent == 0
    clinic.clock.set(utc("2026-04-06 09:30"))
    outcome = clinic.deliver(to(server), round_size=8)
    assert (outcome.held, outcome.sent) == (0, MANY)


@pytest.mark.parametrize("clinic", ["many"], indirect=True)
def test_f23_after_a_closure_the_daily_limit_still_holds(clinic: Office, server: RealServer) -> None:
    clinic.clock.set(utc("2026-03-01 12:00"))
    clinic.change_clinic(daily_limit="20")
    close(clinic, [utc("2026-03-20 00:00").date() + dt.timedelta(days=days) for days in range(17)])
    sent = []
    for day in ("2026-04-06", "2026-04-07", "2026-04-08"):
        clinic.clock.set(utc(f"{day} 09:30"))
        outcome = clinic.deliver(to(server), round_size=8)
        assert outcome.held == 0
        sent.append(outcome.sent)
    assert sent == [20, 20, 11]


@pytest.mark.parametrize("clinic", ["many"], indirect=True)
def test_f23_a_paused_clinic_that_is_resumed_sends_no_blast(clinic: Office, server: RealServer) -> None:
    clinic.clock.set(INVITED_AT - dt.timedelta(days=1))
    clinic.pause()
    clinic.clock.set(INVITED_AT + DOWN["week"])
    clinic.pause(paused=False)
    outcome = clinic.deliver(to(server), round_size=8)
    assert outcome.sent == 0
    assert clinic.states()["held backlog_hold"] == MANY


# an import is no surprise blast either
@on_both
def test_f37_an_import_that_makes_many_due_at_once_waits_for_a_person(
    empty_office: Office, server: RealServer, tmp_path: Path
) -> None:
    empty_office.add_clinic()
    empty_office.clock.set(INVITED_AT + dt.timedelta(days=4))
    rows = [f"I{number},Ada,i{number}@home.example,granted,botulinum-cosmetic,2026-01-05" for number in range(MANY)]
    export = tmp_path / "export.csv"
    export.write_text("\n".join(["patient_ref,given_name,email,consent,protocol,treated_on", *rows]))
    report = bring_in(empty_office.database, empty_office.clock, empty_office.keys, ImportRequest(export, "riverside"))
    assert (report.rows, report.rejected) == (MANY, 0)
    assert empty_office.states()["held backlog_hold"] == MANY
    assert empty_office.deliver(to(server), round_size=8).sent == 0
    assert server.messages == []
    with empty_office.write() as tx:
        decide.release_all(tx, the_clinic(tx, "riverside"))
    assert empty_office.states() == {"planned": 3 * MANY}


# the ramp after an outage of the server
@on_both
@pytest.mark.parametrize("clinic", ["few"], indirect=True)
def test_f09_after_an_outage_rounds_grow_with_what_is_accepted(clinic: Office, server: RealServer) -> None:
    clinic.add_due(12, prefix="R")
    clinic.clock.set(INVITED_AT)
    server.script["RCPT"].extend(["421 4.3.2 shutting down"] * 3)
    outcome = clinic.deliver(to(server))
    assert (outcome.sent, outcome.stopped is not None) == (0, True)
    clinic.clock.advance(minutes=20)
    rounds = Rounds(server)
    outcome = clinic.deliver(to(server), round_size=8, observe=rounds)
    assert outcome.sent == FEW + 12
    assert rounds.sizes == [1, 2, 4, 8, 1]


@pytest.mark.parametrize("clinic", ["few"], indirect=True)
def test_f09_with_one_message_at_a_time_the_ramp_changes_nothing(clinic: Office, server: RealServer) -> None:
    clinic.clock.set(INVITED_AT)
    server.script["RCPT"].extend(["421 4.3.2 shutting down"] * 3)
    clinic.deliver(to(server))
    clinic.clock.advance(minutes=20)
    rounds = Rounds(server)
    assert clinic.deliver(to(server), observe=rounds).sent == FEW
    assert rounds.sizes == [1, 1, 1, 1]


class Rounds:
    """Counts what every round of a delivery gave the server."""

    def __init__(self, server: RealServer) -> None:
        self._server, self._before = server, len(server.messages)
        self.sizes: list[int] = []

    def __call__(self, point: Point) -> None:
        if point is Point.SETTLED:
            self.sizes.append(len(self._server.messages) - self._before)
            self._before = len(self._server.messages)


def close(office: Office, days: list[dt.date]) -> None:
    """Enter days on which the clinic is closed."""
    with office.write() as tx:
        clinic_service.change_clinic(tx, "riverside", {}, closed=days)
