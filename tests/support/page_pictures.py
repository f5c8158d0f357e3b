"""Takes the pictures of the patient's pages that the documents show: from a small clinic of its own, really served.

Invariant: each page is reached by the link of a mail that was really sent, and nobody on it exists.
"""

import datetime as dt
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser

from reminders.app import App, init, open_app
from reminders.domain.answers import AnswerKind
from reminders.mail.compose import parts
from reminders.services.answering.reply import Reply
from reminders.services.record import NewTreatment
from reminders.settings import Settings
from reminders.web.serve import served
from tests.support.browser import Scheme, page_of
from tests.support.clinic import FakeClock

_NOW = dt.datetime(2027, 2, 17, 10, 30, tzinfo=dt.UTC)
_BASE = "https://reminders.harbour.example"
_CLINIC = {
    "name": "Harbour Clinic",
    "timezone": "Europe/London",
    "email": "hello@harbour.example",
    "phone": "+44 20 7946 0018",
    "booking_url": "https://harbour.example/visit",
    "address": "1 Quay Street\nLondon N1 1AA",
    "jurisdiction": "uk",
}
_PEOPLE = {"odile": ("Odile", "en"), "salma": ("سلمى", "ar"), "jens": ("Jens", "de")}


def page_shots(browser: Browser) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the picture of every page."""
    with _small_clinic() as (app, tokens), served(app, "127.0.0.1:0") as address:

        def shot(path: str, width: int, scheme: Scheme) -> bytes:
            with page_of(browser, width, scheme, scale=1.5 if width < 500 else 1) as page:
                page.goto(f"{address}{path}")
                return page.screenshot(full_page=True)

        asked = f"/p/{tokens['odile', 'p']}"
        yield "page-phone-light", shot(asked, 390, "light")
        yield "page-phone-dark", shot(asked, 390, "dark")
        yield "page-desk-light", shot(asked, 1024, "light")
        yield "page-arabic-phone", shot(f"/p/{tokens['salma', 'p']}", 390, "light")
        yield "page-stop-phone", shot(f"/u/{tokens['jens', 'u']}", 390, "light")
        yield "page-neutral-phone", shot("/p/an-old-link", 390, "light")
        app.answer(tokens["odile", "p"], Reply(AnswerKind.CONSULTATION_REQUESTED, None, "phone", "afternoon"))
        yield "page-answered-phone", shot(asked, 390, "light")


@contextmanager
def _small_clinic() -> Iterator[tuple[App, dict[tuple[str, str], str]]]:
    """Give an open product that has written to three patients, and the tokens of their links by person and room."""
    with tempfile.TemporaryDirectory() as scratch:
        folder, clock = Path(scratch), FakeClock(_NOW)
        settings = Settings(
            database_url=f"sqlite:///{folder / 'pictures.db'}",
            secret_key_file=folder / "pictures.key",
            smtp_url=f"file:{folder / 'sent'}",
            base_url=_BASE,
        )
        init(settings, clock)
        with open_app(settings, clock) as app:
            app.add_clinic("harbour", _CLINIC, ["Dr Mary Stone", "Dr Ian Reed"])
            for ref, (name, language) in _PEOPLE.items():
                given = {"given_name": name, "language": language, "email": f"{ref}@home.example", "consent": "granted"}
                given["phone"] = "+44 20 7946 0177"
                app.add_patient("harbour", ref, given)
                treated = NewTreatment(ref, "botulinum-cosmetic", dt.date(2026, 12, 3), "Dr Mary Stone")
                app.add_treatment("harbour", treated)
            app.deliver()
            yield app, dict(_tokens(folder / "sent"))


def _tokens(folder: Path) -> Iterator[tuple[tuple[str, str], str]]:
    for path in folder.rglob("*.eml"):
        message = parts(path.read_bytes())
        person = dict(message.headers)["To"].partition("@")[0]
        for word in message.text.split():
            if word.startswith(f"{_BASE}/"):
                room, _, token = word.removeprefix(f"{_BASE}/").partition("/")
                yield (person, room), token
