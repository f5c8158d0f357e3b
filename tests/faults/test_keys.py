"""The secret key and the password of the mail server are changed while messages with links are out there."""

from functools import partial
from pathlib import Path

import pytest

from reminders.app import App, init, open_app
from reminders.mail.folder import FolderTransport
from reminders.mail.smtp import Credentials, Security, SmtpTransport
from reminders.settings import Settings
from tests.support.clinic import INVITED_AT, LINKS, SHORT, FakeClock, Office, to
from tests.support.site import GENEROUS, browsing, letters
from tests.support.smtp_server import PASSWORD, USER, certificates, real_server

OLD, NEW = "an old key of more than thirty-two characters", "a new key of more than thirty-two characters"


def opened(folder: Path, clock: FakeClock, *ring: str) -> App:
    """Open the installation in a folder with these keys, newest first; made or rotated by `init` on the way."""
    given = {"database_url": f"sqlite:///{folder}/reminders.db", "secret_key": ring, "base_url": LINKS}
    settings = Settings(**given)  # type: ignore[arg-type]  # pydantic checks them
    init(settings, clock)
    return open_app(settings, clock)


def test_f42_links_and_opt_outs_outlive_the_key_they_were_made_under(tmp_path: Path) -> None:
    clock = FakeClock()
    with opened(tmp_path, clock, OLD) as app:
        office = Office(app.database.address, clock)
        office.keys = app.keys
        office.database = app.database
        office.add_clinic()
        office.add_due(2)
        clock.set(INVITED_AT)
        found = letters(office, tmp_path / "letters")
        first, second = sorted(found, key=lambda letter: str(letter.content["To"]))
        with browsing(app, GENEROUS) as web:
            assert web.post(f"/u/{first.stop}", data={"List-Unsubscribe": "One-Click"}).status_code == 200
    opened(tmp_path, clock, NEW, OLD).database.close()
    with opened(tmp_path, clock, NEW) as app, browsing(app, GENEROUS) as web:
        assert "AdaP2" in web.get(f"/p/{second.request}").text
        assert web.post(f"/u/{second.stop}", data={"List-Unsubscribe": "One-Click"}).status_code == 200
        office = Office(app.database.address, clock)
        office.keys, office.database = app.keys, app.database
        assert office.states() == {"sent": 2, "cancelled opted_out": 4}
        office.add_patient("P9", email="p1@riverside-patients.example")
        office.treat("P9", on="2026-03-20")
        assert office.states("P9") == {"cancelled opted_out": 3}
        assert app.audit().findings == ()


def test_f42_a_mail_password_that_is_no_longer_right_burns_nothing(office: Office) -> None:
    office.clock.set(INVITED_AT)
    trusted = certificates()
    with real_server(starttls=trusted.server, auth=True) as server:
        way = partial(
            SmtpTransport, "localhost", server.port, Security.STARTTLS, deadlines=SHORT, tls_context=trusted.client
        )
        wrong, right = way(Credentials(USER, "yesterday's")), way(Credentials(USER, PASSWORD))
        outcome = office.deliver(wrong)
        assert (outcome.sent, office.row().attempts, office.row().last_fault is not None) == (0, 0, True)
        assert outcome.stopped is not None
        office.clock.advance(minutes=20)
        assert office.deliver(right).sent == 1


@pytest.mark.parametrize("to_folder", [True, False])
def test_f42_a_message_begun_under_the_old_key_is_finished_under_the_new_one(
    office: Office, tmp_path: Path, *, to_folder: bool
) -> None:
    office.clock.set(INVITED_AT)
    with real_server() as server:
        server.script["DOT"].append("451 4.3.0 later")
        assert office.deliver(to(server)).deferred == 1
        office.clock.advance(minutes=30)
        office.database = office.database.with_audit_key(b"the key of the trail after a rotation")
        again = FolderTransport(tmp_path) if to_folder else to(server)
        assert office.deliver(again).sent == 1
