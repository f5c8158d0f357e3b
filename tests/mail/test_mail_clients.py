"""What mail programs do not show as written is not in our mails: every class, step, language, look and set of links.

The facts are those of caniemail.com and of the programs' own pages, as of November 2026: Gmail (web, Android, iOS),
Outlook (Windows classic with Word's engine, web), Apple Mail, Yahoo.
"""

import functools
import itertools
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import NamedTuple

import pytest

from reminders.mail.address import mailto
from reminders.mail.check import complaints
from reminders.mail.compose import parts
from reminders.mail.html import read_html
from reminders.mail.logo import LARGEST_LOGO, prepare_logo
from reminders.mail.message import MessageFacts, MessageLinks, OwnTemplate, logo_id
from reminders.mail.palette import READABLE, contrast
from reminders.mail.words import LANGUAGES, words
from tests.mail.letters import LINKS, NO_LINKS, RENDERER, STEPS, bare, facts, letter
from tests.mail.pictures import drawn, filed

SMALL = 40_000  # bytes of HTML: well under the 102 kB at which Gmail cuts a message off
LOGO = prepare_logo(filed(drawn()))


class Unsupported(NamedTuple):
    """Something that a program does not show as it is written."""

    pattern: str
    program: str
    becomes: str


UNSUPPORTED = {
    "external style sheet": Unsupported(r"<link\b", "Gmail, Outlook, Yahoo", "removed; and a request tells who reads"),
    "script": Unsupported(r"<script\b|\son[a-z]+=|javascript:", "all", "removed, or the whole message is refused"),
    "form": Unsupported(
        r"<(form|input|select|textarea|button)\b", "Outlook, Gmail on Android", "removed, or warned of"
    ),
    "video, audio, frames": Unsupported(r"<(video|audio|iframe|object|embed)\b", "Gmail, Outlook, Yahoo", "removed"),
    "drawings": Unsupported(r"<svg\b|\.svg\b|image/svg", "Gmail, Outlook", "nothing is shown"),
    "remote picture": Unsupported(r"src=\"(?!cid:)", "Outlook, Apple Mail", "blocked or fetched ahead; a tracker"),
    "data: picture": Unsupported(r"data:image", "Gmail, Outlook", "nothing is shown"),
    "picture by size of screen": Unsupported(r"srcset=|<picture\b", "Outlook, Yahoo", "ignored"),
    "web font": Unsupported(r"@font-face|fonts\.|@import", "Gmail, Outlook, Yahoo", "ignored; Outlook shows Times"),
    "background picture": Unsupported(r"url\(|background=\"|background-image", "Outlook", "the ground stays empty"),
    "position": Unsupported(r"[;\"{]position:", "Gmail, Outlook, Yahoo", "removed: things lie over one another"),
    "float": Unsupported(r"[;\"{]float:", "Outlook", "ignored: columns fall apart"),
    "flex and grid": Unsupported(r"display:\s*(inline-)?(flex|grid)|gap:", "Outlook, Gmail in part", "one heap"),
    "variables and sums": Unsupported(r"var\(|calc\(|clamp\(|min\(|max\(", "Gmail, Outlook", "the declaration is lost"),
    "logical sides": Unsupported(r"-inline-(start|end):|text-align:\s*(start|end)", "Outlook, Yahoo", "ignored"),
    "units of the root": Unsupported(r"[0-9](rem|vw|vh|ch)\b", "Outlook", "the declaration is lost"),
    "see-through colours": Unsupported(
        r"rgba?\(|hsla?\(|(?<!&)#([0-9a-f]{8}|[0-9a-f]{4})\b", "Outlook", "black or nothing"
    ),
    "negative margins": Unsupported(r"margin[a-z-]*:[^;\"]*-[0-9]", "Gmail, Outlook on the web", "removed"),
    "other at-rules": Unsupported(r"@(?!media\b)[a-z-]+[\s{]", "Gmail, Yahoo", "the whole sheet may be dropped"),
    "an at-rule in an at-rule": Unsupported(r"@media[^{]*\{[^@]*\{[^}]*@", "Gmail", "the whole sheet is dropped"),
    "comments in the sheet": Unsupported(r"/\*|<!--(?!\[if mso \| IE\]>)", "Yahoo", "what follows is dropped"),
    "styles by id": Unsupported(r"\sid=\"", "Gmail, Outlook on the web", "the id is renamed or removed"),
    "animation": Unsupported(r"animation|transition|@keyframes", "Outlook, Gmail", "ignored"),
    "important beside the element": Unsupported(r"style=\"[^\"]*!important", "Gmail in part", "cannot be overridden"),
}

WAYS: dict[str, dict[str, object]] = {
    "name": {},
    "logo": {"logo": LOGO},
    "own colour": {"colour": "#ffd400", "window_is_open": True},
    "representative": {"recipient_is_representative": True, "patient_name": ""},
    "no phone": {"phone": None, "booking_url": None, "practitioner": None},
    "phone in words": {"phone": "Extension 12 by the front desk on weekday mornings"},
}


class Letter(NamedTuple):
    name: str
    shown: MessageFacts
    links: MessageLinks


def letters() -> Iterator[Letter]:
    for (class_name, stage), language, way, links in itertools.product(STEPS, LANGUAGES, WAYS, (LINKS, NO_LINKS)):
        label = words("mail", language)[f"label_{class_name}"]
        of_it = {"class_name": class_name, "stage": stage, "language": language, "label": label}
        name = "-".join((class_name, stage, language, way, "links" if links is LINKS else "no links"))
        yield Letter(name, facts(**of_it, **WAYS[way]), links)


LETTERS = tuple(letters())


@functools.cache
def html_of(name: str) -> str:
    shown = next(letter for letter in LETTERS if letter.name == name)
    return RENDERER.render(shown.shown, shown.links).html


def failing(problem: Callable[[Letter, str], object]) -> list[tuple[str, object]]:
    """Return the first letters about which `problem` has something to say, and what."""
    found = ((letter.name, problem(letter, html_of(letter.name))) for letter in LETTERS)
    return list(itertools.islice(((name, said) for name, said in found if said), 3))


def test_every_message_passes_the_check() -> None:
    assert failing(lambda one, _: complaints(RENDERER.render(one.shown, one.links), one.shown, one.links)) == []


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_nothing_is_used_that_a_mail_program_does_not_show(name: str) -> None:
    pattern = re.compile(UNSUPPORTED[name].pattern, re.IGNORECASE)
    assert failing(lambda _, html: (found := pattern.search(html)) and found[0]) == []


def test_the_html_and_the_whole_message_stay_small() -> None:
    assert failing(lambda _, html: len(html.encode()) > SMALL and len(html.encode())) == []
    assert len(letter(facts(logo=LOGO))) < 100_000 + LARGEST_LOGO * 4 // 3
    print("HTML: {} to {} bytes".format(*_ends(len(html_of(one.name).encode()) for one in LETTERS)))  # noqa: T201 - the sizes


def test_each_style_sheet_is_small_enough_for_gmail() -> None:
    assert failing(lambda _, html: [len(sheet) for sheet in _sheets(html) if len(sheet.encode()) > 8_000]) == []


def test_every_element_that_shows_words_carries_its_looks_itself() -> None:
    def bare_elements(_: Letter, html: str) -> set[str]:
        return {tag for tag, style in read(html).holding_words if tag in _DRESSED and "color:" not in style}

    assert failing(bare_elements) == []


def test_every_pair_of_colours_beside_the_elements_can_be_read() -> None:
    assert failing(lambda _, html: {pair for pair in read(html).pairs if contrast(*pair) < READABLE}) == []


def test_tables_are_for_layout_and_not_deep() -> None:
    outlook = re.compile(r"<!--\[if mso \| IE\]>|<!\[endif\]-->")
    assert failing(lambda _, html: len(re.findall(r"<table(?![^>]*role=\"presentation\")", html))) == []
    assert failing(lambda _, html: (deep := read(html).deepest) > 5 and deep) == []
    assert failing(lambda _, html: (deep := read(outlook.sub("", html)).deepest) > 8 and deep) == []


def test_what_is_opened_is_closed_with_and_without_outlooks_tables() -> None:
    outlook = re.compile(r"<!--\[if mso \| IE\]>|<!\[endif\]-->")
    assert failing(lambda _, html: read(html).unbalanced or read(outlook.sub("", html)).unbalanced) == []


def test_pictures_have_words_and_a_size_and_travel_along() -> None:
    for one in LETTERS:
        pictures = re.findall(r"<img [^>]*>", html_of(one.name))
        assert len(pictures) == (1 if one.shown.logo else 0)
        for picture in pictures:
            assert f'src="cid:{logo_id(one.shown)}"' in picture
            assert re.search(r' width="\d+" height="\d+" alt="Harbour Clinic"', picture)


def test_headings_are_in_order_and_there_is_one_title() -> None:
    assert failing(lambda _, html: (order := re.findall(r"<h([1-6])", html)) != ["1", "2", "2", "2"] and order) == []


def test_links_lead_where_they_should_and_say_so() -> None:
    known = {LINKS.request_url, LINKS.stop_url, "https://harbour.example/visit", "tel:+442079460018"}
    known |= {mailto("desk@harbour.example"), mailto("desk@harbour.example", "STOP")}
    assert failing(lambda _, html: set(read_html(html).links) - known) == []
    said = re.compile(r"<a [^>]*>(.*?)</a>", re.DOTALL)
    short = re.compile(r"<[^>]*>")
    assert failing(lambda _, html: [a for a in said.findall(html) if len(short.sub("", a).strip()) < 5]) == []


def test_there_is_exactly_one_button_and_the_phone_stands_before_it() -> None:
    for one in LETTERS:
        html = html_of(one.name)
        assert html.count('class="button"') == (1 if one.links.request_url or one.shown.booking_url else 0)
        if one.shown.phone and 'class="button"' in html:
            assert html.index('class="call"') < html.index('class="button"')


def test_right_to_left_is_written_so_everywhere_and_left_to_right_nowhere_in_it() -> None:
    for one in LETTERS:
        html = html_of(one.name)
        here, other = ("rtl", "ltr") if one.shown.language == "ar" else ("ltr", "rtl")
        assert f'<html lang="{one.shown.language}" dir="{here}">' in html
        assert f"direction:{other}" not in html
        assert f' dir="{other}"' not in html.replace('<bdi dir="ltr">', "")
        side = "left" if here == "rtl" else "right"
        assert f"text-align:{side}" not in html
        assert f'align="{side}"' not in html
        assert f"border-{side}:0 solid" in html


def test_a_bare_clinics_message_keeps_its_shape() -> None:
    html = RENDERER.render(bare(), NO_LINKS).html
    assert read_html(html).section
    assert "None" not in html


def test_the_logo_travels_beside_the_html_and_nothing_else_does() -> None:
    content = letter(facts(logo=LOGO))
    assert content.count(b"Content-ID: ") == content.count(b"Content-Disposition: ") == 1
    assert parts(content).html == RENDERER.render(facts(logo=LOGO), LINKS).html


def test_a_clinics_own_paragraphs_lists_and_links_are_dressed_as_the_products_are() -> None:
    own = OwnTemplate(1, 1, "Subject: A consultation\n\nCome.\n\n--- html ---\n<p>Come.</p><ul><li>Soon</li></ul>")
    for language, side in (("en", "left"), ("ar", "right")):
        html = RENDERER.render(facts(language=language, own=own), LINKS).html
        assert re.search(r'<p style="margin:0 0 16px;[^"]*color:#1f2a2d">Come\.</p>', html)
        assert re.search(rf'<ul style="[^"]*padding-{side}:24px;[^"]*"><li style="[^"]*color:#1f2a2d">Soon</li>', html)


_DRESSED = {"p", "h1", "h2", "h3", "li", "a"}


class _Looks(HTMLParser):
    """Follows colours, grounds and tables as a program does that reads styles beside elements only."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pairs: set[tuple[str, str]] = set()
        self.holding_words: list[tuple[str, str]] = []
        self.deepest = 0
        self.unbalanced = ""
        self._open: list[tuple[str, str, str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"img", "br", "meta"}:
            return
        style = dict(attrs).get("style") or ""
        _, _, colour, ground = self._open[-1] if self._open else ("", "", "#000000", "#ffffff")
        colour = _declared(style, "color") or colour
        ground = _declared(style, "background-color") or _declared(style, "background") or ground
        self._open.append((tag, style, colour, ground))
        self.deepest = max(self.deepest, sum(name == "table" for name, *_ in self._open))

    def handle_endtag(self, tag: str) -> None:
        if tag in {"img", "br", "meta"}:
            return
        last = self._open.pop()[0] if self._open else "nothing"
        self.unbalanced = self.unbalanced or (f"{last} closed as {tag}" if last != tag else "")

    def handle_data(self, data: str) -> None:
        names = {name for name, *_ in self._open}
        if not data.strip() or names & {"style", "title"}:
            return
        tag, style, colour, ground = self._open[-1]
        if "display:none" not in style:
            self.holding_words.append((tag, style))
            self.pairs.add((colour, ground))


def read(html: str) -> _Looks:
    looks = _Looks()
    looks.feed(html)
    looks.close()
    return looks


def _declared(style: str, name: str) -> str:
    found = re.findall(rf"(?:^|;){name}:(#[0-9a-f]{{6}})", style)
    return found[-1] if found else ""


def _sheets(html: str) -> list[str]:
    return re.findall(r"<style>(.*?)</style>", html, re.DOTALL)


def _ends(sizes: Iterator[int]) -> tuple[int, int]:
    found = list(sizes)
    return min(found), max(found)
