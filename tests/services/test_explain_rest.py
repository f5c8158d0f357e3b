"""`why` says where mail waits for a server: the clinic's, or that of the patient's domain."""

from sqlalchemy import update

from reminders.services.explain_rest import rests
from reminders.services.find import the_clinic
from reminders.store import transports
from reminders.store.schema import clinic_transports
from reminders.store.transports import Breaker
from tests.support.clinic import INVITED_AT, Office, to
from tests.support.smtp_server import RealServer


def told(office: Office, shared: str | None) -> tuple[str, ...]:
    with office.read() as tx:
        return rests(tx, office.keys, shared, the_clinic(tx, "riverside"), 1)


def rest(office: Office, name: str) -> None:
    with office.write() as tx:
        until = office.clock.now().replace(minute=5)
        transports.keep(tx, Breaker(name, 3, open_until=until, fault="auth: auth"))


def test_it_says_until_when_the_clinics_mail_server_rests_and_why(office: Office, server: RealServer) -> None:
    office.clock.set(INVITED_AT)
    assert told(office, "smtp://mail.example:587") == ()
    rest(office, "smtp://mail.example:587")
    [said] = told(office, "smtp://mail.example:587")
    assert "mail server rests until" in said
    assert "the server refuses the user or the password" in said
    name = office.give_transport(server)
    assert told(office, "smtp://mail.example:587") == ()
    rest(office, name)
    assert len(told(office, None)) == 1
    with office.write() as tx:
        tx.connection.execute(update(clinic_transports).values(sealed=b"broken"))
    assert "cannot be opened" in told(office, None)[0]


def test_it_says_until_when_a_domain_is_left_alone_and_does_not_name_it(office: Office, server: RealServer) -> None:
    office.clock.set(INVITED_AT)
    office.add_due(3, prefix="Q")
    server.script["RCPT"].extend(["451 4.7.1 come back later"] * 4)
    for ref in ("P1", "Q1", "Q2", "Q3"):
        office.change_patient(ref, email=f"{ref.lower()}@busy.example")
    office.deliver(to(server), 4)
    [said] = told(office, to(server).name)
    assert "is left alone until" in said
    assert "busy" not in said


def test_without_any_transport_there_is_nothing_to_say(office: Office) -> None:
    assert told(office, None) == ()
