"""The stop link: a strict RFC 8058 client, a person with a browser, and whatever else posts to it."""

import re

import httpx2
import pytest

from tests.support.clinic import Office
from tests.support.site import Letter, rows

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
MULTIPART = (
    b'--XyZ\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--XyZ--\r\n',
    {"Content-Type": "multipart/form-data; boundary=XyZ"},
)


@pytest.fixture
def page(letter: Letter) -> str:
    return f"/u/{letter.stop}"


def stopped(office: Office) -> bool:
    return office.row("follow_up").state == "cancelled" and office.row("follow_up").reason == "opted_out"


def test_a_strict_client_unsubscribes_with_what_the_mail_says_and_nothing_else(
    web: httpx2.Client, letter: Letter, office: Office
) -> None:
    """RFC 8058, 3.1 and 3.2: an https URI, the one pair, both headers as they are; no cookie, redirect, second step."""
    uris = re.findall(r"<([^>]+)>", letter.content["List-Unsubscribe"])
    [uri] = [uri for uri in uris if uri.startswith("https:")]
    assert letter.content["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    done = web.post(httpx2.URL(uri).path, content=letter.content["List-Unsubscribe-Post"].encode(), headers=FORM)
    assert done.status_code == 200
    assert "set-cookie" not in done.headers
    assert "location" not in done.headers
    assert stopped(office)


def test_one_click_may_come_as_multipart(web: httpx2.Client, page: str, office: Office) -> None:
    body, headers = MULTIPART
    assert web.post(page, content=body, headers=headers).status_code == 200
    assert stopped(office)


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_one_click_may_end_its_line(web: httpx2.Client, page: str, office: Office, end: bytes) -> None:
    assert web.post(page, content=b"List-Unsubscribe=One-Click" + end, headers=FORM).status_code == 200
    assert stopped(office)


def test_f45_one_click_twice_is_one_click(web: httpx2.Client, page: str, office: Office) -> None:
    web.post(page, data={"List-Unsubscribe": "One-Click"})
    once = rows(office)
    assert web.post(page, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert rows(office) == once


def test_looking_at_the_page_stops_nothing(web: httpx2.Client, page: str, office: Office) -> None:
    before = rows(office)
    shown = web.get(page)
    assert shown.status_code == 200
    assert "No more messages like this?" in shown.text
    assert 'value="stop"' in shown.text
    assert web.head(page).content == b""
    assert rows(office) == before


@pytest.mark.parametrize(("act", "said"), [("stop", "messages of this kind"), ("stop_all", "no more messages from")])
def test_a_person_stops_and_wants_them_again(
    web: httpx2.Client, page: str, office: Office, act: str, said: str
) -> None:
    done = web.post(page, data={"act": act})
    assert done.status_code == 200
    assert said in done.text
    assert stopped(office)
    assert "I want them again" in web.get(page).text
    again = web.post(page, data={"act": "again"})
    assert again.status_code == 200
    assert "You will receive them again" in again.text
    assert office.row("follow_up").state == "planned"


def test_the_class_is_stopped_and_then_everything(web: httpx2.Client, page: str, office: Office) -> None:
    web.post(page, data={"act": "stop"})
    office.treat(protocol="botulinum-migraine", on="2026-03-20")
    assert {row.state for row in office.rows() if row.protocol == "botulinum-migraine"} == {"planned"}
    assert "no more messages from" in web.post(page, data={"act": "stop_all"}).text
    assert {row.state for row in office.rows() if row.protocol == "botulinum-migraine"} == {"cancelled"}


def test_the_page_shows_nothing_of_the_patient(web: httpx2.Client, page: str) -> None:
    shown = web.get(page).text
    assert "Clinic Riverside" in shown
    for hidden in ("AdaP1", "Lovelace", "p1@", "botulinum", "cosmetic"):
        assert hidden not in shown


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"", {}),
        (b"", FORM),
        (b"List-Unsubscribe=One-Click", {}),
        (b"List-Unsubscribe=One-Click", {"Content-Type": "text/plain"}),
        (b'{"List-Unsubscribe":"One-Click"}', {"Content-Type": "application/json"}),
        (b"list-unsubscribe=One-Click", FORM),
        (b"List-Unsubscribe=one-click", FORM),
        (b"List-Unsubscribe=One-Click&List-Unsubscribe=One-Click", FORM),
        (b"List-Unsubscribe", FORM),
        (b"act=everything", FORM),
        (b"act=stop&act=again", FORM),
        (MULTIPART[0], {"Content-Type": "multipart/form-data"}),
        (MULTIPART[0], {"Content-Type": "multipart/form-data; boundary=other"}),
        (MULTIPART[0].replace(b"One-Click\r\n--XyZ--\r\n", b""), MULTIPART[1]),
        (b"\xff\xfe\x00", MULTIPART[1]),
    ],
)
def test_whatever_else_is_posted_stops_nothing(
    web: httpx2.Client, page: str, office: Office, body: bytes, headers: dict[str, str]
) -> None:
    before = rows(office)
    assert web.post(page, content=body, headers=headers).status_code == 400
    assert rows(office) == before


def test_a_file_is_no_field(web: httpx2.Client, page: str, office: Office) -> None:
    before = rows(office)
    assert web.post(page, files={"List-Unsubscribe": ("a.txt", b"One-Click")}).status_code == 400
    assert rows(office) == before


def test_a_stop_link_opens_no_patients_page_and_the_other_way_about(
    web: httpx2.Client, letter: Letter, office: Office
) -> None:
    before = rows(office)
    assert web.get(f"/p/{letter.stop}").status_code == 404
    assert web.get(f"/u/{letter.request}").status_code == 404
    assert web.post(f"/u/{letter.request}", data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert web.post(f"/p/{letter.stop}", data={"kind": "stopped"}).status_code == 404
    assert rows(office) == before
