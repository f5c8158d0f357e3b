"""The mail as a browser shows it: every step, phone to desk, light and dark, English, German and Arabic.

What is measured is what the reader gets: sizes, order and contrast are asked of the page that was laid out.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from reminders.mail.message import MessageFacts
from reminders.mail.palette import READABLE
from reminders.mail.words import words
from tests.mail.letters import LINKS, RENDERER, STEPS, facts
from tests.support import pictures
from tests.support.accessibility import axe_complaints
from tests.support.browser import Scheme, page_of

WIDTHS = (320, 390, 1024)
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
LANGUAGES = ("en", "de", "ar")
LONG = {
    "clinic_name": "Zentrum für Dermatologie und Gesichtsbehandlungen Donaudampfschifffahrtsstraße",
    "reply_to": "empfang.terminvereinbarung@dermatologie-zentrum-hauptstadt.example",
    "practitioner": "Dr. med. Wolfgang-Maximilian Hohenlohe-Langenburg-Schillingsfürst",
    "postal_address": "Bundesausbildungsförderungsgesetzstraße 117a\n10115 Berlin",
    "patient_name": "Zoë 👩🏽‍🦰 Ng\u0302o\u0323c",
}
OF_SITES = ("region", "landmark-one-main")  # rules about the parts of a site; a mail is one article
MEASURE = """() => {
  const parts = colour => (colour.match(/[\\d.]+/g) || []).map(Number);
  const linear = part => (part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const ground = element => {
    for (let at = element; at; at = at.parentElement) {
      const [r, g, b, a = 1] = parts(getComputedStyle(at).backgroundColor);
      if (a === 1) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let smallest = 99, weakest = 99, weak = '';
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement, style = getComputedStyle(element);
    if (!walker.currentNode.data.trim() || !element.getClientRects().length) continue;
    smallest = Math.min(smallest, parseFloat(style.fontSize));
    const [one, other] = [light(parts(style.color)), light(ground(element))].sort((a, b) => a - b);
    const ratio = (other + 0.05) / (one + 0.05);
    if (ratio < weakest) { weakest = ratio; weak = walker.currentNode.data.trim(); }
  }
  const box = selector => document.querySelector(selector)?.getBoundingClientRect();
  const [phone, button] = [box('.call'), box('.button a')];
  return {
    overflow: document.documentElement.scrollWidth - innerWidth, smallest, weakest, weak,
    phone: phone && [phone.top, phone.height], button: button && [button.top, button.height],
    buttons: document.querySelectorAll('.button a').length,
    outside: [...document.querySelectorAll('p, h1, h2, a')].filter(one => one.getClientRects().length
      && (one.getBoundingClientRect().right > innerWidth + 0.5 || one.getBoundingClientRect().left < -0.5)).length,
  };
}"""
LINES = """() => [...document.querySelectorAll('p')].map(p => {
  const range = document.createRange(), walker = document.createTreeWalker(p, NodeFilter.SHOW_TEXT), lines = {};
  while (walker.nextNode()) [...walker.currentNode.data].forEach((letter, at) => {
    range.setStart(walker.currentNode, at); range.setEnd(walker.currentNode, at + 1);
    const box = range.getBoundingClientRect(), line = Math.round(box.bottom / 8);
    if (box.width && !/\\p{M}/u.test(letter)) lines[line] = (lines[line] || 0) + 1;
  });
  return Math.max(0, ...Object.values(lines));
})"""


def shown(language: str, **changes: Any) -> MessageFacts:  # noqa: ANN401 - any field
    class_name = changes.get("class_name", "cosmetic")
    return facts(language=language, label=words("mail", language)[f"label_{class_name}"], **changes)


def steps(language: str) -> Iterator[tuple[str, str]]:
    for class_name, stage in STEPS:
        changes = LONG if language == "de" else {}
        message = shown(language, class_name=class_name, stage=stage, **changes)
        yield f"{class_name} {stage}", RENDERER.render(message, LINKS).html


def complaints(page: Page) -> list[str]:
    """Return what a reader would be annoyed at on the page as it is laid out."""
    seen = page.evaluate(MEASURE)
    (phone_top, phone_height), (button_top, button_height) = seen["phone"], seen["button"]
    found = {
        f"it scrolls sideways by {seen['overflow']}": seen["overflow"] > 0,
        f"{seen['outside']} things stand outside the page": seen["outside"],
        f"letters of {seen['smallest']} pixels": seen["smallest"] < 16,
        f"a contrast of {seen['weakest']:.2f} in '{seen['weak'][:20]}'": seen["weakest"] < READABLE,
        f"a phone number of {phone_height} pixels": phone_height < 44,
        f"a button of {button_height} pixels": button_height < 44,
        "the phone does not stand above the button": phone_top + phone_height > button_top,
        f"{seen['buttons']} buttons": seen["buttons"] != 1,
    }
    return [complaint for complaint, holds in found.items() if holds]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_step_can_be_read_at_every_width(browser: Browser, language: str, scheme: Scheme) -> None:
    found = {}
    for width in WIDTHS:
        with page_of(browser, width, scheme) as page:
            for name, html in steps(language):
                page.set_content(html)
                found[f"{name} {width}"] = complaints(page)
    assert {name: said for name, said in found.items() if said} == {}


@pytest.mark.parametrize(("width", "scheme"), [(320, "light"), (390, "dark"), (1024, "light")])
def test_a_program_that_removes_style_sheets_and_classes_of_its_own_shows_the_same_words_as_well(
    browser: Browser, width: int, scheme: Scheme
) -> None:
    with page_of(browser, width, scheme) as page:
        for language in LANGUAGES:
            for name, html in steps(language):
                page.set_content(re.sub(r"<head>.*?</head>", "<meta charset=utf-8>", html, flags=re.DOTALL))
                assert (name, complaints(page)) == (name, [])


@pytest.mark.parametrize("colour", ["#ffd400", "#000000", "#ff5a5f", "#2b59ff", "#f4f4f4"])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_clinics_colour_can_be_read(browser: Browser, colour: str, scheme: Scheme) -> None:
    with page_of(browser, 390, scheme) as page:
        page.set_content(RENDERER.render(shown("en", colour=colour), LINKS).html)
        assert complaints(page) == []


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("en", "dark"), ("de", "light"), ("ar", "dark")])
def test_axe_finds_nothing(browser: Browser, language: str, scheme: Scheme) -> None:
    with page_of(browser, 390, scheme) as page:
        for name, html in steps(language):
            page.set_content(html)
            assert (name, axe_complaints(page, *OF_SITES)) == (name, [])


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_line_is_longer_than_sixty_five_letters(browser: Browser, language: str) -> None:
    with page_of(browser, 1024, "light") as page:
        page.set_content(RENDERER.render(shown(language), LINKS).html)
        assert max(page.evaluate(LINES)) <= 65


def test_nothing_is_fetched(browser: Browser) -> None:
    with page_of(browser, 1024, "light") as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.set_content(RENDERER.render(shown("ar"), LINKS).html)
        page.wait_for_load_state("networkidle")
        assert asked == []


def test_dark_is_dark_and_light_is_light(browser: Browser) -> None:
    grounds = {}
    for scheme in SCHEMES:
        with page_of(browser, 390, scheme) as page:
            page.set_content(RENDERER.render(shown("en"), LINKS).html)
            grounds[scheme] = page.evaluate("getComputedStyle(document.querySelector('.card')).backgroundColor")
    assert grounds == {"light": "rgb(253, 253, 253)", "dark": "rgb(28, 34, 38)"}


def test_a_panel_of_a_language_written_to_the_left_begins_at_the_right(browser: Browser) -> None:
    with page_of(browser, 390, "light") as page:
        page.set_content(RENDERER.render(shown("ar"), LINKS).html)
        style = "getComputedStyle(document.querySelector('.consultation > table > tbody > tr > td'))"
        assert page.evaluate(f"{style}.borderRightWidth") == "4px"
        assert page.evaluate(f"{style}.borderLeftWidth") == "0px"


def test_the_pictures_of_the_documents_are_small_and_all_there(browser: Browser) -> None:
    made = pictures.shots(browser)
    assert {f"{shot.name}.png" for shot in made} == {file.name for file in pictures.FOLDER.glob("mail-*.png")}
    assert [file.name for file in pictures.FOLDER.glob("*.png") if file.stat().st_size > pictures.LARGEST] == []
    assert [shot.name for shot in made if len(pictures.picture(browser, shot)) > pictures.LARGEST] == []
