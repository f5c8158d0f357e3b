"""The pages in a real browser: accessible on every width, in light and dark, in both directions, by keyboard alone."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from reminders.app import App
from reminders.mail.words import LANGUAGES
from reminders.web.serve import served
from tests.support.browser import Scheme, page_of
from tests.support.clinic import Office
from tests.support.site import FREE_PLACE, GENEROUS, Letter
from tests.web.looking import CRAMPED, OPEN_ALL, complaints, overhang, small_targets, submit, walk

pytestmark = pytest.mark.xdist_group("browser")  # one browser is enough for a small machine
LOOKS: list[tuple[int, Scheme, str]] = [
    *((320, "light", "en"), (320, "dark", "ar"), (320, "light", "de"), (1280, "dark", "en"), (1280, "light", "ar")),
    *((320, "dark", "pl"), (1280, "light", "fr"), (320, "light", "ar")),
]


@pytest.fixture
def address(app: App, letter: Letter) -> Iterator[str]:  # noqa: ARG001 - the letter is out before anyone looks
    with served(app, FREE_PLACE, GENEROUS) as found:
        yield found


def check(page: Page) -> None:
    """Hold a page, as it stands, to everything that is asked of each."""
    assert overhang(page) <= 0
    assert small_targets(page) == []
    assert complaints(page) == []
    page.evaluate(OPEN_ALL)
    assert overhang(page) <= 0
    assert small_targets(page) == []
    assert complaints(page) == []


@pytest.mark.parametrize(("width", "scheme", "language"), LOOKS)
def test_every_state_of_the_pages_is_accessible_and_fits(
    browser: Browser, address: str, letter: Letter, office: Office, width: int, scheme: Scheme, language: str
) -> None:
    office.change_clinic(colour="#f5d90a", name="Zentrum für Hautgesundheit und Wohlbefinden Niederösterreich")
    office.change_patient(language=language)
    request, stop = f"{address}/p/{letter.request}", f"{address}/u/{letter.stop}"
    with page_of(browser, width, scheme) as page:
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.goto(request)
        assert page.locator("html").get_attribute("dir") == ("rtl" if language == "ar" else "ltr")
        check(page)
        page.locator("#phone_me-phone").fill("none")
        submit(page, "#phone_me button")
        check(page)
        page.goto(request)
        submit(page, "section.first button[value=consultation_requested]")
        assert page.url == request
        check(page)
        page.goto(stop)
        check(page)
        submit(page, "button[value=stop]")
        check(page)
        submit(page, "button[value=again]")
        check(page)
        assert [one for one in said if "422" not in one] == []
        page.goto(f"{address}/p/unknown")
        check(page)


def test_a_patient_asks_with_the_keyboard_alone(browser: Browser, address: str, letter: Letter, app: App) -> None:
    with page_of(browser, 390, "light") as page:
        page.goto(f"{address}/p/{letter.request}")
        assert len(walk(page)) > 10
        page.goto(f"{address}/p/{letter.request}")
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.matches('.more > summary')"):
                break
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.type("+44 7700 900123")
        page.keyboard.press("Tab")
        page.keyboard.type("After ten, please.")
        page.keyboard.press("Tab")
        with page.expect_navigation():
            page.keyboard.press("Space")
        assert page.locator("#standing").is_visible()
    found = app.patient_page(letter.request)
    assert found is not None
    assert found.answered is not None
    assert (found.answered.has_note, found.answered.has_phone) == (True, True)


def test_a_mistake_is_put_under_the_readers_eyes(browser: Browser, address: str, letter: Letter) -> None:
    with page_of(browser, 390, "light") as page:
        page.goto(f"{address}/p/{letter.request}")
        page.locator("#phone_me > summary").click()
        page.locator("#phone_me-phone").fill("no digits")
        page.locator("#phone_me-note").fill("My own words")
        submit(page, "#phone_me button")
        assert page.evaluate("document.activeElement.getAttribute('role')") == "alert"
        page.locator(".summary a").click()
        assert page.evaluate("document.activeElement.id") == "phone_me-phone"
        assert page.locator("#phone_me-phone").input_value() == "no digits"
        assert page.locator("#phone_me-note").input_value() == "My own words"
        described = (page.locator("#phone_me-phone").get_attribute("aria-describedby") or "").split()
        assert all(page.locator(f"#{name}").is_visible() for name in described)
        assert len(described) == 2


def test_a_reload_after_an_answer_repeats_nothing(browser: Browser, address: str, letter: Letter, app: App) -> None:
    with page_of(browser, 1280, "dark") as page:
        page.goto(f"{address}/p/{letter.request}")
        page.locator("#booked > summary").click()
        page.locator("#booked-day").fill("2026-04-20")
        submit(page, "#booked button")
        page.reload()
        submit(page, "button[value=take_back]")
        page.reload()
        assert page.locator("#standing").count() == 0
    found = app.patient_page(letter.request)
    assert found is not None
    assert found.answered is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_arrow_of_a_list_leaves_our_own_words_room_on_the_narrowest_phone(
    browser: Browser, address: str, letter: Letter, office: Office, language: str
) -> None:
    office.change_patient(language=language)
    with page_of(browser, 320, "light") as page:
        page.goto(f"{address}/p/{letter.request}")
        page.evaluate(OPEN_ALL)
        assert page.evaluate(CRAMPED) == []


def test_a_page_asks_for_nothing_but_its_two_style_sheets(browser: Browser, address: str, letter: Letter) -> None:
    asked: list[str] = []
    with page_of(browser, 390, "light") as page:
        page.on("request", lambda request: asked.append(request.url.removeprefix(address)))
        page.goto(f"{address}/p/{letter.request}")
        page.wait_for_load_state("networkidle")
        assert page.context.cookies() == []
        assert page.evaluate("getComputedStyle(document.querySelector('.button')).borderRadius") != "0px"
    assert {path.split("/")[1] for path in asked} <= {"p", "style", "colour", "favicon.ico"}
