"""The bytes of a message: golden letters, headers, encodings, and what is left once tokens are blanked."""

import dataclasses
import datetime as dt
import re
from email import message_from_bytes, policy
from email.headerregistry import Address
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminders.mail.compose import blank_tokens, compose, message_id, parts
from reminders.mail.headers import HeaderRefused
from reminders.mail.message import MessageLinks, RenderedMessage
from tests.mail.letters import DATE, GOLDEN, GOLDEN_LETTERS, LINKS, NO_LINKS, RENDERER, facts, letter

HEADERS = (
    *("From", "Reply-To", "To", "Subject", "Date", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post"),
    *("Auto-Submitted", "X-Auto-Response-Suppress", "Content-Language", "MIME-Version", "Content-Type"),
)
words = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=120)


def read(content: bytes) -> EmailMessage:
    return message_from_bytes(content, _class=EmailMessage, policy=policy.default)


@pytest.mark.parametrize("name", GOLDEN_LETTERS)
def test_a_letter_is_byte_for_byte_the_golden_one(name: str) -> None:
    assert letter(*GOLDEN_LETTERS[name]) == (GOLDEN / f"{name}.eml").read_bytes()


def test_every_golden_letter_is_still_made() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(GOLDEN_LETTERS)


def test_the_same_letter_is_the_same_bytes_and_another_one_has_another_boundary() -> None:
    assert letter(facts()) == letter(facts())
    boundaries = {read(letter(facts(), seed=seed)).get_boundary() for seed in ("a" * 16, "b" * 16)}
    assert len(boundaries) == 2


@pytest.mark.parametrize("name", GOLDEN_LETTERS)
def test_a_letter_is_ascii_in_short_lines_that_end_in_crlf(name: str) -> None:
    content = letter(*GOLDEN_LETTERS[name])
    assert content.isascii()
    assert b"\0" not in content
    lines = content.split(b"\r\n")
    assert not any(b"\r" in line or b"\n" in line for line in lines)
    assert max(len(line) for line in lines if not line.startswith(b"List-Unsubscribe")) <= 78
    assert lines[-1] == b""


def test_each_header_stands_once_and_there_is_no_other() -> None:
    assert tuple(read(letter(facts())).keys()) == HEADERS
    without_links = tuple(read(letter(facts(), NO_LINKS)).keys())
    assert without_links == tuple(name for name in HEADERS if name != "List-Unsubscribe-Post")


def test_the_headers_say_what_the_product_promises() -> None:
    message = read(letter(facts()))
    assert message["From"] == "Harbour Clinic <hello@harbour.example>"
    assert message["Reply-To"] == "desk@harbour.example"
    assert message["To"] == "odile@home.example"
    assert message["Date"] == "Wed, 17 Feb 2027 10:00:00 +0000"
    assert message["Message-ID"] == "<0123456789abcdef@harbour.example>"
    assert message["List-Unsubscribe"] == f"<{LINKS.stop_url}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Auto-Response-Suppress"] == "All"
    assert message["Content-Language"] == "en"
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert [part.get_filename() for part in message.walk()] == [None, None, None]


def test_the_patients_address_stands_only_in_to() -> None:
    content = letter(facts())
    assert content.count(b"odile@home") == 1
    assert b"\r\nTo: odile@home.example\r\n" in content


def test_no_header_holds_a_name_a_practitioner_a_label_or_a_day() -> None:
    for shown, links in GOLDEN_LETTERS.values():
        head = letter(shown, links).partition(b"\r\n\r\n")[0]
        decoded = "\n".join(value for _, value in parts(letter(shown, links)).headers)
        for private in (shown.patient_name, shown.practitioner or "Stone", shown.label, "March"):
            assert private not in decoded
            assert private.encode() not in head


def test_an_unsubscribe_link_of_any_length_stays_on_one_line_and_whole() -> None:
    links = dataclasses.replace(LINKS, stop_url="https://reminders.harbour.example/u/" + "z" * 900)
    assert f"\r\nList-Unsubscribe: <{links.stop_url}>\r\n".encode() in letter(facts(), links)


def test_without_a_stop_link_people_unsubscribe_by_mail() -> None:
    content = letter(facts(reply_to="front+desk&co@harbour.example"), NO_LINKS)
    assert b"\r\nList-Unsubscribe: <mailto:front%2Bdesk%26co@harbour.example?subject=STOP>\r\n" in content
    assert b"One-Click" not in content


@pytest.mark.parametrize(
    "stop_url", ["http://x.example/u/1", "mailto:x@y.example", "https://x.example/u/a b", "https://x>y"]
)
def test_a_stop_link_that_is_not_https_is_refused(stop_url: str) -> None:
    with pytest.raises(HeaderRefused, match="List-Unsubscribe"):
        compose(RENDERER.render(facts(), NO_LINKS), facts(), MessageLinks(None, stop_url), "<a1@b.example>", DATE)


@pytest.mark.parametrize(
    "seed", ["", "xyz", "ABCDEF0123456789", "a" * 15, "a" * 129, "a" * 16 + "\n", "ann@home.example"]
)
def test_a_message_id_is_made_of_a_hash_only(seed: str) -> None:
    with pytest.raises(HeaderRefused):
        message_id(seed, "hello@harbour.example")


def test_a_message_id_ends_in_the_senders_domain() -> None:
    assert message_id("ab" * 16, "Hello@BÜCHER.example") == f"<{'ab' * 16}@xn--bcher-kva.example>"


def test_the_date_is_written_in_utc() -> None:
    tokyo = dt.datetime(2027, 2, 17, 19, 0, tzinfo=dt.timezone(dt.timedelta(hours=9)))
    content = compose(RENDERER.render(facts(), LINKS), facts(), LINKS, "<a1@b.example>", tokyo)
    assert read(content)["Date"] == "Wed, 17 Feb 2027 10:00:00 +0000"


@given(words, words)
def test_a_reader_gets_back_exactly_the_words_that_went_in(text: str, html: str) -> None:
    rendered = RenderedMessage("About a consultation", f"{text}\n.\nFrom {html}\n", f"<p>{html}</p>\n", "1")
    content = compose(rendered, facts(), LINKS, "<a1@b.example>", DATE)
    got = parts(content)
    assert (got.text, got.html) == (rendered.text, rendered.html)
    assert all(len(line) <= 998 for line in content.split(b"\r\n"))


@given(name=words.filter(lambda name: "=?" not in name))
def test_a_sender_of_any_script_is_read_back_as_it_was(name: str) -> None:
    shown = " ".join(part for part in name.split(" ") if part)
    rendered = RenderedMessage(f"x {name}", "text\n", "<p></p>", "1")
    content = compose(rendered, facts(sender_name=name), LINKS, "<a1@b.example>", DATE)
    message = read(content)
    assert message["Subject"] == " ".join(f"x {shown}".split(" ")).rstrip(" ")
    (sender,) = message["From"].addresses
    assert sender.addr_spec == "hello@harbour.example"
    assert re.sub(r"\s", "", sender.display_name) == re.sub(r"\s", "", shown)
    assert all(len(line) <= 78 for line in content.partition(b"\r\nList-")[0].split(b"\r\n") if b"=?" in line)


@pytest.mark.parametrize(
    "name", ["Harbour Clinic", "O'Neil & Co", 'Klinik "Nord", Kiel', "a.b", "x@y.test", "back\\slash", "(c)"]
)
def test_a_sender_is_written_as_the_standard_library_would_read_it(name: str) -> None:
    (sender,) = read(letter(facts(sender_name=name)))["From"].addresses
    assert sender == Address(name, addr_spec="hello@harbour.example")


def test_kept_bytes_lose_their_tokens_in_head_and_parts_and_nothing_else() -> None:
    content = letter(facts())
    blanked = blank_tokens(content)
    assert b"qqqqqqqqqq" not in blanked
    assert b"zzzzzzzzzz" not in blanked
    before, after = parts(content), parts(blanked)
    assert after.text == before.text.replace("q" * 43, "blanked").replace("z" * 43, "blanked")
    assert after.html == before.html.replace("q" * 43, "blanked").replace("z" * 43, "blanked")
    assert dict(after.headers) == dict(before.headers) | {
        "List-Unsubscribe": "<https://reminders.harbour.example/u/blanked>"
    }
    assert blank_tokens(blanked) == blanked


@pytest.mark.parametrize("name", [name for name, (_, links) in GOLDEN_LETTERS.items() if links is NO_LINKS])
def test_a_letter_without_links_is_not_touched_by_blanking(name: str) -> None:
    content = letter(*GOLDEN_LETTERS[name])
    assert blank_tokens(content) == content


def test_tokens_are_found_where_an_encoding_has_cut_them() -> None:
    content = letter(facts(clinic_name="Übersee " * 4, patient_name="花子"))
    assert LINKS.stop_url is not None
    assert content.count(LINKS.stop_url.encode()) < 3
    blanked = parts(blank_tokens(content))
    assert "zzz" not in blanked.text + blanked.html + str(blanked.headers)
