"""What the product signs verifies with a verifier that is not ours, and nothing that is signed can be changed."""

import datetime as dt
import re
from collections.abc import Iterator

import dkim as verifier  # type: ignore[import-untyped]  # it brings no types
import pytest

from reminders.mail.compose import blank_tokens, compose
from reminders.mail.message import MessageFacts, MessageLinks, RenderedMessage
from reminders.mail.sender import dkim
from reminders.mail.smtp import Security, SmtpTransport
from reminders.mail.transport import hand_over
from tests.mail.letters import GOLDEN_LETTERS, LINKS, RENDERER, facts
from tests.mail.senders import private_key
from tests.support.smtp_server import RealServer, real_server

DATE = dt.datetime(2026, 3, 23, 10, 0, tzinfo=dt.UTC)  # a verifier refuses a signature of the future
SIGNER = dkim.Signer("harbour.example", "reminders-202603", dkim.load_key(private_key()))
PLAIN = RenderedMessage("About a consultation", "Words.\n", "<p>Words.</p>\n", "1")
BODIES = {
    "lines that begin with dots": ".\n..\n...\n.hidden\n",
    "empty lines at its end": "Words.\n\n\n\n\n",
    "blanks at line ends": "Words. \t \n   \n\t\n  indented   twice\n",
    "nothing": "",
    "one line without an end": "Words",
    "other scripts": "Grüße, 花子, Ελένη, مرحبا\n" * 30,
    "a line of 5,000 characters": "word " * 1000 + "\n",
    "what looks like a boundary": "--=_x\n--\n-- \n",
    "From at the beginning of a line": "From here on\n>From there\n",
    "equals signs": "a=b=3D=\n",
    "a lone carriage return": "a\rb\r\nc\n",
}


@pytest.fixture(scope="module")
def server() -> Iterator[RealServer]:
    with real_server() as running:
        yield running


def verified(content: bytes) -> bool:
    record = f"v=DKIM1; k=rsa; p={dkim.public_key(private_key())}".encode()

    def answer(name: bytes, timeout: int = 5) -> bytes | None:  # noqa: ARG001 - the verifier's signature
        return record if name == b"reminders-202603._domainkey.harbour.example." else None

    return bool(verifier.verify(content, dnsfunc=answer))


def letter(
    rendered: RenderedMessage | None = None, shown: MessageFacts | None = None, links: MessageLinks = LINKS
) -> bytes:
    """Return a signed message."""
    shown = shown or facts()
    rendered = rendered or RENDERER.render(shown, links)
    return dkim.sign(compose(rendered, shown, links, "<0123456789abcdef@harbour.example>", DATE), SIGNER)


def body_of(words: str) -> RenderedMessage:
    return RenderedMessage("About a consultation", words, f"<p>{words}</p>", "1")


@pytest.mark.parametrize("name", GOLDEN_LETTERS)
def test_every_kind_of_message_verifies(name: str) -> None:
    shown, links = GOLDEN_LETTERS[name]
    assert verified(letter(shown=shown, links=links))


@pytest.mark.parametrize("what", BODIES)
def test_a_body_verifies_whatever_it_is_made_of(what: str) -> None:
    assert verified(letter(body_of(BODIES[what])))


@pytest.mark.parametrize("what", BODIES)
def test_it_verifies_as_a_mail_server_received_it(server: RealServer, what: str) -> None:
    session = SmtpTransport(server.host, server.port, Security.NEVER).connect()
    content = letter(body_of(BODIES[what]))
    hand_over(session, "hello@harbour.example", "odile@home.example", content)
    session.close()
    assert verified(server.messages[-1].content)


@pytest.mark.parametrize(
    "subject",
    ["Über eine Beratung, 花子", "About " + "a consultation " * 20, "x" * 900, "a  b", 'q"uo\\te', "Ελένη " * 40],
)
def test_a_subject_verifies_folded_and_encoded(subject: str) -> None:
    assert verified(letter(RenderedMessage(subject, PLAIN.text, PLAIN.html, "1")))


def test_a_list_unsubscribe_of_almost_a_whole_line_verifies() -> None:
    links = MessageLinks("https://reminders.harbour.example/p/q", "https://reminders.harbour.example/" + "u" * 930)
    assert verified(letter(PLAIN, links=links))


def test_the_same_message_is_signed_alike_every_time() -> None:
    assert letter() == letter()


def test_the_signature_stands_first_and_in_short_lines_of_ascii() -> None:
    content = letter()
    assert content.startswith(b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=harbour.example;\r\n")
    head = content.partition(b"\r\nFrom: ")[0]
    assert max(len(line) for line in head.split(b"\r\n")) <= 78
    assert head.isascii()
    assert b" l=" not in head
    assert b" x=" not in head
    assert f"t={int(DATE.timestamp())};".encode() in head


def test_the_one_click_fields_are_covered() -> None:
    """RFC 8058 4: without that, no receiver offers the button."""
    assert {"list-unsubscribe", "list-unsubscribe-post"} <= set(_covered(letter()))


def test_what_must_stand_once_is_named_once_more_than_it_stands() -> None:
    covered = _covered(letter())
    assert [covered.count(name.lower()) for name in dkim.ONLY_ONCE] == [2] * len(dkim.ONLY_ONCE)


@pytest.mark.parametrize("name", dkim.SIGNED)
def test_a_signed_field_cannot_be_changed_or_taken_away(name: str) -> None:
    content = letter()
    line = re.search(rb"^" + name.encode() + rb": [^\r\n]+", content, re.MULTILINE)
    assert line is not None
    assert not verified(content.replace(line[0], line[0][:-1] + b"#", 1))
    assert not verified(content.replace(line[0] + b"\r\n", b"", 1))


@pytest.mark.parametrize("name", dkim.ONLY_ONCE)
@pytest.mark.parametrize("first", [True, False])
def test_a_second_field_of_a_name_that_stands_once_cannot_be_added(name: str, first: bool) -> None:  # noqa: FBT001
    head, _, body = letter().partition(b"\r\n\r\n")
    added = name.encode() + b": an evil one"
    signature, _, others = head.partition(b"\r\nFrom: ")
    parts = [signature, added, b"From: " + others] if first else [head, added]
    assert not verified(b"\r\n".join(parts) + b"\r\n\r\n" + body)


@pytest.mark.parametrize("found", [b"Hello", b"https://", b"--=_", b"charset"])
def test_a_body_cannot_be_changed(found: bytes) -> None:
    head, _, body = letter().partition(b"\r\n\r\n")
    assert found in body
    assert not verified(head + b"\r\n\r\n" + body.replace(found, found[::-1], 1))


def test_nothing_can_be_put_after_the_body() -> None:
    assert not verified(letter() + b"More.\r\n")


def test_refolding_and_blanks_on_the_way_do_no_harm() -> None:
    """That is what relaxed is for: relays fold lines anew and drop blanks at their ends."""
    content = letter(body_of("Words.\nMore words.\n"))
    refolded = content.replace(b"Subject: About a", b"subject:  About\r\n\ta", 1).replace(
        b"More words.", b"More  words. "
    )
    assert refolded != content
    assert verified(refolded + b"\r\n\r\n")


def test_a_key_of_another_sender_does_not_verify() -> None:
    other = dkim.Signer("harbour.example", "reminders-202603", dkim.load_key(dkim.new_key()))
    assert not verified(dkim.sign(_unsigned(), other))


def test_a_kept_message_without_its_tokens_does_not_verify_any_more() -> None:
    assert not verified(blank_tokens(letter()))
    assert blank_tokens(blank_tokens(letter())) == blank_tokens(letter())


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"From: a@b.example\r\nDate: Mon, 23 Mar 2026 10:00:00 +0000\r\n", "no body"),
        (b"To: a@b.example\r\nDate: Mon, 23 Mar 2026 10:00:00 +0000\r\n\r\n", "no sender"),
        (b"From: a@b.example\r\n\r\nWords.\r\n", "no date"),
        (b"From: a@b.example\r\nDate: soon\r\n\r\nWords.\r\n", "no date"),
        (b"From: a@b.example\r\nfrom: c@d.example\r\nDate: Mon, 23 Mar 2026 10:00:00 +0000\r\n\r\n", "from twice"),
    ],
)
def test_what_is_no_message_of_ours_is_not_signed(content: bytes, problem: str) -> None:
    with pytest.raises(dkim.Unsignable, match=problem):
        dkim.sign(content, SIGNER)


def test_a_private_key_shows_in_no_representation() -> None:
    assert "key" not in repr(SIGNER)
    assert "RSA" not in str(SIGNER)


@pytest.mark.parametrize("junk", [b"", b"junk", b"\x30\x00"])
def test_what_is_no_key_is_a_value_error(junk: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whichever the library says
        dkim.load_key(junk)


def _covered(content: bytes) -> list[str]:
    found = re.search(rb"h=([^;]+);", content)
    assert found is not None
    return [name.strip().decode() for name in found[1].replace(b"\r\n", b"").replace(b"\t", b"").split(b":")]


def _unsigned() -> bytes:
    return compose(PLAIN, facts(), LINKS, "<0123456789abcdef@harbour.example>", DATE)
