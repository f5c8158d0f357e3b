"""Days that the calendar makes hard: each local day is met once, at a time that exists."""

import datetime as dt
import itertools
import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from reminders.domain.lifecycle import State
from reminders.domain.sending_hours import moment
from tests.support.clinic import Office, to
from tests.support.facts import day, utc
from tests.support.smtp_server import RealServer

ROOT = Path(__file__).resolve().parents[2]
ALL_WEEK = {"sending_days": "mon,tue,wed,thu,fri,sat,sun", "sending_hours": "00:00-24:00"}
MIDNIGHT_GAPS = (
    ("Asia/Beirut", "2026-03-29", "01:00"),
    ("Africa/Cairo", "2026-04-24", "01:00"),
    ("America/Santiago", "2026-09-06", "01:00"),
    ("Atlantic/Azores", "2026-03-29", "01:00"),
)
"""Zones whose clocks skip midnight on a day, and the first time of that day that exists (tz database)."""


def opens_on(office: Office, zone: str, invited: dt.date, send_at: str) -> None:
    """Treat a patient so that the invitation's own day is `invited`: two weeks and three months after the treatment."""
    office.add_clinic(timezone=zone, send_at=send_at, **ALL_WEEK)
    office.add_patient()
    treated = next(
        on for on in (invited - dt.timedelta(days=days) for days in range(74, 82)) if _invitation_day(on) == invited
    )
    office.clock.set(dt.datetime.combine(treated, dt.time(18), dt.UTC))
    office.treat(on=treated.isoformat())


def _invitation_day(treated: dt.date) -> dt.date:
    month = treated.month + 3
    year, month = treated.year + (month - 1) // 12, (month - 1) % 12 + 1
    last = (dt.date(year + month // 12, month % 12 + 1, 1) - dt.timedelta(days=1)).day
    opens = dt.date(year, month, min(treated.day, last))
    return max(opens, treated + dt.timedelta(days=90)) - dt.timedelta(weeks=2)


@pytest.mark.parametrize(("zone", "on", "first"), MIDNIGHT_GAPS)
def test_f21_a_day_without_a_midnight_begins_at_its_first_instant(
    empty_office: Office, server: RealServer, zone: str, on: str, first: str
) -> None:
    opens_on(empty_office, zone, day(on), "00:00")
    due_at = empty_office.row().due_at
    assert due_at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M") == f"{on} {first}"
    empty_office.clock.set(due_at - dt.timedelta(seconds=1))
    assert empty_office.deliver(to(server)).sent == 0
    empty_office.clock.set(due_at)
    assert [empty_office.deliver(to(server)).sent for _ in range(2)] == [1, 0]


@pytest.mark.parametrize(
    ("zone", "on", "at", "instant"),
    [
        ("Europe/Berlin", "2026-03-29", "02:30", "2026-03-29 01:00"),  # skipped: the first valid instant after it
        ("Europe/Berlin", "2026-10-25", "02:30", "2026-10-25 00:30"),  # occurs twice: the first
        ("America/New_York", "2027-03-14", "02:15", "2027-03-14 07:00"),
        ("America/New_York", "2026-11-01", "01:30", "2026-11-01 05:30"),
        ("Australia/Lord_Howe", "2026-10-04", "02:15", "2026-10-03 15:30"),  # half an hour is skipped
        ("Australia/Lord_Howe", "2026-04-05", "01:45", "2026-04-04 14:45"),
    ],
)
def test_f21_a_time_that_is_skipped_or_comes_twice_is_met_once(
    empty_office: Office, server: RealServer, zone: str, on: str, at: str, instant: str
) -> None:
    opens_on(empty_office, zone, day(on), at)
    assert empty_office.row().due_at == utc(instant)
    empty_office.clock.set(utc(instant))
    assert empty_office.deliver(to(server)).sent == 1
    for _ in range(4):  # over the hour that comes again
        empty_office.clock.advance(minutes=30)
        assert empty_office.deliver(to(server)).sent == 0


PLAN = """
import sys
from tests.support.clinic import FakeClock, Office
office = Office(sys.argv[1], FakeClock())
office.plan()
office.close()
"""


def test_f21_a_new_rule_for_a_zone_moves_what_is_planned(
    empty_office: Office, server: RealServer, tmp_path: Path
) -> None:
    empty_office.add_clinic(timezone="Europe/Berlin")
    empty_office.add_patient()
    empty_office.treat()
    before = empty_office.row().due_at
    (tmp_path / "Europe").mkdir()
    (tmp_path / "Europe" / "Berlin").write_bytes(files("tzdata").joinpath("zoneinfo", "Asia", "Dubai").read_bytes())
    updated = {**os.environ, "PYTHONTZPATH": str(tmp_path)}  # a program started after the tz database was updated
    subprocess.run([sys.executable, "-c", PLAN, empty_office.database.address], env=updated, cwd=ROOT, check=True)
    assert empty_office.row().due_at == before - dt.timedelta(hours=3)
    empty_office.clock.set(before)
    assert [empty_office.deliver(to(server)).sent for _ in range(2)] == [1, 0]


@pytest.mark.parametrize(
    ("treated", "due"),
    [
        ("2027-10-31", "2028-02-29"),  # a leap year
        ("2026-10-31", "2027-02-28"),
        ("2026-08-31", "2026-12-31"),
        ("2026-11-30", "2027-03-30"),
        ("2037-12-31", "2038-04-30"),
        ("2099-10-31", "2100-02-28"),  # 2100 is no leap year
    ],
)
def test_f22_a_window_ends_with_the_month_and_is_counted_from_the_treatment(
    empty_office: Office, treated: str, due: str
) -> None:
    empty_office.add_clinic()
    empty_office.add_patient()
    empty_office.clock.set(dt.datetime.combine(day(treated), dt.time(12), dt.UTC))
    empty_office.treat(on=treated)
    assert empty_office.row().window.due == day(due)
    assert all(row.state is State.PLANNED for row in empty_office.rows())


def test_f22_every_day_around_the_years_ends_has_one_midnight_in_every_hard_zone() -> None:
    for zone, _, _ in MIDNIGHT_GAPS:
        for year in (2026, 2027, 2028, 2037, 2038):
            days = [dt.date(year, 12, 28) + dt.timedelta(days=ahead) for ahead in range(10)]
            starts = [moment(zone, one) for one in days]
            assert [later - sooner for sooner, later in itertools.pairwise(starts)] == [dt.timedelta(days=1)] * 9
