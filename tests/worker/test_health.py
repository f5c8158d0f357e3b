"""What machines are told: red when the clock that should tick does not, and when sending is locked."""

import shutil
from contextlib import closing
from pathlib import Path

import httpx2
import pytest

from reminders.app import App
from reminders.services.guarding.lock import Because
from reminders.services.heartbeat import beat, stop
from reminders.web.serve import Here, served
from tests.support.clinic import INVITED_AT, FakeClock, Office, to
from tests.support.killing_server import KillingServer
from tests.support.site import FREE_PLACE, browsing, installed_app_of
from tests.support.ticking import app_at, clock_on, eventually


@pytest.fixture
def app(office: Office) -> App:
    return installed_app_of(office)


def test_pages_are_alive_while_a_clock_elsewhere_ticks_or_was_stopped_and_not_when_it_fell_silent(
    office: Office, app: App
) -> None:
    with browsing(app) as web:
        assert web.get("/healthz").text == "alive\n"
        beat(office.database, office.clock, "elsewhere")
        office.clock.advance(seconds=90)
        assert web.get("/healthz").status_code == 200
        office.clock.advance(seconds=2)
        found = web.get("/healthz")
        assert (found.status_code, found.text) == (503, "not alive\n")
        stop(office.database, office.clock, "elsewhere")
        office.clock.advance(seconds=200)
        assert web.get("/healthz").status_code == 200


def test_pages_are_not_ready_while_sending_is_locked(office: Office, app: App) -> None:
    with browsing(app) as web:
        assert web.get("/readyz").status_code == 200
        app.lock(Because.RESTORED)
        office.clock.advance(seconds=2)
        assert web.get("/readyz").status_code == 503
        assert web.get("/healthz").status_code == 200


@pytest.mark.parametrize(("ticks", "status"), [(True, 200), (False, 503)])
def test_the_clock_of_this_process_decides_where_there_is_one(
    office: Office,
    app: App,
    ticks: bool,  # noqa: FBT001 - a row of the table
    status: int,
) -> None:
    beat(office.database, office.clock, "elsewhere")
    if ticks:
        office.clock.advance(days=1)
    with served(app, FREE_PLACE, here=Here(lambda: ticks, int)) as address:
        assert httpx2.get(f"{address}/healthz").status_code == status


def test_a_clock_in_this_process_sends_what_is_due_and_says_what_it_did(installed_file: Path, tmp_path: Path) -> None:
    office = Office(f"sqlite:///{shutil.copy(installed_file, tmp_path / 'office.db')}", FakeClock(INVITED_AT))
    office.add_clinic(sending_days="mon,tue,wed,thu,fri,sat,sun", sending_hours="00:00-24:00", send_at="00:00")
    office.add_due(3)
    with KillingServer() as server, closing(office):
        with clock_on(app_at(office, to(server))) as (clock, kept):
            assert eventually(lambda: len(server.accepted) == 3)
            assert clock.healthy
        lines = kept.lines()
    sent = [line["sent"] for line in lines if line["event"] == "delivered"]
    assert sum(int(str(count)) for count in sent) == 3
    assert lines[-1]["event"] == "the clock has stopped"
    text = kept.stream.getvalue()
    assert "patients.example" not in text
    assert "Ada" not in text
