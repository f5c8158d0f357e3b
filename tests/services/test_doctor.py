"""The doctor says what is wrong with an installation in whatever state it is, and changes nothing."""

import datetime as dt
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from reminders.mail.address import BadAddress
from reminders.mail.transport import transport_for
from reminders.services.checkup.check import Check
from reminders.services.checkup.doctor import doctor
from reminders.services.explain import TROUBLES
from reminders.services.install import install
from reminders.services.opening import open_installation
from reminders.settings import Settings
from reminders.store import clinics, transports
from reminders.store.database import Database
from reminders.store.transports import Breaker
from tests.services.delivered import INVITED, START, SetClock
from tests.support.smtp_server import PASSWORD, USER, RealServer, certificates, real_server

WAITING = ("overdue", "unknown", "failed", "held")
KEY = "a secret key of a test that is long enough"


@pytest.fixture(scope="session")
def installed_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the database of an installation with one clinic, and its key beside it."""
    folder = tmp_path_factory.mktemp("installed")
    settings = settings_in(folder)
    install(settings, SetClock(START))
    database, _ = open_installation(settings, SetClock(START))
    with database.write(START, "cli") as tx:
        clinics.add_clinic(
            tx,
            slug="linden",
            name="Linden Clinic",
            timezone="Europe/London",
            email="hello@linden.test",
            reply_to="desk@linden.test",
            phone="+44 20 7946 0018",
            booking_url="https://linden.test/visit",
            address="1 Quay Street, London",
        )
    database.close()
    return folder / "reminders.db"


@pytest.fixture
def folder(installed_file: Path, tmp_path: Path) -> Path:
    """Return a folder with a working installation."""
    for name in ("reminders.db", "reminders.key"):
        shutil.copy(installed_file.with_name(name), tmp_path / name)
    return tmp_path


@pytest.fixture
def server() -> Iterator[RealServer]:
    with real_server() as running:
        yield running


def settings_in(folder: Path, **given: object) -> Settings:
    """Return settings whose files lie in `folder`, and whose mail goes there."""
    fields = {
        "database_url": f"sqlite:///{folder / 'reminders.db'}",
        "secret_key_file": folder / "reminders.key",
        "smtp_url": f"file:{folder / 'out'}",
        "base_url": "https://reminders.linden.test",
    }
    return Settings(**(fields | given))  # type: ignore[arg-type]  # pydantic checks them


def examined(folder: Path, now: dt.datetime = INVITED, mail_to: str | None = None, **given: object) -> dict[str, Check]:
    return {check.name: check for check in doctor(settings_in(folder, **given), SetClock(now), mail_to)}


def opened(folder: Path) -> Database:
    return open_installation(settings_in(folder), SetClock(INVITED))[0]


def tamper(folder: Path, statement: str) -> None:
    connection = sqlite3.connect(folder / "reminders.db")
    connection.execute(statement)
    connection.commit()
    connection.close()


def test_a_sound_installation_has_nothing_wrong(folder: Path) -> None:
    checks = examined(folder)
    assert {name for name, check in checks.items() if check.ok is not True} == {
        "sender linden.test (linden)",
        "ticking",
    }
    assert checks["catalogue"].said == "18 protocols switched on, 3 off"
    assert checks["clinic linden: hours"].said.startswith("it sends mon,tue,wed,thu,fri 09:00-17:00 in Europe/London")
    assert not list(folder.glob("out/*.eml"))


def test_what_is_set_for_the_clock_is_told_without_the_secret_in_it(folder: Path) -> None:
    checks = examined(folder, ping_url="https://ping.example/s3cret", keep_messages_days=7)
    assert "ping.example is asked" in checks["ping"].said
    assert "s3cret" not in checks["ping"].said
    assert "for 7 days" in checks["kept"].said
    checks = examined(folder, keep_messages_days=0)
    assert "REMINDERS_PING_URL is not set" in checks["ping"].said
    assert "for good" in checks["kept"].said


def test_every_check_that_is_not_right_says_how_to_mend_it(folder: Path, tmp_path: Path) -> None:
    broken = (examined(folder, smtp_url=None, base_url=None), examined(tmp_path / "nothing here"))
    for checks in broken:
        for check in checks.values():
            assert check.ok or check.advice or "run `" in check.said or "make" in check.said, check


# the database, the key, the clock


def test_what_killed_copies_left_beside_the_database_is_told_of(folder: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    left = folder / f".reminders-monday.db.{ended.pid}-0123456789ab.new"
    left.touch(0o600)
    for hours, told in ((0.9, False), (1.1, True)):  # another container may be at it
        then = INVITED.timestamp() - hours * 3600
        os.utime(left, (then, then))
        assert ("leftovers" in examined(folder)) is told
    found = examined(folder)["leftovers"]
    assert found.ok is None
    assert left.name in found.said


def test_a_missing_database_is_reported_and_not_made(folder: Path) -> None:
    (folder / "reminders.db").unlink()
    checks = examined(folder)
    assert checks["database"].ok is False
    assert "reminders init" in checks["database"].said
    assert checks["catalogue"].ok is None
    assert checks["transport"].ok is True
    assert not (folder / "reminders.db").exists()


@pytest.mark.parametrize("content", [b"", b"no database at all, but a text", b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_broken_database_is_reported(folder: Path, content: bytes) -> None:
    (folder / "reminders.db").write_bytes(content)
    checks = examined(folder)
    assert checks["database"].ok is False
    assert checks["templates"].ok is True


def test_damage_inside_the_file_is_found(folder: Path) -> None:
    with (folder / "reminders.db").open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xa5" * 4096 * 6)
    checks = examined(folder)
    assert {checks[name].ok for name in ("database", "database file") if name in checks} & {False}


def test_a_database_of_another_version_is_reported(folder: Path) -> None:
    tamper(folder, "UPDATE alembic_version SET version_num = '9999'")
    assert "newer version" in examined(folder)["database"].said


def test_a_missing_key_a_wrong_key_and_an_open_key_file_are_reported(folder: Path) -> None:
    assert examined(folder, secret_key=KEY)["secret key"].ok is False
    (folder / "reminders.key").chmod(0o644)
    assert "chmod 600" in examined(folder)["key file"].advice
    (folder / "reminders.key").unlink()
    assert "There is no secret key" in examined(folder)["secret key"].said


def test_a_clock_that_is_behind_what_was_recorded_is_reported(folder: Path) -> None:
    assert "recorded at 2026-03-02" in examined(folder, START - dt.timedelta(days=1))["clock"].said
    assert "before this program was made" in examined(folder, dt.datetime(1970, 1, 1, tzinfo=dt.UTC))["clock"].said


def test_an_empty_catalogue_is_reported(folder: Path) -> None:
    tamper(folder, "DELETE FROM protocols")
    assert examined(folder)["catalogue"].ok is False


# clinics, links, reminders


def test_what_a_clinics_messages_lack_is_named_with_its_option(folder: Path) -> None:
    tamper(folder, "UPDATE clinics SET phone = NULL, address = NULL, booking_url = NULL, reply_to = NULL")
    check = examined(folder)["clinic linden: sender"]
    assert check.ok is None
    assert check.advice == "`reminders clinic set linden --address … --phone … --reply-to … --booking-url …`"


def test_details_that_would_stop_every_message_are_wrong(folder: Path) -> None:
    tamper(folder, "UPDATE clinics SET name = 'Linden' || char(7)")
    check = examined(folder)["clinic linden: sender"]
    assert check.ok is False
    assert "clinic holds a control character" in check.said


def test_a_clinic_without_an_hour_to_send_in_and_a_paused_one_are_reported(folder: Path) -> None:
    tamper(folder, "UPDATE clinics SET sending_days = '', paused_at = '2026-05-01 00:00:00.000000'")
    checks = examined(folder)
    assert checks["clinic linden: hours"].ok is False
    assert checks["clinic linden: paused"].ok is None


@pytest.mark.parametrize("base", [None, "http://reminders.linden.test"])
def test_without_an_https_address_it_says_what_mails_do_instead(folder: Path, base: str | None) -> None:
    check = examined(folder, base_url=base)["links"]
    assert check.ok is None
    assert check.said.endswith("mails carry no request or stop link; patients ask and stop by phone or reply")


def test_what_waits_for_somebody_is_counted_with_what_to_do(delivered_file: Path, folder: Path) -> None:
    shutil.copy(delivered_file, folder / "reminders.db")
    tamper(folder, "UPDATE reminders SET state = 'unknown' WHERE id = 1")
    tamper(folder, "UPDATE reminders SET due_at = '2026-05-01 09:00:00.000000' WHERE id = 2")
    tamper(folder, "UPDATE reminders SET state = 'held', reason = 'backlog_hold' WHERE id = 3")
    checks = examined(folder)
    counts = {name: (checks[f"{name} reminders"].ok, checks[f"{name} reminders"].said) for name in WAITING}
    assert counts == {"overdue": (None, "1"), "unknown": (None, "1"), "failed": (True, "0"), "held": (None, "1")}
    assert "`reminders settle ID --as sent --why CODE`" in checks["unknown reminders"].advice
    assert re.search(r"`reminders release --clinic \w+ --all`", checks["held reminders"].advice)


# the transport


def test_without_a_transport_it_says_that_nothing_is_sent(folder: Path) -> None:
    assert examined(folder, smtp_url=None)["transport"].said == "none is set: nothing is sent"


def test_a_transport_address_that_is_none_is_reported_without_its_password(folder: Path) -> None:
    check = examined(folder, smtp_url=f"smtp://{USER}:s3cret@host:port")["transport"]
    assert check.ok is False
    assert "s3cret" not in check.said


def test_a_server_is_tried_and_nothing_is_sent(folder: Path, server: RealServer) -> None:
    assert examined(folder, smtp_url=f"smtp://127.0.0.1:{server.port}?tls=never")["transport"].ok is True
    assert server.connections
    assert server.messages == []


def test_a_server_that_is_not_there_or_refuses_is_reported(folder: Path, server: RealServer) -> None:
    server.script["EHLO"].append("554 go away")
    assert examined(folder, smtp_url=f"smtp://127.0.0.1:{server.port}?tls=never")["transport"].ok is False
    assert "refused" in examined(folder, smtp_url="smtp://127.0.0.1:1?tls=never")["transport"].said


def test_tls_and_the_password_are_tried(folder: Path) -> None:
    certified = certificates()
    with real_server(starttls=certified.server, auth=True) as running:
        for password, ok in ((PASSWORD, True), ("wrong", False)):
            url = f"smtp://{USER}:{password.replace('%', '%25').replace('/', '%2F').replace('@', '%40')}"
            trusting = transport_for(f"{url.replace(' ', '%20')}@localhost:{running.port}", certified.client)
            checks = doctor(settings_in(folder), SetClock(INVITED), transport=trusting)
            assert {check.ok for check in checks if check.name == "transport"} == {ok}


def test_a_transport_that_rests_is_reported_with_its_fault(folder: Path) -> None:
    with opened(folder).write(INVITED, "deliver") as tx:
        until = INVITED + dt.timedelta(hours=1)
        transports.keep(tx, Breaker(f"file:{folder / 'out'}", 3, 0, until, "auth: auth"))
    check = examined(folder)["breaker"]
    assert (check.ok, check.said) == (False, f"delivery rests until 2026-05-19 10:10 UTC ({TROUBLES['auth']})")


# the test mail


def test_a_test_mail_says_that_it_is_one_and_what_the_server_answered(folder: Path, server: RealServer) -> None:
    url = f"smtp://127.0.0.1:{server.port}?tls=never"
    check = examined(folder, mail_to="me@clinic.test", smtp_url=url)["test mail"]
    assert check.ok is True
    assert check.said.startswith("the server accepted it")
    [received] = server.messages
    assert (received.mail_from, received.rcpt_tos) == ("hello@linden.test", ("me@clinic.test",))
    message = message_from_bytes(received.content, policy=policy.default)
    assert message["Subject"] == "Test message"
    assert "This is a test message." in str(message)


def test_a_refused_test_mail_shows_the_servers_answer_and_not_the_address(folder: Path, server: RealServer) -> None:
    server.script["RCPT"].append("550 5.1.1 no me@clinic.test here")
    url = f"smtp://127.0.0.1:{server.port}?tls=never"
    check = examined(folder, mail_to="me@clinic.test", smtp_url=url)["test mail"]
    assert (check.ok, check.said) == (False, "refused: the server knows no such mailbox, 550 5.1.1")


def test_a_test_mail_needs_no_database_but_a_transport(folder: Path) -> None:
    (folder / "reminders.db").unlink()
    assert examined(folder, mail_to="me@clinic.test")["test mail"].ok is True
    assert len(list(folder.glob("out/*.eml"))) == 1
    assert examined(folder, mail_to="me@clinic.test", smtp_url=None)["test mail"].ok is False


def test_what_is_no_address_gets_no_test_mail(folder: Path) -> None:
    with pytest.raises(BadAddress):
        examined(folder, mail_to="me at clinic")
