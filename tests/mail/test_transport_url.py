"""REMINDERS_SMTP_URL: what it names, and that no error repeats the password."""

from pathlib import Path

import pytest

from reminders.mail.folder import FolderTransport
from reminders.mail.smtp import SmtpTransport
from reminders.mail.transport import BadTransportUrl, transport_for


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("smtp://mail.example", "smtp://mail.example:587"),
        ("smtp://user:password@mail.example:2525", "smtp://mail.example:2525"),
        ("smtp://user:p%40ss%3Aw%2Frd@mail.example/", "smtp://mail.example:587"),
        ("smtp://mail.example?tls=required", "smtp://mail.example:587"),
        ("smtps://user:password@mail.example", "smtps://mail.example:465"),
        ("smtp://mail.example?tls=never", "smtp://mail.example:25"),
        ("smtp://localhost:25?tls=never", "smtp://localhost:25"),
        ("smtp://user:password@127.0.0.1:25?tls=never", "smtp://127.0.0.1:25"),
        ("smtp://user:password@[::1]:25?tls=never", "smtp://[::1]:25"),
        ("smtp://bücher.example", "smtp://xn--bcher-kva.example:587"),
        ("file:outbox", "file:outbox"),
        ("file:/var/spool/letters", "file:/var/spool/letters"),
        ("file:///var/spool/letters", "file:/var/spool/letters"),
    ],
)
def test_an_address_names_a_transport(url: str, name: str) -> None:
    assert transport_for(url).name == name


def test_a_folder_is_taken_as_it_is_written() -> None:
    transport = transport_for("file:my outbox/%20")
    assert isinstance(transport, FolderTransport)
    assert transport.name == f"file:{Path('my outbox/%20')}"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mail.example",
        "http://mail.example",
        "SECRET",
        "smtp:mail.example",
        "smtp://",
        "smtp://user:SECRET@",
        "smtp://user:SECRET@mail.example:port",
        "smtp://user:SECRET@mail.example:99999",
        "smtp://user:SEC/RET@mail.example",
        "smtp://user:SEC#RET@mail.example",
        "smtp://user:SECRET@mail.example/folder",
        "smtp://user:SECRET@mail.example?tls=no",
        "smtp://user:SECRET@mail.example?tls=",
        "smtp://user:SECRET@mail.example?verify=no",
        "smtp://user:SECRET@mail.example?SECRET",
        "smtp://user:SECRET@mail.example?tls=never",
        "smtp://user:SECRET@127.0.0.1.evil.example?tls=never",
        "smtp://user:SECRET@10.0.0.1?tls=never",
        "smtps://user:SECRET@mail.example?tls=never",
        "smtp://user@mail.example",
        "smtp://:SECRET@mail.example",
        "smtp://user:@mail.example",
        "smtp://user:SECRET%0D%0A@mail.example",
        "smtp://user:SECRET%00@mail.example",
        "smtp://user:SECRET%FF@mail.example",
        "smtp://user:SECRET@[::1",
        "smtp://user:SECRET@\ud800.example",
        "file:",
        "file://host/folder",
        "file:a\0b",
    ],
)
def test_an_address_that_cannot_be_used_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(BadTransportUrl) as caught:
        transport_for(url)
    assert "SEC" not in str(caught.value)
    assert "SEC" not in str(caught.value.__cause__)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_no_representation_shows_the_password() -> None:
    transport = transport_for("smtp://user:SECRET@mail.example")
    assert isinstance(transport, SmtpTransport)
    shown = repr(transport) + repr(vars(transport)) + transport.name
    assert "SECRET" not in shown
