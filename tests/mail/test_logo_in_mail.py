"""A logo in the bytes of a message: beside the HTML that shows it, and nowhere else."""

import dataclasses
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from reminders.mail.check import complaints
from reminders.mail.compose import as_page, blank_tokens, parts
from reminders.mail.logo import prepare_logo
from reminders.mail.message import Logo, logo_id
from tests.mail.letters import LINKS, RENDERER, facts, letter
from tests.mail.pictures import WHITE, drawn, filed

LOGO = prepare_logo(filed(drawn()))
SHOWN = facts(logo=LOGO)
CONTENT = letter(SHOWN)


def opened(content: bytes) -> EmailMessage:
    return message_from_bytes(content, _class=EmailMessage, policy=policy.default)


def kinds(message: EmailMessage) -> list[str]:
    return [part.get_content_type() for part in message.walk()]


def test_a_logo_travels_with_the_html_and_the_text_stays_first() -> None:
    assert kinds(opened(CONTENT)) == [
        *("multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png")
    ]
    assert kinds(opened(letter(facts()))) == ["multipart/alternative", "text/plain", "text/html"]


def test_the_html_shows_exactly_the_picture_that_travels_along() -> None:
    [picture] = [part for part in opened(CONTENT).walk() if part.get_content_maintype() == "image"]
    assert picture["Content-ID"] == f"<{logo_id(SHOWN)}>"
    assert f'src="cid:{logo_id(SHOWN)}"' in parts(CONTENT).html
    assert picture.get_content() == LOGO.content
    assert picture.get_content_disposition() == "inline"
    assert picture.get_filename() == "logo.png"


def test_a_photograph_says_what_it_is() -> None:
    content = letter(facts(logo=dataclasses.replace(LOGO, media_type="image/jpeg")))
    assert kinds(opened(content))[-1] == "image/jpeg"
    assert opened(content).get_payload()[1].get_payload()[1].get_filename() == "logo.jpeg"  # type: ignore[index,union-attr]


def test_the_name_of_the_picture_tells_nothing_of_the_message() -> None:
    other = facts(logo=LOGO, patient_name="Rosalind", class_name="medical", stage="last_call")
    assert logo_id(other) == logo_id(SHOWN) == f"logo.{LOGO.digest[:16]}@harbour.example"
    assert logo_id(facts()) == ""


def test_equal_messages_with_a_logo_are_equal_bytes_in_short_lines_of_ascii() -> None:
    assert letter(SHOWN) == CONTENT
    assert CONTENT.isascii()
    lines = CONTENT.partition(b"\r\n\r\n")[2].split(b"\r\n")
    assert max(map(len, lines)) <= 78
    assert not any(b"\n" in line or b"\r" in line for line in lines)


def test_kept_bytes_keep_their_logo_and_lose_their_tokens() -> None:
    blanked = blank_tokens(CONTENT)
    assert b"q" * 43 not in blanked
    assert kinds(opened(blanked)) == kinds(opened(CONTENT))
    assert parts(blanked).html == parts(CONTENT).html.replace("q" * 43, "blanked").replace("z" * 43, "blanked")
    assert opened(blanked).get_payload()[1].get_payload()[1].get_content() == LOGO.content  # type: ignore[index,union-attr]
    assert blank_tokens(blanked) == blanked


def test_a_page_of_its_own_holds_the_logo() -> None:
    assert "cid:" not in as_page(CONTENT)
    assert 'src="data:image/png;base64,' in as_page(CONTENT)
    assert as_page(letter(facts())) == parts(letter(facts())).html


@pytest.mark.parametrize("logo", [LOGO, None])
def test_the_check_allows_the_clinics_logo_and_no_other_picture(logo: Logo | None) -> None:
    shown = facts(logo=logo)
    rendered = RENDERER.render(shown, LINKS)
    assert complaints(rendered, shown, LINKS) == ()
    other = facts(logo=prepare_logo(filed(drawn(ink=WHITE))))
    assert complaints(rendered, other, LINKS) == ("the HTML part shows a picture that is not the clinic's logo",)
    twice = rendered.html.replace("</h1>", f'<img src="cid:{logo_id(SHOWN)}" alt="x" width="1" height="1"></h1>')
    assert complaints(dataclasses.replace(rendered, html=twice), shown, LINKS)


def test_the_logo_names_the_clinic_to_those_who_do_not_see_it() -> None:
    shown = facts(logo=LOGO, clinic_name='Quay & "Harbour" <b>')
    html = RENDERER.render(shown, LINKS).html
    assert 'alt="Quay &amp; &#34;Harbour&#34; &lt;b&gt;"' in html
    assert complaints(RENDERER.render(shown, LINKS), shown, LINKS) == ()
