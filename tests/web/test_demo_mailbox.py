"""The demo's inbox in a browser: what patients received, framed so that it runs nothing, with links that work."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser

from reminders.web.demo_mailbox import Mailbox
from reminders.web.serve import served
from tests.support.accessibility import axe_complaints
from tests.support.browser import page_of
from tests.support.clinic import LINKS, Office
from tests.support.database import Templates
from tests.support.site import FREE_PLACE, GENEROUS, Letter, app_of, beside, rows, with_one_invited


@pytest.fixture
def address(office: Office, letter: Letter, templates: Templates, tmp_path: Path) -> Iterator[str]:  # noqa: ARG001 - a letter must have come
    """The demo's pages over an office whose one patient got one letter, which the inbox numbered."""
    [sent] = beside(templates.file(with_one_invited)).glob("*.eml")
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "0001.eml").write_bytes(sent.read_bytes())
    with served(app_of(office), FREE_PLACE, GENEROUS, Mailbox(inbox, LINKS)) as found:
        yield found


def test_every_message_is_listed_and_one_click_away(address: str) -> None:
    with httpx2.Client(base_url=address) as client:
        assert "/received/1" in client.get("/").text
        assert client.get("/received/1").status_code == 200
        assert client.get("/received/2").status_code == 404


def test_the_links_of_a_message_lead_to_this_machine_and_work(address: str, office: Office) -> None:
    before = rows(office)
    with httpx2.Client(base_url=address) as client:
        shown = client.get("/received/1/letter").text
        links = re.findall(r'href="(/[pu]/[^"]+)"', shown)
        assert LINKS not in shown
        assert {link[1] for link in links} == {"p", "u"}
        assert all(client.get(link).status_code == 200 for link in links)
    assert rows(office) == before


def test_a_message_stands_in_a_frame_that_runs_and_loads_nothing(address: str) -> None:
    with httpx2.Client(base_url=address) as client:
        policy = client.get("/received/1/letter").headers["content-security-policy"]
        usual = client.get("/").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "script" not in policy
    assert "unsafe" not in usual


@pytest.mark.parametrize("width", [360, 1280])
def test_the_inbox_is_fit_for_everybody(browser: Browser, address: str, width: int) -> None:
    with page_of(browser, width, "light") as page:
        for path in ("/", "/received/1"):
            page.goto(f"{address}{path}")
            assert axe_complaints(page) == []
            assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_click_in_the_frame_opens_the_patients_page(browser: Browser, address: str) -> None:
    with page_of(browser, 1280, "light") as page:
        page.goto(f"{address}/received/1")
        with page.context.expect_page() as opened:
            page.frame_locator(".phone iframe").get_by_role("link", name="Ask for a consultation").click()
        assert "/p/" in opened.value.url
        opened.value.get_by_role("heading", level=1).wait_for()


def test_the_links_of_the_text_lead_to_this_machine_too(address: str) -> None:
    with httpx2.Client(base_url=address) as client:
        text = client.get("/received/1").text.partition("<pre")[2].partition("</pre>")[0]
        links = re.findall(r'<a href="(/([pu])/[^"]+)"[^>]*>([^<]+)</a>', text)
        assert LINKS not in text
        assert [room for _, room, _ in links] == ["p", "u"]
        assert [shown for *_, shown in links] == [f"{address}{path}" for path, *_ in links]
        assert all(client.get(path).status_code == 200 for path, *_ in links)
