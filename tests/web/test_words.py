"""The words of the pages: the same keys and blanks in seven languages, and no page in two of them."""

import datetime as dt
import re
from html.parser import HTMLParser
from pathlib import Path

import jinja2
import pytest
from jinja2 import nodes

from reminders import paths
from reminders.mail.wording import day_in_words, month_in_words
from reminders.mail.words import LANGUAGES, words
from reminders.web.speech import ROOM
from tests.support.clinic import INVITED_AT, Office
from tests.support.site import Letter, Site

TEMPLATES = sorted((paths.templates() / "web").glob("*.html"))
BLANKS = re.compile(r"{(\w+)}")
FACTS = ("Clinic Riverside", "AdaP1", "Dr Jane Hart", "+44 20 7946 0000", "999")


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_is_missing_in(language: str) -> None:
    english, ours = words(ROOM, "en"), words(ROOM, language)
    assert set(ours) == set(english)
    assert [key for key, value in ours.items() if not value.strip() or value != value.strip()] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_blanks_are_the_same_in(language: str) -> None:
    english, ours = words(ROOM, "en"), words(ROOM, language)
    assert [key for key in english if set(BLANKS.findall(english[key])) != set(BLANKS.findall(ours[key]))] == []


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_nothing_was_left_in_english_in(language: str) -> None:
    english, ours = words(ROOM, "en"), words(ROOM, language)
    same = {key for key in english if english[key] == ours[key] and BLANKS.sub("", english[key]).strip(": ")}
    assert same == set()


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_holds_no_words_of_its_own(path: Path) -> None:
    tree = jinja2.Environment(autoescape=True).parse(path.read_text(encoding="utf-8"))
    source = "".join(node.data for node in tree.find_all(nodes.TemplateData))
    text = re.sub(r"<[^>]*>|[\w-]+=\"[^\"]*\"?|^[^<]*\"?>|<[^>]*$", " ", source, flags=re.MULTILINE)
    assert re.findall(r"[A-Za-z]{3,}", re.sub(r"(?s)<.*?>", " ", text)) == []


class _Texts(HTMLParser):
    """Collects what a person reads: texts, and the attributes that are read out."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        self.found.append(data)

    def handle_starttag(self, _: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in ("title", "alt", "aria-label", "placeholder")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_page_mixes_languages(site: Site, letter: Letter, office: Office, language: str) -> None:
    office.change_patient(language=language)
    pages = [site.ask("GET", f"/p/{letter.request}"), site.ask("GET", f"/u/{letter.stop}")]
    pages += [site.post(f"/p/{letter.request}", "kind=phone_me&phone=none"), site.post(f"/u/{letter.stop}", "act=stop")]
    site.post(f"/p/{letter.request}", "kind=consultation_requested&contact_by=email&contact_when=any&note=x")
    pages += [site.ask("GET", f"/p/{letter.request}"), site.post(f"/u/{letter.stop}", "act=again")]
    pages += [site.ask("GET", "/p/unknown", headers={"accept-language": language})]
    for page in pages:
        assert _foreign(page.body.decode(), language) == []


def _foreign(page: str, language: str) -> list[str]:
    """Return what of a page stands neither in the language's own words and days nor among the clinic's facts."""
    parser = _Texts()
    parser.feed(re.sub(r"</?bdi[^>]*>|</?a [^>]*>|</a>", "", page))
    known = [_pattern(sentence, language) for sentence in words(ROOM, language).values()]
    texts = {" ".join(text.split()) for text in parser.found} - {"", *FACTS} - _days(language)
    return [text for text in texts if not all(_is_ours(piece, known) for piece in text.split(" · "))]


def _pattern(sentence: str, language: str) -> str:
    """Return what a sentence looks like when it is filled in; today is the only day on which anything was said."""
    escaped = re.escape(sentence).replace(r"\{", "{").replace(r"\}", "}")
    today = re.escape(day_in_words(INVITED_AT.date(), language, "uk"))
    return BLANKS.sub(".+", escaped.replace("{on}", today))


def _is_ours(text: str, known: list[str]) -> bool:
    return any(re.fullmatch(one, text) for one in known)


def _days(language: str) -> set[str]:
    """Return every day and month of the year as the language writes them."""
    year = [dt.date(2026, 1, 1) + dt.timedelta(days=n) for n in range(365)]
    return {write(day, language, "uk") for day in year for write in (day_in_words, month_in_words)}
