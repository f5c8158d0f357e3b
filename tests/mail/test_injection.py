"""Values that try to become something else: more headers, more recipients, another body. None gets into the bytes."""

import pytest

from reminders.mail.address import BadAddress, parse_address
from reminders.mail.compose import compose, parts
from reminders.mail.headers import HeaderRefused
from reminders.mail.message import RenderedMessage
from tests.mail.letters import DATE, LINKS, NO_LINKS, RENDERER, facts

LINE_ENDS = (
    *("\r\n", "\n", "\r", "\r\n ", "\n\t", "\n\n", "\r\r\n", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85"),
    *("\u2028", "\u2029", "\0", "\x1b", "\x7f", "\t", "\x08", "\x9f"),
)
PAYLOADS = (
    "Bcc: all@evil.example",
    "Subject: You have won",
    "Content-Type: text/html\r\n\r\n<script>alert(1)</script>",
    ".\r\nMAIL FROM:<x@evil.example>",
    "To: second@evil.example",
    "X: =?utf-8?q?=0D=0ABcc:_all@evil.example?=",
)
IN_HEADERS = [f"Clinic{end}{payload}" for end in LINE_ENDS for payload in PAYLOADS] + [
    "=?utf-8?q?x=0D=0ABcc:_all@evil.example?=",
    "=?UTF-8?B?DQpCY2M6IGFsbEBldmlsLmV4YW1wbGU=?=",
    "Clinic =?iso-8859-1?q?=0A?=",
    "\ud800Clinic",
    "Clinic\udfff",
]
NOT_ONE_ADDRESS = [
    *(f"odile@home.example{end}Bcc: all@evil.example" for end in LINE_ENDS),
    *(f"odile{end}@home.example" for end in LINE_ENDS),
    *(f"odile@home{end}.example" for end in LINE_ENDS),
    *("", " ", "@", "odile", "odile@", "@home.example", "odile@@home.example", "odile@home@evil.example"),
    *("a@x.example,b@y.example", "a@x.example, b@y.example", "a@x.example;b@y.example", "a@x.example b@y.example"),
    *("Odile <odile@home.example>", "<odile@home.example>", "odile@home.example>", "odile@home.example (Odile)"),
    *('"odile"@home.example', '"a b"@home.example', '"a@b"@home.example', "odile@[127.0.0.1]", "odile@localhost"),
    *("odile@home.example> SIZE=1", "odile@home.example\\", "od ile@home.example", "odile@home .example"),
    *("group: a@x.example;", "undisclosed-recipients:;", "mailto:odile@home.example?cc=x@y.example", "odile@home"),
    *(
        "ödile@home.example",
        "odile@-home.example",
        "odile@home..example",
        ".odile@home.example",
        "od..ile@home.example",
    ),
    *("a" * 65 + "@home.example", "odile@" + "a" * 250 + ".example", "odile@home.example%0abcc:x@y.example"),
    *("odile@home.example\u202e", "odile\u200b@home.example", "=?utf-8?q?odile?=@home.example>"),
]
RENDERED = RENDERER.render(facts(), LINKS)


def test_the_corpus_is_large_enough() -> None:
    assert len(set(IN_HEADERS)) >= 100
    assert len(set(NOT_ONE_ADDRESS)) >= 90


@pytest.mark.parametrize("value", IN_HEADERS)
def test_no_subject_or_sender_becomes_another_header(value: str) -> None:
    with pytest.raises(HeaderRefused) as caught:
        compose(RENDERED, facts(sender_name=value), LINKS, "<a1@b.example>", DATE)
    assert "evil" not in str(caught.value)
    subject = RenderedMessage(value, RENDERED.text, RENDERED.html, "1")
    with pytest.raises(HeaderRefused):
        compose(subject, facts(), LINKS, "<a1@b.example>", DATE)


@pytest.mark.parametrize("value", NOT_ONE_ADDRESS)
def test_no_address_becomes_two_or_a_command(value: str) -> None:
    with pytest.raises(BadAddress) as caught:
        parse_address(value)
    assert "odile" not in str(caught.value)
    assert "evil" not in str(caught.value)


@pytest.mark.parametrize("field", ["recipient", "reply_to", "sender_address"])
@pytest.mark.parametrize("value", NOT_ONE_ADDRESS[::4])
def test_no_mailbox_header_takes_what_is_not_one_address(field: str, value: str) -> None:
    with pytest.raises((HeaderRefused, BadAddress)) as caught:
        compose(RENDERED, facts(**{field: value}), NO_LINKS, "<a1@b.example>", DATE)
    assert "evil" not in str(caught.value)


@pytest.mark.parametrize(
    "identifier",
    ["", "a@b", "<a>", "<a@b>\r\nBcc: x@evil.example", "<a b@c.example>", "<a@b@c>", "<ä@b.example>", "<@b>"],
)
def test_no_message_id_becomes_another_header(identifier: str) -> None:
    with pytest.raises(HeaderRefused):
        compose(RENDERED, facts(), LINKS, identifier, DATE)


@pytest.mark.parametrize("ending", ["\r\n.\r\n", "\n.\n", "\r.\r", "\n.\r\n", "\r\n.\n"])
def test_a_body_holds_no_lone_line_end_that_could_smuggle_a_second_message(ending: str) -> None:
    smuggling = f"a{ending}MAIL FROM:<x@evil.example>{ending}b\n"
    rendered = RenderedMessage("About a consultation", smuggling, f"<p>{smuggling}</p>", "1")
    content = compose(rendered, facts(), LINKS, "<a1@b.example>", DATE)
    assert b"\r" not in content.replace(b"\r\n", b"")
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert "MAIL FROM" in parts(content).text
